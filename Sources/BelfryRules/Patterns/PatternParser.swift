import BelfryCore

/// Reads an event pattern and notes everything that is wrong with it.
///
/// The result is event-ruler's: a list of branches, one per combination of `$or` alternatives. A path that stands twice
/// in a branch counts as the later one says.
struct PatternParser {
    private(set) var errors: [PatternError] = []
    private var clauseCount = 0
    private var stepsLeft = Limits.patternStepsMax
    private var isTooLarge = false

    /// The branches of a pattern; meaningless if there are ``errors``.
    mutating func branches(of node: DocumentNode) -> [PatternBranch] {
        guard case .object(let members) = node.content else {
            note("a pattern is a mapping of fields", at: "", node.line, hint: "{ source: [plant] }")
            return []
        }
        var branches = [BranchDraft()]
        parse(members, line: node.line, Position(), into: &branches)
        return errors.isEmpty ? branches.map { PatternBranch($0.clauses.values) } : []
    }

    /// A branch while it is read, with what it costs so far.
    private struct BranchDraft {
        private(set) var clauses: [FieldPath: PatternClause] = [:]
        private(set) var cost = PatternCost(leaves: 1)

        mutating func set(_ clause: PatternClause, costs: PatternCost) {
            if let replaced = clauses.updateValue(clause, forKey: clause.path) {
                cost -= PatternCost(of: replaced.tests)
            }
            cost += costs
        }
    }

    private struct Position {
        var path = FieldPath.root
        var isRoot = true
        /// As the author sees it, for errors.
        var text = ""
        var isInsideOr = false
        var depth = 0

        func member(_ key: String) -> Position {
            var next = self
            next.path = path.appending(key, isRoot: isRoot)
            next.isRoot = false
            next.text = text.isEmpty ? key : "\(text).\(key)"
            next.depth += 1
            return next
        }

        func alternative(_ index: Int) -> Position {
            var next = self
            next.text = text.isEmpty ? "$or[\(index)]" : "\(text).$or[\(index)]"
            next.isInsideOr = true
            next.depth += 2
            return next
        }
    }

    private mutating func note(_ reason: String, at path: String, _ line: Int, hint: String?) {
        errors.append(PatternError(path: path, reason: reason, hint: hint, line: line))
    }

    // MARK: Objects and $or

    private mutating func parse(
        _ members: [DocumentNode.Member], line: Int, _ position: Position, into branches: inout [BranchDraft]
    ) {
        guard position.depth <= Limits.documentDepthMax else {
            note(
                "nested deeper than \(Limits.documentDepthMax) levels", at: position.text, line,
                hint: "join keys with dots: { a.b.c: […] }")
            return
        }
        if members.isEmpty {
            note("a mapping without fields", at: position.text, line, hint: "[{ exists: true }] asks for any value")
        }
        for member in members where !isTooLarge {
            if member.key == "$or" {
                parseAlternatives(member, position, into: &branches)
                continue
            }
            let next = position.member(member.key)
            if position.isInsideOr, Self.reservedInsideOr.contains(member.key) {
                note(
                    "'\(member.key)' cannot be a field inside $or: it is an operator's name", at: next.text,
                    member.line,
                    hint: "put the operator into a field's list: { field: [{ \(member.key): … }] }")
                continue
            }
            switch member.value.content {
            case .object(let inner): parse(inner, line: member.line, next, into: &branches)
            case .array(let elements): parseList(elements, line: member.line, next, into: &branches)
            default:
                note(
                    "must be a list of values or a mapping, not \(member.value.kindName)", at: next.text, member.line,
                    hint: "a list, even of one: [\(member.value.json.text.prefix(80))]")
            }
        }
    }

    private mutating func parseAlternatives(
        _ member: DocumentNode.Member, _ position: Position, into branches: inout [BranchDraft]
    ) {
        let path = position.text.isEmpty ? "$or" : "\(position.text).$or"
        guard case .array(let alternatives) = member.value.content, alternatives.count >= 2 else {
            note(
                "$or needs a list of at least two mappings", at: path, member.line,
                hint: "$or: [{ a: [1] }, { b: [2] }]; a field's own values are OR already")
            return
        }
        var all: [BranchDraft] = []
        for (index, alternative) in alternatives.enumerated() where !isTooLarge {
            guard case .object(let members) = alternative.content else {
                note(
                    "an alternative of $or must be a mapping, not \(alternative.kindName)", at: "\(path)[\(index)]",
                    alternative.line, hint: "{ field: [value] }")
                continue
            }
            var forked = branches
            parse(members, line: alternative.line, position.alternative(index), into: &forked)
            all += forked
            checkCost(all, path, member.line)
        }
        branches = all
    }

    private mutating func checkCost(_ branches: [BranchDraft], _ path: String, _ line: Int) {
        guard !isTooLarge else { return }
        let cost = branches.reduce(into: PatternCost()) { $0 += $1.cost }
        stepsLeft -= branches.count
        guard let excess = cost.excess ?? (stepsLeft < 0 ? PatternCost.tooManySteps : nil) else { return }
        isTooLarge = true
        note(excess.reason, at: path, line, hint: excess.hint)
    }

    // MARK: Lists of values

    private mutating func parseList(
        _ elements: [DocumentNode], line: Int, _ position: Position, into branches: inout [BranchDraft]
    ) {
        if elements.isEmpty {
            note(
                "an empty list matches nothing", at: position.text, line, hint: "[{ exists: true }] asks for any value")
        }
        guard elements.count <= Limits.patternLeavesMax else {
            isTooLarge = true
            note(
                "more than \(Limits.patternLeavesMax) values", at: position.text, line, hint: "make several rules of it"
            )
            return
        }
        var tests: [ValueTest] = []
        for (index, element) in elements.enumerated() {
            do throws(PatternIssue) {
                tests.append(ValueTest(written: element.json, kind: try ValueTestParser.kind(of: element)))
            } catch {
                note(error.reason, at: "\(position.text)[\(index)]", element.line, hint: error.hint)
            }
        }
        let clause = PatternClause(path: position.path, tests: tests, id: clauseCount)
        clauseCount += 1
        let cost = PatternCost(of: tests)
        for index in branches.indices { branches[index].set(clause, costs: cost) }
        checkCost(branches, position.text, line)
    }

    /// event-ruler's list: its operators and those it keeps for later.
    private static let reservedInsideOr: Set<String> = [
        "exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
        "=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case", "date-after", "date-on-or-after",
        "date-before", "date-on-or-before", "in-date-range", "ip-address-in-range", "ip-address-not-in-range",
    ]
}
