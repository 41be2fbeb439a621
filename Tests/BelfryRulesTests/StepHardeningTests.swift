import BelfryCore
import Testing

@testable import BelfryRules

/// Documents of steps that nobody means well with, and many that somebody might.
@Suite(.timeLimit(.minutes(3))) struct StepHardeningTests {
    @Test("groups in groups, thousands of steps and deep values are refused, quickly and in few words")
    func hostile() {
        let step = "{ step: x, wait: 1m }"
        let nested = (0..<12).reduce(step) { inner, _ in "{ parallel: [ \(inner), \(step) ] }" }
        let deep = DocumentLoader.faults(run: "  steps:\n    - \(nested)")
        #expect(deep.count < 5, "\(deep.prefix(3))")
        #expect(deep.contains { $0.contains("a parallel group stands in steps, not in another group") })
        let many = (0..<3000).map { "{ step: s\($0), wait: 1m }" }
        #expect(
            DocumentLoader.faults(run: "  steps: [ \(many.joined(separator: ", ")) ]") == [
                "t.yaml:4: run.steps: at most 50 steps, those of parallel groups counted"
            ])
        let wide = "{ parallel: [ \(many.prefix(17).joined(separator: ", ")) ] }"
        #expect(
            DocumentLoader.faults(run: "  steps: [ \(wide) ]") == [
                "t.yaml:4: run.steps[0].parallel: at most 16 steps at the same time"
            ])
        let groups = (0..<4).map { group in
            "{ parallel: [ \((0..<16).map { "{ step: s\(group)-\($0), wait: 1m }" }.joined(separator: ", ")) ] }"
        }
        #expect(DocumentLoader.faults(run: "  steps: [ \(groups.joined(separator: ", ")) ]").count == 1)
        let body = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
        #expect(DocumentLoader.faults(run: "  steps: [ { step: x, send: { to: t, body: \(body) } } ]").count == 1)
    }

    @Test("a huge schema is read or refused, and a wrong one says a bounded number of things")
    func schemas() {
        let properties = (0..<5000).map { "p\($0): { type: [integer, 'null'] }" }.joined(separator: ", ")
        let schema = "{ type: object, properties: { \(properties) } }"
        let run =
            "  steps: [ { step: x, agent: a, prompt: p, output: { schema: \(schema) } }, { step: y, command: [c, '{{steps.x.output.zzz}}'] } ]"
        #expect(DocumentLoader.faults(run: run).count <= 25)
        let wrong = (0..<5000).map { "q\($0): { tipe: integer }" }.joined(separator: ", ")
        let said = DocumentLoader.faults(
            run: "  steps: [ { step: x, agent: a, prompt: p, output: { schema: { properties: { \(wrong) } } } } ]")
        #expect((1...25).contains(said.count))
        let deep = (0..<50).reduce("{ type: integer }") { inner, _ in "{ not: \(inner) }" }
        _ = DocumentLoader.faults(
            run: "  params: { x: { allOf: [ \(deep) ], default: 1 } }\n  steps: [ { step: x, wait: 1m } ]")
    }

    @Test("a body's values are bounded together, before they fill the memory")
    func bodies() throws {
        let leaf = String(repeating: "{{event.data}}", count: 1000)
        let template = try TemplateValue([.string(leaf), "{{event.data}}"], roots: Template.stepRoots)
        let context: JSONValue = ["event": ["data": .string(String(repeating: "x", count: 1_000_000))]]
        var missing: [String] = []
        for form in [TemplateValue.Form.texts, .values] {
            let error = #expect(throws: BelfryError.self) {
                try template.render(context, as: form, missing: &missing, bytesMax: Limits.sendBodyBytesMax)
            }
            #expect(error?.code == .payloadTooLarge)
        }
    }

    @Test("a text that is one place is the value itself, and null where there is none")
    func values() throws {
        let template = try TemplateValue(
            [
                "n": "{{event.data.n}}", "o": "{{event.data}}", "t": "n: {{event.data.n}}", "z": "{{event.no}}",
                "c": [1, "x"],
            ],
            roots: Template.stepRoots)
        let context: JSONValue = ["event": ["data": ["n": 5]]]
        var missing: [String] = []
        #expect(
            try template.render(context, as: .values, missing: &missing)
                == ["n": 5, "o": ["n": 5], "t": "n: 5", "z": nil, "c": [1, "x"]])
        #expect(missing == ["event.no"])
        #expect(
            try template.render(context, as: .texts, missing: &missing)
                == ["n": "5", "o": "{\"n\":5}", "t": "n: 5", "z": "", "c": [1, "x"]])
        #expect(template.constant == nil)
        #expect(try TemplateValue(["a": [1, "x"]], roots: []).constant == ["a": [1, "x"]])
    }

    // MARK: Random documents

    @Test("a rule that is read from its canonical form is the rule that was written", arguments: 0..<200)
    func canonical(_ seed: UInt64) throws {
        var random = RandomSteps(generator: SeededGenerator(seed: seed))
        let text =
            "rule: r\nwhen: { source: [s] }\nrun:\n  params: { p: { type: integer, default: 3 } }\n  steps:\n\(random.steps())"
        let written = try DocumentLoader.load(text)[0]
        let stored = try DocumentLoader.load(stored: written.canonical, kind: .rule, text: "")
        let again = try DocumentLoader.load([("c.json", written.canonical.text)], knownAgents: nil)[0]
        #expect(stored.canonical == written.canonical && again.canonical == written.canonical)
        guard case .rule(let one) = written.content, case .rule(let two) = stored.content,
            case .rule(let three) = again.content
        else { return }
        #expect(one.told == two.told && one.told == three.told)
        #expect(one.steps.map(\.stage) == one.steps.map(\.stage).sorted())
    }
}

/// Steps of every kind with most of their keys, all of them valid.
private struct RandomSteps {
    var generator: SeededGenerator
    private var count = 0
    private var earlier: [String] = []

    init(generator: SeededGenerator) { self.generator = generator }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

    private mutating func pick(_ texts: [String]) -> String {
        texts[Int.random(in: 0..<texts.count, using: &generator)]
    }

    mutating func steps() -> String {
        (0..<Int.random(in: 1...6, using: &generator)).map { _ in
            let before = earlier
            guard chance(30) else { return "    - \(step(before))\n" }
            let group = (0..<Int.random(in: 2...4, using: &generator)).map { _ in step(before) }
            return "    - parallel:\n" + group.map { "        - \($0)\n" }.joined()
        }.joined()
    }

    private mutating func template(_ earlier: [String]) -> String {
        let steps = earlier.map { "{{steps.\($0).state}}" }
        return "'" + pick(["{{event}}", "{{data.x}} and {{params.p}}", "plain", "{{group.count}}"] + steps) + "'"
    }

    private mutating func step(_ before: [String]) -> String {
        count += 1
        let name = "s\(count)"
        defer { earlier.append(name) }
        var keys = ["step: \(name)"]
        if chance(30), let other = before.last { keys.append("if: { steps: { \(other): { state: [succeeded] } } }") }
        switch pick(["agent", "command", "approve", "send", "wait", "event"]) {
        case "agent":
            keys += ["agent: a", "prompt: \(template(before))"]
            if chance(50) { keys.append("output: { schema: { type: object, properties: { k: { type: integer } } } }") }
            if chance(50) { keys.append("retry: { times: 2, pause: 3s }") }
        case "command":
            keys.append("command: [c, '--', \(template(before))]")
            if chance(50) { keys += ["retry: 4", "timeout: 90s", "default: \(template(before))"] }
        case "approve":
            keys.append("approve: \(template(before))")
            if chance(50) { keys += ["value: { schema: { type: object } }", "expires: 90m", "on_deny: continue"] }
        case "send":
            keys.append(
                "send: { to: t, body: { a: [\(template(before)), 1.50, null, true], 'b c': { d: \(template(before)) } } }"
            )
        case "wait": keys.append("wait: \(pick(["10m", "600s", "1d"]))")
        default:
            keys.append(
                "wait: { for: { source: [s], data: { n: [{ numeric: ['>', 1.0] }] } }, by: { data.n: data.m }, look_back: 60s }"
            )
            if chance(50) { keys.append("default: { n: 1.0, t: \(template(before)) }") }
        }
        return "{ \(keys.joined(separator: ", ")) }"
    }
}
