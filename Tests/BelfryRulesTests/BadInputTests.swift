import BelfryCore
import BelfryRules
import Testing

/// Documents made to cost much, or to slip in half: each is refused within moments, with a text that says what to do.
@Suite(.timeLimit(.minutes(3)))
struct BadInputTests {
    struct Input: Sendable, CustomTestStringConvertible {
        var name: String
        var files: [String]
        /// Some diagnostic begins so.
        var expected: String
        var testDescription: String { name }

        init(_ name: String, _ files: String..., expect expected: String) {
            self.name = name
            self.files = files
            self.expected = expected
        }

        /// A rule with this pattern.
        init(_ name: String, when: String, expect expected: String) {
            self.init(name, BadInputTests.rule(when: when), expect: expected)
        }
    }

    static func rule(_ name: String = "r", when: String = "{source: [x]}") -> String {
        "rule: \(name)\nwhen: \(when)\nrun: {steps: [{step: s, agent: a, prompt: hi}]}\n"
    }

    private static func many(_ count: Int, _ separator: String = ", ", _ make: (Int) -> String) -> String {
        (0..<count).map(make).joined(separator: separator)
    }

    /// One path of seventeen names, its first twelve dots written as dots or as nesting: 4,096 fields that are one.
    private static let spellings = many(4096) { number in
        var text = "\"a"
        var closing = ""
        for bit in 0..<12 {
            let nests = number & 1 << bit != 0
            text += nests ? "\":{\"a" : ".a"
            if nests { closing += "}" }
        }
        return text + "\":[1]" + closing
    }

    private static let bomb = "\"$or\": [" + many(1000) { "{\"x\(number: $0)\": [1]}" } + "]"

    private static let laughs: String = {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<30 { text += "a\(level): &a\(level) [\(many(9) { _ in "*a\(level - 1)" })]\n" }
        return text
    }()

    static let inputs: [Input] = [
        Input(
            "1,000 stars in one text", when: "{f: [{wildcard: \"\(many(1000, "") { _ in "a*" })\"}]}",
            expect: "0.yaml:2: when.f[0]: more than 32 '*' in one text; "),
        Input(
            "1,000 wildcards on one field", when: "{f: [\(many(1000) { "{wildcard: \"*a\($0)*b*\"}" })]}",
            expect: "0.yaml:2: when.f: more than 256 wildcards with two or more '*' when every combination of $or is "
                + "written out; use prefix, suffix or one '*'"),
        Input(
            "wildcards inside anything-but",
            when: "{f: [{anything-but: {wildcard: [\(many(300) { "\"*a\($0)*\"" })]}}]}",
            expect: "0.yaml:2: when.f: more than 256 wildcards"),
        Input(
            "wildcards multiplied by $or",
            when: "{f: [\(many(200) { "{wildcard: \"*a\($0)*\"}" })], $or: [{a: [1]}, {b: [1]}]}",
            expect: "0.yaml:2: when.$or: more than 256 wildcards"),
        Input(
            "10 MB of values", when: "{f: [\(many(1_000_000) { _ in "\"0123456\"" })]}",
            expect: "0.yaml:1: the file is larger than 256 KiB; split it"),
        Input(
            "20,000 values", when: "{f: [\(many(20_000) { "\($0)" })]}",
            expect: "0.yaml:2: when.f: more than 10000 values; make several rules of it"),
        Input(
            "$or in 60 fields", when: "{\(many(60) { "k\($0): {$or: [{a: [1]}, {b: [1]}]}" })}",
            expect: "0.yaml:2: when.k9.$or: more than 10000 values when every combination of $or is written out"),
        Input(
            "$or in $or",
            when: "\(many(40, "") { _ in "{$or: [{a: [1]}, " }){a: [1]}\(many(40, "") { _ in "]}" })",
            expect: "0.yaml:2: when.$or[1]"),
        Input(
            "one field in 4,096 spellings, under 1,000 alternatives",
            "{\"rule\": \"r\", \"when\": {\(bomb), \(spellings)}}",
            expect: "0.yaml:1: when.a.a"),
        Input("a cycle of anchors", "rule: &r\n  - *r\n", expect: "0.yaml:2: anchors (&name) and aliases"),
        Input("an anchor that holds itself as a key", "&a {*a : b}", expect: "0.yaml:1: anchors (&name) and aliases"),
        Input("a star without quotes", "rule: r\nabout: * * *", expect: "0.yaml:2: anchors (&name) and aliases"),
        Input("a billion laughs", laughs, expect: "0.yaml:3: anchors (&name) and aliases"),
        Input(
            "100,000 brackets", "rule: " + String(repeating: "[", count: 100_000),
            expect: "0.yaml:1: nested deeper than 64 levels"),
        Input(
            "100,000 nested blocks", "rule: " + String(repeating: "- ", count: 100_000) + "x",
            expect: "0.yaml:1: "),
        Input("bytes that are no text", "rule: \u{0}\u{1}", expect: "0.yaml:1: not valid YAML"),
        Input(
            "JSON that YAML does not read",
            "{\"rule\": \"r\",\n \"about\": \"\\ud83d\\ude00\",\n \"when\": {\n  \"a\": 5}}",
            expect: "0.yaml:4: when.a: must be a list of values"),
        Input("a key at the top", "rule: r\nwhem: {}", expect: "0.yaml:2: whem: unknown key; did you mean 'when'?"),
        Input(
            "a key of a step", "rule: r\nwhen: {a: [1]}\nrun:\n  steps:\n    - {step: s, agnt: a}",
            expect: "0.yaml:5: run.steps[0].agnt: unknown key; did you mean 'agent'?"),
        Input(
            "a key of the limits", rule() + "limits: {concurency: 2}",
            expect: "0.yaml:4: limits.concurency: unknown key; did you mean 'concurrency'?"),
        Input(
            "an operator", when: "{a: [{prefx: x}]}",
            expect: "0.yaml:2: when.a[0]: unknown operator 'prefx'; did you mean 'prefix'?"),
        Input(
            "two rules of one name in two files", rule(), rule(when: "{source: [y]}"),
            expect: "1.yaml:1: rule: the rule 'r' is already at 0.yaml:1"),
        Input(
            "two rules of one name in one file", rule() + "---\n" + rule(),
            expect: "0.yaml:5: rule: the rule 'r' is already at 0.yaml:1"),
        Input(
            "one broken file among good ones", rule("a"), "rule: b\nwhen: {a: 5}\n", rule("c"),
            expect: "1.yaml:2: when.a: must be a list of values or a mapping, not a number; a list, even of one: [5]"),
    ]

    @Test("it is refused with file, line, path and what to do", arguments: inputs)
    func refused(_ input: Input) throws {
        let files = input.files.enumerated().map { (path: "\($0).yaml", text: $1) }
        let errors = try #require(throws: DocumentErrors.self) {
            try DocumentLoader.load(files, knownAgents: ["a"])
        }
        #expect(
            errors.diagnostics.contains { $0.description.hasPrefix(input.expected) }, "\(errors.diagnostics.prefix(5))")
    }

    @Test("what is allowed at the bounds is taken")
    func bounds() throws {
        let wildcards = Self.many(Limits.patternSearchesMax) { "{wildcard: \"*a\($0)*b*\"}" }
        let ends = Self.many(5000) { "{wildcard: \"a\($0)*b\"}" }
        for when in [
            "{f: [\(wildcards)]}", "{f: [\(ends)]}", "{f: [{wildcard: \"\(Self.many(32, "a") { _ in "*" })\"}]}",
        ] {
            #expect(try DocumentLoader.load([("t.yaml", Self.rule(when: when))], knownAgents: ["a"]).count == 1)
        }
    }
}

extension DefaultStringInterpolation {
    /// A number as letters: a field's name that is no number.
    fileprivate mutating func appendInterpolation(number: Int) { appendInterpolation(String(number, radix: 36)) }
}
