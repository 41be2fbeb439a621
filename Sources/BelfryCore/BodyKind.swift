/// The kinds of bodies that a source may take (`accepts`).
public enum BodyKind: String, Sendable, Hashable, CaseIterable {
    /// One JSON text.
    case json
    /// `application/x-www-form-urlencoded`: an object of its fields.
    case form
    /// Newline-delimited JSON: one event per line.
    case ndjson
    /// Anything else: its text as a string.
    case text
}
