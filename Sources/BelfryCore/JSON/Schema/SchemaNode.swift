/// One schema, as what it asks of a value. Schemas inside of it are numbers of other nodes, so that a `$ref` may lead back.
struct SchemaNode: Sendable {
    var checks: [SchemaCheck] = []
    /// The schemas that look at the same value as this one.
    var sameValue: [Int] = []
}

/// One thing that is asked of a value.
enum SchemaCheck: Sendable {
    /// `false`: no value will do.
    case never
    case types([SchemaType])
    /// `enum` and `const`: the values as ``JSONValue/comparable`` bytes, and as they are told.
    case values(Set<[UInt8]>, told: String)
    case number(NumberBounds)
    case lengths(ClosedRange<Int>)
    case pattern(LinearPattern, told: String)
    case array(ArrayShape)
    case object(ObjectShape)
    case reference(Int)
    case allOf([Int])
    case anyOf([Int])
    case oneOf([Int])
    case not(Int)

    /// The schemas that look at the same value.
    var sameValue: [Int] {
        switch self {
        case .reference(let schema), .not(let schema): [schema]
        case .allOf(let schemas), .anyOf(let schemas), .oneOf(let schemas): schemas
        default: []
        }
    }
}

enum SchemaType: String, Sendable, CaseIterable {
    case null, boolean, integer, number, string, array, object

    /// As a phrase: "an integer".
    var told: String {
        switch self {
        case .null: "null"
        case .integer, .array, .object: "an \(rawValue)"
        default: "a \(rawValue)"
        }
    }
}

/// `minimum` and the like; what is not asked for is nil.
struct NumberBounds: Sendable {
    var minimum: Bound?
    var maximum: Bound?
    var exclusiveMinimum: Bound?
    var exclusiveMaximum: Bound?
    var multipleOf: Bound?

    /// A number, and its text as it was written.
    struct Bound: Sendable {
        var number: DecimalNumber
        var text: String
    }

    var isEmpty: Bool {
        minimum == nil && maximum == nil && exclusiveMinimum == nil && exclusiveMaximum == nil && multipleOf == nil
    }
}

struct ArrayShape: Sendable {
    var counts: ClosedRange<Int> = 0...Int.max
    /// The schemas of the first elements.
    var prefix: [Int] = []
    /// The schema of all others.
    var items: Int?
    var isUnique = false
}

struct ObjectShape: Sendable {
    var counts: ClosedRange<Int> = 0...Int.max
    /// `properties` and `required` by key.
    var members: [ByteText: Member] = [:]
    /// `required` as it was written.
    var required: [String] = []
    /// The keys of `properties` as they were written.
    var known: [String] = []
    /// The schema of members that `properties` does not name.
    var others: Others = .anything

    struct Member: Sendable {
        var schema: Int?
        /// Its place in ``required``.
        var requiredIndex: Int?
    }

    enum Others: Sendable {
        case anything, none
        case schema(Int)
    }
}

/// A text that is itself only byte for byte, as a key of a dictionary: `String` would take canonical equivalents for one, and
/// hash all of them alike.
struct ByteText: Hashable, Sendable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (left: ByteText, right: ByteText) -> Bool { left.text.hasSameBytes(as: right.text) }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
