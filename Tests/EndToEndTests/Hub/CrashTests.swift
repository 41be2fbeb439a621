import BelfryCore
import Testing

/// `kill -9` of the real binary.
@Suite(.timeLimit(.minutes(4))) struct CrashTests {
    @Test("killed in the middle of 50 runs under load: no 202 is missing, no run hangs, the audit chain holds")
    func underLoad() async throws {
        let words = (0..<40).map { "w\($0)" }.joined(separator: " ")
        try await withHub(documents: Documents.github(wordsPerSecond: 20, prompt: words)) { hub in
            // Deliveries keep coming until the hub is gone; those that were acknowledged are noted.
            let acknowledged = await withTaskGroup(of: [(event: String, run: String)].self) { group in
                for sender in 0..<8 {
                    group.addTask {
                        var noted: [(event: String, run: String)] = []
                        for number in 0..<1000 {
                            guard let response = try? await hub.deliver(number, id: "\(sender)-\(number)"),
                                response.status == 202,
                                let event = response.json["event"]?.string,
                                let run = response.json["runs"]?.array?.first?.string
                            else { break }
                            noted.append((event, run))
                        }
                        return noted
                    }
                }
                group.addTask {
                    let reached: Bool? = try? await eventually(within: .seconds(20), "50 runs at work") {
                        let runs = try await hub.client.request("GET", "/v1/runs?state=running&limit=100").json[
                            "items"]?.array
                        return runs?.count ?? 0 >= 50 ? true : nil
                    }
                    #expect(reached == true, "50 runs were not at work at the same time")
                    try? await hub.kill9()
                    return []
                }
                return await group.reduce(into: []) { $0 += $1 }
            }
            #expect(acknowledged.count >= 50)
            try await hub.restart()
            let client = try hub.client
            for (event, run) in acknowledged {
                #expect(try await client.request("GET", "/v1/events/\(event)").status == 200)
                #expect(try await client.request("GET", "/v1/runs/\(run)").status == 200)
            }
            let runs = try await hub.allRunsEnded(within: .seconds(120))
            #expect(runs.allSatisfy { $0["state"]?.string == "succeeded" })
            let verified = try await hub.belfry("audit", "verify")
            #expect(verified.code == 0, "\(verified.errors)")
        }
    }

    @Test("what an orphaned command left is killed before anything goes on")
    func orphans() async throws {
        let documents = """
            source: lab
            preset: none
            ---
            rule: shell
            when: { source: [lab] }
            run: { steps: [ { step: work, command: [sh, "-c", "echo ready; sleep {{data.marker}}"] } ] }
            """
        let configuration = try TemporaryFolder()
        let file = try configuration.write("commands:\n  sh: /bin/sh\n", to: "belfry.yaml")
        try await withHub(documents: documents, arguments: ["--config", file], environment: [:]) { hub in
            let marker = "31557600.\(Int.random(in: 1000...9999))"
            let posted = try await hub.client.request("POST", "/hooks/lab", json: ["marker": .string(marker)])
            let run = try #require(posted.json["runs"]?.array?.first?.string)
            let stream = try await hub.client.stream("/v1/runs/\(run)/stream?after=0")
            _ = try await stream.blocks { $0.frame["data"]?["delta"]?.string?.contains("ready") == true }
            _ = try await eventually(within: .seconds(20), "the sleep") { Processes.isSleeping(marker) ? true : nil }
            try await hub.kill9()
            #expect(Processes.isSleeping(marker))
            try await hub.restart()
            let ended = try await hub.allRunsEnded()
            #expect(ended.first?["state"]?.string == "failed")
            #expect(ended.first?["reason"]?.string == "interrupted")
            #expect(!Processes.isSleeping(marker))
        }
    }

    @Test("a second hub on the same folder is refused, and the first one works on")
    func secondProcess() async throws {
        try await withHub(documents: Documents.github()) { hub in
            let second = try await CommandResult.of(
                ["serve", "--data", hub.dataFolder, "--port", "0"], in: hub.folder
            )
            #expect(second.code != 0)
            #expect(second.errors.contains("in use") || second.errors.contains("lock"))
            #expect(try await hub.deliver(1, id: "still").status == 202)
        }
    }

    @Test("SIGTERM lets a run end, tells the streams, and exits with 0")
    func drain() async throws {
        let words = (0..<20).map { "w\($0)" }.joined(separator: " ")
        try await withHub(documents: Documents.github(wordsPerSecond: 20, prompt: words)) { hub in
            let run = try #require(try await hub.deliver(1, id: "d").json["runs"]?.array?.first?.string)
            let stream = try await hub.client.stream("/v1/stream?topic=run/*&after=0")
            _ = try await stream.blocks { $0.frame["type"]?.string == "TEXT_MESSAGE_CONTENT" }
            let code = try await hub.terminate()
            #expect(code == 0)
            let types = try await stream.blocks().compactMap { $0.frame["type"]?.string }
            #expect(types.contains("RUN_FINISHED"))
            #expect(types.last == "CLOSING")
            try await hub.restart()
            #expect(try await hub.client.request("GET", "/v1/runs/\(run)").json["state"]?.string == "succeeded")
        }
    }
}
