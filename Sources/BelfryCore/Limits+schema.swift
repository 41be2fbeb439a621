extension Limits {
    // MARK: JSON Schema

    /// Schemas inside of one schema, counted with the values of its `enum`s: each may be looked at for every value.
    public static let schemaPartsMax = 2000
    /// Nesting of schemas in one schema.
    public static let schemaDepthMax = 32
    /// Schemas that look at one and the same value behind each other (`$ref`, `anyOf`, …): each is a call on the stack.
    public static let schemaChainMax = 32
    /// Calls on the stack while a value is checked; a deeper value is refused.
    public static let schemaCallsMax = 512
    /// Steps of checking one value: `anyOf` in `anyOf` over a large array multiplies. Half a million numbers (a megabyte)
    /// with a type and a bound each take less than half of them; past them the value is refused.
    public static let schemaStepsMax = 4_000_000
    /// Faults of one value, and of one schema, that are told.
    public static let schemaFaultsMax = 20
    /// A fault's path and the part of a value that it quotes.
    public static let schemaFaultPathBytesMax = 300
    public static let schemaFaultValueBytesMax = 60
    /// The text of one `pattern`.
    public static let schemaPatternBytesMax = 1000
    /// States of one pattern with its repetitions written out: each character of a text may visit all of them.
    public static let schemaPatternStatesMax = 2000
    /// Groups in groups of one pattern: each is a call on the stack.
    public static let schemaPatternDepthMax = 32
    /// Digits of `multipleOf`: what an integer of 64 bits holds.
    static let schemaDivisorDigitsMax = 18
}
