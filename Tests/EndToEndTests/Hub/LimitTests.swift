import BelfryCore
import Foundation
import Testing

/// What bounds a rule, in the real binary.
@Suite(.timeLimit(.minutes(3))) struct RuleLimitTests {
    /// Delivers to the `token` source `lab`.
    private func post(_ body: String, to hub: HubProcess, hops: String? = nil) async throws -> RawClient.Response {
        var headers = [("Content-Type", "application/json"), ("Authorization", "Bearer \(Documents.secret)")]
        if let hops { headers.append(("Belfry-Hops", hops)) }
        return try await RawClient(port: hub.port, token: nil).request(
            "POST", "/hooks/lab", headers: headers, body: Array(body.utf8))
    }

    private static let lab = """
        source: lab
        preset: token
        secret: env:GITHUB_WEBHOOK_SECRET
        ---
        """

    private func start(_ documents: String) async throws -> HubProcess {
        let folder = try TemporaryFolder()
        try folder.write(documents, to: "rules/test.yaml")
        let file = try folder.write("commands:\n  sh: /bin/sh\n", to: "belfry.yaml")
        return try await HubProcess.start(
            rules: "\(folder.path)/rules", arguments: ["--config", file],
            environment: Documents.environment, folder: folder)
    }

    @Test(
        "a command that fails opens the breaker; why, rules show and a notice say so, also after kill -9; enable closes it"
    )
    func breaker() async throws {
        let documents =
            Self.lab + """

                rule: shaky
                when: { source: [lab] }
                limits: { failures: 3, concurrency: 1 }
                run: { steps: [ { step: work, command: [sh, "-c", "echo broken pipe >&2; exit {{data.code}}"] } ] }
                """
        try await start(documents).use { hub in
            let alerts = try await RawWebSocket(port: hub.port, token: try hub.adminToken)
            try alerts.call("subscribe", ["topics": ["alerts", "rules"]])
            _ = try await alerts.answer()
            for _ in 0..<3 { #expect(try await post(#"{"code": 3}"#, to: hub).status == 202) }
            var kinds: [String] = []
            while kinds.last != "rule_broken", let text = try await alerts.next() {
                let frame = try JSONValue(parsing: text)[path: ["params"]] ?? .null
                let data = frame["data"] ?? .null
                kinds.append(data["kind"]?.string ?? (data["broken"] != nil ? "broken" : "-"))
            }
            #expect(kinds == ["run_failed", "run_failed", "run_failed", "broken", "rule_broken"])
            alerts.close()
            try await hub.kill9()
            try await hub.restart()

            let event = try #require(try await post(#"{"code": 0}"#, to: hub).json["event"]?.string)
            let why = try await hub.belfry("events", "why", event)
            #expect(why.output.contains("shaky: broken (since "), "\(why.output)")
            #expect(
                why.output.contains(
                    "3 runs in a row failed, the last of: the command ended with exit code 3: broken pipe"))
            let shown = try await hub.belfry("rules", "show", "shaky")
            #expect(shown.output.contains("# broken since "), "\(shown.output)")
            #expect(try await hub.belfry("rules", "enable", "shaky").code == 0)
            #expect(try await hub.belfry("rules", "show", "shaky").output.contains("# broken") == false)
            #expect(try await post(#"{"code": 0}"#, to: hub).json["runs"]?.array?.count == 1)
            #expect(try await hub.allRunsEnded().count == 4)
            #expect(try await hub.belfry("audit", "verify").code == 0)
        }
    }

    @Test("a rule whose command sends to its own source ends as looped after eight runs")
    func loop() async throws {
        let documents =
            Self.lab + """

                rule: echo
                when: { source: [lab] }
                run:
                  steps:
                    - { step: again, command: [sh, "-c", "exec $0 send token --source lab --file $1/body.json --secret-file $1/secret --url $(cat $1/url)", BELFRY, FOLDER] }
                """
        let folder = try TemporaryFolder()
        let commands = documents.replacing("BELFRY", with: try BuildProducts.belfry())
            .replacing("FOLDER", with: folder.path)
        try folder.write("{}", to: "body.json")
        try folder.write(Documents.secret, to: "secret")
        try await start(commands).use { hub in
            try folder.write(hub.url, to: "url")
            #expect(try await post("{}", to: hub).status == 202)
            let client = try hub.client
            let events = try await eventually(within: .seconds(60), "nine events") {
                let events = try await client.request("GET", "/v1/events").json["items"]?.array ?? []
                return events.count == 9 ? events : nil
            }
            let runs = try await hub.allRunsEnded()
            #expect(runs.count == 8 && runs.allSatisfy { $0["state"]?.string == "succeeded" }, "\(runs)")
            #expect(events.map { $0["hops"]?.number?.int64 } == (0...8).reversed().map { Int64($0) })
            let last = try #require(events.first?["id"]?.string)
            let why = try await hub.belfry("events", "why", last)
            #expect(why.output.contains("8 runs led to it, one after the other"), "\(why.output)")
            #expect(why.output.contains("echo: looped"), "\(why.output)")
            #expect(try await client.request("GET", "/v1/events").json["items"]?.array?.count == 9)
        }
    }

    @Test(
        "tokens that a provider reports are counted, and those that it does not are estimated",
        arguments: [true, false])
    func tokens(isReported: Bool) async throws {
        let usage = #"data: {"choices":[],"usage":{"prompt_tokens":700,"completion_tokens":301}}"# + "\n\n"
        let text = ScriptedProvider.Action.text(String(repeating: "word", count: 1000))
        let provider = try ScriptedProvider(isReported ? [.text("short"), .raw(usage)] : [text])
        let documents = Documents.asking(provider).replacing(
            "run: { steps: [", with: "limits: { tokens_per_day: 1000 }\nrun: { steps: [")
        try await withHub(documents: documents) { hub in
            let alerts = try await RawWebSocket(port: hub.port, token: try hub.adminToken)
            try alerts.call("subscribe", ["topics": ["alerts"]])
            _ = try await alerts.answer()
            let first = try await hub.deliver(1, id: "a")
            #expect(first.json["status"]?.string == "matched")
            let runs = try await hub.allRunsEnded()
            #expect(runs.map { $0["state"]?.string } == ["succeeded"], "it has no next step")
            let second = try await hub.deliver(2, id: "b")
            #expect(second.json["status"]?.string == "accepted")
            let event = try #require(second.json["event"]?.string)
            let why = try await hub.client.request("GET", "/v1/events/\(event)/why").json
            let match = try #require(why["matches"]?.array?.first)
            #expect(match["outcome"]?.string == "limited")
            let count = isReported ? "1001" : "1002"
            #expect(
                match["detail"]?.string?.hasPrefix("limits.tokens_per_day: \(count) of 1000 tokens are used on ")
                    == true, "\(match)")
            let notices = try await alerts.frames(through: "NOTICE").map { try JSONValue(parsing: $0)["data"]?["kind"] }
            #expect(notices == ["budget"])
            alerts.close()
        }
    }

    @Test("a run that waits longer than max_wait for its place expires, also over kill -9, and everything says so")
    func maxWait() async throws {
        let turnstile = ScriptedProvider.Turnstile()
        let provider = try ScriptedProvider([.text("one "), .wait(turnstile), .text("more")])
        defer { provider.stop() }
        let documents = Documents.asking(provider).replacing(
            "run: { steps: [", with: "limits: { concurrency: 1, max_wait: 3s }\nrun: { steps: [")
        try await withHub(documents: documents) { hub in
            func deliver(_ number: Int) async throws -> (event: String, run: String) {
                let posted = try await hub.deliver(number, id: "\(number)").json
                let run = try #require(posted["runs"]?.array?.first?.string)
                return (try #require(posted["event"]?.string), run)
            }
            func expired(_ run: String) async throws {
                let shown = try await hub.ended(run)
                #expect(shown["state"] == "expired" && shown["reason"] == "max_wait", "\(shown)")
            }
            let first = try await deliver(1)
            let stream = try await hub.client.stream("/v1/runs/\(first.run)/stream?after=0")
            _ = try await stream.blocks { $0.frame["data"]?["delta"]?.string == "one " }
            let second = try await deliver(2)
            try await expired(second.run)

            let third = try await deliver(3)
            try await hub.kill9()
            try await hub.restart()
            try await expired(third.run)
            let list = try await hub.belfry("runs", "list", "--state", "expired")
            let message = "waited longer than 3s (limits.max_wait)"
            #expect(list.output.components(separatedBy: message).count == 3, "\(list.output)")
            let why = try await hub.belfry("events", "why", third.event)
            #expect(why.output.contains("triage: queued \(third.run)"), "\(why.output)")
            #expect(
                why.output.split { $0.isWhitespace }.joined(separator: " ").contains(
                    "; expired (max_wait): \(message)"), "\(why.output)")
            let shown = try await hub.belfry("runs", "show", third.run)
            #expect(shown.output.contains("expired") && shown.output.contains(message), "\(shown.output)")

            // What held the place goes on, and what comes now is not too late.
            turnstile.letPass()
            _ = try await hub.allRunsEnded()
            turnstile.letPass()
            let replayed = try await hub.belfry("events", "replay", third.event)
            #expect(replayed.code == 0, "\(replayed)")
            let runs = try await hub.allRunsEnded()
            let states = runs.compactMap { $0["state"]?.string }
            #expect(states.filter { $0 == "expired" }.count == 2 && states.filter { $0 == "succeeded" }.count == 2)
            #expect(provider.exchanges.count == 3, "begun, begun anew after the crash, replayed")
            #expect(try await hub.belfry("audit", "verify").code == 0)
        }
    }
}
