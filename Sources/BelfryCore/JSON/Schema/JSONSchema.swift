/// What a JSON value must be like: a subset of JSON Schema (draft 2020-12) that is checked in bounded time.
///
/// `type`, `enum`, `const`; `properties`, `required`, `additionalProperties`, `minProperties`, `maxProperties`; `items`,
/// `prefixItems`, `minItems`, `maxItems`, `uniqueItems`; `minLength`, `maxLength`, `pattern`; `minimum`, `maximum`,
/// `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf`; `allOf`, `anyOf`, `oneOf`, `not`; `$ref` to `#` and to
/// `#/$defs/NAME`; `true` and `false`. Annotations say nothing about a value and are kept. Every other keyword is refused, so that
/// no schema seems to ask for what is not checked.
///
/// Numbers are compared to their last digit, texts by their bytes, and lengths are counted in Unicode code points.
/// Nothing fails open: what can't be checked within ``Limits/schemaStepsMax`` is a fault.
public struct JSONSchema: Sendable, Hashable {
    /// The schema as it was written, with its annotations.
    public let json: JSONValue
    private let nodes: [SchemaNode]
    private let root: Int

    /// - Throws: everything that is wrong with it, at most ``Limits/schemaFaultsMax``.
    public init(_ json: JSONValue) throws(SchemaErrors) {
        var parser = SchemaParser()
        root = parser.parseDocument(json)
        guard parser.issues.isEmpty else { throw SchemaErrors(issues: parser.issues) }
        nodes = parser.nodes
        self.json = json
    }

    /// What is wrong with a value; none: it satisfies the schema.
    ///
    /// - Parameter name: what the value is called in the faults' paths (`params`, `output`).
    /// - Returns: at most ``Limits/schemaFaultsMax``, in the order in which they are found.
    public func faults(in value: JSONValue, named name: String = "") -> [SchemaFault] {
        faults(in: value, named: name, stepsMax: Limits.schemaStepsMax)
    }

    /// The same with another bound.
    package func faults(in value: JSONValue, named name: String = "", stepsMax: Int) -> [SchemaFault] {
        var validation = SchemaValidation(nodes: nodes, name: name, stepsMax: stepsMax)
        return validation.faults(in: value, root: root)
    }

    public static func == (left: JSONSchema, right: JSONSchema) -> Bool { left.json == right.json }

    public func hash(into hasher: inout Hasher) { hasher.combine(json) }
}

/// One thing that is wrong with a value.
public struct SchemaFault: Sendable, Hashable, CustomStringConvertible {
    /// Where: `data.items[0]`, `["odd key"].x`. Empty: the value as a whole.
    public var path: String
    /// What it must be, and what it is.
    public var message: String

    /// `path: message`.
    public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}

/// One thing that is wrong with a schema.
public struct SchemaIssue: Sendable, Hashable, CustomStringConvertible {
    /// The keywords that lead there: `properties.tone.minimum`, `anyOf[1]`. Empty: the schema as a whole.
    public var path: String
    /// What is wrong and how to mend it.
    public var reason: String

    /// `path: reason`.
    public var description: String { path.isEmpty ? reason : "\(path): \(reason)" }
}

/// Everything that is wrong with a schema.
public struct SchemaErrors: Error, Sendable, Hashable, CustomStringConvertible {
    /// Never empty.
    public var issues: [SchemaIssue]

    /// One line per issue.
    public var description: String { issues.map(\.description).joined(separator: "\n") }
}
