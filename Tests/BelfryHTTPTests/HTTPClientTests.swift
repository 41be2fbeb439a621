import BelfryCore
import Logging
import Testing

@testable import BelfryHTTP

/// The client against real sockets, one misbehaviour per test.
@Suite(.timeLimit(.minutes(3)))
struct HTTPClientTests {
    private let client = HTTPClient(policy: .local, logger: Logger(label: "test"))

    @Test("a plain answer: status, headers, body, and the connection is used again")
    func plain() async throws {
        let server = ScriptedServer { connection in
            while connection.readRequest() != nil {
                connection.answer("201 Created", headers: "X-One:  a b \r\nx-one: second\r\n", body: "hello")
            }
        }
        for _ in 0..<3 {
            let request = HTTPRequest(
                "POST", url: server.url + "/path?q=1", headers: [("X-Key", "v")], body: Array("{}".utf8))
            let response = try await client.send(request)
            #expect(response.status == 201)
            #expect(response.header("X-ONE") == "a b")
            #expect(response.headers.count { $0.name.lowercased() == "x-one" } == 2)
            #expect(try await response.body.collect(upTo: 100) == Array("hello".utf8))
        }
        let record = server.record
        #expect(record.connections == 1)
        #expect(record.requests.count == 3)
        let request = record.requests[0]
        #expect(request.hasPrefix("POST /path?q=1 HTTP/1.1\r\n"))
        #expect(request.contains("\r\nX-Key: v\r\n") && request.hasSuffix("\r\n\r\n{}"))
        #expect(!request.lowercased().contains("expect:"))
    }

    @Test("methods, empty bodies and empty headers go out as they are given")
    func forms() async throws {
        let server = ScriptedServer { connection in
            while connection.readRequest() != nil { connection.answer() }
        }
        for method in ["GET", "POST", "DELETE", "PATCH", "PUT", "OPTIONS", "HEAD"] {
            let response = try await client.send(HTTPRequest(method, url: server.url, headers: [("X-Empty", "")]))
            #expect(try await response.body.collect(upTo: 0).isEmpty)
        }
        let requests = server.record.requests
        #expect(
            requests.map { String($0.prefix { $0 != " " }) } == [
                "GET", "POST", "DELETE", "PATCH", "PUT", "OPTIONS", "HEAD",
            ])
        #expect(requests.allSatisfy { $0.contains("\r\nX-Empty:\r\n") })
        #expect(requests[1].contains("Content-Length: 0"))
    }

    @Test("a large request body goes out without waiting for 100 Continue")
    func largeRequest() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.answer(body: "ok")
        }
        let body = [UInt8](repeating: 0x61, count: 3_000_000)
        let response = try await client.send(HTTPRequest("POST", url: server.url, body: body))
        #expect(response.status == 200)
        #expect(server.record.requests.first?.lowercased().contains("\r\nexpect:") == false)
        #expect(server.record.requests.first?.utf8.suffix(body.count).allSatisfy { $0 == 0x61 } == true)
    }

    @Test("a chunked body that comes byte by byte is whole; interim responses and trailers are not part of it")
    func byteByByte() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            let text =
                "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5\r\nhäll\r\n3;ext=1\r\nö!\r\n0\r\nX-Trailer: t\r\n\r\n"
            for byte in text.utf8 { connection.write([byte]) }
            connection.waitForClose()
        }
        let response = try await client.send(HTTPRequest(url: server.url))
        #expect(response.status == 200)
        #expect(response.header("link") == nil)
        #expect(String(decoding: try await response.body.collect(upTo: 100), as: UTF8.self) == "hällö!")
    }

    @Test("a body of the other side's making is passed on as it comes, not at its end")
    func streams() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            connection.writeChunk("first")
            connection.waitForClose()
        }
        let response = try await client.send(HTTPRequest(url: server.url))
        var pieces = response.body.makeAsyncIterator()
        #expect(try await pieces.next() == Array("first".utf8))
    }

    @Test("a connection that ends too early is an error, after what came has been delivered", arguments: [true, false])
    func endsEarly(byReset: Bool) async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            connection.pause(milliseconds: 50)
            if byReset { connection.resetOnClose() }
        }
        let response = try await client.send(HTTPRequest(url: server.url))
        var bytes: [UInt8] = []
        let failure = await #expect(throws: HTTPFailure.self) {
            for try await piece in response.body { bytes += piece }
        }
        #expect(failure?.code == .connectionLost)
        #expect(bytes == Array("half".utf8))
    }

    @Test("a server that closes without an answer, and one that speaks no HTTP, are named as such")
    func noAnswer() async {
        let closing = ScriptedServer { $0.readRequest() }
        #expect(await failure(HTTPRequest(url: closing.url)) == .connectionLost)
        let talking = ScriptedServer { connection in
            connection.readRequest()
            connection.write("220 smtp.example ESMTP\r\n")
        }
        #expect(await failure(HTTPRequest(url: talking.url)) == .protocolViolation)
    }

    @Test("a redirect is an answer, not a way: its target is never asked")
    func redirect() async throws {
        let secret = ScriptedServer { $0.readRequest() }
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.answer("302 Found", headers: "Location: \(secret.url)/metadata\r\n")
        }
        let response = try await client.send(HTTPRequest(url: server.url))
        #expect(response.status == 302)
        _ = try await response.body.collect(upTo: 10)
        #expect(secret.record.connections == 0)
    }

    @Test(
        "a head without end is cut off", arguments: ["X-Long: \(String(repeating: "a", count: 200))\r\n", "a: b\r\n"])
    func endlessHead(line: String) async {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n")
            while connection.write(line) {}
        }
        #expect(await failure(HTTPRequest(url: server.url)) == .protocolViolation)
        #expect(await server.waits { $0.closedByPeer == 1 })
        #expect(server.record.bytesWritten < 8_000_000)
    }

    @Test("a header line without end is cut off")
    func endlessHeaderLine() async {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nX: ")
            while connection.write(String(repeating: "a", count: 1000)) {}
        }
        var request = HTTPRequest(url: server.url)
        request.firstByteTimeout = .seconds(5)
        let code = await failure(request)
        #expect(code == .protocolViolation || code == .connectionLost)
        #expect(await server.waits { $0.closedByPeer == 1 })
    }

    // MARK: Timeouts

    @Test("nobody takes the connection: connect timeout")
    func connectTimeout() async {
        // The queue of one is filled by another connection; the kernel then drops what else comes.
        let (listener, port) = ScriptedServer.listen(backlog: 0)
        let filler = ScriptedServer.connect(port: port)
        defer { for socket in [listener] + filler { ScriptedServer.close(socket) } }
        var request = HTTPRequest(url: "http://127.0.0.1:\(port)")
        request.connectTimeout = .milliseconds(150)
        #expect(await failure(request) == .connectTimeout)
    }

    @Test("no answer, a stalled answer, and one that takes too long: each its own timeout, and the socket is closed")
    func timeouts() async throws {
        let silent = ScriptedServer { connection in
            connection.readRequest()
            connection.waitForClose()
        }
        var request = HTTPRequest(url: silent.url)
        request.firstByteTimeout = .milliseconds(150)
        #expect(await failure(request) == .firstByteTimeout)
        #expect(await silent.waits { $0.closedByPeer == 1 })

        let stalling = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            connection.writeChunk("x")
            connection.waitForClose()
        }
        request = HTTPRequest(url: stalling.url)
        request.idleTimeout = .milliseconds(150)
        #expect(await failure(request) == .idleTimeout)
        #expect(await stalling.waits { $0.closedByPeer == 1 })

        let dripping = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            while connection.write("1\r\nx\r\n") { connection.pause(milliseconds: 20) }
        }
        request = HTTPRequest(url: dripping.url)
        request.deadline = .milliseconds(250)
        request.idleTimeout = .milliseconds(200)
        #expect(await failure(request) == .deadline)
        #expect(await dripping.waits { $0.closedByPeer == 1 })
    }

    @Test("nothing listens: the message names host and port and says what to do")
    func nothingListens() async {
        let (listener, port) = ScriptedServer.listen(backlog: 1)
        ScriptedServer.close(listener)
        let failure = await #expect(throws: HTTPFailure.self) {
            _ = try await client.send(
                HTTPRequest(url: "http://127.0.0.1:\(port)/v1?key=SECRET", headers: [("A", "SECRET")]))
        }
        #expect(failure?.code == .connect)
        #expect(failure?.description.contains("nothing listens on 127.0.0.1:\(port)") == true)
        #expect(failure?.description.contains("SECRET") == false)
    }

    @Test("a name without an address, and a port that speaks no TLS, each say so")
    func unreachable() async {
        // A label of more than 63 bytes can be no name: the resolver says so without asking anyone.
        let name = String(repeating: "a", count: 70) + ".example"
        #expect(await failure(HTTPRequest(url: "http://\(name)/")) == .resolve)
        let plain = ScriptedServer { $0.answer("400 Bad Request") }
        #expect(await failure(HTTPRequest(url: "https://127.0.0.1:\(plain.port)/")) == .tls)
    }

    @Test("a proxy that is not there is named as the reason")
    func proxyGone() async {
        let (listener, port) = ScriptedServer.listen(backlog: 1)
        ScriptedServer.close(listener)
        var policy = OutboundPolicy.agents
        policy.proxies = .fixed("http://user:SECRET@127.0.0.1:\(port)")
        let proxied = HTTPClient(policy: policy, logger: Logger(label: "test"))
        let failure = await #expect(throws: HTTPFailure.self) {
            _ = try await proxied.send(HTTPRequest(url: "http://hub.example/"))
        }
        #expect(failure?.code == .proxy)
        #expect(failure?.description.contains("SECRET") == false)
    }

    /// The code a whole exchange fails with; nil if it does not.
    private func failure(_ request: HTTPRequest) async -> HTTPFailure.Code? {
        do {
            let response = try await client.send(request)
            _ = try await response.body.collect(upTo: 1 << 30)
            return nil
        } catch {
            return error.code
        }
    }
}

extension OutboundPolicy {
    /// Loopback without whatever proxy the environment of the tests names.
    static var local: OutboundPolicy {
        var policy = OutboundPolicy.agents
        policy.proxies = .none
        return policy
    }
}
