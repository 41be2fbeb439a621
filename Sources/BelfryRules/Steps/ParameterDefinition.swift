public import BelfryCore

/// A value that templates see as `params.NAME`, and that an operator may adjust on a run.
public struct ParameterDefinition: Sendable, Hashable {
    public var name: String
    /// A JSON Schema that every value must satisfy.
    public var schema: JSONSchema
    /// Satisfies the schema.
    public var defaultValue: JSONValue

    public init(name: String, schema: JSONSchema, defaultValue: JSONValue) {
        self.name = name
        self.schema = schema
        self.defaultValue = defaultValue
    }
}
