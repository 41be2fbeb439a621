import BelfryCore
import Testing

@testable import belfry

struct ClientPartsTests {
    @Test(
        "a token found in a file goes to this machine only",
        arguments: [
            ("http://127.0.0.1:8420", true), ("http://localhost", true), ("http://[::1]:9", true),
            ("https://127.9.9.9/x", true),
            ("http://127.0.0.1.evil.example", false), ("http://localhost.evil.example", false),
            ("http://10.0.0.1", false),
            ("http://127.0.0.1@evil.example", false), ("http://evil.example/127.0.0.1", false),
            ("http://[::1].evil", false),
            ("http://127.0.0.256", false), ("127.0.0.1:8420", false),
        ]
    )
    func loopback(url: String, expected: Bool) {
        #expect(Loopback.isLoopback(url: url) == expected)
    }

    @Test("text of others cannot command the terminal")
    func harmless() {
        #expect(Terminal.harmless("a\u{1B}[2Jb\u{9B}c\r\n\td") == "a\u{FFFD}[2Jb\u{FFFD}c\u{FFFD}\n\td")
        #expect(Terminal.harmless("rm \u{202E}txt.\u{2066}x") == "rm \u{FFFD}txt.\u{FFFD}x")
    }

    @Test("a problem document becomes one line and an exit code")
    func problem() {
        func failure(_ status: Int, _ body: JSONValue) -> Failure {
            Failure(problem: .init(status: status, headers: [], body: body), at: "GET /v1/x")
        }
        #expect(failure(404, ["detail": "no rule x", "code": "not_found"]).message == "no rule x (not_found)")
        #expect(failure(404, .null).code == .negative)
        #expect(failure(401, .null).code == .refused)
        #expect(failure(403, .null).code == .refused)
        #expect(failure(503, .null).code == .serverError)
        let diagnostics: JSONValue = [
            "diagnostics": [["file": "r.yaml", "line": 3, "path": "when.data", "message": "unknown operator"]]
        ]
        #expect(failure(422, diagnostics).message.hasSuffix("\n  r.yaml:3: when.data: unknown operator"))
    }

    @Test("without a token the file is named in which it was looked for")
    func noToken() {
        let answer = APIClient.Answer(status: 401, headers: [], body: ["detail": "no token", "code": "unauthorized"])
        let failure = Failure(problem: answer, at: "GET /v1/x", noTokenAt: "data/admin.token")
        #expect(failure.message.hasPrefix("no token at data/admin.token; "))
    }

    @Test("what the hub itself throws is one line without its code, and diagnostics are one a line")
    func hubErrors() {
        let taken = Failure(ofHub: BelfryError(.conflict, "the data folder is in use"))
        #expect(taken.message == "the data folder is in use" && taken.code == .negative)
        let lines: JSONValue = [
            ["file": "a.yaml", "line": 3, "path": "", "message": "x"], ["file": "b.yaml", "line": 1],
        ]
        let invalid = Failure(
            ofHub: BelfryError(.invalidDocument, "a.yaml:3: x (and 1 more)", details: ["diagnostics": lines]))
        #expect(invalid.message == "the documents are not valid:\n  a.yaml:3: x\n  b.yaml:1: ")
        #expect(Failure(ofHub: BelfryError(.storageFailed, "x")).code == .serverError)
    }

    @Test("send shows the runs that began, or where to ask why none did")
    func outcomes() {
        let event: JSONValue = [
            "event": "evt_x", "status": "matched", "runs": ["run_y"],
        ]
        #expect(SendCommand.line(event) == "evt_x matched → run_y\n")
        let nothing: JSONValue = ["event": "evt_x", "status": "accepted", "runs": []]
        #expect(SendCommand.line(nothing) == "evt_x accepted (why: belfry events why evt_x)\n")
    }

    @Test("quantiles are within 1.6 %")
    func quantiles() {
        var histogram = Histogram()
        for milliseconds in 1...1000 { histogram.add(.milliseconds(milliseconds)) }
        for (q, exact) in [(0.5, 501.0), (0.99, 991.0), (0.0, 1.0)] {
            #expect(abs(histogram.quantile(q).asMilliseconds - exact) <= exact * 0.016)
        }
        #expect(histogram.quantile(1) == .milliseconds(1000))
        #expect(Histogram().quantile(0.99) == .zero)
    }

    @Test("a response that is cut at any byte reads the same")
    func responseCuts() {
        let text =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"
            + "HTTP/1.1 202 Accepted\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 204 No Content\r\n\r\n"
        func read(_ pieces: [[UInt8]]) -> String {
            var parser = ResponseParser()
            var seen = ""
            for piece in pieces {
                let isHTTP = parser.feed(piece) { part in
                    switch part {
                    case .head(let head): seen += "[\(head.status) \(head.lines.count)]"
                    case .body(let bytes): seen += String(decoding: bytes, as: UTF8.self)
                    case .end: seen += "[end]"
                    }
                }
                if !isHTTP { seen += "[broken]" }
            }
            return seen
        }
        let bytes = Array(text.utf8)
        let whole = "[200 2]hello world[end][202 1]abc[end][204 0][end]"
        #expect(read([bytes]) == whole)
        for cut in 1..<bytes.count { #expect(read([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole) }
    }
}
