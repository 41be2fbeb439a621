public import BelfryCore

/// Why an event matched a pattern or did not: the clauses that always apply, and the ways of the pattern's `$or`s.
public struct PatternExplanation: Sendable {
    /// One field's list against the event.
    public struct Clause: Sendable, CustomStringConvertible {
        public var path: String
        /// The alternatives as the author wrote them.
        public var expected: [JSONValue]
        /// Whether it holds, together with the others where it does not stand in its way alone.
        public var isSatisfied: Bool
        /// Values that the event has there, at most ``PatternExplanation/valuesSeenMax``; long text is cut.
        public var seen: [JSONValue]
        /// How many there are in all.
        public var seenCount: Int
        /// What the values alone do not show, e.g. that they are in different array elements.
        public var note: String?

        /// `data.celsius: numeric [">",90] — saw 71`
        public var description: String {
            var text = asked + " — "
            text += seen.isEmpty ? "saw no value" : "saw " + listed(seen.map(\.text), count: seenCount)
            if let note { text += " (\(note))" }
            return text
        }

        /// `data.celsius: numeric [">",90]`
        var asked: String {
            let values = expected.count == 1 ? Self.text(expected[0]) : "one of " + listed(expected.map(Self.text))
            return "\(path): \(values)"
        }

        private func listed(_ texts: [String], count: Int? = nil) -> String {
            let shown = texts.prefix(PatternExplanation.valuesSeenMax)
            let left = (count ?? texts.count) - shown.count
            return shown.joined(separator: ", ") + (left > 0 ? " and \(left) more" : "")
        }

        private static func text(_ expected: JSONValue) -> String {
            guard let member = expected.object?.members.first else { return expected.text }
            return "\(member.key) \(member.value.text)"
        }
    }

    /// One way to satisfy the `$or`s.
    public struct Alternative: Sendable {
        public var matched: Bool
        public var clauses: [Clause]
    }

    public static let valuesSeenMax = 5
    static let seenTextBytesMax = 200
    /// Ways shown; a pattern may have thousands.
    static let alternativesMax = 32

    public var matched: Bool
    /// Clauses that hold in every way.
    public var clauses: [Clause]
    /// Empty for a pattern without `$or`; at most 32, the nearest to a match first.
    public var alternatives: [Alternative]

    /// The clauses that kept the event from matching; of the `$or`s those of the nearest way.
    public var failures: [Clause] {
        if matched { return [] }
        return (clauses + (alternatives.first?.clauses ?? [])).filter { !$0.isSatisfied }
    }

    init(of branches: [PatternBranch], _ event: EventFields) {
        let ways = branches.map { branch -> (branch: PatternBranch, clauses: [Clause], matched: Bool) in
            let matcher = PatternMatcher(branch, event)
            let verdict = matcher.verdict()
            var clauses = branch.clauses.map { Self.clause($0, event) }
            switch verdict {
            case .matched:
                // `exists: false` beside an array: the value that is there stands in another element.
                for index in clauses.indices where !clauses[index].isSatisfied {
                    clauses[index].isSatisfied = true
                    clauses[index].note = "not in the array element of the other values"
                }
            case .failed(let index):
                if clauses[index].isSatisfied {
                    clauses[index].isSatisfied = false
                    clauses[index].note = branch.conflict(at: index, in: event)
                }
            case .tooComplex(let index):
                clauses[index].isSatisfied = false
                clauses[index].note = "too many combinations of array elements to look at"
            }
            return (branch, clauses, verdict == .matched)
        }
        var shared = Set(branches.first?.clauses.map(\.id) ?? [])
        for branch in branches.dropFirst() { shared.formIntersection(branch.clauses.map(\.id)) }
        matched = ways.contains(where: \.matched)

        func misses(_ way: (branch: PatternBranch, clauses: [Clause], matched: Bool)) -> Int {
            way.matched ? 0 : 1 + way.clauses.count { !$0.isSatisfied }
        }
        let nearest = ways.enumerated().sorted { (misses($0.element), $0.offset) < (misses($1.element), $1.offset) }
            .map(\.element)
        func split(_ way: (branch: PatternBranch, clauses: [Clause], matched: Bool), isShared: Bool) -> [Clause] {
            zip(way.branch.clauses, way.clauses).filter { shared.contains($0.0.id) == isShared }.map(\.1)
        }
        clauses = nearest.first.map { split($0, isShared: true) } ?? []
        alternatives =
            branches.count < 2
            ? []
            : nearest.prefix(Self.alternativesMax).map {
                Alternative(matched: $0.matched, clauses: split($0, isShared: false))
            }
    }

    private static func clause(_ clause: PatternClause, _ event: EventFields) -> Clause {
        let fields = event.fields[clause.path] ?? []
        return Clause(
            path: clause.path.text, expected: clause.tests.map(\.written), isSatisfied: clause.holds(for: event),
            seen: fields.prefix(valuesSeenMax).map { cut($0.value) }, seenCount: fields.count)
    }

    private static func cut(_ value: JSONValue) -> JSONValue {
        guard case .string(let text) = value, text.utf8.count > seenTextBytesMax else { return value }
        return .string(text.cut(toBytes: seenTextBytesMax) + "…")
    }

    /// `{matched, all: [{path, expected, matched, seen, …}, {any: [{matched, all: […]}]}]}`
    public var json: JSONValue {
        var all = clauses.map(Self.json)
        if !alternatives.isEmpty {
            all.append([
                "any": .array(
                    alternatives.map { ["matched": .bool($0.matched), "all": .array($0.clauses.map(Self.json))] })
            ])
        }
        return [
            "matched": .bool(matched), "all": .array(all),
            "failures": .array(failures.map { .string($0.description) }),
        ]
    }

    private static func json(_ clause: Clause) -> JSONValue {
        var object = JSONObject([
            .init(key: "path", value: .string(clause.path)), .init(key: "expected", value: .array(clause.expected)),
            .init(key: "matched", value: .bool(clause.isSatisfied)),
            .init(key: "seen", value: .array(clause.seen)), .init(key: "seen_count", value: .int(clause.seenCount)),
        ])
        if let note = clause.note { object["note"] = .string(note) }
        return .object(object)
    }
}
