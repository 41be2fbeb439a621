import BelfryCore
import Foundation
import Testing

/// Groups, what resolves them, and their timers, in the real binary.
@Suite(.timeLimit(.minutes(3))) struct GroupingTests {
    /// A source `lab` whose events say their type, and a rule `hot` that is resolved by `cool` of the same pump.
    private func documents(
        group: String, more: String = "",
        steps: String =
            #"[{ step: say, agent: parrot, prompt: "{{group.count}} events, at most {{group.max.celsius}}" }]"#,
        agent: String = "kind: echo"
    ) -> String {
        """
        source: lab
        preset: none
        type: body.type
        ---
        agent: parrot
        \(agent)
        ---
        rule: hot
        when: { source: [lab], type: [hot] }
        group: \(group)
        resolve: { when: { source: [lab], type: [cool] } }
        \(more)
        run: { steps: \(steps) }
        """
    }

    private func post(
        _ hub: HubProcess, _ type: String = "hot", pump: Int = 7, celsius: Int = 95
    ) async throws -> (event: String, run: String?) {
        let body: JSONValue = ["type": .string(type), "pump": .int(pump), "celsius": .int(celsius)]
        let posted = try await hub.client.request("POST", "/hooks/lab", json: body).json
        return (try #require(posted["event"]?.string), posted["runs"]?.array?.first?.string)
    }

    private func match(_ hub: HubProcess, _ event: String) async throws -> JSONValue {
        try await hub.client.request("GET", "/v1/events/\(event)/why").json["matches"]?.array?.first ?? .null
    }

    @Test("the third event of a pump starts one run for all three, and every command tells of it")
    func threshold() async throws {
        try await withHub(documents: documents(group: "{ by: [data.pump], within: 60s, threshold: 3 }")) { hub in
            let first = try await post(hub, celsius: 91)
            #expect(try await post(hub, pump: 8).run == nil)
            #expect(try await post(hub, celsius: 99).run == nil)
            let groups = try await hub.belfry("rules", "groups", "hot")
            #expect(groups.code == 0 && groups.output.contains("[7]") && groups.output.contains("[8]"), "\(groups)")
            let run = try #require(try await post(hub, celsius: 95).run)
            let shown = try await hub.ended(run)
            #expect(shown["steps"]?.array?.first?["output"]?.string == "3 events, at most 99")
            #expect(shown["group"]?["count"]?.number?.int64 == 3)
            let why = try await hub.belfry("events", "why", first.event)
            #expect(why.output.contains("hot: grouped \(run), group [7] of 3 events"), "\(why.output)")
            let list = try await hub.belfry("events", "list")
            #expect(list.output.contains("(\(run))"), "\(list.output)")
            let text = try await hub.belfry("runs", "show", run)
            #expect(text.output.contains("group [7] of 3 events"), "\(text.output)")
        }
    }

    @Test("an alert that resolves inside its debounce starts nothing, and says so")
    func resolvedInside() async throws {
        try await withHub(documents: documents(group: "{ by: [data.pump], within: 10m, debounce: 5m }")) { hub in
            let hot = try await post(hub)
            let cool = try await post(hub, "cool")
            #expect(hot.run == nil && cool.run == nil)
            let why = try await hub.belfry("events", "why", hot.event)
            #expect(
                why.output.contains("hot: resolved, group [7] of 1 event (resolved by \(cool.event)"), "\(why.output)")
            let resolving = try await match(hub, cool.event)
            #expect(resolving["detail"]?.string == "1 event waited and started nothing")
            #expect(try await hub.client.request("GET", "/v1/runs").json["items"]?.array?.isEmpty == true)
        }
    }

    @Test("a debounce starts its run when the pump is quiet, without another event")
    func debounce() async throws {
        try await withHub(documents: documents(group: "{ within: 30s, debounce: 2s }")) { hub in
            _ = try await post(hub, celsius: 91)
            let last = try await post(hub, celsius: 94)
            let runs = try await hub.allRunsEnded()
            #expect(runs.map { $0["event"]?.string } == [last.event])
            let shown = try await hub.ended(try #require(runs[0]["id"]?.string))
            #expect(shown["steps"]?.array?.first?["output"]?.string == "2 events, at most 94")
            let event = try await hub.client.request("GET", "/v1/events/\(last.event)").json
            #expect(event["status"] == "matched" && event["runs"]?.array?.count == 1)
        }
    }

    @Test("while a run is at work", arguments: ["join", "queue", "restart", "ignore"])
    func whileRunning(_ kind: String) async throws {
        let turnstile = ScriptedProvider.Turnstile()
        let provider = try ScriptedProvider([.text("one "), .wait(turnstile), .text("more")], [.text("two")])
        defer { provider.stop() }
        let documents = documents(
            group: "{ by: [data.pump], while_running: \(kind) }",
            agent: "kind: openai\nbase_url: \(provider.baseURL)\nmodel: scripted")
        try await withHub(documents: documents) { hub in
            let first = try #require(try await post(hub).run)
            let stream = try await hub.client.stream("/v1/runs/\(first)/stream?after=0")
            _ = try await stream.blocks { $0.frame["data"]?["delta"]?.string == "one " }
            let second = try await post(hub)
            let outcome = try await match(hub, second.event)["outcome"]?.string
            if kind == "restart" {
                let replaced = try await hub.ended(first)
                #expect(replaced["state"] == "stopped" && replaced["reason"] == "replaced")
            }
            turnstile.letPass()
            switch kind {
            case "join": #expect(outcome == "joined" && second.run == nil)
            case "ignore": #expect(outcome == "cooling" && second.run == nil)
            default:
                #expect(outcome == "queued")
                let shown = try await hub.ended(try #require(second.run))
                #expect(shown["steps"]?.array?.first?["output"]?.string == "two")
            }
            if kind != "restart" { #expect(try await hub.ended(first)["state"] == "succeeded") }
            let runs = try await hub.allRunsEnded()
            #expect(runs.count == (kind == "queue" || kind == "restart" ? 2 : 1))
            if runs.count == 2 {
                let times = runs.sorted { ($0["created"]?.string ?? "") < ($1["created"]?.string ?? "") }
                #expect(times[0]["ended"]?.string ?? "z" <= times[1]["started"]?.string ?? "", "one after the other")
            }
        }
    }

    @Test("what is resolved stops after the command that is at work, and no further step begins")
    func stopWaitsForCommand() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("commands:\n  sh: /bin/sh\n", to: "belfry.yaml")
        let (gate, never) = ("\(folder.path)/gate", "\(folder.path)/never")
        let steps = """
            [{ step: work, command: [sh, "-c", "echo ready; while [ ! -e \(gate) ]; do sleep 0.05; done; echo done"] },
             { step: after, command: [sh, "-c", "touch \(never)"] }]
            """
        let documents = documents(group: "{ by: [data.pump] }", more: "on_resolved: stop", steps: steps)
        try await withHub(documents: documents, arguments: ["--config", file]) { hub in
            let run = try #require(try await post(hub).run)
            let stream = try await hub.client.stream("/v1/runs/\(run)/stream?after=0")
            _ = try await stream.blocks { $0.frame["data"]?["delta"]?.string?.contains("ready") == true }
            let cool = try await post(hub, "cool")
            #expect(try await match(hub, cool.event)["detail"]?.string == "\(run) was told to stop")
            let told = try await hub.client.request("GET", "/v1/runs/\(run)").json
            #expect(told["state"] == "running" && told["stop_reason"] == "resolved")
            try folder.write("", to: "gate")
            let shown = try await hub.ended(run)
            #expect(shown["state"] == "stopped" && shown["reason"] == "resolved", "\(shown.text)")
            #expect(shown["steps"]?.array?.first?["state"] == "succeeded")
            #expect(shown["steps"]?.array?.first?["output"]?.string == "ready\ndone\n")
            #expect(!FileManager.default.fileExists(atPath: never))
            _ = try await stream.blocks { $0.frame["type"] == "RUN_FINISHED" }
        }
    }

    @Test("an agent's step is cut at once when what started it is resolved")
    func stopCutsAgent() async throws {
        let provider = try ScriptedProvider([.text("thinking "), .hang])
        defer { provider.stop() }
        let documents = documents(
            group: "{ by: [data.pump] }", more: "on_resolved: stop",
            agent: "kind: openai\nbase_url: \(provider.baseURL)\nmodel: scripted")
        try await withHub(documents: documents) { hub in
            let run = try #require(try await post(hub).run)
            let stream = try await hub.client.stream("/v1/runs/\(run)/stream?after=0")
            _ = try await stream.blocks { $0.frame["data"]?["delta"]?.string == "thinking " }
            _ = try await post(hub, "cool")
            let shown = try await hub.ended(run)
            #expect(shown["state"] == "stopped" && shown["reason"] == "resolved")
        }
    }

    @Test("a group of alerts is resolved with the last of them, without a word about it in the rule")
    func alerts() async throws {
        let provider = try ScriptedProvider([.text("thinking "), .hang])
        defer { provider.stop() }
        let documents = """
            source: alertmanager
            preset: alertmanager
            secret: generate
            ---
            agent: model
            kind: openai
            base_url: \(provider.baseURL)
            model: scripted
            ---
            rule: incident
            when: { source: [alertmanager], type: [alert.firing] }
            group: { by: [data.labels.alertname] }
            on_resolved: stop
            run: { steps: [{ step: assess, agent: model, prompt: "{{event}}" }] }
            """
        try await withHub(documents: documents) { hub in
            let firing = try await hub.belfry("send", "alertmanager-firing", "--output", "json")
            #expect(firing.code == 0, "\(firing.errors)")
            let run = try await eventually(within: .seconds(20), "the run") {
                try await hub.client.request("GET", "/v1/runs").json["items"]?.array?.first?["id"]?.string
            }
            let stream = try await hub.client.stream("/v1/runs/\(run)/stream?after=0")
            _ = try await stream.blocks { $0.frame["data"]?["delta"]?.string == "thinking " }
            let resolved = try await hub.belfry("send", "alertmanager-resolved", "--output", "json")
            #expect(resolved.code == 0, "\(resolved.errors)")
            let shown = try await hub.ended(run)
            #expect(shown["state"] == "stopped" && shown["reason"] == "resolved", "\(shown.text)")
            #expect(shown["group"]?["count"]?.number?.int64 == 2)
            let events = try await hub.client.request("GET", "/v1/events?type=alert.resolved").json["items"]?.array
            var details: [String] = []
            for event in events ?? [] {
                details.append(try await match(hub, event["id"]?.string ?? "")["detail"]?.string ?? "")
            }
            #expect(details.sorted() == ["1 alert of the group still firing", "\(run) was told to stop"])
        }
    }

    @Test("kill -9 inside a window, a debounce and a stop: the next start goes on where the rows say")
    func crash() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("commands:\n  sh: /bin/sh\n", to: "belfry.yaml")
        let documents =
            documents(group: "{ by: [data.pump], within: 10m, threshold: 2 }") + """

                ---
                rule: quiet
                when: { source: [lab], type: [quiet] }
                group: { within: 10m, debounce: 2s }
                run: { steps: [{ step: say, agent: parrot, prompt: "{{group.count}} were quiet" }] }
                ---
                rule: work
                when: { source: [lab], type: [work] }
                resolve: { when: { source: [lab], type: [rest] } }
                on_resolved: stop
                run: { steps: [{ step: work, command: [sh, "-c", "echo ready; sleep 1000"] }] }
                """
        try await withHub(documents: documents, arguments: ["--config", file]) { hub in
            #expect(try await post(hub).run == nil)
            _ = try await post(hub, "quiet")
            let work = try #require(try await post(hub, "work").run)
            let stream = try await hub.client.stream("/v1/runs/\(work)/stream?after=0")
            _ = try await stream.blocks { $0.frame["data"]?["delta"]?.string?.contains("ready") == true }
            _ = try await post(hub, "rest")
            try await hub.kill9()
            try await hub.restart()
            let stopped = try await hub.ended(work)
            #expect(stopped["state"] == "stopped" && stopped["reason"] == "resolved")
            #expect(stopped["steps"]?.array?.first?["state"] == "stopped")
            let run = try #require(try await post(hub, celsius: 99).run, "the second of the window")
            #expect(try await hub.ended(run)["steps"]?.array?.first?["output"]?.string == "2 events, at most 99")
            let quiet = try await eventually(within: .seconds(20), "the debounce to end") {
                try await hub.client.request("GET", "/v1/runs?rule=quiet").json["items"]?.array?.first?["id"]?.string
            }
            #expect(try await hub.ended(quiet)["steps"]?.array?.first?["output"]?.string == "1 were quiet")
        }
    }

    @Test("kill -9 while a run is being replaced: the next start ends it, and the run behind it begins")
    func crashWhileReplaced() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("commands:\n  sh: /bin/sh\n", to: "belfry.yaml")
        let script = "if mkdir \(folder.path)/once; then echo ready; sleep 1000; else echo second; fi"
        let documents = documents(
            group: "{ by: [data.pump], while_running: restart }",
            steps: #"[{ step: work, command: [sh, "-c", "\#(script)"] }]"#)
        try await withHub(documents: documents, arguments: ["--config", file]) { hub in
            let first = try #require(try await post(hub).run)
            let stream = try await hub.client.stream("/v1/runs/\(first)/stream?after=0")
            _ = try await stream.blocks { $0.frame["data"]?["delta"]?.string?.contains("ready") == true }
            let second = try #require(try await post(hub).run)
            #expect(try await hub.client.request("GET", "/v1/runs/\(second)").json["state"] == "queued")
            try await hub.kill9()
            try await hub.restart()
            let replaced = try await hub.ended(first)
            #expect(replaced["state"] == "stopped" && replaced["reason"] == "replaced", "\(replaced.text)")
            let shown = try await hub.ended(second)
            #expect(shown["state"] == "succeeded" && shown["steps"]?.array?.first?["output"]?.string == "second\n")
            #expect(replaced["ended"]?.string ?? "z" <= shown["started"]?.string ?? "", "one after the other")
        }
    }
}
