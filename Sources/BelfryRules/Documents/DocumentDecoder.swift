import BelfryCore

/// Reads values out of nodes and collects everything that is wrong, so that an author sees all of it at once.
///
/// A reading method returns nil where it noted a diagnostic (or where an optional key is not there); the caller goes on.
struct DocumentDecoder {
    let file: String
    private(set) var diagnostics: [Diagnostic] = []
    /// What steps name, and what the documents make, also those with mistakes of their own: a name that leads nowhere is
    /// said together with everything else.
    var agentsUsed: [AgentReference] = []
    var agentsMade: [String] = []

    let server: ServerSettings

    init(file: String, server: ServerSettings = ServerSettings()) {
        self.file = file
        self.server = server
    }

    /// An agent that a step names, and where.
    struct AgentReference {
        var agent: String
        var file: String
        var line: Int
        var path: String
    }

    /// A mapping's members by key.
    struct Fields {
        let path: String
        let line: Int
        let members: [String: DocumentNode.Member]

        subscript(key: String) -> DocumentNode.Member? { members[key] }

        func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

        /// Where a missing key would be reported.
        func line(of key: String) -> Int { members[key]?.line ?? line }
    }

    mutating func note(_ message: String, at line: Int, _ path: String) {
        diagnostics.append(Diagnostic(file: file, line: line, path: path, message: message))
    }

    mutating func note(_ message: String, in fields: Fields, _ key: String) {
        note(message, at: fields.line(of: key), fields.path(of: key))
    }

    mutating func expected(_ what: String, found node: DocumentNode, _ path: String, line: Int) {
        note("expected \(what), found \(node.kindName)", at: line, path)
    }

    /// The members of a mapping; keys not in `known` and duplicates are noted.
    mutating func fields(_ node: DocumentNode, path: String, known: [String]) -> Fields? {
        guard case .object(let list) = node.content else {
            expected("a mapping", found: node, path, line: node.line)
            return nil
        }
        var members: [String: DocumentNode.Member] = [:]
        for member in list {
            let memberPath = path.isEmpty ? member.key : "\(path).\(member.key)"
            if !known.contains(member.key) {
                note(unknownKey(member.key, known: known), at: member.line, memberPath)
            } else if members.updateValue(member, forKey: member.key) != nil {
                note("the key stands twice", at: member.line, memberPath)
            }
        }
        return Fields(path: path, line: node.line, members: members)
    }

    private func unknownKey(_ key: String, known: [String]) -> String {
        if let nearest = NearestName.of(key, among: known) { return "unknown key; did you mean '\(nearest)'?" }
        return "unknown key; known here: \(known.joined(separator: ", "))"
    }

    // MARK: Scalars

    mutating func string(_ fields: Fields, _ key: String, isRequired: Bool = false) -> String? {
        guard let member = member(fields, key, isRequired: isRequired) else { return nil }
        guard case .string(let text) = member.value.content else {
            var what = "text"
            if case .number = member.value.content { what = "text (put it in quotes)" }
            expected(what, found: member.value, fields.path(of: key), line: member.line)
            return nil
        }
        guard !text.isEmpty else {
            note("must not be empty", at: member.line, fields.path(of: key))
            return nil
        }
        return text
    }

    /// A name of a document or step (`Name.isValid`).
    mutating func name(_ fields: Fields, _ key: String) -> String? {
        guard let text = string(fields, key, isRequired: true) else { return nil }
        guard Name.isValid(text) else {
            note("'\(text.prefix(80))' is not a name; one is \(Name.form)", in: fields, key)
            return nil
        }
        return text
    }

    mutating func bool(_ fields: Fields, _ key: String) -> Bool? {
        guard let member = member(fields, key) else { return nil }
        guard case .bool(let value) = member.value.content else {
            expected("true or false", found: member.value, fields.path(of: key), line: member.line)
            return nil
        }
        return value
    }

    mutating func int(_ fields: Fields, _ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let member = member(fields, key) else { return nil }
        guard case .number(let number) = member.value.content, let value = number.int64 else {
            expected("a whole number", found: member.value, fields.path(of: key), line: member.line)
            return nil
        }
        guard range.contains(Int(value)) else {
            note("must be from \(range.lowerBound) to \(range.upperBound)", in: fields, key)
            return nil
        }
        return Int(value)
    }

    mutating func double(_ fields: Fields, _ key: String, in range: ClosedRange<Double>) -> Double? {
        guard let member = member(fields, key) else { return nil }
        guard case .number(let number) = member.value.content else {
            expected("a number", found: member.value, fields.path(of: key), line: member.line)
            return nil
        }
        guard range.contains(number.double) else {
            note("must be from \(range.lowerBound) to \(range.upperBound)", in: fields, key)
            return nil
        }
        return number.double
    }

    /// A number of bytes, or text with `KiB` or `MiB`.
    mutating func byteCount(_ fields: Fields, _ key: String, max: Int) -> Int? {
        guard let member = member(fields, key) else { return nil }
        var count: Int?
        switch member.value.content {
        case .number(let number): count = number.int64.map { Int(clamping: $0) }
        case .string(let text):
            for (unit, factor) in [("KiB", 1024), ("MiB", 1024 * 1024)] where text.hasSuffix(unit) {
                let digits = text.dropLast(unit.count)
                if digits.utf8.count <= 9, digits.utf8.allSatisfy({ $0 &- 0x30 < 10 }) {
                    count = Int(digits).map { $0 * factor }
                }
            }
        default: break
        }
        guard let count, (1...max).contains(count) else {
            note("must be a number of bytes (or 64KiB, 2MiB) from 1 to \(max)", in: fields, key)
            return nil
        }
        return count
    }

    mutating func duration(_ fields: Fields, _ key: String, in range: ClosedRange<Duration>) -> Duration? {
        guard let member = member(fields, key) else { return nil }
        guard case .string(let text) = member.value.content, let duration = Duration(shorthand: text) else {
            note("must be a duration with its unit: 250ms, 30s, 5m, 2h or 7d", in: fields, key)
            return nil
        }
        guard range.contains(duration) else {
            note("must be from \(range.lowerBound.shorthand) to \(range.upperBound.shorthand)", in: fields, key)
            return nil
        }
        return duration
    }

    /// One of the values of an enumeration.
    mutating func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ fields: Fields, _ key: String, of type: Value.Type, isRequired: Bool = false
    ) -> Value? {
        guard let text = string(fields, key, isRequired: isRequired) else { return nil }
        guard let value = Value(rawValue: text) else {
            let known = Value.allCases.map(\.rawValue)
            let hint = NearestName.of(text, among: known).map { "; did you mean '\($0)'?" } ?? ""
            note("must be one of \(known.joined(separator: ", "))\(hint)", in: fields, key)
            return nil
        }
        return value
    }

    // MARK: Lists

    /// The elements of a list; a single text stands for a list of one where `acceptsOne`.
    mutating func strings(_ fields: Fields, _ key: String, acceptsOne: Bool = false, max: Int) -> [String]? {
        guard let member = member(fields, key) else { return nil }
        let path = fields.path(of: key)
        if acceptsOne, case .string(let text) = member.value.content { return [text] }
        guard case .array(let elements) = member.value.content else {
            expected("a list of texts", found: member.value, path, line: member.line)
            return nil
        }
        guard elements.count <= max else {
            note("at most \(max) elements", at: member.line, path)
            return nil
        }
        var texts: [String] = []
        for (index, element) in elements.enumerated() {
            guard case .string(let text) = element.content else {
                expected("text (in quotes)", found: element, "\(path)[\(index)]", line: element.line)
                continue
            }
            texts.append(text)
        }
        return texts.count == elements.count ? texts : nil
    }

    private mutating func member(
        _ fields: Fields, _ key: String, isRequired: Bool = false
    ) -> DocumentNode.Member? {
        if let member = fields[key] { return member }
        if isRequired { note("is missing", in: fields, key) }
        return nil
    }
}
