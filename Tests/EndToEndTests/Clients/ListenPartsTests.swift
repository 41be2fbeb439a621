import BelfryCore
import Foundation
import Glibc
import Testing

@testable import belfry

struct ListenPartsTests {
    private func frame(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

    @Test("a notice is one line: time, severity, title, text")
    func noticeLine() throws {
        let notification = try frame(ScriptedHub.notice(7, "Disk\\n\\u001b[31mfull"))
        let line = FrameLine.of(notification["params"] ?? .null)
        #expect(line == "2026-11-23 03:45:31Z  error    Disk \u{FFFD}[31mfull: it is full")
    }

    @Test(
        "other frames are a line too, whatever they hold",
        arguments: [
            (
                #"{"position":1,"time":"2026-11-23T03:45:31.000Z","topic":"source/plant","source":"plant","type":"EVENT","data":{"event":"evt_1","type":"sensor.reading","subject":"pump-7","status":"matched"}}"#,
                "2026-11-23 03:45:31Z  EVENT                 plant  matched  sensor.reading  pump-7  evt_1"
            ),
            (
                #"{"position":1,"topic":"run/run_1","run":"run_1","type":"TEXT_MESSAGE_CONTENT","data":{"delta":"two\nlines"}}"#,
                "-  TEXT_MESSAGE_CONTENT  run_1  two lines"
            ),
            (#"{"topic":"custom/x","type":"CUSTOM","data":[1]}"#, "-  CUSTOM                custom/x  [1]"),
            ("{}", "-  -                     -  null"),
        ])
    func otherLines(text: String, line: String) throws {
        #expect(FrameLine.of(try frame(text)) == line)
    }

    @Test("a program's environment has fixed names, bounded values without NUL, and links that can be followed")
    func variables() throws {
        let notification = try frame(ScriptedHub.notice(7, "nul\\u0000 and \(String(repeating: "é", count: 5000))"))
        let variables = FrameVariables.of(notification["params"] ?? .null, hub: "http://hub:8420")
        #expect(variables["BELFRY_POSITION"] == "7")
        #expect(variables["BELFRY_TYPE"] == "NOTICE")
        #expect(variables["BELFRY_KIND"] == "disk")
        #expect(variables["BELFRY_SOURCE"] == "plant")
        #expect(variables["BELFRY_LINK"] == "http://hub:8420/#source/plant")
        let title = try #require(variables["BELFRY_TITLE"] ?? nil)
        #expect(title.hasPrefix("nul\u{FFFD} and éé"))
        #expect(!title.utf8.contains(0))
        #expect(title.utf8.count <= Limits.listenVariableBytesMax)
        // What this process has of that name is taken away where the frame has none.
        #expect(variables["BELFRY_RUN"] == .some(nil))
    }

    @Test("what a sender put into a frame sets no other variable")
    func foreignNames() throws {
        let custom = try frame(
            #"{"position":1,"type":"CUSTOM","topic":"custom/x","data":{"token":"t","url":"u","path":"p","title":"ok"}}"#
        )
        let variables = FrameVariables.of(custom, hub: "http://hub")
        #expect(variables["BELFRY_TITLE"] == "ok")
        for name in ["BELFRY_TOKEN", "BELFRY_URL", "BELFRY_PATH", "PATH"] { #expect(variables[name] == nil) }
    }

    @Test(
        "the WebSocket's address comes from the hub's URL",
        arguments: [
            ("http://127.0.0.1:8420", "127.0.0.1", 8420, false, "/v1/ws", "127.0.0.1:8420"),
            ("https://hub.example", "hub.example", 443, true, "/v1/ws", "hub.example"),
            ("https://hub.example:8443/belfry", "hub.example", 8443, true, "/belfry/v1/ws", "hub.example:8443"),
            ("http://[::1]:8420", "::1", 8420, false, "/v1/ws", "[::1]:8420"),
        ])
    func address(url: String, host: String, port: Int, isTLS: Bool, path: String, authority: String) throws {
        let address = try #require(HubAddress(url))
        #expect((address.host, address.port, address.isTLS) == (host, port, isTLS))
        #expect((address.path, address.authority) == (path, authority))
    }

    @Test("what is no hub's URL has no address", arguments: ["ws://x", "ftp://x", "http://", "x", "", "http:///path"])
    func noAddress(url: String) {
        #expect(HubAddress(url) == nil)
    }

    @Test("the position file is read back, and refused when it is broken or another hub's")
    func positionFile() throws {
        let folder = try TemporaryFolder()
        let file = PositionFile(path: "\(folder.path)/position", hub: "http://a")
        #expect(try file.read() == nil)
        try file.write(41)
        // What a process of the same number left behind when it was killed: in a container, always.
        try folder.write("{", to: "position.\(getpid()).new")
        try file.write(42)
        #expect(try file.read() == 42)
        #expect(throws: Failure.self) { try PositionFile(path: file.path, hub: "http://b").read() }
        for text in ["", "{}", "41x", #"{"hub":"http://a","position":-1}"#] {
            try folder.write(text, to: "position")
            #expect(throws: Failure.self) { try file.read() }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["position"])
    }

    @Test(
        "every close code has words, and the hub's reason is harmless beside them",
        arguments: [
            1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1013, 4000,
        ])
    func closeCodes(code: UInt16) {
        #expect(CloseCode.words(code, reason: "tok\u{1B}en").hasSuffix(": tok\u{FFFD}en"))
        #expect(CloseCode.words(nil, reason: "") == "the connection to the hub is lost")
    }
}
