import BelfryCore

/// Writes branches as the pattern of a rule.
struct PatternText {
    /// The pattern besides `source`.
    var pattern = JSONObject()
    /// Where the pattern would hold for more than the branches say.
    var excesses: [NotExpressible] = []
    /// Where it would hold for less, in words.
    var shortfalls: Set<String> = []

    /// A list of tests per field; one passes.
    private typealias Fields = [EventField: [JSONValue]]

    init(_ branches: [Formula.Branch]) {
        var alternatives: [Fields] = []
        for branch in branches {
            var fields: Fields = [:]
            for (field, ask) in branch.sorted(by: { $0.key < $1.key }) { fields[field] = elements(of: ask, field) }
            alternatives.append(fields)
        }
        alternatives = Self.withoutSpecialCases(Self.merged(alternatives))
        write(alternatives)
    }

    private mutating func write(_ alternatives: [Fields]) {
        guard let first = alternatives.first else { return }
        let common = first.filter { field, tests in alternatives.allSatisfy { $0[field] == tests } }
        add(common, to: &pattern)
        guard alternatives.count > 1 else { return }
        let rest = alternatives.map { fields in
            var object = JSONObject()
            add(fields.filter { common[$0.key] == nil }, to: &object)
            return JSONValue.object(object)
        }
        pattern["$or"] = .array(rest)
    }

    private func add(_ fields: Fields, to object: inout JSONObject) {
        for (field, tests) in fields.sorted(by: { $0.key < $1.key }) { object[field.path] = .array(tests) }
    }

    /// Alternatives that differ in one field are one, with all tests of it in a list.
    private static func merged(_ alternatives: [Fields]) -> [Fields] {
        var merged = alternatives
        var count = Int.max
        while merged.count < count {
            count = merged.count
            var index = 0
            while index < merged.count {
                let left = merged[index]
                let other = merged.indices.dropFirst(index + 1).first { differInOne(left, merged[$0]) }
                guard let other else {
                    index += 1
                    continue
                }
                for (field, tests) in merged.remove(at: other) where left[field] != tests {
                    merged[index][field] = (left[field] ?? []) + tests.filter { !(left[field] ?? []).contains($0) }
                }
            }
        }
        return merged
    }

    private static func differInOne(_ left: Fields, _ right: Fields) -> Bool {
        guard left.count == right.count else { return false }
        var differences = 0
        for (field, tests) in left {
            guard let others = right[field] else { return false }
            if others != tests { differences += 1 }
            if differences > 1 { return false }
        }
        return true
    }

    /// An alternative that asks for all that another one asks for, and more, adds nothing.
    private static func withoutSpecialCases(_ alternatives: [Fields]) -> [Fields] {
        alternatives.enumerated().filter { index, fields in
            !alternatives.enumerated().contains { other, less in
                other != index && less.allSatisfy { fields[$0.key] == $0.value }
                    && (less.count < fields.count || other < index)
            }
        }.map(\.element)
    }

    // MARK: Tests

    private mutating func elements(of ask: FieldAsk, _ field: EventField) -> [JSONValue] {
        switch ask {
        case .missing: [["exists": false]]
        case .holds(let test): elements(of: test, field)
        case .fails(let tests): elements(excluding: tests, field)
        }
    }

    private mutating func elements(of test: FieldTest, _ field: EventField) -> [JSONValue] {
        if case .payload(let name) = field, test.mayMatchOtherThanText, test.isAboutText {
            shortfalls.insert(
                "prefix, suffix and wildcard look at texts; webhook looks at the text of a number, true, false or null "
                    + "in \(name) too")
        }
        switch test {
        case .present: return [["exists": true]]
        case .notEmpty: return elements(excluding: [.equals("")], field)
        case .equals(let text):
            // A bare address would match in every way of writing it.
            let exact: JSONValue = IPAddress(text) == nil ? .string(text) : ["exactly": .string(text)]
            guard case .payload = field else { return [exact] }
            return [exact] + FieldTest.otherValues(of: text)
        case .prefix(let text): return [["prefix": .string(text)]]
        case .suffix(let text): return [["suffix": .string(text)]]
        case .wildcard(let parts, let staysInLine):
            if staysInLine, case .payload = field {
                excesses.append(
                    NotExpressible(
                        reason: "'.' stops at a line feed, and '*' in a pattern does not",
                        mend:
                            "enable the rule if \(field.path) never holds a line feed; else begin the expression with "
                            + "(?s), or leave the '.*' out at the end it is not needed"))
            }
            return [["wildcard": .string(FieldTest.wildcard(parts))]]
        case .network(let text): return text.contains("/") ? [["cidr": .string(text)]] : [.string(text)]
        }
    }

    private mutating func elements(excluding tests: [FieldTest], _ field: EventField) -> [JSONValue] {
        if case .payload = field, tests.contains(where: \.mayMatchOtherThanText) {
            excesses.append(
                NotExpressible(
                    reason: "webhook compares the text of numbers, true, false and null too, and the pattern's "
                        + "'anything-but' would hold for them",
                    mend: "enable the rule if \(field.path) is always text; else write the `when` by hand"))
        }
        var texts: [JSONValue] = []
        var wildcards: [JSONValue] = []
        for test in tests {
            switch test {
            case .equals(let text):
                texts.append(.string(text))
                wildcards.append(.string(FieldTest.wildcard([text])))
            case .prefix(let text): wildcards.append(.string(FieldTest.wildcard([text, ""])))
            case .suffix(let text): wildcards.append(.string(FieldTest.wildcard(["", text])))
            case .wildcard(let parts, _): wildcards.append(.string(FieldTest.wildcard(parts)))
            case .present, .notEmpty, .network:
                excesses.append(
                    NotExpressible(
                        reason: "a pattern has no opposite of this", mend: "list the addresses that may deliver instead"
                    ))
            }
        }
        if texts.count == tests.count { return [["anything-but": texts.count == 1 ? texts[0] : .array(texts)]] }
        guard !wildcards.isEmpty else { return [["exists": true]] }
        if wildcards.count == 1, case .prefix(let text) = tests[0] {
            return [["anything-but": ["prefix": .string(text)]]]
        }
        if wildcards.count == 1, case .suffix(let text) = tests[0] {
            return [["anything-but": ["suffix": .string(text)]]]
        }
        return [["anything-but": ["wildcard": wildcards.count == 1 ? wildcards[0] : .array(wildcards)]]]
    }
}
