import BelfryCore
import BelfryHTTP
import Logging
import Synchronization
import Testing

@testable import BelfryAgents

/// Providers that are slow, broken, huge, silent, or die in the middle: the same for every kind.
@Suite(.timeLimit(.minutes(3)))
struct ProviderHardeningTests {
    private func failure(
        _ kind: ProviderKind, _ server: ScriptedServer, timeout: Duration? = nil, allowsPrivate: Bool = true,
        _ change: (inout AgentDefinition) -> Void = { _ in }
    ) async -> BelfryError? {
        let error = await #expect(throws: BelfryError.self) {
            _ = try await collect(
                kind.agent(server, allowsPrivate: allowsPrivate) {
                    $0.retriesMax = 0
                    change(&$0)
                }, timeout: timeout)
        }
        #expect(error?.description.contains(ProviderKind.secret) == false)
        return error
    }

    @Test("silent before the head, and behind it", arguments: ProviderKind.allCases)
    func silent(kind: ProviderKind) async {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.waitForClose()
        }
        let late = await failure(kind, server) { $0.firstByteTimeout = .milliseconds(100) }
        #expect(late?.code == .agentTimeout, "\(late?.message ?? "")")
        let step = await failure(kind, server, timeout: .milliseconds(100))
        #expect(step?.code == .agentTimeout, "\(step?.message ?? "")")
        let headOnly = ScriptedServer { connection in
            connection.readRequest()
            connection.begin(kind)
            connection.waitForClose()
        }
        let idle = await failure(kind, headOnly) { $0.idleTimeout = .milliseconds(100) }
        #expect(idle?.code == .agentTimeout, "\(idle?.message ?? "")")
        #expect(await headOnly.waits { $0.closedByPeer == 1 })
    }

    @Test("a slow one is no silent one", arguments: ProviderKind.allCases)
    func slow(kind: ProviderKind) async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.begin(kind)
            for piece in ["a", "b", "c", "d"] {
                connection.writeChunk(kind.says(piece))
                connection.pause(milliseconds: 60)
            }
            connection.writeChunk(Array(kind.end.utf8) + [0x0A])
            connection.write("0\r\n\r\n")
        }
        let collected = try await collect(kind.agent(server) { $0.idleTimeout = .milliseconds(1500) })
        #expect(collected.text.hasPrefix("abcd"))
    }

    @Test("text without end is cut at output_max, and the socket closed", arguments: ProviderKind.allCases)
    func huge(kind: ProviderKind) async {
        let piece = kind.says(String(repeating: "word ", count: 200))
        let server = ScriptedServer { connection in
            guard let request = connection.readRequest(), !request.contains("/stop ") else {
                return connection.answer()
            }
            connection.begin(kind)
            while connection.writeChunk(Array(piece.utf8)) {}
        }
        let error = await failure(kind, server) { $0.outputBytesMax = 100_000 }
        #expect(error?.code == .outputTooLarge)
        #expect(await server.waits { $0.closedByPeer == 1 })
        #expect(server.record.bytesWritten < 50_000_000)
    }

    @Test("thoughts and comments without end, which bring no text, are cut too")
    func endlessThoughts() async throws {
        let thought = stream(#"{"choices":[{"delta":{"reasoning_content":"hm, "}}]}"#) + ": still here\n\n"
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.beginStream()
            while connection.writeChunk(Array(thought.utf8)) {}
        }
        var agent = try #require(ProviderKind.openai.agent(server) as? ProviderAgent)
        agent.answerBytesMax = 100_000
        let error = await #expect(throws: BelfryError.self) { _ = try await collect(agent) }
        #expect(error?.code == .outputTooLarge && error?.message.contains("100000 bytes") == true)
        #expect(await server.waits { $0.closedByPeer == 1 })
        #expect(server.record.bytesWritten < 50_000_000)
    }

    @Test("a line without end", arguments: ProviderKind.allCases)
    func line(kind: ProviderKind) async {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.begin(kind)
            connection.writeChunk("data: ")
            let piece = [UInt8](repeating: 0x78, count: 32 * 1024)
            while connection.writeChunk(piece) {}
        }
        let error = await failure(kind, server) { $0.outputBytesMax = 100_000 }
        #expect(error?.code == (kind == .httpText ? .outputTooLarge : .agentFailed))
        #expect(await server.waits { $0.closedByPeer == 1 })
    }

    @Test("dies in the middle: closed without an end, or reset", arguments: ProviderKind.allCases)
    func dies(kind: ProviderKind) async {
        for resets in [false, true] {
            let seen = Mutex<[AgentOutput]>([])
            let server = ScriptedServer { connection in
                guard let request = connection.readRequest(), !request.contains("/stop ") else {
                    return connection.answer()
                }
                connection.begin(kind)
                connection.writeChunk(kind.says("Hel"))
                while !seen.withLock({ $0.contains(.text("Hel")) }) { connection.pause(milliseconds: 2) }
                if resets { connection.resetOnClose() }
            }
            let error = await #expect(throws: BelfryError.self) {
                try await kind.agent(server).run(.test(prompt: "x")) { output in seen.withLock { $0.append(output) } }
            }
            #expect(error?.code == .agentFailed, "\(error?.description ?? "")")
            // Not tried again: viewers have seen text.
            #expect(server.record.requests.filter { !$0.contains("/stop ") }.count == 1)
        }
    }

    @Test("an end that comes too early", arguments: ProviderKind.allCases.filter(\.hasEnd))
    func early(kind: ProviderKind) async {
        let server = ScriptedServer { connection in
            guard let request = connection.readRequest(), !request.contains("/stop ") else {
                return connection.answer()
            }
            connection.begin(kind)
            connection.writeChunk(kind.says("Hel"))
            connection.write("0\r\n\r\n")
        }
        let error = await failure(kind, server)
        #expect(error?.message.contains("ended early") == true)
    }

    @Test("no content, and a body without any", arguments: ProviderKind.allCases)
    func empty(kind: ProviderKind) async {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.write("HTTP/1.1 204 No Content\r\n\r\n")
        }
        #expect(await failure(kind, server)?.message.contains("204 (no content)") == true)
        let bodiless = ScriptedServer { connection in
            connection.readRequest()
            connection.answer(headers: "Content-Type: \(kind.contentType)\r\n")
        }
        let error = await failure(kind, bodiless)
        #expect(error?.message.contains(kind.hasEnd ? "ended early" : "was empty") == true)
    }

    @Test("200 with a page, and 200 with an error as JSON", arguments: [ProviderKind.openai, .anthropic, .difyChat])
    func notAStream(kind: ProviderKind) async {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.answer(
                headers: "Content-Type: text/html; charset=utf-8\r\n", body: "<html>Please sign in</html>")
        }
        let page = await failure(kind, server)
        #expect(page?.message.contains("text/html") == true && page?.message.contains("Please sign in") == true)
        #expect(page?.message.contains("check base_url") == true)
        let json = ScriptedServer { connection in
            connection.readRequest()
            connection.answer(
                headers: "Content-Type: application/json\r\n", body: #"{"error":{"message":"model is gone"}}"#)
        }
        #expect(await failure(kind, json)?.message.contains("model is gone") == true)
    }

    @Test("an answer compressed although nobody asked", arguments: ProviderKind.allCases)
    func compressed(kind: ProviderKind) async {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.answer(
                headers: "Content-Type: \(kind.contentType)\r\nContent-Encoding: gzip\r\n", body: "\u{1F}bomb")
        }
        #expect(await failure(kind, server)?.message.contains("compressed") == true)
    }

    @Test("a redirect is not followed, wherever it leads", arguments: ProviderKind.allCases)
    func redirect(kind: ProviderKind) async {
        let inner = ScriptedServer { $0.answer(body: "secret") }
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.answer("307 X", headers: "Location: \(inner.url)/\r\n")
        }
        let error = await failure(kind, server)
        #expect(error?.code == .agentRefused && error?.message.contains("redirects are not followed") == true)
        #expect(inner.record.connections == 0)
    }

    @Test("a private address is refused where the policy says so", arguments: ProviderKind.allCases)
    func privateAddress(kind: ProviderKind) async {
        let server = ScriptedServer { $0.readRequest() }
        let error = await failure(kind, server, allowsPrivate: false)
        #expect(error?.code == .addressNotAllowed)
        #expect(error?.message.contains("`outbound.allow_private: true`") == true)
        #expect(server.record.requests.isEmpty)
    }

    @Test("a provider that repeats the key in its error does not get it shown", arguments: ProviderKind.allCases)
    func repeatsTheKey(kind: ProviderKind) async {
        for padding in [0, 250, Limits.errorTextBytesMax - 10, Limits.errorTextBytesMax - 4] {
            let words = String(repeating: "x", count: padding) + ProviderKind.secret
            let server = ScriptedServer { connection in
                connection.readRequest()
                connection.answer("401 X", body: #"{"error":{"message":"\#(words)"}}"#)
            }
            let error = await failure(kind, server)
            #expect(error?.message.contains("401 (check the agent's key)") == true)
            #expect(error?.message.contains("sk-S") == false, "\(padding): \(error?.message.suffix(40) ?? "")")
        }
    }

    @Test("broken UTF-8 and characters cut in two over a socket")
    func brokenUTF8() async throws {
        let server = ScriptedServer { connection in
            connection.readRequest()
            connection.begin(.httpText)
            for byte in Array("ä".utf8) + [0xFF] + Array("\u{1F600}".utf8) {
                connection.writeChunk([byte])
                connection.pause(milliseconds: 5)
            }
            connection.write("0\r\n\r\n")
        }
        #expect(try await collect(ProviderKind.httpText.agent(server)).text == "ä\u{FFFD}\u{1F600}")
    }
}
