import BelfryCore
import BelfryRules
import Testing

/// `group`, `resolve` and `on_resolved` as documents say them.
struct GroupDocumentTests {
    private static func rule(_ keys: String, when: String = "{source: [plant]}") -> String {
        "rule: r\nwhen: \(when)\n\(keys)\nrun: {steps: [{step: s, agent: a, prompt: hi}]}\n"
    }

    private func load(_ text: String, sources: [String: Preset] = [:]) throws(DocumentErrors) -> RuleDefinition? {
        let documents = try DocumentLoader.load([("t.yaml", text)], knownAgents: ["a"], knownSources: sources)
        for case .rule(let rule) in documents.map(\.content) { return rule }
        return nil
    }

    private static let event = Event(
        id: EventID(at: Timestamp(seconds: 0)), source: "plant", type: "sensor.reading", subject: "f1",
        time: Timestamp(seconds: 0), received: Timestamp(seconds: 0),
        data: RawJSON(trusted: Array(#"{"sensor": "pump-7", "celsius": 80}"#.utf8))
    ).value

    @Test("what the design's example says is read whole")
    func example() throws {
        let rule = try #require(
            try load(
                Self.rule(
                    """
                    group: { by: [data.sensor], within: 60s, threshold: 5, cooldown: 5m, while_running: queue }
                    resolve: { when: { data: { celsius: [ { numeric: ["<", 85] } ] } }, by: [event.data.sensor] }
                    on_resolved: notify
                    """)))
        let group = try #require(rule.group)
        #expect(group.policy.within == .seconds(60) && group.policy.threshold == 5)
        #expect(group.policy.cooldown == .seconds(300) && group.policy.whileRunning == .queue)
        #expect(group.by.map { $0.value(inEvent: Self.event).string } == ["pump-7"])
        let resolve = try #require(rule.resolve)
        #expect(resolve.by.map { $0.value(inEvent: Self.event).string } == ["pump-7"])
        #expect(resolve.pattern.matches(Self.event) && rule.onResolved == .notify && !resolve.isBySubject)
    }

    @Test("without by all matches are one group; a resolve without by takes the group's")
    func defaults() throws {
        let alone = try #require(try load(Self.rule("group: {}")))
        #expect(alone.group == GroupSettings() && alone.resolve == nil && alone.onResolved == .ignore)
        let both = try load(Self.rule("group: {by: [subject]}\nresolve: {when: {type: [cool]}}"))
        #expect(both?.resolve?.by.map { $0.value(inEvent: Self.event) }.first?.string == "f1")
        let missing = try load(Self.rule("group: {by: [data.nothing, 'ext[\"x\"]']}"))
        #expect(missing?.group?.by.map { $0.value(inEvent: Self.event).isNull } == [true, true])
    }

    static let mistakes: [(String, String)] = [
        ("group: {by: [subject], witin: 60s}", "t.yaml:3: group.witin: unknown key; did you mean 'within'?"),
        ("group: 5m", "t.yaml:3: group: expected a mapping, found text"),
        (
            "group: {within: 60s, threshold: 3, debounce: 5s}",
            "t.yaml:3: group.debounce: not together with threshold: one counts events, the other waits for quiet"
        ),
        (
            "group: {threshold: 3}",
            "t.yaml:3: group.threshold: needs within: the time in which the events are counted"
        ),
        (
            "group: {debounce: 3s}",
            "t.yaml:3: group.debounce: needs within: the time after which the run starts at the latest"
        ),
        ("group: {within: 10s, debounce: 1m}", "t.yaml:3: group.debounce: 1m is longer than within (10s)"),
        ("group: {within: 60}", "t.yaml:3: group.within: "),
        ("group: {within: 32d}", "t.yaml:3: group.within: must be from 100ms to 31d"),
        ("group: {within: 60s, threshold: 0}", "t.yaml:3: group.threshold: must be from 1 to 1000000"),
        (
            "group: {while_running: jon}",
            "t.yaml:3: group.while_running: must be one of join, queue, restart, ignore; did you mean 'join'?"
        ),
        ("group: {by: [dta.sensor]}", "t.yaml:3: group.by: 'dta.sensor': an event has no 'dta'; did you mean 'data'?"),
        ("group: {by: [subject.name]}", "t.yaml:3: group.by: 'subject.name': subject is a text, nothing lies below it"),
        ("group: {by: [event]}", "t.yaml:3: group.by: 'event': the whole event is never the same twice"),
        ("group: {by: ['data.']}", "t.yaml:3: group.by: 'data.': a name must follow '.'"),
        ("group: {by: [subject, subject]}", "t.yaml:3: group.by: 'subject' stands twice"),
        ("resolve: {by: [subject]}", "t.yaml:3: resolve.when: is missing"),
        (
            "resolve: {when: {data: {celsius: [{numerc: [\"<\", 8]}]}}}",
            "t.yaml:3: resolve.when.data.celsius[0]: unknown operator 'numerc'; did you mean 'numeric'?"
        ),
        (
            "group: {by: [subject]}\nresolve: {when: {type: [x]}, by: [subject, type]}",
            "t.yaml:4: resolve.by: has 2 of the 1 values of group.by; they are joined in their order"
        ),
        ("on_resolved: stopp", "t.yaml:3: on_resolved: must be one of stop, notify, ignore; did you mean 'stop'?"),
        (
            "group: {}\non_resolved: stop",
            "t.yaml:4: on_resolved: nothing resolves what the rule begins: the source 'plant' sends no alerts; say which events resolve it: resolve: { when: { … } }"
        ),
    ]

    @Test("what is wrong is said with its place and how it is mended", arguments: mistakes)
    func mistake(keys: String, message: String) {
        do {
            _ = try load(Self.rule(keys), sources: ["plant": .sensor])
            Issue.record("loaded")
        } catch {
            #expect(error.diagnostics.contains { "\($0)".hasPrefix(message) }, "\(error)")
        }
    }

    // MARK: Alerts

    private let alerts = "{source: [alerts], type: [alert.firing]}"

    private func resolved(_ labels: String = "{}") -> JSONValue {
        [
            "source": "alerts", "type": "alert.resolved", "subject": "f1",
            "data": (try? JSONValue(parsing: Array("{\"labels\": \(labels)}".utf8))) ?? .null,
        ]
    }

    @Test("rules about alerts are resolved by alert.resolved of the same fingerprint")
    func alertDefault() throws {
        for preset in [Preset.alertmanager, .grafana] {
            let rule = try load(Self.rule("on_resolved: stop", when: alerts), sources: ["alerts": preset])
            let resolve = try #require(rule?.resolve)
            #expect(resolve.pattern.matches(resolved()) && !resolve.isBySubject)
            #expect(resolve.by.map { $0.value(inEvent: resolved()).string } == ["f1"])
        }
        let grouped = try load(
            Self.rule("group: {by: [data.labels.alertname]}", when: alerts), sources: ["alerts": .alertmanager])
        #expect(grouped?.resolve?.isBySubject == true)
        #expect(grouped?.resolve?.by.map { $0.value(inEvent: resolved(#"{"alertname": "Hot"}"#)).string } == ["Hot"])
        let bySubject = try load(Self.rule("group: {by: [subject]}", when: alerts), sources: ["alerts": .alertmanager])
        #expect(bySubject?.resolve?.isBySubject == false)
        let plain = try load(Self.rule("notify: true", when: alerts), sources: ["alerts": .alertmanager])
        #expect(plain?.resolve == nil, "without group and on_resolved nothing is asked for")
    }

    @Test("the source may stand in the same set; one that is not there, or sends no alerts, is named")
    func alertSources() throws {
        let text = "source: alerts\npreset: alertmanager\nsecret: generate\n---\n"
        #expect(try load(text + Self.rule("on_resolved: stop", when: alerts))?.resolve != nil)
        func message(_ when: String, _ sources: [String: Preset]) -> String {
            do {
                _ = try load(Self.rule("on_resolved: stop", when: when), sources: sources)
                return ""
            } catch {
                return error.diagnostics[0].message
            }
        }
        #expect(message(alerts, [:]).contains("there is no source 'alerts'"))
        let mixed = "{source: [alerts, plant]}"
        #expect(
            message(mixed, ["alerts": .alertmanager, "plant": .sensor]).contains("the source 'plant' sends no alerts"))
        let own = "{source: [alerts], type: [alert.firing, alert.resolved]}"
        #expect(message(own, ["alerts": .alertmanager]).hasPrefix("nothing resolves what the rule begins; say which"))
    }

    @Test("templates know the group, and a prompt sets it off whole")
    func template() throws {
        let template = try Template(parsing: "{{group.count}} {{group.max.celsius}} {{group.by[0]}}")
        let group: JSONValue = ["group": ["count": 5, "max": ["celsius": 99], "by": ["pump-7"]]]
        #expect(template.render(group, as: .plain).text == "5 99 pump-7")
        let whole = try Template(parsing: "{{group}}").render(group, as: .prompt(fence: "f00")).text
        #expect(whole.hasPrefix("\n<<<group f00\n{") && whole.hasSuffix("}\n>>>group f00\n"))
    }
}
