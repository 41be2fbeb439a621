import BelfryCore
import Foundation
import Testing

/// The documents in `Rules/`, put into an empty hub as `ops/run` does it, each fed with a delivery as its sender makes it.
@Suite(.timeLimit(.minutes(3))) struct ShippedRulesTests {
    @Test(
        "each shipped rule turns its sample into a run that succeeds and says something",
        arguments: [
            ("github-issues", "github-issue-triage"), ("alertmanager-firing", "alertmanager-incident"),
            ("sensor-reading", "overheating-pump"), ("stripe-invoice-failed", "stripe-failed-invoice"),
            ("slack-mention", "slack-mention"), ("cloudevents-device-alert", "device-alert"),
            ("grafana-firing", "grafana-alert"),
        ]
    )
    func samples(sample: String, rule: String) async throws {
        let hub = try await HubProcess.start(arguments: ["--seed", "\(BuildProducts.root)/Rules"])
        let sent = try await hub.belfry("send", sample, "--output", "json")
        #expect(sent.code == 0, "\(sent.errors)")
        let runs = try await hub.allRunsEnded()
        #expect(runs.allSatisfy { $0["rule"]?.string == rule && $0["state"]?.string == "succeeded" }, "\(runs)")
        let shown = try await hub.client.request("GET", "/v1/runs/\(runs[0]["id"]?.string ?? "")").json
        #expect(shown["steps"]?.array?.first?["output"]?.string?.isEmpty == false)
        try await hub.kill9()
    }

    @Test(
        "samples that no shipped rule is for are stored, and why says what did not fit",
        arguments: [
            "github-push", "github-ping", "github-pull-request", "alertmanager-resolved", "sensor-normal",
            "stripe-invoice-paid", "slack-command", "slack-button", "cloudevents-batch", "cloudevents-structured",
            "grafana-resolved",
        ])
    func others(sample: String) async throws {
        let hub = try await HubProcess.start(arguments: ["--seed", "\(BuildProducts.root)/Rules"])
        let sent = try await hub.belfry("send", sample, "--output", "json")
        #expect(sent.code == 0, "\(sent.errors)")
        let events = try await hub.client.request("GET", "/v1/events").json["items"]?.array ?? []
        #expect(!events.isEmpty)
        for event in events {
            #expect(event["status"]?.string == "filtered")
            let why = try await hub.belfry("events", "why", event["id"]?.string ?? "")
            #expect(why.code == 0)
            #expect(why.output.contains("— saw "), "\(why.output)")
        }
        try await hub.kill9()
    }

    @Test("they are put into an empty store once: what an operator removed stays removed")
    func seededOnce() async throws {
        let hub = try await HubProcess.start(arguments: ["--seed", "\(BuildProducts.root)/Rules"])
        let removed = try await hub.client.request("DELETE", "/v1/rules/overheating-pump")
        #expect(removed.status == 200 || removed.status == 204)
        _ = try await hub.terminate()
        try await hub.restart()
        #expect(try await hub.client.request("GET", "/v1/rules/overheating-pump").status == 404)
        try await hub.kill9()
    }

    @Test(
        "the pump's rule with the steps that need a configuration: a person decides, the pump is shut down, a channel hears"
    )
    func wholePump() async throws {
        let shipped = try String(contentsOfFile: "\(BuildProducts.root)/Rules/overheating-pump.yaml", encoding: .utf8)
        let whole = shipped.replacing("\n    # - ", with: "\n    - ").replacing("\n    #   ", with: "\n      ")
        let slack = try ScriptedProvider([.status(200, #""ok""#)])
        let folder = try TemporaryFolder()
        let document = try folder.write(whole, to: "pump.yaml")
        let bare = try await HubProcess.start()
        let refused = try await bare.belfry("rules", "apply", document)
        #expect(refused.code != 0 && refused.errors.contains("there is no target 'ops-slack'"), "\(refused.errors)")
        try await bare.kill9()
        let configuration = try folder.write(
            """
            commands: { shutdown-pump: /bin/echo }
            targets:
              ops-slack: { url: "http://127.0.0.1:\(slack.port)/T0/B0", plain: true, allow_private: true }
            """, to: "belfry.yaml")
        try await HubProcess.start(arguments: ["--config", configuration]).use { hub in
            #expect(try await hub.belfry("rules", "apply", document).code == 0)
            #expect(try await hub.belfry("send", "sensor-reading").code == 0)
            let question = try await eventually(within: .seconds(20), "the question") {
                let open = try await hub.client.request("GET", "/v1/approvals?state=open").json["items"]?.array
                return open?.first
            }
            #expect(question["guards"]?.array?.compactMap(\.string) == ["shutdown", "report"])
            let decided = try await hub.belfry("approvals", "approve", question["id"]?.string ?? "")
            #expect(decided.code == 0, "\(decided.errors)")
            let run = try #require(try await hub.allRunsEnded().first)
            #expect(run["state"] == "succeeded", "\(run.text)")
            let sent = try #require(slack.exchanges.first)
            #expect(sent.head.hasPrefix("POST /T0/B0 ") && slack.exchanges.count == 1)
            #expect(sent.body.hasPrefix(#"{"text":"pump-"#) && sent.body.contains("was shut down. Sensor pump-"))
        }
    }
}
