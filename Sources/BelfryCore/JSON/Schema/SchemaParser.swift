/// Reads a schema into nodes, and gathers everything that is wrong with it.
struct SchemaParser {
    var nodes: [SchemaNode] = []
    var issues: [SchemaIssue] = []
    private var definitions: [ByteText: Int] = [:]
    private var partCount = 0

    /// - Returns: the node of the whole schema; of no use if there are ``issues``.
    mutating func parseDocument(_ json: JSONValue) -> Int {
        let root = reserve()
        var definitionsToRead: [(node: Int, member: JSONObject.Member)] = []
        if let object = json.object, let listed = object["$defs"] {
            // All names first: a schema may refer to one that stands behind it.
            for member in listed.object?.effectiveMembers ?? [] {
                let node = reserve()
                definitions[ByteText(member.key)] = node
                definitionsToRead.append((node, member))
            }
            if listed.object == nil { issue("$defs", "must be an object of schemas by name") }
        }
        parse(json, into: root, at: SchemaPath())
        for (node, member) in definitionsToRead {
            parse(member.value, into: node, at: SchemaPath().appending("$defs").appending(member.key))
        }
        if issues.isEmpty { checkChains() }
        return root
    }

    /// Reads a schema that stands inside of another.
    mutating func parse(_ json: JSONValue, at path: SchemaPath) -> Int {
        let node = reserve()
        parse(json, into: node, at: path)
        return node
    }

    private mutating func parse(_ json: JSONValue, into node: Int, at path: SchemaPath) {
        guard count(1, at: path) else { return }
        guard path.depth <= Limits.schemaDepthMax else {
            issue(path.text, "schemas are nested deeper than \(Limits.schemaDepthMax); take parts out into $defs")
            return
        }
        switch json {
        case .bool(let isAllowed):
            nodes[node].checks = isAllowed ? [] : [.never]
        case .object(let object):
            parseObject(object, into: node, at: path)
        default:
            issue(path.text, "must be a schema: an object of keywords, true or false; is \(json.typeTold)")
        }
    }

    private mutating func reserve() -> Int {
        nodes.append(SchemaNode())
        return nodes.count - 1
    }

    /// - Returns: false once the schema has too many parts: the rest is not read.
    mutating func count(_ parts: Int, at path: SchemaPath) -> Bool {
        let before = partCount
        partCount += parts
        guard partCount > Limits.schemaPartsMax else { return true }
        if before <= Limits.schemaPartsMax {
            issue(
                path.text, "the schema has more than \(Limits.schemaPartsMax) schemas and enum values; make it smaller")
        }
        return false
    }

    mutating func issue(_ path: String, _ reason: String) {
        guard issues.count < Limits.schemaFaultsMax else { return }
        let path = path.plain(bytesMax: Limits.schemaFaultPathBytesMax)
        issues.append(SchemaIssue(path: path, reason: reason))
    }

    // MARK: - References

    /// - Returns: the node that `#` or `#/$defs/NAME` leads to.
    mutating func target(of reference: String, at path: SchemaPath) -> Int? {
        if reference.hasSameBytes(as: "#") { return 0 }
        let beginning = "#/$defs/"
        guard reference.utf8.starts(with: beginning.utf8) else {
            issue(
                path.text,
                "\(JSONValue.string(reference).told) is not supported; write '#/$defs/NAME', or '#' for the whole")
            return nil
        }
        let written = String(reference.dropFirst(beginning.count))
        guard !written.contains("/"), let name = Self.name(ofPointer: written) else {
            issue(
                path.text, "a reference names one schema right in $defs: '#/$defs/NAME', with ~1 for '/' and ~0 for '~'"
            )
            return nil
        }
        guard let node = definitions[ByteText(name)] else {
            let nearest = NearestName.of(name, among: definitions.keys.map(\.text).sorted())
            let hint = nearest.map { "; did you mean '#/$defs/\($0)'?" } ?? ""
            issue(path.text, "$defs has no schema named \(JSONValue.string(name).told)\(hint)")
            return nil
        }
        return node
    }

    /// The token of a JSON pointer in a URL (RFC 6901, section 6) as the key that it means.
    private static func name(ofPointer token: String) -> String? {
        var bytes: [UInt8] = []
        var rest = token.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let value = UInt8(Substring(rest.prefix(2)).uppercased(), radix: 16), rest.count >= 2 else {
                    return nil
                }
                bytes.append(value)
                rest = rest.dropFirst(2)
            case UInt8(ascii: "~"):
                guard let next = rest.popFirst() else { return nil }
                guard next == UInt8(ascii: "0") || next == UInt8(ascii: "1") else { return nil }
                bytes.append(next == UInt8(ascii: "0") ? UInt8(ascii: "~") : UInt8(ascii: "/"))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Refuses schemas that lead to themselves without a step into the value, and long ways at one value.
    private mutating func checkChains() {
        var heights = [Int?](repeating: nil, count: nodes.count)
        var isOnWay = [Bool](repeating: false, count: nodes.count)
        for node in nodes.indices {
            guard let fault = chainFault(from: node, depth: 1, &heights, &isOnWay) else { continue }
            issue("", fault)
            return
        }
    }

    private func chainFault(from node: Int, depth: Int, _ heights: inout [Int?], _ isOnWay: inout [Bool]) -> String? {
        if isOnWay[node] {
            return
                "a $ref leads back to its own schema without a step into the value (properties, items): it would never end"
        }
        if depth + (heights[node] ?? 0) > Limits.schemaChainMax {
            return
                "more than \(Limits.schemaChainMax) schemas follow each other at one value ($ref, allOf, anyOf, oneOf, not)"
        }
        guard heights[node] == nil else { return nil }
        isOnWay[node] = true
        var height = 0
        for next in nodes[node].sameValue {
            if let fault = chainFault(from: next, depth: depth + 1, &heights, &isOnWay) { return fault }
            height = max(height, 1 + (heights[next] ?? 0))
        }
        isOnWay[node] = false
        heights[node] = height
        return nil
    }
}

/// The way to a part of a schema, for diagnostics.
struct SchemaPath {
    private(set) var text = ""
    /// Schemas on the way.
    private(set) var depth = 0

    func appending(_ key: String) -> SchemaPath {
        var longer = self
        longer.text = text.appendingPath(key: key)
        return longer
    }

    func appending(_ index: Int) -> SchemaPath {
        var longer = self
        longer.text += "[\(index)]"
        return longer
    }

    /// The same place, one schema deeper.
    var deeper: SchemaPath {
        var deeper = self
        deeper.depth += 1
        return deeper
    }
}

extension String {
    /// A path with a key behind it: `a.b`, or `a["b c"]` where the key is no plain word.
    func appendingPath(key: String) -> String {
        let isPlain = !key.isEmpty && key.utf8.allSatisfy(\.isPlainKeyByte)
        let shown = key.plain(bytesMax: Limits.schemaFaultValueBytesMax)
        if isPlain { return isEmpty ? shown : "\(self).\(shown)" }
        return "\(self)[\(JSONValue.string(shown).text)]"
    }
}

extension UInt8 {
    fileprivate var isPlainKeyByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "$"): true
        case 0x80...0xFF: true
        default: false
        }
    }
}
