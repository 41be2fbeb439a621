import BelfryCore
import Synchronization
import Testing

@testable import BelfryAgents

/// A closed socket does not stop Dify: its own endpoint is told, also by a task that is cancelled.
@Suite(.timeLimit(.minutes(3)))
struct DifyStopTests {
    /// Says something and goes on for ever; answers the stop as told.
    private func server(stop: @escaping @Sendable (ScriptedConnection) -> Void, kind: ProviderKind) -> ScriptedServer {
        ScriptedServer { connection in
            while let request = connection.readRequest() {
                if request.contains("/stop HTTP") {
                    stop(connection)
                } else {
                    connection.begin(kind)
                    connection.writeChunk(kind.says("Hel"))
                    return connection.waitForClose()
                }
            }
        }
    }

    private func stopped(_ kind: ProviderKind, _ server: ScriptedServer) async throws -> BelfryError? {
        let agent = kind.agent(server)
        let hasBegun = Mutex(false)
        let task = Task { try await agent.run(.test(prompt: "x")) { _ in hasBegun.withLock { $0 = true } } }
        while !hasBegun.withLock(\.self) { try await Task.sleep(for: .milliseconds(2)) }
        task.cancel()
        return await #expect(throws: BelfryError.self) { try await task.value }
    }

    @Test(
        "a stop is told to the endpoint of the app, as the same user",
        arguments: [ProviderKind.difyChat, .difyWorkflow])
    func told(kind: ProviderKind) async throws {
        let server = server(stop: { $0.answer(body: #"{"result":"success"}"#) }, kind: kind)
        #expect(try await stopped(kind, server)?.code == .cancelled)
        let requests = server.record.requests
        try #require(requests.count == 2)
        #expect(await server.waits { $0.closedByPeer == 1 })
        let path = kind == .difyChat ? "/v1/chat-messages/task-7/stop" : "/v1/workflows/tasks/task-7/stop"
        #expect(requests[1].hasPrefix("POST \(path) HTTP/1.1\r\n"))
        #expect(requests[1].contains("\r\nAuthorization: Bearer \(ProviderKind.secret)\r\n"))
        func user(_ request: String) throws -> String? {
            let end = try #require(request.firstRange(of: "\r\n\r\n"))
            return try JSONValue(parsing: String(request[end.upperBound...]))["user"]?.string
        }
        let asked = try user(requests[0])
        #expect(try asked?.hasPrefix("run_") == true && user(requests[1]) == asked)
    }

    @Test("a task that is gone is stopped")
    func gone() async throws {
        let server = server(stop: { $0.answer("404 X") }, kind: .difyChat)
        #expect(try await stopped(.difyChat, server)?.code == .cancelled)
    }

    @Test("a stop that is refused, or cut, is not confirmed, and says so without the key")
    func unconfirmed() async throws {
        let refusing = server(stop: { $0.answer("500 X") }, kind: .difyChat)
        let refused = try await stopped(.difyChat, refusing)
        #expect(refused?.code == .stopUnconfirmed && refused?.leavesWork == true)
        #expect(refused?.message.contains("task-7") == true && refused?.message.contains("it answered 500") == true)
        let cutting = server(stop: { $0.resetOnClose() }, kind: .difyWorkflow)
        let cut = try await stopped(.difyWorkflow, cutting)
        #expect(cut?.code == .stopUnconfirmed && cut?.description.contains(ProviderKind.secret) == false)
        #expect(await cutting.waits { $0.closedByPeer == 1 })
    }

    @Test("a stop that is not answered is waited for a bounded time", .timeLimit(.minutes(3)))
    func silent() async throws {
        // At the server: what the tests beside this one do to its own task is no part of it.
        let waited = Mutex(Duration.zero)
        let server = server(
            stop: { connection in
                let began = ContinuousClock.now
                connection.waitForClose()
                waited.withLock { $0 = .now - began }
            }, kind: .difyChat)
        #expect(try await stopped(.difyChat, server)?.code == .stopUnconfirmed)
        #expect(await server.waits { $0.closedByPeer == 2 })
        #expect(waited.withLock(\.self) < Limits.stopConfirmTimeout)
    }

    @Test("work that is given up is stopped too, and the reason stays what it was")
    func givenUp() async throws {
        let server = server(stop: { $0.answer("500 X") }, kind: .difyChat)
        let agent = ProviderKind.difyChat.agent(server) {
            $0.retriesMax = 0
            $0.idleTimeout = .seconds(1)
        }
        let late = await #expect(throws: BelfryError.self) { _ = try await collect(agent) }
        #expect(late?.code == .agentTimeout)
        #expect(server.record.requests.count == 2)
    }

    @Test("before the first event there is nothing to stop")
    func early() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.begin(.difyChat)
            connection.waitForClose()
        }
        let agent = ProviderKind.difyChat.agent(server)
        let task = Task { try await agent.run(.test(prompt: "x")) { _ in } }
        #expect(await server.waits { $0.requests.count == 1 })
        task.cancel()
        let error = await #expect(throws: BelfryError.self) { try await task.value }
        #expect(error?.code == .cancelled && server.record.requests.count == 1)
    }
}
