import BelfryCore
import BelfrySources
import Testing

/// Rules that are tried before they are trusted: offline, and on stored events.
@Suite(.timeLimit(.minutes(2))) struct RuleTrialTests {
    @Test(
        "each shipped rule matches its sample without a hub, by exit code",
        arguments: [
            ("github-issues", "github", "github-issue-triage"),
            ("alertmanager-firing", "alertmanager", "alertmanager-incident"),
            ("sensor-reading", "plant", "overheating-pump"),
            ("stripe-invoice-failed", "stripe", "stripe-failed-invoice"),
            ("slack-mention", "slack", "slack-mention"), ("cloudevents-device-alert", "devices", "device-alert"),
            ("grafana-firing", "grafana", "grafana-alert"),
        ])
    func shipped(sample: String, source: String, rule: String) async throws {
        let folder = try TemporaryFolder()
        let delivery = try #require(SampleDelivery.named(sample))
        let incoming = try #require(Self.events(of: delivery, source: source).first)
        let event: JSONValue = [
            "source": .string(source), "type": .string(incoming.type), "subject": .optional(incoming.subject),
            "data": incoming.data.value,
        ]
        let path = try folder.write(event.text, to: "event.json")
        let rules = "\(BuildProducts.root)/Rules"
        func test(_ arguments: String...) async throws -> CommandResult {
            try await CommandResult.of(
                ["rules", "test", rules, "--event", path, "--url", "http://127.0.0.1:1"] + arguments, in: folder)
        }
        let tested = try await test("--rule", rule)
        #expect(tested.code == 0 && tested.output.hasPrefix("✓ \(rule): "), "\(tested)")
        let all = try await test("--output", "json")
        let matching = all.json["rules"]?.array?.filter { $0["matched"]?.bool == true }.compactMap {
            $0["rule"]?.string
        }
        #expect(all.code == 0 && matching == [rule], "\(all)")
    }

    private static func events(of sample: SampleDelivery, source: String) -> [IncomingEvent] {
        let definition = SourceDefinition(name: source, preset: sample.preset)
        let now = WallClock.system.now()
        let signed = DeliverySigner.headers(
            for: definition, secret: Secret("a-secret-of-some-length"), body: sample.body, id: "d-1", now: now)
        let names = Set(signed.map { $0.name.lowercased() })
        let delivery = Delivery(
            headers: HeaderFields(signed + sample.headers.filter { !names.contains($0.name.lowercased()) }),
            body: sample.body, remote: "127.0.0.1", isLoopback: true, received: now)
        let rehearsal = definition.rehearse(delivery, secrets: .success([]))
        guard case .accepted(_, let events) = rehearsal.verdict else { return [] }
        return events
    }

    @Test("backtest: a draft on stored events, as text and JSON, quiet in a pipe; what is wrong is said")
    func backtest() async throws {
        let documents = Documents.plant("preset: sensor\nsecret: generate")
        try await withHub(documents: documents) { hub in
            for celsius in [95, 85, 86, 70] {
                let reading = try hub.folder.write(
                    #"{"sensor": "pump-7", "celsius": \#(celsius)}"#, to: "reading.json")
                #expect(try await hub.belfry("send", "sensor", "--file", reading).code == 0)
            }
            let draft = documents.replacing("90", with: "80")
            let file = try hub.folder.write(draft, to: "draft.yaml")
            let json = try await hub.belfry("rules", "backtest", file, "--last", "1h", "--output", "json")
            #expect(json.code == 0 && json.errors.isEmpty, "\(json)")
            #expect(json.json["result"]?["matches"]?.number?.int64 == 3)
            #expect(json.json["result"]?["stored"]?["matches"]?.number?.int64 == 1)
            #expect(json.json["result"]?["stored"]?["only_draft"]?["count"]?.number?.int64 == 2)
            let text = try await hub.belfry("rules", "backtest", file)
            #expect(text.code == 0 && text.errors.isEmpty)
            #expect(text.output.contains("4 events, 3 matches, 3 runs\n"), "\(text.output)")
            #expect(text.output.contains(#"  1  data.celsius: numeric [">",80]"#), "\(text.output)")
            let stored = try await hub.belfry(
                "rules", "backtest", "hot-pump", "--from", "2020-01-01", "--to", "2020-02-01")
            #expect(stored.code == 0 && stored.output.contains("0 events, 0 matches, 0 runs\n"), "\(stored)")
            let broken = try hub.folder.write(draft.replacing("when:", with: "whem:"), to: "broken.yaml")
            let refused = try await hub.belfry("rules", "backtest", broken)
            #expect(refused.code == 1 && refused.errors.contains("broken.yaml:9: whem:"), "\(refused)")
            #expect(try await hub.belfry("rules", "backtest", file, "--last", "yesterday").code == 2)
            #expect(try await hub.belfry("rules", "backtest", "no/such.yaml").code == 2)
            let later = try await hub.belfry("rules", "backtest", file, "--from", "2999-01-01")
            #expect(later.code == 2 && later.errors.contains("--from lies in the future"), "\(later)")
            let unknown = try await hub.belfry("rules", "backtest", file, "--source", "sensors")
            #expect(unknown.code == 1 && unknown.errors.contains("there is no source sensors"), "\(unknown)")
        }
    }
}
