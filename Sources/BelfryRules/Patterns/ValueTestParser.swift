import BelfryCore

/// Reads one element of a field's list: a scalar, or a mapping with one operator.
enum ValueTestParser {
    static let operators = [
        "prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but", "numeric", "exists", "cidr", "exactly",
    ]

    static func kind(of node: DocumentNode) throws(PatternIssue) -> ValueTest.Kind {
        switch node.content {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .number(let number): return .number(ComparableNumber(number.text), literal: number.text)
        case .string(let text): return IPAddress(text).map { .address($0) } ?? .text(Array(text.utf8))
        case .array: throw PatternIssue("a list inside a list", hint: "write its values directly")
        case .object(let members):
            let member = try only(members, "a match expression")
            return try kind(operator: member.key, member.value)
        }
    }

    private static func only(
        _ members: [DocumentNode.Member], _ what: String
    ) throws(PatternIssue) -> DocumentNode.Member {
        guard members.count == 1 else {
            throw PatternIssue(
                "\(what) has exactly one key", hint: "several tests of one field are several elements of its list (OR)")
        }
        return members[0]
    }

    private static func kind(operator name: String, _ value: DocumentNode) throws(PatternIssue) -> ValueTest.Kind {
        switch name {
        case "exactly": return .text(Array(try text(value, of: name).utf8))
        case "prefix":
            if case .object(let members) = value.content {
                return .prefixIgnoringCase(try ignoringCase(members, of: name))
            }
            return .prefix(Array(try text(value, of: name).utf8))
        case "suffix":
            if case .object(let members) = value.content {
                return .suffixIgnoringCase(try ignoringCase(members, of: name))
            }
            return .suffix(Array(try text(value, of: name).utf8))
        case "equals-ignore-case": return .equalsIgnoringCase(CaseInsensitiveText(try text(value, of: name)))
        case "wildcard": return .wildcard(try wildcard(value, of: name))
        case "cidr": return .network(try IPNetwork(try text(value, of: name)))
        case "exists":
            guard case .bool(let wanted) = value.content else {
                throw PatternIssue(
                    "exists must be true or false, not \(value.kindName)", hint: "without quotes: { exists: true }")
            }
            return wanted ? .present : .absent
        case "numeric": return try NumericParser.kind(of: value)
        case "anything-but": return .anythingBut(try anythingBut(value))
        default:
            let hint = NearestName.of(name, among: operators).map { "did you mean '\($0)'?" }
            throw PatternIssue(
                "unknown operator '\(name.prefix(80))'",
                hint: hint ?? "known: \(operators.joined(separator: ", "))")
        }
    }

    private static func text(_ node: DocumentNode, of name: String) throws(PatternIssue) -> String {
        guard case .string(let text) = node.content else {
            throw PatternIssue(
                "\(name) must be text, not \(node.kindName)",
                hint: "several texts are several elements of the field's list: [{ \(name): a }, { \(name): b }]")
        }
        return text
    }

    private static func ignoringCase(
        _ members: [DocumentNode.Member], of name: String
    ) throws(PatternIssue) -> CaseInsensitiveText {
        let member = try only(members, "the mapping under \(name)")
        guard member.key == "equals-ignore-case" else {
            throw PatternIssue(
                "'\(member.key.prefix(80))' inside \(name)",
                hint: "\(name) takes text or { equals-ignore-case: text }")
        }
        return CaseInsensitiveText(try text(member.value, of: "equals-ignore-case"))
    }

    private static func wildcard(_ node: DocumentNode, of name: String) throws(PatternIssue) -> Wildcard {
        let wildcard = try Wildcard(try text(node, of: name))
        guard wildcard.starCount <= Limits.wildcardsPerStringMax else {
            throw PatternIssue(
                "more than \(Limits.wildcardsPerStringMax) '*' in one text",
                hint: "a shorter text with fewer '*' that says what matters")
        }
        return wildcard
    }

    // MARK: anything-but

    private static let takenByAnythingBut =
        "it takes text, a number, a list of texts or of numbers, prefix, suffix, equals-ignore-case or wildcard"
    private static let emptyAnythingBut = PatternIssue(
        "anything-but with an empty list", hint: "[{ exists: true }] asks for any value")

    private static func anythingBut(_ node: DocumentNode) throws(PatternIssue) -> [ValueTest.Kind] {
        switch node.content {
        case .object(let members):
            let member = try only(members, "the mapping under anything-but")
            return try excluded(by: member.key, member.value)
        case .string(let text): return [.text(Array(text.utf8))]
        case .number(let number): return [.comparable(try NumericParser.comparable(number))]
        case .array(let elements): return try excluded(elements)
        default:
            throw PatternIssue("anything-but does not take \(node.json.text.prefix(80))", hint: takenByAnythingBut)
        }
    }

    private static func excluded(_ elements: [DocumentNode]) throws(PatternIssue) -> [ValueTest.Kind] {
        guard !elements.isEmpty else { throw emptyAnythingBut }
        var kinds: [ValueTest.Kind] = []
        var numberCount = 0
        for element in elements {
            switch element.content {
            case .string(let text): kinds.append(.text(Array(text.utf8)))
            case .number(let number):
                kinds.append(.comparable(try NumericParser.comparable(number)))
                numberCount += 1
            default:
                throw PatternIssue(
                    "\(element.json.text.prefix(80)) in a list under anything-but", hint: takenByAnythingBut)
            }
        }
        guard numberCount == 0 || numberCount == elements.count else {
            throw PatternIssue("a list under anything-but holds both text and numbers", hint: takenByAnythingBut)
        }
        return kinds
    }

    private static func excluded(by name: String, _ node: DocumentNode) throws(PatternIssue) -> [ValueTest.Kind] {
        guard ["prefix", "suffix", "equals-ignore-case", "wildcard"].contains(name) else {
            throw PatternIssue("anything-but does not take '\(name.prefix(80))'", hint: takenByAnythingBut)
        }
        var nodes = [node]
        if case .array(let elements) = node.content { nodes = elements }
        // event-ruler accepts an empty list here and fails later.
        guard !nodes.isEmpty else { throw emptyAnythingBut }
        var kinds: [ValueTest.Kind] = []
        for node in nodes {
            if name == "wildcard" {
                kinds.append(.wildcard(try wildcard(node, of: name)))
                continue
            }
            let text = try text(node, of: name)
            if name == "equals-ignore-case" {
                kinds.append(.equalsIgnoringCase(CaseInsensitiveText(text)))
                continue
            }
            guard !text.isEmpty else {
                throw PatternIssue(
                    "an empty \(name) under anything-but would exclude all text",
                    hint: "leave it out, or ask for what may be there")
            }
            kinds.append(name == "prefix" ? .prefix(Array(text.utf8)) : .suffix(Array(text.utf8)))
        }
        return kinds
    }
}

/// Reads the list under `numeric`.
enum NumericParser {
    static func comparable(_ number: JSONNumber) throws(PatternIssue) -> ComparableNumber {
        guard let comparable = ComparableNumber(number.text) else {
            throw PatternIssue(
                "\(number.text.prefix(80)) has more digits or a larger exponent than a double holds",
                hint: "an exact value may be longer: [\(number.text.prefix(80))]")
        }
        return comparable
    }

    static func kind(of node: DocumentNode) throws(PatternIssue) -> ValueTest.Kind {
        guard case .array(let elements) = node.content else {
            throw PatternIssue("numeric must be a list, not \(node.kindName)", hint: #"[">", 0] or [">=", 0, "<", 10]"#)
        }
        guard let (name, first) = try pair(elements[...]) else {
            throw PatternIssue("numeric without a comparison", hint: #"[">", 0] or [">=", 0, "<", 10]"#)
        }
        let rest = elements.dropFirst(2)
        switch name {
        case "=" where rest.isEmpty: return .comparable(first)
        case "<" where rest.isEmpty, "<=" where rest.isEmpty:
            return .numeric(NumericRange(upper: NumericRange.Bound(number: first, isIncluded: name == "<=")))
        case ">", ">=":
            let lower = NumericRange.Bound(number: first, isIncluded: name == ">=")
            guard let (otherName, second) = try pair(rest) else { return .numeric(NumericRange(lower: lower)) }
            guard rest.count == 2, otherName == "<" || otherName == "<=" else {
                throw PatternIssue(
                    "after '\(name)' only one '<' or '<=' may follow", hint: #"[">=", 0, "<", 10]"#)
            }
            guard first < second else {
                throw PatternIssue(
                    "the lower bound must be less than the upper one", hint: "for one number write the number itself")
            }
            let upper = NumericRange.Bound(number: second, isIncluded: otherName == "<=")
            return .numeric(NumericRange(lower: lower, upper: upper))
        case "=", "<", "<=": throw PatternIssue("nothing may follow '\(name)'", hint: "the lower bound stands first")
        default:
            throw PatternIssue("unknown comparison '\(name.prefix(80))'", hint: "known: = < <= > >=")
        }
    }

    /// A comparison's name and number; nil at the end of the list.
    private static func pair(
        _ elements: ArraySlice<DocumentNode>
    ) throws(PatternIssue) -> (String, ComparableNumber)? {
        guard let head = elements.first else { return nil }
        guard case .string(let name) = head.content else {
            throw PatternIssue(
                "expected a comparison in numeric, found \(head.kindName)", hint: #"in quotes: [">", 0]"#)
        }
        guard let operand = elements.dropFirst().first, case .number(let number) = operand.content else {
            throw PatternIssue("'\(name.prefix(80))' needs a number behind it", hint: #"without quotes: [">", 0]"#)
        }
        return (name, try comparable(number))
    }
}
