import BelfryCore
import Yams

/// Reads YAML texts into nodes: `Yams.Parser` for the grammar, an own resolver of scalars.
///
/// Scalars follow the JSON schema of YAML 1.2 (section 10.2): a plain scalar is null, true, false or a JSON number if
/// it is written as one, else a string; `NO`, `010`, `1:30` and dates are strings. Anchors, aliases and tags are
/// refused: an alias makes a small text large (the "billion laughs"), and a tag means something that JSON does not know.
enum YAMLReader {
    /// The documents of a text, or why it has none.
    static func documents(in text: String, file: String) -> Result<[DocumentNode], Diagnostic> {
        guard text.utf8.count <= Limits.documentBytesMax else {
            return .failure(Diagnostic(file: file, line: 1, path: "", message: tooLarge))
        }
        if let line = lineOfAliasFlood(in: text) {
            return .failure(Diagnostic(file: file, line: line, path: "", message: aliasesRefused))
        }
        do {
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            // The parser must outlive the walk: nodes hold their anchors weakly.
            return try withExtendedLifetime(parser) {
                var documents: [DocumentNode] = []
                while let root = try parser.nextRoot() {
                    let node = try convert(root, depthLeft: Limits.documentDepthMax, path: "", file: file)
                    if case .null = node.content { continue }
                    documents.append(node)
                }
                return .success(documents)
            }
        } catch let diagnostic as Diagnostic {
            return .failure(diagnostic)
        } catch let error as YamlError {
            return .failure(diagnostic(of: error, file: file))
        } catch {
            return .failure(Diagnostic(file: file, line: 1, path: "", message: "not valid YAML: \(error)"))
        }
    }

    private static let tooLarge = "the file is larger than \(Limits.documentBytesMax / 1024) KiB; split it"
    private static let tooDeep = "nested deeper than \(Limits.documentDepthMax) levels"
    private static let aliasesRefused =
        "anchors (&name) and aliases (*name) are not allowed: write the value out, and text that begins so in quotes"

    private static func convert(
        _ node: Node, depthLeft: Int, path: String, file: String
    ) throws(Diagnostic) -> DocumentNode {
        let line = node.mark?.line ?? 1
        func refused(_ message: String) -> Diagnostic {
            Diagnostic(file: file, line: line, path: path, message: message)
        }
        guard node.anchor == nil else { throw refused(aliasesRefused) }
        guard depthLeft > 0 else { throw refused(tooDeep) }
        switch node {
        case .scalar(let scalar):
            // Yams gives every quoted scalar the tag of strings, whether it is written or not.
            let isPlain = scalar.style == .plain || scalar.style == .any
            guard scalar.tag.description == (isPlain ? "" : Tag.Name.str.rawValue) else {
                throw refused(tagRefused(scalar.tag))
            }
            return DocumentNode(content(of: scalar), line: line)
        case .sequence(let sequence):
            guard sequence.tag.description.isEmpty else { throw refused(tagRefused(sequence.tag)) }
            var elements: [DocumentNode] = []
            for (index, element) in sequence.enumerated() {
                elements.append(
                    try convert(element, depthLeft: depthLeft - 1, path: "\(path)[\(index)]", file: file))
            }
            return DocumentNode(.array(elements), line: line)
        case .mapping(let mapping):
            guard mapping.tag.description.isEmpty else { throw refused(tagRefused(mapping.tag)) }
            var members: [DocumentNode.Member] = []
            for (key, value) in mapping {
                guard key.anchor == nil else { throw refused(aliasesRefused) }
                guard case .scalar(let scalar) = key else { throw refused("a key must be text") }
                let keyPath = path.isEmpty ? scalar.string : "\(path).\(scalar.string)"
                members.append(
                    DocumentNode.Member(
                        key: scalar.string, line: key.mark?.line ?? line,
                        value: try convert(value, depthLeft: depthLeft - 1, path: keyPath, file: file)))
            }
            return DocumentNode(.object(members), line: line)
        case .alias:
            throw refused(aliasesRefused)
        }
    }

    private static func tagRefused(_ tag: Tag) -> String {
        "the tag \(tag.description) is not allowed: text in quotes is text, everything else is what it looks like"
    }

    private static func content(of scalar: Node.Scalar) -> DocumentNode.Content {
        guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
        switch scalar.string {
        case "", "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        case let text:
            guard let first = text.utf8.first, first == UInt8(ascii: "-") || first &- UInt8(ascii: "0") < 10,
                case .number(let number)? = try? JSONValue(parsing: text)
            else { return .string(text) }
            return .number(number)
        }
    }

    /// The line of the word that makes a text look like a flood of aliases.
    ///
    /// Yams shares the nodes of aliases but hashes mapping keys as it composes, so that aliases nested as keys would
    /// blow up before the walk above could refuse them. A text with few aliases cannot: 16 of them multiply a text by
    /// a few hundred at most. Words are counted anywhere, also inside quotes; 17 C pointers in a prompt that come
    /// after an `&` of the same name are refused too, which is the price of not scanning YAML twice.
    private static func lineOfAliasFlood(in text: String) -> Int? {
        guard text.utf8.contains(UInt8(ascii: "&")), text.utf8.contains(UInt8(ascii: "*")) else { return nil }
        func isNameByte(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        let bytes = Array(text.utf8)
        var anchors: Set<ArraySlice<UInt8>> = []
        var aliases = 0
        var line = 1
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "\n") { line += 1 }
            guard byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*") else { continue }
            let end = bytes[index...].firstIndex { !isNameByte($0) } ?? bytes.endIndex
            let name = bytes[index..<end]
            index = end
            if name.isEmpty { continue }
            if byte == UInt8(ascii: "&") {
                anchors.insert(name)
            } else if anchors.contains(name) {
                aliases += 1
                if aliases > 16 { return line }
            }
        }
        return nil
    }

    private static func diagnostic(of error: YamlError, file: String) -> Diagnostic {
        let (line, message): (Int, String) =
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                (mark.line, message(of: error, problem))
            case .reader(let problem, let offset, _, let yaml):
                (yaml.prefix(offset ?? 0).utf8.count { $0 == UInt8(ascii: "\n") } + 1, "not valid YAML: \(problem)")
            case .duplicatedKeysInMapping(let duplicates, let context):
                (context.mark.line, "the key \(duplicates.map { "'\($0)'" }.joined(separator: ", ")) stands twice")
            default: (1, "not valid YAML: \(error)")
            }
        return Diagnostic(file: file, line: line, path: "", message: message)
    }

    private static func message(of error: YamlError, _ problem: String) -> String {
        if isOfAlias(error) { return aliasesRefused }
        // libyaml's own bound, a thousand levels, in words for its callers.
        if problem.contains("nesting level") { return tooDeep }
        return "not valid YAML: \(problem)\(hint(of: problem))"
    }

    /// An alias of nothing (also of what is not complete yet: a cycle), or text that looks like one.
    private static func isOfAlias(_ error: YamlError) -> Bool {
        switch error {
        case .scanner(let context, let problem, _, _), .parser(let context, let problem, _, _),
            .composer(let context, let problem, _, _):
            "\(context?.text ?? "") \(problem)".contains(/alias|anchor/)
        default: false
        }
    }

    /// What most often makes a list or mapping on one line end too early: `[data.items[0].pin]`.
    private static func hint(of problem: String) -> String {
        problem.contains("expected ',' or") ? "; text with [ ] { } or , in it needs quotes there" : ""
    }
}
