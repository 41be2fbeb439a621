import BelfryCore
import Testing

/// Stop is real: what the run held is gone when the answer comes.
@Suite(.timeLimit(.minutes(3))) struct StopTests {
    @Test("the provider sees its socket closed within a second of the acknowledgement")
    func provider() async throws {
        let provider = try ScriptedProvider([.text("thinking "), .text("aloud "), .hang])
        defer { provider.stop() }
        let documents = """
            source: lab
            preset: none
            ---
            agent: model
            kind: openai
            base_url: \(provider.baseURL)
            model: scripted
            ---
            rule: ask
            when: { source: [lab] }
            run: { steps: [ { step: ask, agent: model, prompt: "say something" } ] }
            """
        try await withHub(documents: documents, environment: [:]) { hub in
            let client = try hub.client
            let posted = try await client.request("POST", "/hooks/lab", json: ["n": 1])
            let run = try #require(posted.json["runs"]?.array?.first?.string)
            let stream = try await client.stream("/v1/runs/\(run)/stream?after=0")
            _ = try await stream.blocks { $0.frame["data"]?["delta"]?.string == "aloud " }
            let answer = try await client.request("POST", "/v1/runs/\(run)/stop", json: [:])
            let acknowledged = ContinuousClock.now
            #expect(answer.json["result"]?.string == "applied")
            let closed = try await eventually(within: .seconds(5), "the provider to see the end") {
                provider.exchanges.first?.peerClosed
            }
            #expect(closed - acknowledged < .seconds(1))
            #expect(try await client.request("GET", "/v1/runs/\(run)").json["state"]?.string == "stopped")
            let rest = try await stream.blocks()
            #expect(rest.last?.frame["data"]?["state"]?.string == "stopped")
        }
    }

    @Test("a command step and all its children are gone, even those that ignore the signal or left the session")
    func command() async throws {
        let documents = """
            source: lab
            preset: none
            ---
            rule: shell
            when: { source: [lab] }
            run: { steps: [ { step: work, command: [sh, "-c", "{{data.script}}"] } ] }
            """
        let configuration = try TemporaryFolder()
        let file = try configuration.write("commands:\n  sh: /bin/sh\n", to: "belfry.yaml")
        try await withHub(documents: documents, arguments: ["--config", file], environment: [:]) { hub in
            let marker = "31557600.\(Int.random(in: 1000...9999))"
            let script = "trap '' TERM; sleep \(marker) & setsid sleep \(marker) & echo ready; wait; wait"
            let client = try hub.client
            let posted = try await client.request("POST", "/hooks/lab", json: ["script": .string(script)])
            let run = try #require(posted.json["runs"]?.array?.first?.string)
            let stream = try await client.stream("/v1/runs/\(run)/stream?after=0")
            _ = try await stream.blocks { $0.frame["data"]?["delta"]?.string?.contains("ready") == true }
            _ = try await eventually(within: .seconds(20), "the sleep") { Processes.isSleeping(marker) ? true : nil }
            let answer = try await client.request("POST", "/v1/runs/\(run)/stop", json: [:])
            #expect(answer.json["result"]?.string == "applied")
            #expect(!Processes.isSleeping(marker))
        }
    }

    @Test(
        "a stop that a crash cut short holds; sent again under its id it was that stop, and under another it came late")
    func crash() async throws {
        let documents = """
            source: lab
            preset: none
            ---
            rule: shell
            when: { source: [lab] }
            run: { steps: [ { step: work, command: [sh, "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"] } ] }
            """
        let configuration = try TemporaryFolder()
        let file = try configuration.write("commands:\n  sh: /bin/sh\n", to: "belfry.yaml")
        try await withHub(documents: documents, arguments: ["--config", file], environment: [:]) { hub in
            let posted = try await hub.client.request("POST", "/hooks/lab", json: [:])
            let run = try #require(posted.json["runs"]?.array?.first?.string)
            let stream = try await hub.client.stream("/v1/runs/\(run)/stream?after=0")
            _ = try await stream.blocks { $0.frame["data"]?["delta"]?.string?.contains("ready") == true }
            let id = CommandID(at: Timestamp(seconds: 1)).description
            let client = try hub.client
            async let unheard = try? client.request("POST", "/v1/runs/\(run)/stop", json: ["command_id": .string(id)])
            // The command is in the log, its answer waits for a process that does not heed the signal.
            _ = try await stream.blocks { $0.frame["data"]?["state"]?.string == "stopping" }
            try await hub.kill9()
            _ = await unheard
            try await hub.restart()
            #expect(try await hub.ended(run)["state"] == "stopped")
            let again = try await hub.client.request("POST", "/v1/runs/\(run)/stop", json: ["command_id": .string(id)])
            #expect(again.json["result"] == "applied", "\(again.text)")
            let other = try await hub.client.request("POST", "/v1/runs/\(run)/stop", json: [:])
            #expect(other.json["result"] == "rejected" && other.text.contains("already stopped by"), "\(other.text)")
        }
    }
}
