import BelfryCore
import BelfrySources
import Testing

/// Deliveries that others recorded, read by the presets of their senders.
@Suite(.enabled(if: Conformance.isThere, "the third-party cases are not beside the checkout"))
struct PayloadConformanceTests {
    /// Judges each recorded delivery of a provider, signed anew; its own signature is left out.
    private func judgeAll(
        _ preset: Preset, countMin: Int, isLeftOut: (_ name: String) -> Bool = { _ in false },
        _ check: (_ name: String, _ payload: JSONValue, _ headers: [(name: String, value: String)], Verdict) throws ->
            Void
    ) throws {
        let fixture = SourceFixture(preset)
        let pairs = try Conformance.pairs(preset.rawValue)
        #expect(pairs.count >= countMin)
        for pair in pairs where !isLeftOut(pair.name) {
            let signed = DeliverySigner.headers(
                for: fixture.source, secret: fixture.secrets[0].secret, body: pair.body, id: "d", now: fixture.now)
            let replaced = Set(signed.map { $0.name.lowercased() })
            let headers = pair.headers.filter { !replaced.contains($0.name.lowercased()) } + signed
            let verdict = fixture.source.judge(fixture.delivery(pair.body, headers), secrets: fixture.secrets)
            if let event = verdict.event {
                #expect(event.data.bytes == pair.body, "\(pair.name)")
                let kept = event.headers.members.map(\.key)
                #expect(!kept.contains { $0.contains("signature") || $0.contains("token") }, "\(pair.name)")
            }
            try check(pair.name, JSONValue(parsing: pair.body), pair.headers, verdict)
        }
    }

    @Test("every recorded GitHub delivery becomes an event that says what happened and where")
    func github() throws {
        try judgeAll(.github, countMin: 100) { name, payload, headers, verdict in
            let event = try #require(verdict.event, "\(name): \(verdict)")
            let said = try #require(headers.first { $0.name == "X-GitHub-Event" }?.value)
            let action = payload["action"]?.string
            #expect(event.type == (action.map { "\(said).\($0)" } ?? said), "\(name)")
            if let repository = payload[path: ["repository", "full_name"]]?.string {
                #expect(event.subject?.hasPrefix(repository) == true, "\(name)")
            }
        }
    }

    @Test("every recorded GitLab delivery becomes an event of its kind and project")
    func gitlab() throws {
        try judgeAll(.gitlab, countMin: 10) { name, payload, _, verdict in
            let event = try #require(verdict.event, "\(name): \(verdict)")
            #expect(event.type == payload["object_kind"]?.string ?? payload["event_name"]?.string, "\(name)")
            #expect(
                event.subject == payload[path: ["project", "path_with_namespace"]]?.string
                    ?? payload["group_path"]?.string, "\(name)")
            #expect(event.key == "d")
        }
    }

    @Test("every Stripe event is known by its own id, type and object")
    func stripe() throws {
        try judgeAll(.stripe, countMin: 70) { name, payload, _, verdict in
            let event = try #require(verdict.event, "\(name): \(verdict)")
            #expect(event.key == payload["id"]?.string, "\(name)")
            #expect(event.type == payload["type"]?.string, "\(name)")
            #expect(event.subject == payload[path: ["data", "object", "id"]]?.string, "\(name)")
            #expect(event.time != nil, "\(name)")
        }
    }

    @Test("every Slack payload becomes an event, and the check of the URL an answer")
    func slack() throws {
        var answers = 0
        // Those for buttons hold what stands in a form; see below.
        try judgeAll(.slack, countMin: 60, isLeftOut: { $0.hasPrefix("app-backend__") }) { name, payload, _, verdict in
            if payload["type"]?.string == "url_verification" {
                guard case .answered(let answer) = verdict else {
                    Issue.record("\(name): \(verdict)")
                    return
                }
                answers += 1
                #expect(String(decoding: answer.body, as: UTF8.self) == payload["challenge"]?.string)
                return
            }
            let event = try #require(verdict.event, "\(name): \(verdict)")
            #expect(event.type == payload[path: ["event", "type"]]?.string ?? payload["type"]?.string, "\(name)")
            // The recordings are anonymised: their ids are empty.
            #expect(event.key?.isEmpty == false, "\(name)")
        }
        #expect(answers == 1)
    }

    @Test("what Slack sends for buttons is read from a form as well")
    func slackForms() throws {
        let fixture = SourceFixture(.slack)
        for pair in try Conformance.pairs("slack") where pair.name.hasPrefix("app-backend__") {
            let body = "payload=" + pair.body.map { "%" + Hex.encode([$0]) }.joined()
            let verdict = fixture.judgeSigned(body, [("Content-Type", "application/x-www-form-urlencoded")])
            let event = try #require(verdict.event, "\(pair.name): \(verdict)")
            #expect(event.data.bytes == pair.body)
            #expect(try event.type == JSONValue(parsing: pair.body)["type"]?.string)
        }
    }

    @Test("senders without a preset of their own are read as hmac or token, their bodies byte for byte")
    func others() throws {
        // What each signs with, as its documentation says; The Things Network sends a header that its user chooses.
        let senders: [(provider: String, count: Int, header: String?, prefix: String)] = [
            ("bitbucket", 8, "X-Hub-Signature", "sha256="), ("bitbucket-server", 10, "X-Hub-Signature", "sha256="),
            ("gitea", 7, "X-Gitea-Signature", ""), ("sentry", 11, "Sentry-Hook-Signature", ""), ("ttn", 8, nil, ""),
        ]
        for sender in senders {
            let fixture = SourceFixture(sender.header == nil ? .token : .hmac) { source in
                source.signature = sender.header.map { SignatureSettings(header: $0) }
                source.signature?.prefix = sender.prefix
            }
            let pairs = try Conformance.pairs(sender.provider)
            #expect(pairs.count >= sender.count)
            for pair in pairs {
                let headers = pair.headers.filter { $0.name != sender.header }
                let verdict = fixture.judgeSigned(String(decoding: pair.body, as: UTF8.self), headers)
                let event = try #require(verdict.event, "\(sender.provider) \(pair.name): \(verdict)")
                #expect(event.data.bytes == pair.body, "\(pair.name)")
                #expect(!event.headers.members.contains { $0.key.contains("signature") }, "\(pair.name)")
            }
        }
    }

    @Test("what a real Alertmanager posts becomes one event per alert")
    func alertmanager() throws {
        let fixture = SourceFixture(.alertmanager, secrets: ["s3cr3t-token"])
        let pairs = try Conformance.pairs("alertmanager")
        #expect(pairs.count >= 2)
        for pair in pairs {
            let verdict = fixture.source.judge(fixture.delivery(pair.body, pair.headers), secrets: fixture.secrets)
            let alerts = try #require(JSONValue(parsing: pair.body)["alerts"]?.array)
            try #require(verdict.events.count == alerts.count, "\(pair.name): \(verdict)")
            for (event, alert) in zip(verdict.events, alerts) {
                #expect(event.type == "alert.\(alert["status"]?.string ?? "?")")
                #expect(event.subject == alert["fingerprint"]?.string)
                let data = try JSONValue(parsing: event.data.bytes)
                for member in alert.object?.members ?? [] { #expect(data[member.key] == member.value) }
                #expect(data["group"]?["groupLabels"] != nil)
            }
        }
    }
}
