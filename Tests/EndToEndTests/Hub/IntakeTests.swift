import BelfryCore
import BelfrySources
import Foundation
import Testing

/// What sources take and keep, with the real binary and its real file.
@Suite(.timeLimit(.minutes(3))) struct IntakeTests {
    private static let documents = """
        source: plain
        preset: token
        secret: env:GITHUB_WEBHOOK_SECRET
        identity: [header.x-id]
        dedupe: { also: body }
        ---
        source: known
        preset: token
        secret: env:GITHUB_WEBHOOK_SECRET
        dedupe: { key: body, window: 10m }
        ---
        source: discreet
        preset: token
        secret: env:GITHUB_WEBHOOK_SECRET
        redact: [data.customer.email, headers.x-user]
        keep_headers: [x-user]
        body_max: 64KiB
        ---
        agent: parrot
        kind: echo
        ---
        rule: talk
        when: { source: [discreet] }
        run: { steps: [ { step: say, agent: parrot, prompt: "of {{data.customer.email}}: {{event}}" } ] }
        ---
        rule: by-email
        when: { data: { customer: { email: [ { exists: true } ] } } }
        run: { steps: [ { step: say, agent: parrot, prompt: "hi" } ] }
        """

    private func post(
        _ hub: HubProcess, _ path: String, _ body: [UInt8], _ headers: [(String, String)]
    ) async throws -> RawClient.Response {
        try await RawClient(port: hub.port, token: Documents.secret).request("POST", path, headers: headers, body: body)
    }

    private static let types = [
        ("application/json", #"{"n":1}"#), ("application/x-www-form-urlencoded", "n=1&m=2"), ("text/plain", "n is 1"),
        ("application/x-ndjson", "{\"line\":1}\n{\"line\":2}"),
    ]

    @Test("dedupe key body: an equal body of any kind is a duplicate, another is not")
    func dedupeByBody() async throws {
        try await withHub(documents: Self.documents) { hub in
            func status(_ type: String, _ body: String) async throws -> [String?] {
                let answer = try await post(hub, "/hooks/known", Array(body.utf8), [("Content-Type", type)]).json
                return (answer["events"]?.array ?? [answer]).map { $0["status"]?.string }
            }
            for (type, body) in Self.types {
                let first = try await status(type, body)
                #expect(!first.contains("duplicate"), "\(type)")
                let again = try await status(type, body)
                #expect(Set(again) == ["duplicate"], "\(type)")
                // Of lines only the one that changed is new.
                #expect(try await status(type, body.replacing("1", with: "5")).first == "filtered", "\(type)")
            }
        }
    }

    @Test("dedupe also body: a known body of any kind under a new id is refused, under its own it is a duplicate")
    func alsoBody() async throws {
        try await withHub(documents: Self.documents) { hub in
            for (index, (type, body)) in Self.types.enumerated() {
                func status(_ id: String) async throws -> Int {
                    try await post(
                        hub, "/hooks/plain", Array(body.utf8), [("Content-Type", type), ("X-Id", "\(index)-\(id)")]
                    ).status
                }
                let statuses = [try await status("a"), try await status("a"), try await status("b")]
                #expect(statuses == [202, 200, 409], "\(type)")
            }
        }
    }

    @Test("what is redacted is in no file, answer, explanation or text of a run")
    func redacted() async throws {
        try await withHub(documents: Self.documents) { hub in
            let email = "eve.hidden@example.org"
            let body = #"{"customer":[{"email":"\#(email)"},{"email":{"x":["\#(email)"]}}],"n":1.50}"#
            let headers = [("Content-Type", "application/json"), ("X-User", email)]
            let answer = try await post(hub, "/hooks/discreet", Array(body.utf8), headers).json
            let event = try #require(answer["event"]?.string)
            let runs = try await hub.allRunsEnded()
            #expect(runs.count == 2)
            var shown = answer.text
            for path in ["/v1/events/\(event)", "/v1/events/\(event)/why", "/v1/audit"] {
                shown += try await hub.client.request("GET", path).text
            }
            for run in runs {
                shown += try await hub.client.request("GET", "/v1/runs/\(run["id"]?.string ?? "")").text
            }
            #expect(shown.contains("of [redacted]:") || shown.contains("[redacted]"))
            #expect(shown.contains("1.50"))
            #expect(!shown.contains("hidden"))
            #expect(!hub.log.contains("hidden"))
            #expect(try await hub.terminate() == 0)
            for file in try FileManager.default.contentsOfDirectory(atPath: hub.dataFolder) {
                let bytes = try Data(contentsOf: URL(filePath: "\(hub.dataFolder)/\(file)"))
                #expect(bytes.range(of: Data("hidden".utf8)) == nil, "\(file)")
            }
        }
    }

    @Test("gzip as curl users make it is taken; a bomb is refused, and the hub lives on small memory")
    func gzip() async throws {
        try await withHub(documents: Self.documents) { hub in
            func send(_ shell: String) async throws -> RawClient.Response {
                let path = "\(hub.folder.path)/body.gz"
                #expect(try await Shell.run("\(shell) > '\(path)'") == 0)
                return try await post(
                    hub, "/hooks/discreet", Array(try Data(contentsOf: URL(filePath: path))),
                    [("Content-Type", "application/json"), ("Content-Encoding", "gzip")])
            }
            let good = try await send(#"printf '{"n":[1, 2]}' | gzip -c"#)
            #expect(good.status == 202)
            let event = try await hub.client.request("GET", "/v1/events/\(good.json["event"]?.string ?? "")")
            #expect(event.text.contains(#"{"n":[1, 2]}"#))
            let bomb = try await send("head -c 60000000 /dev/zero | gzip -9c")
            #expect(bomb.status == 413)
            #expect(bomb.json["code"]?.string == "payload_too_large")
            #expect(try await send("printf '{}' | gzip -c | gzip -c").status == 400)
        }
    }

    @Test("send --dry-run says how a delivery fares with each rule, and stores nothing")
    func dryRun() async throws {
        try await withHub(documents: Documents.github()) { hub in
            let run = try await hub.belfry("send", "github-issues", "--dry-run")
            #expect(run.code == 0)
            #expect(run.output.contains("✓ verified by env:GITHUB_WEBHOOK_SECRET\n"))
            #expect(run.output.contains("issues.opened"))
            #expect(run.output.contains("✓ triage: a match\n"))
            #expect(run.output.contains("nothing was stored\n"))
            let other = try await hub.belfry("send", "github-push", "--dry-run")
            #expect(other.output.contains("✗ triage: no match, because\n"))
            let json = try await hub.belfry("send", "github-push", "--dry-run", "--output", "json")
            #expect(json.json["verification"]?["ok"] == true)
            let events = try await hub.client.request("GET", "/v1/events").json["items"]?.array
            #expect(events == [])
            #expect(try await hub.belfry("send", "github-push", "--dry-run", "--watch").code == 2)
        }
    }
}
