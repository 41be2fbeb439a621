import BelfryCore
import BelfryHTTP
import Logging
import Synchronization
import Testing

@testable import BelfryAgents

/// The agents that speak HTTP against a scripted provider on real sockets. Where they do not differ, OpenAI stands for
/// all.
@Suite(.timeLimit(.minutes(3)))
struct ProviderAgentTests {
    private let clock = StepClock()

    private func agent(
        _ server: ScriptedServer, _ change: (inout AgentDefinition) -> Void = { _ in }
    ) -> any Agent { ProviderKind.openai.agent(server, clock: clock, change) }

    private static let good = [
        #"data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}"#,
        #"data: {"choices":[{"delta":{"content":" wörld"}}]}"#,
        #"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
        #"data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}"#, "data: [DONE]",
    ].map { $0 + "\n\n" }.joined()

    @Test("the request is what the API asks for, the text and usage are what it answers")
    func wholeExchange() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            connection.writeChunk(Self.good)
            connection.write("0\r\n\r\n")
        }
        let collected = try await collect(agent(server), prompt: "Why? \u{1}")
        #expect(
            collected.items == [
                .text("Hello"), .text(" wörld"), .usage(Usage(inputTokens: 7, outputTokens: 2)), .finished(.stop),
            ])
        let request = try #require(server.record.requests.first)
        #expect(request.hasPrefix("POST /v1/chat/completions HTTP/1.1\r\n"))
        #expect(request.contains("\r\nAuthorization: Bearer \(ProviderKind.secret)\r\n"))
        #expect(request.contains("\r\nContent-Type: application/json\r\n"))
        let end = try #require(request.firstRange(of: "\r\n\r\n"))
        #expect(
            try JSONValue(parsing: String(request[end.upperBound...])) == [
                "model": "m\"1", "stream": true, "stream_options": ["include_usage": true],
                "temperature": .double(0.5), "max_tokens": 99,
                "messages": [["role": "system", "content": "Be terse."], ["role": "user", "content": "Why? \u{1}"]],
            ]
        )
    }

    @Test("an answer that was cut for want of tokens is taken, and a line of the log tells of it")
    func cutAnswer() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            connection.writeChunk(Self.good.replacing("stop", with: "length"))
            connection.write("0\r\n\r\n")
        }
        let items = try await collect(agent(server)).items
        #expect(items.prefix(2) == [.text("Hello"), .text(" wörld")])
        #expect(items.suffix(2) == [.finished(.length), .log(ProviderAgent.cutAnswer)])
    }

    @Test("a stream that comes byte by byte gives the same text")
    func byteByByte() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            for byte in Self.good.utf8 {
                connection.write("1\r\n")
                connection.write([byte])
                connection.write("\r\n")
            }
            connection.write("0\r\n\r\n")
        }
        #expect(try await collect(agent(server)).text == "Hello wörld")
    }

    @Test("tokens are emitted while the provider still writes")
    func streams() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            connection.writeChunk(#"data: {"choices":[{"delta":{"content":"one"}}]}"# + "\n\n")
            connection.waitForClose()
        }
        let agent = agent(server)
        let seen = Mutex<[AgentOutput]>([])
        let task = Task { try await agent.run(.test(prompt: "x")) { output in seen.withLock { $0.append(output) } } }
        while seen.withLock(\.isEmpty) { try await Task.sleep(for: .milliseconds(5)) }
        #expect(seen.withLock { $0 } == [.text("one")])
        // A stop: the socket is closed when run has thrown.
        task.cancel()
        let error = await #expect(throws: BelfryError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(await server.waits { $0.closedByPeer == 1 })
    }

    @Test(
        "what may pass is tried again before the first token, with a growing pause",
        arguments: [
            "408 X", "409 X", "425 X", "429 X", "500 X", "503 X", "529 X",
        ])
    func retries(status: String) async throws {
        let server = ScriptedServer { connection in
            while connection.readRequest() != nil { connection.answer(status, body: #"{"error":{"message":"busy"}}"#) }
        }
        let error = await #expect(throws: BelfryError.self) { _ = try await collect(agent(server)) }
        #expect(error?.message.contains("busy") == true && error?.message.contains(status.prefix(3)) == true)
        #expect(error?.code == (status.hasPrefix("4") ? .agentRefused : .agentFailed))
        #expect(server.record.requests.count == 3)
        let slept = clock.slept
        #expect(slept.count == 2)
        #expect((Limits.retryPauseFirst / 2...Limits.retryPauseFirst).contains(slept[0]))
        #expect((Limits.retryPauseFirst...Limits.retryPauseFirst * 2).contains(slept[1]))
    }

    @Test("what cannot pass is not", arguments: ["400 X", "401 X", "403 X", "404 X", "422 X", "302 X"])
    func noRetries(status: String) async throws {
        let server = ScriptedServer { connection in
            while connection.readRequest() != nil {
                connection.answer(
                    status, headers: "Location: /x\r\n",
                    body: #"{"error":{"message":"\#(String(repeating: "no ", count: 300))"}}"#)
            }
        }
        let error = await #expect(throws: BelfryError.self) { _ = try await collect(agent(server)) }
        #expect(error?.code == .agentRefused)
        #expect(error?.message.contains("no no no") == true && (error?.message.utf8.count ?? 0) < 450)
        #expect(error?.description.contains("SECRET") == false)
        #expect(server.record.requests.count == 1)
    }

    @Test("Retry-After is waited for, and one beyond the cap fails at once")
    func retryAfter() async throws {
        let asked = Mutex(0)
        let server = ScriptedServer { connection in
            while connection.readRequest() != nil {
                if asked.withLock({
                    $0 += 1
                    return $0
                }) == 1 {
                    connection.answer("429 X", headers: "Retry-After: 7\r\n")
                } else {
                    connection.answer(headers: "Content-Type: text/event-stream\r\n", body: Self.good)
                }
            }
        }
        #expect(try await collect(agent(server)).text == "Hello wörld")
        #expect(clock.slept == [.seconds(7)])
        let patient = ScriptedServer { connection in
            while connection.readRequest() != nil { connection.answer("503 X", headers: "Retry-After: 3600\r\n") }
        }
        let error = await #expect(throws: BelfryError.self) { _ = try await collect(agent(patient)) }
        #expect(error?.retryAfter == .seconds(3600))
        #expect(patient.record.requests.count == 1)
    }

    @Test("a stream cut after the first token is an error and is not tried again; one cut before it is")
    func cut() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            connection.writeChunk(#"data: {"choices":[{"delta":{"content":"Hel"}}]}"# + "\n\n")
            connection.write("0\r\n\r\n")
        }
        let early = await #expect(throws: BelfryError.self) { _ = try await collect(agent(server)) }
        #expect(early?.code == .agentFailed && early?.message.contains("ended early") == true)
        #expect(server.record.requests.count == 1)
        let empty = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            connection.resetOnClose()
        }
        _ = await #expect(throws: BelfryError.self) { _ = try await collect(agent(empty)) }
        #expect(empty.record.connections == 3)
    }

    @Test("an error object in the stream is an error with the provider's words, and closes the socket")
    func errorObject() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            connection.writeChunk("data: {\"error\":{\"message\":\"The server had an error\"}}\n\n")
            connection.waitForClose()
        }
        let error = await #expect(throws: BelfryError.self) { _ = try await collect(agent(server)) }
        #expect(error?.code == .agentFailed && error?.message.contains("The server had an error") == true)
        #expect(await server.waits { $0.closedByPeer == 1 })
    }

    @Test("output beyond its cap, a line without end, a silent provider: each ends, with its own code")
    func bounded() async throws {
        let endless = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            while connection.write(
                "31\r\n" + #"data: {"choices":[{"delta":{"content":"word "}}]}"# + "\r\n2\r\n\n\n\r\n")
            {}
        }
        let tooLarge = await #expect(throws: BelfryError.self) {
            _ = try await collect(agent(endless) { $0.outputBytesMax = 1000 })
        }
        #expect(tooLarge?.code == .outputTooLarge)
        #expect(await endless.waits { $0.closedByPeer == 1 })

        let oneLine = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            connection.writeChunk("data: ")
            while connection.write("a\r\nxxxxxxxxxx\r\n") {}
        }
        let line = await #expect(throws: BelfryError.self) { _ = try await collect(agent(oneLine)) }
        #expect(line?.code == .agentFailed)

        let silent = ScriptedServer { connection in
            connection.readRequest()
            connection.waitForClose()
        }
        let late = await #expect(throws: BelfryError.self) {
            _ = try await collect(
                agent(silent) {
                    $0.firstByteTimeout = .milliseconds(100)
                    $0.retriesMax = 0
                })
        }
        #expect(late?.code == .agentTimeout)
        let step = await #expect(throws: BelfryError.self) {
            _ = try await collect(agent(silent), timeout: .milliseconds(100))
        }
        #expect(step?.code == .agentTimeout)
        #expect(silent.record.requests.count == 2)
    }

    @Test("a base URL where nothing listens says so")
    func unreachable() async {
        let (listener, port) = ScriptedServer.listen(backlog: 1)
        ScriptedServer.close(listener)
        let definition = AgentDefinition(
            name: "a", kind: .openai(.init(baseURL: "http://127.0.0.1:\(port)/v1", model: "m"))
        )
        var policy = OutboundPolicy.agents
        policy.proxies = .none
        let agent = Agents.make(
            definition, secrets: [:], http: HTTPClient(policy: policy, logger: Logger(label: "test")),
            commands: CommandRunner(hub: "test"), clock: clock
        )
        let error = await #expect(throws: BelfryError.self) { _ = try await collect(agent) }
        #expect(error?.code == .agentUnreachable && error?.message.contains("127.0.0.1:\(port)") == true)
        #expect(clock.slept.count == 2)
    }

    @Test("each kind's whole exchange", arguments: ProviderKind.allCases)
    func wholeExchange(kind: ProviderKind) async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.begin(kind)
            connection.writeChunk(kind.says("Hello") + kind.says(" wörld") + kind.end)
            connection.write("0\r\n\r\n")
        }
        let collected = try await collect(kind.agent(server))
        #expect(collected.text == "Hello wörld")
        #expect(collected.items.last == .finished(.stop))
        let request = try #require(server.record.requests.first)
        #expect(request.contains(ProviderKind.secret) && !request.contains("Accept-Encoding"))
        // A task that has ended is not stopped.
        #expect(server.record.requests.count == 1)
    }

    @Test("each kind's stream byte by byte", arguments: ProviderKind.allCases)
    func byteByByte(kind: ProviderKind) async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.begin(kind)
            for byte in (kind.says("Grüße \u{1F600}") + kind.end).utf8 { connection.writeChunk([byte]) }
            connection.write("0\r\n\r\n")
        }
        #expect(try await collect(kind.agent(server)).text == "Grüße \u{1F600}")
    }

    @Test("a tool call is seen: what fails after it is not tried again")
    func toolCallIsSeen() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            connection.writeChunk(
                stream(#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f"}}]}}]}"#))
            connection.write("0\r\n\r\n")
        }
        _ = await #expect(throws: BelfryError.self) { try await collect(agent(server)) }
        #expect(server.record.requests.count == 1)
    }
}
