import BelfryCore
import Foundation
import Testing

/// A real Prometheus Alertmanager as the sender.
@Suite(.timeLimit(.minutes(3))) struct AlertmanagerTests {
    private static let program = "/usr/bin/prometheus-alertmanager"

    @Test(
        "an alert that fires and resolves in a real Alertmanager arrives as two events, and its copies as duplicates",
        .enabled(if: FileManager.default.isExecutableFile(atPath: program), "prometheus-alertmanager is not installed")
    )
    func fireAndResolve() async throws {
        let documents = """
            source: alerts
            preset: alertmanager
            secret: env:GITHUB_WEBHOOK_SECRET
            ---
            agent: parrot
            kind: echo
            ---
            rule: incident
            when: { source: [alerts], type: [alert.firing] }
            run: { steps: [ { step: say, agent: parrot, prompt: "{{data.labels.alertname}} fires" } ] }
            """
        try await withHub(documents: documents) { hub in
            let folder = try TemporaryFolder()
            let configuration = try folder.write(
                """
                route: { receiver: belfry, group_wait: 100ms, group_interval: 1s, repeat_interval: 1s }
                receivers:
                  - name: belfry
                    webhook_configs:
                      - url: \(hub.url)/hooks/alerts
                        send_resolved: true
                        http_config: { authorization: { credentials: "\(Documents.secret)" } }
                """, to: "am.yml"
            )
            let port = try RawSocket.freePort()
            let alertmanager = try ChildProcess(
                Self.program,
                [
                    "--config.file=\(configuration)", "--storage.path=\(folder.path)/am",
                    "--web.listen-address=127.0.0.1:\(port)", "--cluster.listen-address=",
                ],
                outputPath: "\(folder.path)/am.out", errorPath: "\(folder.path)/am.err"
            )
            defer { alertmanager.send(SIGKILL) }
            let sender = RawClient(port: port, token: nil)
            _ = try await eventually(within: .seconds(20), "Alertmanager to be ready") {
                (try? await sender.request("GET", "/-/ready"))?.status == 200 ? true : nil
            }
            let alert: JSONValue = [
                "labels": ["alertname": "DiskFull", "instance": "db1"], "annotations": ["summary": "95 %"],
            ]
            #expect(try await sender.request("POST", "/api/v2/alerts", json: [alert]).status == 200)
            let client = try hub.client
            func events(_ type: String) async throws -> [JSONValue] {
                try await client.request("GET", "/v1/events?type=\(type)").json["items"]?.array ?? []
            }
            _ = try await eventually(within: .seconds(20), "the alert to arrive") {
                try await events("alert.firing").isEmpty ? nil : true
            }
            // It repeats what still fires each second; a second of copies makes no second event.
            try await Task.sleep(for: .milliseconds(2500))
            #expect(try await events("alert.firing").count == 1)

            var resolved = alert.object ?? [:]
            resolved["endsAt"] = .string((WallClock.system.now() - .seconds(1)).description)
            #expect(try await sender.request("POST", "/api/v2/alerts", json: [.object(resolved)]).status == 200)
            _ = try await eventually(within: .seconds(20), "the resolution to arrive") {
                try await events("alert.resolved").isEmpty ? nil : true
            }
            let runs = try await hub.allRunsEnded()
            #expect(runs.count == 1)
            let shown = try await client.request("GET", "/v1/runs/\(runs[0]["id"]?.string ?? "")").json
            #expect(shown["steps"]?.array?.first?["output"]?.string == "DiskFull fires")
        }
    }
}
