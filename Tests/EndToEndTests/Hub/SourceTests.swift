import BelfryCore
import BelfrySources
import Foundation
import Testing

/// Sources are added, rotated and removed while the hub serves.
@Suite(.timeLimit(.minutes(3)))
struct SourceTests {
    private func deliver(_ id: String, secret: String, to hub: HubProcess) async throws -> RawClient.Response {
        let source = SourceDefinition(name: "forge", preset: .github)
        let body = Array(#"{"zen":"\#(id)"}"#.utf8)
        let headers = DeliverySigner.headers(
            for: source, secret: Secret(secret), body: body, id: id, now: WallClock.system.now()
        )
        .map { ($0.name, $0.value) }.filter { $0.0.lowercased() != "x-github-event" }
        return try await RawClient(port: hub.port, token: nil).request(
            "POST", "/hooks/forge",
            headers: headers + [("X-GitHub-Event", "ping"), ("Content-Type", "application/json")],
            body: body)
    }

    /// One after the other; what each was answered.
    private func deliveries(_ count: Int, secret: String, to hub: HubProcess) async throws -> [Int] {
        var answers: [Int] = []
        for number in 0..<count { answers.append(try await deliver("fire-\(number)", secret: secret, to: hub).status) }
        return answers
    }

    @Test("add, show, rotate under fire: both secrets are taken while the old one is kept, only the new one after")
    func rotation() async throws {
        try await withHub { hub in
            let added = try await hub.belfry("sources", "add", "forge", "--preset", "github")
            #expect(added.code == 0 && added.output.contains("/hooks/forge"), "\(added)")
            let twice = try await hub.belfry("sources", "add", "forge", "--preset", "github")
            #expect(twice.code == 1 && twice.errors.contains("already"), "\(twice)")
            let shown = try await hub.belfry("sources", "show", "forge", "--output", "json").json
            let old = try #require(shown["secrets"]?.array?.first?["value"]?.string)
            #expect(added.output.contains(old))
            #expect(try await deliver("before", secret: old, to: hub).status == 202)

            async let fire = deliveries(60, secret: old, to: hub)
            let rotated = try await hub.belfry("sources", "rotate", "forge", "--keep", "1h", "--output", "json")
            let new = try #require(rotated.json["secret"]?["value"]?.string, "\(rotated)")
            #expect(new != old && rotated.json["set_up"]?.string?.contains(new) == true)
            #expect(rotated.json["secrets"]?.array?.count == 2)
            for number in 0..<10 { #expect(try await deliver("new-\(number)", secret: new, to: hub).status == 202) }
            #expect(try await deliver("old", secret: old, to: hub).status == 202)
            let answers = try await fire
            #expect(answers.allSatisfy { $0 == 202 }, "\(answers)")

            let again = try await hub.belfry("sources", "rotate", "forge", "--keep", "1s", "--output", "json")
            let end = try #require(
                again.json["secrets"]?.array?.first?["ends"]?.string.flatMap { Timestamp($0) }, "\(again)")
            let newest = try #require(again.json["secret"]?["value"]?.string, "\(again)")
            for earlier in [old, new] {
                _ = try await eventually("an earlier secret to end") {
                    try await deliver(UUID().uuidString, secret: earlier, to: hub).status == 401 ? true : nil
                }
                #expect(WallClock.system.now() >= end, "it ended too early")
            }
            #expect(try await deliver("late", secret: newest, to: hub).status == 202)
            let audit = try await hub.client.request("GET", "/v1/audit?after=0&limit=1000").json["items"]?.array ?? []
            let verifiers = Set(audit.compactMap { $0["detail"]?["verified_by"]?.string })
            #expect(verifiers == ["generate", "generate#2", "generate#3"])
            #expect(audit.contains { $0["action"]?.string == "secret.rotated" })
            #expect(!hub.log.contains(new) && !hub.log.contains(old))
        }
    }

    @Test("a sender's own secret comes from a file or stdin; nothing of it is shown on the command line or in errors")
    func given() async throws {
        try await withHub { hub in
            let secret = "a secret of the sender's own"
            let file = try hub.folder.write(secret + "\n", to: "secret")
            let added = try await hub.belfry("sources", "add", "forge", "--preset", "github", "--secret-file", file)
            #expect(added.code == 0, "\(added)")
            #expect(try await deliver("1", secret: secret, to: hub).status == 202)
            let same = try await hub.belfry("sources", "rotate", "forge", "--secret-file", file)
            #expect(same.code == 1 && same.errors.contains("has this secret already") && !same.errors.contains(secret))
            let short = try hub.folder.write("short", to: "short")
            let refused = try await hub.belfry("sources", "add", "other", "--preset", "github", "--secret-file", short)
            #expect(refused.code == 1 && refused.errors.contains("5 bytes"), "\(refused)")
            #expect(try await hub.belfry("sources", "show", "other").code == 1, "nothing is left half done")
            let literal = try await hub.belfry(
                "sources", "add", "other", "--preset", "github", "--secret", "hunter2hunter2")
            #expect(literal.code == 2)

            let asking = try hub.folder.write(
                "rule: asking\nwhen: {source: [forge], type: [push]}\nrun: {steps: [{step: s, command: [x]}]}\n",
                to: "asking.yaml")
            #expect(try await hub.belfry("rules", "apply", asking).code == 0)
            let removed = try await hub.belfry("sources", "rm", "forge")
            #expect(removed.code == 0 && removed.output.contains("1 rule asks for it still"), "\(removed)")
            #expect(removed.output.contains(": asking\n"), "\(removed)")
            #expect(try await deliver("2", secret: secret, to: hub).status == 404)
            #expect(try await hub.belfry("sources", "rm", "forge").code == 1)
        }
    }

    @Test("a source whose secret stands elsewhere says how to rotate that; a viewer may not rotate")
    func refused() async throws {
        try await withHub(documents: Documents.github()) { hub in
            let refused = try await hub.belfry("sources", "rotate", "github")
            #expect(refused.code == 1 && refused.errors.contains("env:GITHUB_WEBHOOK_SECRET"), "\(refused)")
            #expect(try await hub.belfry("sources", "rotate", "nope").code == 1)
            let removal = try await hub.belfry("sources", "rm", "github")
            #expect(removal.code == 1 && removal.errors.contains("rules folder"), "files own it: \(removal)")
            let viewer = try await hub.belfry("tokens", "create", "v", "--output", "json").json["token"]?.string ?? ""
            #expect(try await hub.belfry("sources", "rotate", "github", "--token", viewer).code == 4)
            let bad = try await hub.client.request("POST", "/v1/sources/github/rotate", json: ["keep": "long"])
            #expect(bad.status == 400)
        }
    }

    @Test("a sender with the wrong secret becomes a notice that says what to mend")
    func notice() async throws {
        try await withHub { hub in
            #expect(try await hub.belfry("sources", "add", "forge", "--preset", "github").code == 0)
            let stream = try await hub.client.stream("/v1/stream?topic=alerts&after=0")
            for number in 0..<12 {
                #expect(try await deliver("\(number)", secret: "some other secret", to: hub).status == 401)
            }
            let blocks = try await stream.blocks { $0.frame["data"]?["kind"]?.string == "source_refusing" }
            let frame = try #require(blocks.last).frame
            #expect(frame["data"]?["link"]?.string == "/#source/forge")
            #expect(frame["data"]?["text"]?.string?.contains("belfry sources show forge") == true)
        }
    }
}
