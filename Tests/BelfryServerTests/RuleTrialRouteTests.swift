import BelfryCore
import BelfryEngine
import Testing

@Suite(.timeLimit(.minutes(3))) struct RuleTrialRouteTests {
    @Test("a backtest is begun, asked for and forgotten; viewers, unknown ones and bad windows are refused")
    func backtest() async throws {
        try await HubRig.run { rig in
            _ = try await rig.send("POST", "/hooks/plant", body: #"{"n":1}"#)
            let body = #"{"rule":"talk","last":"1h","run_takes":"5s"}"#
            func post(_ body: String, token: String? = nil) async throws -> HubRig.Answer {
                try await rig.send("POST", "/v1/rules/backtest", token: token ?? rig.admin, body: body)
            }
            #expect(try await post(body, token: rig.viewer).status == 403)
            let started = try await post(body)
            #expect(started.status == 202, "\(started)")
            let id = started.json["id"]?.string ?? ""
            #expect(started.head.contains("location: /v1/rules/backtest/\(id)"))
            var answer = started
            while answer.json["state"]?.string == "running" {
                try await Task.sleep(for: .milliseconds(5))
                answer = try await rig.send("GET", "/v1/rules/backtest/\(id)", token: rig.admin)
            }
            #expect(answer.json["state"]?.string == "done" && answer.json["run_takes_ms"]?.number?.int64 == 5000)
            #expect(answer.json["result"]?["events"]?.number?.int64 == 1)
            #expect(answer.json["result"]?["near_misses"]?["count"]?.number?.int64 == 1)
            #expect(try await rig.send("DELETE", "/v1/rules/backtest/\(id)", token: rig.admin).status == 204)
            #expect(try await rig.send("GET", "/v1/rules/backtest/\(id)", token: rig.admin).status == 404)
            #expect(try await rig.send("DELETE", "/v1/rules/backtest/\(id)", token: rig.admin).status == 404)
            #expect(try await post(#"{"rule":"walk"}"#).status == 404)
            #expect(try await post(#"{"rule":"talk","last":"soon"}"#).status == 400)
            #expect(
                try await post(#"{"rule":"talk","from":"2026-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z"}"#).status
                    == 400)
            #expect(try await post(#"{"rule":"rule: a\nwhen: 5\n"}"#).status == 422)
        }
    }
}
