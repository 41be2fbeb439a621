extension JSONValue {
    /// Bytes that are the same for two values exactly if JSON Schema calls them equal: `1` and `1.0` are, whatever the order
    /// of members is.
    var comparable: [UInt8] { withNormalizedNumbers.canonicalEncoded() }

    private var withNormalizedNumbers: JSONValue {
        switch self {
        case .number(let number): .number(number.normalized)
        case .array(let elements): .array(elements.map(\.withNormalizedNumbers))
        case .object(let object):
            .object(
                JSONObject(object.members.map { .init(key: $0.key, value: $0.value.withNormalizedNumbers) }))
        default: self
        }
    }

    /// A few words for a fault: `"high"`, `12`, `an array`.
    var told: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let number): number.text.plain(bytesMax: Limits.schemaFaultValueBytesMax)
        case .string(let text): "\"\(text.plain(bytesMax: Limits.schemaFaultValueBytesMax))\""
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// What its type is called.
    var typeTold: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
