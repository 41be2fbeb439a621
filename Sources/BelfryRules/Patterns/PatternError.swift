/// Why an event pattern is refused.
public struct PatternError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The keys that lead to the fault: `data.celsius[0].numeric`. Empty for the pattern as a whole.
    public var path: String
    public var reason: String
    /// What to write instead, if there is something to say.
    public var hint: String?
    /// The line in the document, from 1; 0 if the pattern came without lines.
    public var line: Int

    public init(path: String, reason: String, hint: String? = nil, line: Int = 0) {
        self.path = path
        self.reason = reason
        self.hint = hint
        self.line = line
    }

    /// The reason and the hint, without the path.
    public var message: String { hint.map { "\(reason); \($0)" } ?? reason }

    /// `path: reason; hint`
    public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}

/// A fault that does not know where it stands yet.
struct PatternIssue: Error {
    var reason: String
    var hint: String?

    init(_ reason: String, hint: String? = nil) {
        self.reason = reason
        self.hint = hint
    }

    var message: String { hint.map { "\(reason); \($0)" } ?? reason }
}
