public import BelfryCore

/// A value of a document as the decoder sees it: what YAML and JSON have in common, with the line it stands on.
///
/// Scalars are already JSON's: null, true, false, numbers and strings. Members keep their order and, where the text
/// came as JSON, their duplicates; event patterns let the later one win, documents refuse them.
public struct DocumentNode: Sendable {
    /// What the node holds.
    public indirect enum Content: Sendable {
        case null
        case bool(Bool)
        case number(JSONNumber)
        case string(String)
        case array([DocumentNode])
        case object([Member])
    }

    /// A key with its value.
    public struct Member: Sendable {
        public var key: String
        /// The line of the key, from 1; 0 where the text has no lines (stored documents).
        public var line: Int
        public var value: DocumentNode

        public init(key: String, line: Int, value: DocumentNode) {
            self.key = key
            self.line = line
            self.value = value
        }
    }

    public var content: Content
    /// The line where the node begins, from 1; 0 where the text has no lines.
    public var line: Int

    public init(_ content: Content, line: Int) {
        self.content = content
        self.line = line
    }

    /// A JSON value as a node; it has no lines.
    public init(_ value: JSONValue) {
        line = 0
        switch value {
        case .null: content = .null
        case .bool(let bool): content = .bool(bool)
        case .number(let number): content = .number(number)
        case .string(let string): content = .string(string)
        case .array(let elements): content = .array(elements.map { DocumentNode($0) })
        case .object(let object):
            content = .object(object.members.map { Member(key: $0.key, line: 0, value: DocumentNode($0.value)) })
        }
    }

    /// The node as plain JSON, without lines.
    public var json: JSONValue {
        switch content {
        case .null: .null
        case .bool(let value): .bool(value)
        case .number(let value): .number(value)
        case .string(let value): .string(value)
        case .array(let elements): .array(elements.map(\.json))
        case .object(let members):
            .object(JSONObject(members.map { JSONObject.Member(key: $0.key, value: $0.value.json) }))
        }
    }

    /// What the node is, in an author's words: "text", "a number", "a list".
    public var kindName: String {
        switch content {
        case .null: "nothing"
        case .bool: "true or false"
        case .number: "a number"
        case .string: "text"
        case .array: "a list"
        case .object: "a mapping"
        }
    }
}
