import BelfryCore
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Synchronization
import Testing

@testable import BelfryServer

/// Each test is named after the attack or the framework's trap.
@Suite("connection hardening", .timeLimit(.minutes(3)))
struct HardeningTests {
    private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
    private let getAndClose = "GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    @Test("two requests on one connection get two answers")
    func keepAlive() async throws {
        try await EdgeRig.run { rig in
            let client = try await rig.connect()
            try await client.send(get)
            try await client.read(until: "GET /a\n")
            try await client.send(getAndClose)
            let text = await client.readToEnd()
            #expect(text.ranges(of: "HTTP/1.1 200 OK\r\n").count == 2)
            #expect(text.contains("connection: close\r\n"))
        }
    }

    @Test("pipelined requests are answered in their order")
    func pipelining() async throws {
        try await EdgeRig.run { rig in
            let ahead = (1...50).map { "POST /\($0) HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody" }.joined()
            let text = try await rig.exchange(ahead + getAndClose)
            let answered = text.split(separator: "POST /").dropFirst().map { String($0.prefix { $0.isNumber }) }
            #expect(answered == (1...50).map(String.init))
            #expect(text.hasSuffix("GET /b\n"))
        }
    }

    @Test("Upgrade: h2c is ignored and the request is answered", arguments: ["h2c", "websocket"])
    func upgradeIsStripped(protocol name: String) async throws {
        let seen = Mutex(true)
        let respond: EdgeRig.Responder = { request in
            seen.withLock { $0 = request.head.headers.contains(name: "upgrade") }
            return await EdgeRig.echo(request)
        }
        try await EdgeRig.run(respond: respond) { rig in
            let text = try await rig.exchange(
                "POST /hooks/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: \(name)\r\n"
                    + "HTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 5\r\n\r\nhello"
            )
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(text.hasSuffix("POST /hooks/x\nhello"))
            #expect(text.contains("connection: close\r\n"))
            #expect(seen.withLock { $0 } == false)
        }
    }

    @Test("Expect: 100-continue is answered before the body")
    func expectContinue() async throws {
        try await EdgeRig.run { rig in
            let client = try await rig.connect()
            let head = "POST /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n"
            try await client.send(head + "Expect: 100-continue\r\n\r\n")
            try await client.read(until: "HTTP/1.1 100 Continue\r\n\r\n")
            try await client.send("abc")
            #expect(await client.readToEnd().hasSuffix("POST /c\nabc"))
            let other = try await rig.exchange(head + "Expect: magic\r\n\r\n")
            #expect(other.hasPrefix("HTTP/1.1 417 "))
        }
    }

    @Test("a body that is too large is refused at its head, and the answer survives the body")
    func largeBody() async throws {
        try await EdgeRig.run { rig in
            let client = try await rig.connect()
            let size = 11 * 1024 * 1024
            try await client.send("POST /d HTTP/1.1\r\nHost: x\r\nContent-Length: \(size)\r\n\r\n")
            try await client.read(until: "\"code\":\"payload_too_large\"")
            try? await client.send([UInt8](repeating: 0x61, count: size))
            let text = await client.readToEnd()
            #expect(text.hasPrefix("HTTP/1.1 413 Content Too Large\r\n"))
            #expect(text.contains("content-type: application/problem+json\r\n"))
            #expect(text.ranges(of: "HTTP/1.1").count == 1)
        }
    }

    @Test("a chunked body that grows too large is refused")
    func largeChunkedBody() async throws {
        try await EdgeRig.run(configure: { $0.bodyLimit = { _ in BodyLimit(bytes: 1000) } }) { rig in
            let chunk = "200\r\n" + String(repeating: "x", count: 512) + "\r\n"
            let text = try await rig.exchange(
                "POST /d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk + "0\r\n\r\n"
            )
            #expect(text.hasPrefix("HTTP/1.1 413 "))
        }
    }

    @Test("a drip-fed body ends with 408, however often a byte comes")
    func dripFedBody() async throws {
        try await EdgeRig.run(configure: { $0.readTimeout = .milliseconds(300) }) { rig in
            let client = try await rig.connect()
            try await client.send("POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
            let channel = client.channel
            let drip = channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(20)) { _ in
                channel.writeAndFlush(ByteBuffer(string: "x"), promise: nil)
            }
            let text = try await client.read(until: "\"code\":\"request_timeout\"")
            drip.cancel()
            #expect(text.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
            _ = await client.readToEnd()
        }
    }

    @Test("drip-fed headers end with 408, an idle connection just ends")
    func slowHeaders() async throws {
        let settings: (inout EdgeSettings) -> Void = {
            $0.readTimeout = .milliseconds(200)
            // Longer than a busy machine takes to send the first byte.
            $0.idleTimeout = .seconds(2)
        }
        try await EdgeRig.run(configure: settings) { rig in
            #expect(try await rig.exchange("GET /f HTTP/1.1\r\nHo").hasPrefix("HTTP/1.1 408 "))
            let idle = try await rig.connect()
            #expect(await idle.readToEnd() == "")
        }
    }

    @Test("headers without end are refused with 431, noise with 400")
    func unreadable() async throws {
        try await EdgeRig.run { rig in
            let many = (0..<200).map { "X-\($0): y\r\n" }.joined()
            #expect(try await rig.exchange("GET / HTTP/1.1\r\nHost: x\r\n\(many)\r\n").hasPrefix("HTTP/1.1 431 "))
            let long = String(repeating: "z", count: 40_000)
            let large = try await rig.exchange("GET / HTTP/1.1\r\nHost: x\r\nX: \(long)\r\n\r\n")
            #expect(large.hasPrefix("HTTP/1.1 431 "))
            let noise = try await rig.exchange("\u{16}\u{3}\u{1}\u{2}\u{0}\r\n\r\n")
            #expect(noise.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
            #expect(noise.contains("\"code\":\"malformed\""))
            #expect(try await rig.exchange("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").hasPrefix("HTTP/1.1 400 "))
            #expect(try await rig.exchange("GET / HTTP/1.1\r\n\r\n").hasPrefix("HTTP/1.1 400 "))
        }
    }

    @Test("two lengths, or a length beside chunks, are refused: nobody's request is smuggled")
    func smuggling() async throws {
        try await EdgeRig.run { rig in
            let both = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            let first = try await rig.exchange(both)
            #expect(first.hasPrefix("HTTP/1.1 400 "))
            let two = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"
            let second = try await rig.exchange(two)
            #expect(second.hasPrefix("HTTP/1.1 400 "))
        }
    }

    @Test("a body is passed on as the bytes that came")
    func rawBody() async throws {
        let bodies = Mutex<[[UInt8]]>([])
        let respond: EdgeRig.Responder = { request in
            bodies.withLock { $0.append(Array(request.body.readableBytesView)) }
            return await EdgeRig.echo(request)
        }
        let body: [UInt8] = [0, 0xFF, 0xC3, 0x28, 0x0D, 0x0A, 0]
        try await EdgeRig.run(respond: respond) { rig in
            let client = try await rig.connect()
            try await client.send("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 7\r\n\r\n")
            try await client.send(body)
            _ = await client.readToEnd()
            #expect(bodies.withLock { $0 } == [body])
        }
    }

    @Test("HEAD has the length and no body; HTTP/1.0 closes unless it is asked not to")
    func versionsAndMethods() async throws {
        try await EdgeRig.run { rig in
            let head = try await rig.exchange("HEAD /h HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(head.contains("content-length: 8\r\n"))
            #expect(head.hasSuffix("\r\n\r\n"))
            #expect(try await rig.exchange("GET /i HTTP/1.0\r\n\r\n").hasSuffix("GET /i\n"))
            let client = try await rig.connect()
            try await client.send("GET /j HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(try await client.read(until: "GET /j\n").contains("connection: keep-alive\r\n"))
            try await client.send(getAndClose)
            #expect(await client.readToEnd().hasSuffix("GET /b\n"))
        }
    }

    @Test("a client that closes its sending side still gets its answer")
    func halfClose() async throws {
        try await EdgeRig.run { rig in
            let client = try await rig.connect()
            try await client.send(get)
            try await client.channel.close(mode: .output).get()
            #expect(await client.readToEnd().hasSuffix("GET /a\n"))
        }
    }

    @Test("a large answer reaches a slow reader whole, also when it is the last")
    func slowReader() async throws {
        // More than the kernel's buffers on both sides hold.
        let count = 24 * 1024 * 1024
        let respond: EdgeRig.Responder = { _ in
            .response(
                OutboundResponse(
                    status: 200, reason: "OK", headers: [], body: ByteBuffer(repeating: 0x61, count: count))
            )
        }
        let linger = Duration.milliseconds(100)
        try await EdgeRig.run(configure: { $0.lingerTimeout = linger }, respond: respond) { rig in
            let client = try await rig.connect()
            try await client.pauseReading()
            try await client.send(getAndClose)
            // Real time: what is tested is that nothing happens in it.
            try await Task.sleep(for: linger * 5)
            try await client.resumeReading()
            _ = await client.readToEnd()
            #expect(client.received.count > count)
            #expect(client.received.suffix(count).allSatisfy { $0 == 0x61 })
            await client.close()
        }
    }

    @Test("when the server stops, idle connections end and requests under way are answered")
    func drain() async throws {
        let (started, startSink) = AsyncStream<Void>.makeStream()
        let (gate, gateSink) = AsyncStream<Void>.makeStream()
        let respond: EdgeRig.Responder = { request in
            startSink.yield()
            for await _ in gate { break }
            return await EdgeRig.echo(request)
        }
        try await EdgeRig.run(respond: respond) { rig in
            let idle = try await rig.connect()
            let busy = try await rig.connect()
            try await busy.send(get)
            for await _ in started { break }
            await rig.group.triggerGracefulShutdown()
            #expect(await idle.readToEnd() == "")
            gateSink.yield()
            let text = await busy.readToEnd()
            #expect(text.hasSuffix("GET /a\n"))
            #expect(text.contains("connection: close\r\n"))
        }
    }
}
