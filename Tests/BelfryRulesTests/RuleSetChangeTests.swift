import BelfryCore
import BelfryRules
import Synchronization
import Testing

/// Rule sets that are changed rule by rule.
struct RuleSetChangeTests {
    private final class Current: Sendable {
        let set: Mutex<RuleSet>

        init(_ set: RuleSet) { self.set = Mutex(set) }
    }

    private static func name(_ number: Int) -> String { "r\(number % 20)" }

    private func text(_ matches: [RuleMatch]) -> [String] {
        matches.map { "\($0.rule.definition.name) \($0.rule.version) \($0.kind)" }
    }

    @Test("any sequence of changes gives the set that a fresh build gives", arguments: 1...6)
    func sequences(seed: UInt64) throws {
        var cases = RandomCases(seed: 500 + seed)
        var rules: [String: Rule] = [:]
        var version: Int64 = 0
        func rule(_ number: Int) throws -> Rule {
            let rule = try Rule(
                "r\(number)", try cases.pattern().pattern,
                resolve: number % 3 == 0 ? try cases.pattern().pattern : nil, isEnabled: number % 7 != 0)
            return Rule(definition: rule.definition, version: version)
        }
        for number in 0..<30 { rules["r\(number)"] = try rule(number) }
        var set = RuleSet(version: 0, rules: Array(rules.values))
        for _ in 0..<25 {
            version += 1
            var changed: [Rule] = []
            var removed: [String] = []
            for number in Set((0..<3).map { _ in Int.random(in: 0..<40, using: &cases.generator) }) {
                if Bool.random(using: &cases.generator), rules["r\(number)"] != nil {
                    rules["r\(number)"] = nil
                    removed.append("r\(number)")
                } else {
                    let rule = try rule(number)
                    rules["r\(number)"] = rule
                    changed.append(rule)
                }
            }
            let before = set
            set = set.applying(version: version, changed: changed, removed: removed)
            let fresh = RuleSet(version: version, rules: Array(rules.values))
            #expect(set.version == version && set.count == fresh.count)
            #expect(set.rules.map(\.definition.name) == fresh.rules.map(\.definition.name))
            for number in 0..<40 {
                #expect(set.rule(named: "r\(number)")?.version == rules["r\(number)"]?.version)
            }
            for _ in 0..<15 {
                let json = RawJSON(trusted: Array(cases.event().utf8))
                #expect(text(set.matches(json: json)) == text(fresh.matches(json: json)), "\(json.text)")
            }
            // The other way to the same rules, which finds out itself what differs.
            let updated = before.updated(version: version, to: Array(rules.values))
            #expect(updated.version == version && updated.rules.map(\.version) == fresh.rules.map(\.version))
            let json = RawJSON(trusted: Array(cases.event().utf8))
            #expect(text(updated.matches(json: json)) == text(fresh.matches(json: json)), "\(json.text)")
        }
        let same = set.updated(version: version + 1, to: Array(rules.values))
        #expect(same.rules.map(\.version) == set.rules.map(\.version))
    }

    @Test("many changes are compiled whole, and a set knows when")
    func fragmented() throws {
        let pattern = try EventPattern(json: ["a": [1]])
        var set = RuleSet(version: 1, rules: [try Rule("z", pattern)])
        let many = try (0...Limits.changedRulesMax).map { try Rule("r\($0)", pattern) }
        set = set.applying(version: 2, changed: many, removed: ["z", "unknown"])
        #expect(set.isFragmented && set.count == many.count && set.rule(named: "z") == nil)
        #expect(set.matches(["a": 1]).count == many.count)
        let whole = RuleSet(version: 2, rules: set.rules)
        #expect(!whole.isFragmented && whole.matches(["a": 1]).count == many.count)
        let bulk = try (0..<(Limits.changedRulesMax * 5)).map { try Rule("s\($0)", pattern) }
        #expect(!set.applying(version: 3, changed: bulk, removed: []).isFragmented)
    }

    @Test("rules that are only removed are gone, also once the set is compiled whole")
    func onlyRemoved() throws {
        let pattern = try EventPattern(json: ["a": [1]])
        let names = (0...Limits.changedRulesMax).map { "r\($0)" }
        let set = RuleSet(version: 1, rules: try (names + ["z"]).map { try Rule($0, pattern) })
        let one = set.applying(version: 2, changed: [], removed: ["r7"])
        #expect(one.rules.count == one.count && !one.rules.contains { $0.definition.name == "r7" })
        let all = set.applying(version: 2, changed: [], removed: names)
        #expect(all.isFragmented && all.rules.map(\.definition.name) == ["z"])
        #expect(RuleSet(version: 2, rules: all.rules).matches(["a": 1]).map(\.rule.definition.name) == ["z"])
    }

    @Test("sets are swapped while many tasks match", .timeLimit(.minutes(3)))
    func concurrency() async throws {
        let patterns = try (0..<20).map { try EventPattern(json: ["a": [.int($0)], "b": [["exists": true]]]) }
        let first = RuleSet(version: 0, rules: try (0..<20).map { try Rule(Self.name($0), patterns[$0]) })
        let current = Current(first)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<6 {
                group.addTask {
                    for round in 0..<400 {
                        let set = current.set.withLock { $0 }
                        let number = (round + task) % 20
                        let json = RawJSON(trusted: Array(#"{"a":\#(number),"b":["x",{"c":1}]}"#.utf8))
                        // Every set has either no rule of this name, or one that matches.
                        let found = set.matches(json: json).map(\.rule.definition.name)
                        #expect(found == (set.rule(named: Self.name(number)) == nil ? [] : [Self.name(number)]))
                    }
                }
            }
            group.addTask {
                for version in 1..<200 {
                    let rule = try Rule(Self.name(version), patterns[version % 20])
                    current.set.withLock { set in
                        set = set.applying(
                            version: Int64(version), changed: version % 2 == 0 ? [rule] : [],
                            removed: version % 2 == 0 ? [] : [Self.name(version)])
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
