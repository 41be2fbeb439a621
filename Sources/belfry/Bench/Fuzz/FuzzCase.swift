import BelfryCore
import BelfryRules

/// Some patterns and an event. The plain matcher and the rule set must say the same of them.
struct FuzzCase: Sendable {
    var patterns: [SpelledJSON]
    var event: SpelledJSON

    /// What was found out about a case.
    struct Finding: Sendable {
        /// Patterns that are none; the others were held against the event.
        var refused = 0
        var matches = 0
        /// What differs, in words; nil: nothing does.
        var difference: String?
    }

    /// Who is held against the plain matcher.
    struct Subject: Sendable {
        /// Patterns on the event as it stands.
        var bare: @Sendable (RuleSet, RawJSON) -> [RuleMatch]
        /// Patterns on an event whose payload it is.
        var enveloped: @Sendable (RuleSet, Event) -> [RuleMatch]

        static let ruleSet = Subject(bare: { $0.matches(json: $1) }, enveloped: { $0.matches($1) })
    }

    /// Asks the subject in every way it is asked in.
    func check(_ subject: Subject = .ruleSet) throws -> Finding {
        var finding = Finding()
        let json = try RawJSON(validating: Array(event.text.utf8))
        let value = json.value
        var patterns: [EventPattern] = []
        var inData: [EventPattern] = []
        var verdicts: [Bool] = []
        for pattern in self.patterns {
            guard let parsed = try? EventPattern(json: JSONValue(parsing: pattern.text)) else {
                finding.refused += 1
                continue
            }
            verdicts.append(parsed.matches(value))
            if parsed.explain(value).matched != verdicts.last {
                finding.difference = "\(pattern.text) is explained otherwise"
            }
            patterns.append(parsed)
            let wrapped = SpelledJSON.object([.init(key: "\"data\"", value: pattern)])
            inData.append(try EventPattern(json: JSONValue(parsing: wrapped.text)))
        }
        finding.matches = verdicts.count { $0 }
        func compare(_ expected: [Bool], _ matches: [RuleMatch], _ how: String) {
            let expected = expected.indices.filter { expected[$0] }.map { Rule.name($0) }
            let names = matches.map(\.rule.definition.name)
            guard names != expected, finding.difference == nil else { return }
            finding.difference = "\(how): \(names) match, expected \(expected)"
        }
        let rules = Rule.all(patterns)
        let set = RuleSet(version: 1, rules: rules)
        compare(verdicts, subject.bare(set, json), "the event as it stands")
        compare(verdicts, set.matches(value), "the event as a tree")
        compare(verdicts, set.matches(json: json, within: .lookUps).matches, "its values looked up")
        compare(verdicts, subject.bare(Self.changed(into: rules), json), "rules that were changed")
        let enveloped = RuleSet(version: 1, rules: Rule.all(inData))
        compare(verdicts, subject.enveloped(enveloped, Self.envelope(json)), "the event in its envelope")
        let resolving = RuleSet(version: 1, rules: Rule.all(patterns, resolvedByNext: true))
        let matches = subject.bare(resolving, json)
        let next = verdicts.indices.map { verdicts[($0 + 1) % verdicts.count] }
        compare(next, matches.filter { $0.kind == .resolves }, "resolved")
        compare(
            zip(verdicts, next).map { $0 && !$1 }, matches.filter { $0.kind == .triggers }, "triggered, not resolved")
        return finding
    }

    /// A set that has come to these rules by changes: every second one was another, and one is gone.
    private static func changed(into rules: [Rule]) -> RuleSet {
        var before = rules
        for index in stride(from: 1, to: rules.count, by: 2) {
            before[index] = Rule(rules[index].definition.name, rules[index - 1].definition.pattern)
        }
        if let first = rules.first { before.append(Rule("gone", first.definition.pattern)) }
        let changed = stride(from: 1, to: rules.count, by: 2).map { rules[$0] }
        return RuleSet(version: 1, rules: before).applying(version: 2, changed: changed, removed: ["gone"])
    }

    /// The case cut down as far as it still fails.
    func minimised(_ subject: Subject = .ruleSet) -> FuzzCase {
        var smallest = self
        var stepsLeft = Self.minimisingStepsMax
        func fails(_ fuzzCase: FuzzCase) -> Bool {
            stepsLeft -= 1
            return (try? fuzzCase.check(subject))?.difference != nil
        }
        while let less = smallest.smaller.first(where: { stepsLeft > 0 && fails($0) }) { smallest = less }
        return smallest
    }

    /// A case takes a millisecond; nobody waits for the last member to fall.
    private static let minimisingStepsMax = 20_000

    private var smaller: [FuzzCase] {
        SpelledJSON.smaller(patterns, \.smaller).map { FuzzCase(patterns: $0, event: event) }
            + event.smaller.map { FuzzCase(patterns: patterns, event: $0) }
    }

    private static func envelope(_ data: RawJSON) -> Event {
        let now = Timestamp(milliseconds: 0)
        return Event(id: EventID(at: now), source: "fuzz", type: "fuzz", time: now, received: now, data: data)
    }
}

extension Rule {
    /// A rule of which only the pattern counts.
    init(_ name: String, _ pattern: EventPattern, resolvedBy resolving: EventPattern? = nil) {
        var definition = RuleDefinition(name: name, pattern: pattern, steps: [])
        definition.resolve = resolving.map { ResolveSettings(pattern: $0, by: []) }
        self.init(definition: definition, version: 1)
    }

    /// In the order of the patterns.
    fileprivate static func name(_ index: Int) -> String { "r\(index)" }

    fileprivate static func all(_ patterns: [EventPattern], resolvedByNext: Bool = false) -> [Rule] {
        patterns.indices.map { index in
            let next = resolvedByNext ? patterns[(index + 1) % patterns.count] : nil
            return Rule(name(index), patterns[index], resolvedBy: next)
        }
    }
}
