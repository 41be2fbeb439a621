import BelfryCore

/// One clause of a rule's `when`, and the rule without it: what the one satisfies and the other does not has failed by
/// this clause alone.
public struct RelaxedRule: Sendable {
    /// The clause as explanations show it: `data.celsius: numeric [">",90]`.
    public var clause: String
    public var rule: RuleDefinition
}

extension RuleDefinition {
    /// Whether an event of this source and type could satisfy the rule at all, whatever else it holds.
    public func mayMatch(source: String, type: String) -> Bool {
        pattern.mayMatch(source: source, type: type)
            || resolve?.pattern.mayMatch(source: source, type: type) == true
    }

    /// Whether `when`, `resolve` or a wait asks for this source by its name.
    public func names(source: String) -> Bool {
        pattern.names(source: source) || resolve?.pattern.names(source: source) == true
            || steps.contains { $0.eventWait?.pattern.names(source: source) == true }
    }

    /// The rule without one clause each, in the order of the clauses' paths. Those on source and type stay: an event that
    /// is meant for other rules is no near miss.
    /// - Parameter max: how many.
    public func relaxed(max: Int) -> [RelaxedRule] {
        pattern.relaxed(max: max).enumerated().map { index, relaxed in
            var rule = self
            // No document has such a name.
            rule.name = "~\(index)"
            rule.pattern = relaxed.pattern
            rule.resolve = nil
            rule.group = nil
            return RelaxedRule(clause: relaxed.clause, rule: rule)
        }
    }
}

extension EventPattern {
    fileprivate func names(source: String) -> Bool {
        branches.contains { branch in
            branch.clauses.contains { clause in
                clause.path == .source
                    && clause.tests.contains { test in
                        switch test.kind {
                        case .text, .address: test.matches(.string(source))
                        default: false
                        }
                    }
            }
        }
    }

    func mayMatch(source: String, type: String) -> Bool {
        branches.contains { branch in
            branch.clauses.allSatisfy { clause in
                switch clause.path {
                case .source: clause.tests.contains { $0.matches(.string(source)) }
                case .type: clause.tests.contains { $0.matches(.string(type)) }
                default: true
                }
            }
        }
    }

    fileprivate func relaxed(max: Int) -> [(clause: String, pattern: EventPattern)] {
        var clauses: [Int: PatternClause] = [:]
        for clause in branches.flatMap(\.clauses) where clause.path != .source && clause.path != .type {
            clauses[clause.id] = clause
        }
        let ordered = clauses.values.sorted { ($0.path.text, $0.id) < ($1.path.text, $1.id) }
        return ordered.prefix(max).compactMap { clause in
            // A way without the clause is as it was, and does not count as relaxed.
            let relaxed = branches.filter { $0.clauses.contains { $0.id == clause.id } }
                .map { $0.clauses.filter { $0.id != clause.id } }
            guard relaxed.allSatisfy({ !$0.isEmpty }) else { return nil }
            return (clause.text, EventPattern(branches: relaxed.map { PatternBranch($0) }))
        }
    }
}

extension PatternClause {
    /// What is asked for, without what was seen.
    fileprivate var text: String {
        PatternExplanation.Clause(
            path: path.text, expected: tests.map(\.written), isSatisfied: false, seen: [], seenCount: 0
        ).asked
    }
}
