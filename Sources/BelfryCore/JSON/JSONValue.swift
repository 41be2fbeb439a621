/// A JSON value as a tree, built only where the value is looked into.
///
/// Strings compare by their bytes, never by Unicode equivalence (event patterns know no normalisation); numbers keep
/// their literal text, so `1e400` and 30-digit integers survive.
public enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// A JSON number as it was written.
public struct JSONNumber: Sendable, Hashable {
    /// The literal, e.g. `-1.50e3`; always valid JSON.
    public let text: String

    init(unchecked text: String) { self.text = text }

    public init(_ value: Int64) { self.text = String(value) }

    /// Nil if `value` is not finite: JSON has no such number.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        self.text = value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }

    /// The nearest double; infinite beyond its range (`1e400`).
    public var double: Double { Double(text) ?? .infinity }

    /// The integer, if it is written as one (no fraction, no exponent) and fits.
    public var int64: Int64? { Int64(text) }
}

/// The members of a JSON object, in the order they stand in the text; of duplicate keys the later wins.
public struct JSONObject: Sendable {
    public struct Member: Sendable {
        public var key: String
        public var value: JSONValue

        public init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    public private(set) var members: [Member]

    public init(_ members: [Member] = []) { self.members = members }

    /// Looks up, sets or (with nil) removes a member. Keys compare by their bytes.
    public subscript(key: String) -> JSONValue? {
        get { members.last { $0.key.hasSameBytes(as: key) }?.value }
        set {
            let index = members.lastIndex { $0.key.hasSameBytes(as: key) }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (nil, let value?): members.append(Member(key: key, value: value))
            case (_?, nil): members.removeAll { $0.key.hasSameBytes(as: key) }
            case (nil, nil): break
            }
        }
    }

    public var isEmpty: Bool { members.isEmpty }
}

extension String {
    /// Byte equality. Swift's `==` on strings is canonical equivalence, which JSON and event patterns do not know.
    public func hasSameBytes(as other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}

// MARK: - Looking into a value

extension JSONValue {
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var number: JSONNumber? { if case .number(let value) = self { value } else { nil } }
    public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
    public var isNull: Bool { if case .null = self { true } else { false } }

    /// The member of an object, or nil for anything else.
    public subscript(key: String) -> JSONValue? { object?[key] }

    /// The member that a path of keys leads to.
    public subscript(path path: [String]) -> JSONValue? {
        path.reduce(Optional(self)) { $0?[$1] }
    }
}

// MARK: - Building a value

extension JSONObject: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements.map { Member(key: $0.0, value: $0.1) })
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .number(JSONNumber(value)) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements.map { JSONObject.Member(key: $0.0, value: $0.1) }))
    }

    public static func int(_ value: some BinaryInteger) -> JSONValue { .number(JSONNumber(Int64(value))) }

    /// Null where `value` is not finite.
    public static func double(_ value: Double) -> JSONValue { JSONNumber(value).map(JSONValue.number) ?? .null }

    /// The string, or null.
    public static func optional(_ value: String?) -> JSONValue { value.map(JSONValue.string) ?? .null }
}
