import BelfryCore
import Testing

@testable import BelfryRules

/// Events that steps wait for, in a compiled set of rules.
struct WaitMatchTests {
    private func rule(_ name: String, when: String, resolve: String? = nil, waits: [String] = []) throws
        -> RuleDefinition
    {
        let steps = try waits.enumerated().map { index, pattern in
            let by = try TemplatePath(eventPath: "data.pr")
            let wait = EventWait(pattern: try EventPattern(json: .json(pattern)), by: [.init(later: by, own: by)])
            return StepDefinition(name: "w\(index)", action: .wait(.event(wait)))
        }
        var definition = RuleDefinition(
            name: name, pattern: try EventPattern(json: .json(when)),
            steps: [StepDefinition(name: "first", action: .command([]))] + steps)
        definition.resolve = try resolve.map { ResolveSettings(pattern: try EventPattern(json: .json($0)), by: []) }
        return definition
    }

    private func told(_ matches: [RuleMatch]) -> [String] {
        matches.map { "\($0.rule.definition.name)@\($0.rule.version) \($0.kind)" }
    }

    @Test("a wait is matched beside when and resolve, once for each step, in the order of rules and steps")
    func kinds() throws {
        let set = RuleSet(
            version: 1,
            rules: [
                Rule(
                    definition: try rule("b", when: #"{"t": [1]}"#, waits: [#"{"t": [1]}"#, #"{"t": [2]}"#]), version: 1
                ),
                Rule(
                    definition: try rule(
                        "a", when: #"{"t": [1]}"#, resolve: #"{"t": [1]}"#,
                        waits: [#"{"$or": [{"t": [1]}, {"u": [1]}]}"#]),
                    version: 2),
                Rule(definition: try rule("c", when: #"{"t": [3]}"#), version: 1),
            ])
        #expect(
            told(set.matches(["t": 1, "u": 1])) == [
                "a@2 resolves", "a@2 resumes(step: \"w0\")", "b@1 triggers", "b@1 resumes(step: \"w0\")",
            ])
        #expect(told(set.matches(["t": 2])) == ["b@1 resumes(step: \"w1\")"])
        #expect(told(set.matches(["t": 4])) == [])
    }

    @Test("a changed rule waits by its new pattern, and beside it by the old one for runs that keep it")
    func versions() throws {
        let old = try rule("r", when: #"{"t": [1]}"#, waits: [#"{"t": [2]}"#])
        let new = try rule("r", when: #"{"t": [1]}"#, waits: [#"{"t": [3]}"#])
        let set = RuleSet(version: 1, rules: [Rule(definition: old, version: 1)])
        let changed = set.applying(version: 2, changed: [Rule(definition: new, version: 2)], removed: [])
        #expect(told(changed.matches(["t": 2])) == [] && told(changed.matches(["t": 3])).count == 1)
        let both = changed.applying(version: 3, changed: [Rule(waitsOf: old, version: 1)], removed: [])
        #expect(told(both.matches(["t": 2])) == ["r@1 resumes(step: \"w0\")"])
        #expect(told(both.matches(["t": 1])) == ["r@2 triggers"], "of the old one nothing but its waits")
        #expect(both.rule(named: "r")?.version == 2 && both.nearest(to: ["t": 2], max: 5).matching == 0)
        let gone = both.applying(version: 4, changed: [], removed: ["r@1"])
        #expect(told(gone.matches(["t": 2])) == [])
        var disabled = old
        disabled.isEnabled = false
        let off = RuleSet(version: 1, rules: [Rule(definition: disabled, version: 1)])
        #expect(told(off.matches(["t": 2])) == [] && off.rules.count == 1)
        let waiting = RuleSet(version: 1, rules: [Rule(waitsOf: disabled, version: 1)])
        #expect(told(waiting.matches(["t": 2])) == ["r@1 resumes(step: \"w0\")"])
    }

    @Test("an explanation tells what waits; an event without the values is no run's")
    func explanation() throws {
        let rule = try rule("r", when: #"{"t": [1]}"#, waits: [#"{"t": [2]}"#, #"{"t": [1, 2]}"#])
        let own = rule.explain(["t": 2, "data": ["pr": 7]])
        #expect(own.kind == .resumes(step: "w0") && own.waits.map(\.isMatch) == [true, true])
        #expect(own.json["kind"] == "resumes" && own.json["matched"] == true)
        #expect(own.json["waits"]?.array?.first?["step"] == "w0")
        let nobodys = rule.explain(["t": 2, "data": ["pr": nil]])
        #expect(nobodys.kind == nil && nobodys.waits[0].missing == ["data.pr"])
        #expect(nobodys.json["waits"]?.array?.first?["missing"] == ["data.pr"])
        let both = rule.explain(["t": 1, "data": ["pr": 7]])
        #expect(both.kind == .triggers && both.waits.map(\.isMatch) == [false, true])
        #expect(rule.names(source: "x") == false)
    }

    @Test("values are those of the run's event and its results; what is missing joins nothing")
    func joins() throws {
        let rule = try #require(
            try DocumentLoader.rule(
                run: """
                      steps:
                        - { step: open, agent: a, prompt: p, output: { schema: { properties: { n: {} } } } }
                        - step: ci
                          wait: { for: { source: [ci] }, by: { data.pr: steps.open.output.n, subject: subject, data.x: event.data.x } }
                    """))
        let wait = try #require(rule.steps[1].eventWait)
        let context: JSONValue = [
            "event": ["subject": "s", "data": ["x": true]], "steps": ["open": ["output": ["n": 7]]],
        ]
        #expect(try wait.ownValues(in: context).get() == [7, "s", true])
        #expect(wait.laterValues(in: ["subject": "s", "data": ["pr": 7, "x": true]]) == [7, "s", true])
        #expect(wait.laterValues(in: ["subject": "s", "data": ["x": true]]) == nil)
        guard case .failure(let missing) = wait.ownValues(in: ["event": ["subject": "s"], "steps": ["open": [:]]])
        else {
            Issue.record("nothing is missing")
            return
        }
        #expect(missing.paths == ["steps.open.output.n", "event.data.x"])
    }
}
