import BelfryCore

/// A place in the event that conditions are about.
enum EventField: Hashable, Sendable, Comparable {
    /// A path into the payload, with dots.
    case payload(String)
    /// A header's name in lower case.
    case header(String)
    case remote

    /// The key in a pattern.
    var path: String {
        switch self {
        case .payload(let name): "data.\(name)"
        case .header(let name): "headers.\(name)"
        case .remote: "remote"
        }
    }

    var isHeader: Bool { if case .header = self { true } else { false } }

    // Not by String's own equality, to which two spellings of `é` are one key.
    static func == (left: Self, right: Self) -> Bool { left.path.hasSameBytes(as: right.path) }
    static func < (left: Self, right: Self) -> Bool { left.path.utf8.lexicographicallyPrecedes(right.path.utf8) }
    func hash(into hasher: inout Hasher) { hasher.combine(Array(path.utf8)) }
}

/// What a condition holds a value against.
enum FieldTest: Hashable, Sendable {
    case present
    case notEmpty
    case equals(String)
    case prefix(String)
    case suffix(String)
    /// Literals with a star between each two. With `staysInLine` a star stands for text without line feeds.
    case wildcard([String], staysInLine: Bool)
    /// An address or block of addresses.
    case network(String)

    /// Whether a text passes; nil where that cannot be told.
    func matches(_ text: String) -> Bool? {
        switch self {
        case .present: return true
        case .notEmpty: return !text.isEmpty
        case .equals(let wanted): return text.hasSameBytes(as: wanted)
        case .prefix(let prefix): return text.utf8.starts(with: prefix.utf8)
        case .suffix(let suffix):
            return text.utf8.count >= suffix.utf8.count
                && text.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
        case .wildcard(let parts, let staysInLine):
            if staysInLine, text.utf8.contains(UInt8(ascii: "\n")) { return nil }
            let wildcard = try? Wildcard(Self.wildcard(parts))
            return Array(text.utf8).withUnsafeBufferPointer { bytes in wildcard?.matches(bytes) }
        case .network: return nil
        }
    }

    /// The literals as the operator `wildcard` writes them.
    static func wildcard(_ parts: [String]) -> String {
        parts.map { $0.replacing("\\", with: "\\\\").replacing("*", with: "\\*") }.joined(separator: "*")
    }

    /// The literal parts of the test and nothing else.
    var literals: [String] {
        switch self {
        case .equals(let text), .prefix(let text), .suffix(let text), .network(let text): [text]
        case .wildcard(let parts, _): parts
        case .present, .notEmpty: []
        }
    }

    /// Whether it becomes an operator that only text can pass.
    var isAboutText: Bool {
        switch self {
        case .prefix, .suffix, .wildcard: true
        case .present, .notEmpty, .equals, .network: false
        }
    }

    private var kind: String {
        switch self {
        case .present: "present"
        case .notEmpty: "not empty"
        case .equals: "equals"
        case .prefix: "prefix"
        case .suffix: "suffix"
        case .wildcard(_, let staysInLine): staysInLine ? "line" : "wildcard"
        case .network: "network"
        }
    }

    // By bytes, as webhook and patterns compare.
    static func == (left: Self, right: Self) -> Bool { left.spelling == right.spelling }
    func hash(into hasher: inout Hasher) { hasher.combine(spelling) }
    private var spelling: [[UInt8]] { ([kind] + literals).map { Array($0.utf8) } }

    /// Whether the text of a number, `true`, `false` or webhook's word for null could pass: webhook compares their
    /// text, a pattern's tests of text pass over them.
    var mayMatchOtherThanText: Bool {
        if case .equals(let text) = self { return !Self.otherValues(of: text).isEmpty }
        return literals.allSatisfy { $0.utf8.allSatisfy("0123456789+-.eEtrufalsni<>".utf8.contains) }
    }

    /// The values besides text that webhook writes as this text.
    static func otherValues(of text: String) -> [JSONValue] {
        switch text {
        case "true": [true]
        case "false": [false]
        case "<nil>": [.null]
        default:
            if case .number(let number)? = try? JSONValue(parsing: text), number.text == text {
                [.number(number)]
            } else {
                []
            }
        }
    }
}

/// What is asked of one field.
enum FieldAsk: Hashable, Sendable {
    /// It is there, and passes.
    case holds(FieldTest)
    /// It is there, and passes none.
    case fails([FieldTest])
    case missing

    /// Whether it can hold for the values of a repeated header joined with `, ` and not for the first of them.
    var dependsOnRepetition: Bool {
        switch self {
        case .missing, .holds(.present), .holds(.prefix), .holds(.network): false
        case .holds(.equals(let text)): text.contains(", ")
        case .holds, .fails: true
        }
    }
}

/// Why something cannot be said as a pattern, and what to do.
struct NotExpressible: Error {
    var reason: String
    var mend: String
}
