import BelfryCore
import BelfryRules
import Foundation
import Testing

struct RuleSetTests {
    private func rule(_ name: String, _ pattern: JSONValue, isEnabled: Bool = true) throws -> Rule {
        let step = StepDefinition(name: "s", action: .command([try Template(parsing: "x")]))
        var definition = RuleDefinition(name: name, pattern: try EventPattern(json: pattern), steps: [step])
        definition.isEnabled = isEnabled
        return Rule(definition: definition, version: 1)
    }

    @Test("the enabled rules that match are returned, by name")
    func matches() throws {
        let set = RuleSet(
            version: 4,
            rules: [
                try rule("c", ["data": ["a": [1]]]), try rule("a", ["source": ["x"]]), try rule("b", ["source": ["y"]]),
                try rule("d", ["source": ["x"]], isEnabled: false),
            ])
        #expect(set.matches(["source": "x", "data": ["a": 1]]).map(\.rule.definition.name) == ["a", "c"])
        #expect(set.matches([:]).isEmpty)
        #expect(set.rule(named: "d")?.version == 1 && set.rule(named: "e") == nil && set.version == 4)
        #expect(RuleSet.empty.matches(["source": "x"]).isEmpty)
    }
}

/// The documents in `Rules/`.
struct ShippedDocumentsTests {
    static let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Rules")

    private func documents() throws -> [Document] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: Self.folder.path).filter {
            $0.hasSuffix(".yaml")
        }.sorted()
        return try DocumentLoader.load(
            try names.map { ($0, try String(contentsOf: Self.folder.appendingPathComponent($0), encoding: .utf8)) })
    }

    @Test("all are valid, with the names the first run relies on")
    func valid() throws {
        let documents = try documents()
        let names = { (kind: DocumentKind) in documents.filter { $0.kind == kind }.map(\.name).sorted() }
        #expect(names(.source) == ["alertmanager", "devices", "github", "grafana", "plant", "slack", "stripe"])
        #expect(
            names(.agent) == ["billing", "capacity", "colleague", "maintenance", "oncall", "technician", "triage"])
        #expect(
            names(.rule) == [
                "alertmanager-incident", "device-alert", "github-issue-triage", "grafana-alert", "overheating-pump",
                "slack-mention", "stripe-failed-invoice",
            ])
        let ownSecrets = [
            "github": "GITHUB_WEBHOOK_SECRET", "slack": "SLACK_SIGNING_SECRET", "stripe": "STRIPE_WEBHOOK_SECRET",
        ]
        for document in documents {
            if case .source(let source) = document.content {
                let own = ownSecrets[source.name].map { SecretReference.environment($0, isOptional: true) }
                #expect(source.secrets == [own, .generated].compactMap { $0 })
            }
            if case .agent(let agent) = document.content {
                guard case .echo(let echo) = agent.kind else {
                    Issue.record("\(agent.name) is no echo")
                    continue
                }
                #expect(echo.text?.contains("built-in echo agent") == true)
                #expect(echo.text?.contains("belfry agents use openai --key-file F") == true)
            }
        }
    }

    private static let github: JSONValue = [
        "source": "github", "type": "issues.opened",
        "data": [
            "issue": ["number": 7, "title": "It breaks"], "repository": ["full_name": "a/b"],
            "sender": ["login": "mona", "type": "User"],
        ],
    ]
    private static let alert: JSONValue = [
        "source": "alertmanager", "type": "alert.firing",
        "data": [
            "labels": ["alertname": "HighErrorRate", "severity": "critical", "instance": "i"], "startsAt": "now",
            "annotations": ["summary": "s", "runbook_url": "u"],
        ],
    ]
    private static let grafana: JSONValue = [
        "source": "grafana", "type": "alert.firing",
        "data": [
            "labels": ["alertname": "DiskFillsUp", "severity": "warning", "instance": "i"], "startsAt": "now",
            "annotations": ["summary": "s"], "dashboardURL": "u",
        ],
    ]
    private static let invoice: JSONValue = [
        "source": "stripe", "type": "invoice.payment_failed",
        "data": [
            "data": [
                "object": [
                    "amount_remaining": 12_900, "number": "7", "attempt_count": 2, "customer_name": "n",
                    "customer_email": "e", "hosted_invoice_url": "u",
                ]
            ]
        ],
    ]
    private static let mention: JSONValue = [
        "source": "slack", "type": "app_mention",
        "data": ["event": ["user": "U1", "channel": "C1", "text": "hello"]],
    ]
    private static let device: JSONValue = [
        "source": "devices", "type": "example.plant.device.alert", "subject": "freezer-7", "ext": ["site": "north"],
        "data": ["severity": "critical", "message": "m", "celsius": -8, "limit_celsius": -15],
    ]
    private static let reading: JSONValue = [
        "source": "plant", "type": "sensor.reading", "received": "now",
        "data": ["sensor": "pump-7", "site": "plant-north", "celsius": .double(96.5)],
    ]

    @Test(
        "each rule matches its event, and every place of its templates has a value",
        arguments: [
            ("github-issue-triage", github), ("alertmanager-incident", alert), ("overheating-pump", reading),
            ("stripe-failed-invoice", invoice), ("slack-mention", mention), ("device-alert", device),
            ("grafana-alert", grafana),
        ])
    func matches(_ name: String, _ event: JSONValue) throws {
        let documents = try documents()
        var agents: [String: AgentDefinition] = [:]
        var rules: [Rule] = []
        for document in documents {
            switch document.content {
            case .agent(let agent): agents[agent.name] = agent
            case .rule(let rule): rules.append(Rule(definition: rule, version: 1))
            case .source: break
            }
        }
        #expect(RuleSet(version: 1, rules: rules).matches(event).map(\.rule.definition.name) == [name])
        let context: JSONValue = [
            "event": event, "rule": ["name": .string(name)], "run": ["id": "run_1"], "source": "s",
        ]
        for step in rules.first(where: { $0.definition.name == name })?.definition.steps ?? [] {
            guard case .agent(let asked) = step.action, case .echo(let echo)? = agents[asked.agent]?.kind else {
                continue
            }
            #expect(asked.prompt.render(context, as: .prompt(fence: "f")).missing.isEmpty)
            #expect(try Template(parsing: echo.text ?? "").render(context, as: .plain).missing.isEmpty)
        }
    }

    @Test("a normal reading, a resolved alert and a bot's issue start nothing")
    func others() throws {
        let rules = try documents().compactMap { document -> EventPattern? in
            if case .rule(let rule) = document.content { rule.pattern } else { nil }
        }
        let others: [JSONValue] = [
            [
                "source": "plant", "type": "sensor.reading",
                "data": ["sensor": "pump-7", "site": "plant-north", "celsius": 90],
            ],
            [
                "source": "alertmanager", "type": "alert.resolved",
                "data": ["labels": ["alertname": "A", "severity": "critical"]],
            ],
            [
                "source": "alertmanager", "type": "alert.firing",
                "data": ["labels": ["alertname": "Watchdog", "severity": "critical"]],
            ],
            ["source": "github", "type": "issues.opened", "data": ["sender": ["type": "Bot"]]],
            ["source": "github", "type": "push", "data": ["sender": ["type": "User"]]],
            ["source": "slack", "type": "app_mention", "data": ["event": ["bot_id": "B1", "text": "hello"]]],
            ["source": "stripe", "type": "invoice.paid", "data": ["data": ["object": ["amount_remaining": 0]]]],
            ["source": "grafana", "type": "alert.firing", "data": ["labels": ["alertname": "DatasourceNoData"]]],
        ]
        for event in others { #expect(!rules.contains { $0.matches(event) }, "\(event.text)") }
    }
}
