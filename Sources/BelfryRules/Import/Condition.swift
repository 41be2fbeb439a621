import BelfryCore

/// When a rule of webhook has which result, as formulas over fields.
///
/// webhook's rules have four: yes and no, and both of them together with "a value is missing". `not` turns the answer
/// and keeps the error, `and` says no at the first error, `or` passes over errors; at the end only the answer counts.
/// So `{"not": A}` triggers a hook when A's value is missing, and `{"and": [{"not": A}]}` does not.
struct Condition: Sendable {
    var yes: Formula
    var no: Formula
    var yesMissing = Formula.never
    var noMissing = Formula.never

    /// The requests that trigger the hook.
    var triggers: Formula { .anyOf([yes, yesMissing]) }

    static func constant(_ isTrue: Bool) -> Condition {
        Condition(yes: isTrue ? .always : .never, no: isTrue ? .never : .always)
    }

    /// Of a rule that is disabled: yes and no, so that the rest of it can be written down.
    static let unknown = Condition(yes: .always, no: .always)

    /// One of the tests must pass.
    init(_ field: EventField, _ tests: [FieldTest]) {
        yes = .anyOf(tests.map { .asks(field, $0 == .notEmpty ? .fails([.equals("")]) : .holds($0)) })
        no = .allOf(
            tests.map { test in
                switch test {
                case .present: .never
                case .notEmpty: .asks(field, .holds(.equals("")))
                default: .asks(field, .fails([test]))
                }
            })
        // The peer's address is always there.
        noMissing = field == .remote ? .never : .asks(field, .missing)
    }

    private init(yes: Formula, no: Formula) {
        self.yes = yes
        self.no = no
    }

    static func not(_ condition: Condition) -> Condition {
        var result = Condition(yes: condition.no, no: condition.yes)
        result.yesMissing = condition.noMissing
        result.noMissing = condition.yesMissing
        return result
    }

    static func and(_ conditions: [Condition]) -> Condition {
        var before: [Formula] = []
        var no: [Formula] = []
        var missing: [Formula] = []
        for condition in conditions {
            no.append(.allOf(before + [condition.no]))
            missing.append(.allOf(before + [.anyOf([condition.yesMissing, condition.noMissing])]))
            before.append(condition.yes)
        }
        var result = Condition(yes: .allOf(before), no: .anyOf(no))
        result.noMissing = .anyOf(missing)
        return result
    }

    static func or(_ conditions: [Condition]) -> Condition {
        Condition(
            yes: .anyOf(conditions.map(\.triggers)), no: .allOf(conditions.map { .anyOf([$0.no, $0.noMissing]) }))
    }
}

/// And, or, and what is asked of fields.
indirect enum Formula: Sendable {
    case always
    case never
    case asks(EventField, FieldAsk)
    case all([Formula])
    case any([Formula])

    static func allOf(_ parts: [Formula]) -> Formula {
        var kept: [Formula] = []
        for part in parts {
            if case .never = part { return .never }
            if case .always = part { continue }
            kept.append(part)
        }
        return kept.isEmpty ? .always : kept.count == 1 ? kept[0] : .all(kept)
    }

    static func anyOf(_ parts: [Formula]) -> Formula {
        var kept: [Formula] = []
        for part in parts {
            if case .always = part { return .always }
            if case .never = part { continue }
            kept.append(part)
        }
        return kept.isEmpty ? .never : kept.count == 1 ? kept[0] : .any(kept)
    }

    // MARK: Alternatives

    /// What is asked of each field, all of it at once.
    typealias Branch = [EventField: FieldAsk]

    /// The formula written out: one of the branches must hold.
    func branches() throws(NotExpressible) -> [Branch] {
        var stepsLeft = Limits.importStepsMax
        return try branches(&stepsLeft)
    }

    private func branches(_ stepsLeft: inout Int) throws(NotExpressible) -> [Branch] {
        try Self.spend(1, of: &stepsLeft)
        switch self {
        case .always: return [[:]]
        case .never: return []
        case .asks(let field, let ask): return [[field: ask]]
        case .any(let parts):
            var all: [Branch] = []
            for part in parts {
                for branch in try part.branches(&stepsLeft) where !all.contains(branch) { all.append(branch) }
                try Self.spend(all.count, of: &stepsLeft)
            }
            return all
        case .all(let parts):
            var all: [Branch] = [[:]]
            for part in parts {
                var joined: [Branch] = []
                let others = try part.branches(&stepsLeft)
                // Each is held against all that are there.
                try Self.spend(all.count * others.count * (1 + all.count / 16), of: &stepsLeft)
                for branch in all {
                    for other in others {
                        guard let both = try Self.join(branch, other), !joined.contains(both) else { continue }
                        joined.append(both)
                    }
                }
                all = joined
            }
            return all
        }
    }

    private static func spend(_ steps: Int, of stepsLeft: inout Int) throws(NotExpressible) {
        stepsLeft -= steps
        guard stepsLeft > 0 else {
            throw NotExpressible(
                reason: "written out it has too many combinations", mend: "make several hooks of it and import them")
        }
    }

    /// Both; nil if they exclude each other.
    private static func join(_ left: Branch, _ right: Branch) throws(NotExpressible) -> Branch? {
        var joined = left
        for (field, ask) in right {
            guard let other = joined[field] else {
                joined[field] = ask
                continue
            }
            guard let both = try other.and(ask, field) else { return nil }
            joined[field] = both
        }
        return joined
    }
}

extension FieldAsk {
    /// Both asked of one field, in which a pattern can ask one thing only; nil if they exclude each other.
    func and(_ other: FieldAsk, _ field: EventField) throws(NotExpressible) -> FieldAsk? {
        if self == other { return self }
        switch (self, other) {
        case (.missing, _), (_, .missing): return nil
        case (.fails(let left), .fails(let right)): return .fails(left + right.filter { !left.contains($0) })
        case (.holds(.present), let rest), (let rest, .holds(.present)): return rest
        case (.holds(.equals(let text)), let rest), (let rest, .holds(.equals(let text))):
            if let passes = rest.passes(text) { return passes ? .holds(.equals(text)) : nil }
        default: break
        }
        throw NotExpressible(
            reason: "two conditions on \(field.path) at the same time, and a pattern asks one thing of a field",
            mend: "write the `when` by hand, or make it one condition")
    }

    private func passes(_ text: String) -> Bool? {
        switch self {
        case .holds(let test): test.matches(text)
        case .fails(let tests):
            tests.reduce(Optional(true)) { result, test in
                guard let result, let matches = test.matches(text) else { return nil }
                return result && !matches
            }
        case .missing: false
        }
    }
}
