import BelfryCore
import Logging
import Testing

@testable import BelfryHTTP

/// Stopping, lagging, and the life of the client itself.
@Suite(.timeLimit(.minutes(3)))
struct HTTPClientCancelTests {
    private let client = HTTPClient(policy: .local, logger: Logger(label: "test"))

    @Test("a cancelled send has closed its socket")
    func cancelBeforeHead() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.waitForClose()
        }
        let task = Task { try await client.send(HTTPRequest(url: server.url)) }
        #expect(await server.waits { $0.requests.count == 1 })
        let began = ContinuousClock.now
        task.cancel()
        let failure = await #expect(throws: HTTPFailure.self) { _ = try await task.value }
        #expect(failure?.code == .cancelled)
        #expect(await server.waits { $0.closedByPeer == 1 })
        // Far from the time-outs of a minute: it was the cancel that ended it.
        #expect(.now - began < .seconds(20))
    }

    @Test("a cancelled reader has closed its socket")
    func cancelInBody() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            connection.writeChunk("token")
            connection.waitForClose()
        }
        let response = try await client.send(HTTPRequest(url: server.url))
        let task = Task {
            var count = 0
            for try await piece in response.body { count += piece.count }
            return count
        }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        let failure = await #expect(throws: HTTPFailure.self) { _ = try await task.value }
        #expect(failure?.code == .cancelled)
        #expect(await server.waits { $0.closedByPeer == 1 })
    }

    @Test("a cancelled task sends nothing")
    func cancelledBefore() async throws {
        let server = ScriptedServer { $0.readRequest() }
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            _ = try await client.send(HTTPRequest(url: server.url))
        }
        let failure = await #expect(throws: HTTPFailure.self) { try await task.value }
        #expect(failure?.code == .cancelled)
        #expect(server.record.connections == 0)
    }

    @Test("a body that is dropped, or cancelled by name, closes its socket", arguments: [true, false])
    func dropped(byName: Bool) async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            connection.waitForClose()
        }
        do {
            let response = try await client.send(HTTPRequest(url: server.url))
            if byName { await response.body.cancel() }
        }
        #expect(await server.waits { $0.closedByPeer == 1 })
    }

    @Test("a gigabyte is cut off at the cap, and the server soon cannot write")
    func cap() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
            let block = [UInt8](repeating: 0x78, count: 64 * 1024)
            for _ in 0..<16384 where !connection.write(block) { return }
        }
        let response = try await client.send(HTTPRequest(url: server.url))
        let failure = await #expect(throws: HTTPFailure.self) { _ = try await response.body.collect(upTo: 100_000) }
        #expect(failure?.code == .tooLarge)
        #expect(await server.waits { $0.closedByPeer == 1 })
        #expect(server.record.bytesWritten < 64 << 20)
    }

    @Test("a reader that lags holds the server back, and then gets every byte")
    func backpressure() async throws {
        let total = 128 << 20
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let block = (0..<64 * 1024).map { UInt8(truncatingIfNeeded: $0) }
            for _ in 0..<(total / block.count) where !connection.write(block) { return }
        }
        var request = HTTPRequest(url: server.url)
        // While the reader rests, the idle timeout does too.
        request.idleTimeout = .milliseconds(200)
        let response = try await client.send(request)
        try await Task.sleep(for: .milliseconds(400))
        #expect(server.record.bytesWritten < total / 2)
        var count = 0
        var isExact = true
        for try await piece in response.body {
            for byte in piece.prefix(1) where byte != UInt8(truncatingIfNeeded: count) { isExact = false }
            count += piece.count
        }
        #expect(count == total && isExact)
    }

    @Test("many exchanges at once do not mix")
    func many() async throws {
        let server = ScriptedServer { connection in
            while let request = connection.readRequest() {
                let path = String(request.split(separator: " ")[1])
                connection.answer(body: String(repeating: path, count: 1000))
            }
        }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<100 {
                group.addTask {
                    let response = try await client.send(HTTPRequest(url: server.url + "/\(index)"))
                    let body = try await response.body.collect(upTo: 100_000)
                    return body == Array(String(repeating: "/\(index)", count: 1000).utf8)
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }

    @Test("a closed client refuses, and ends what is under way")
    func closed() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            connection.waitForClose()
        }
        let own = HTTPClient(policy: .local, logger: Logger(label: "test"))
        let response = try await own.send(HTTPRequest(url: server.url))
        own.close()
        let failure = await #expect(throws: HTTPFailure.self) { _ = try await response.body.collect(upTo: 10) }
        #expect(failure?.code == .clientClosed)
        let second = await #expect(throws: HTTPFailure.self) { _ = try await own.send(HTTPRequest(url: server.url)) }
        #expect(second?.code == .clientClosed)
        #expect(await server.waits { $0.closedByPeer == 1 })
    }

    @Test("the thread ends when the client is gone, and not before its last body")
    func threadEnds() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.answer(body: "ok")
        }
        weak var loop: TransferLoop?
        do {
            var own: HTTPClient? = HTTPClient(policy: .local, logger: Logger(label: "test"))
            loop = own?.loop
            let response = try await own?.send(HTTPRequest(url: server.url))
            own = nil
            #expect(loop != nil)
            #expect(try await response?.body.collect(upTo: 10) == Array("ok".utf8))
        }
        while loop != nil { try await Task.sleep(for: .milliseconds(5)) }
    }
}
