public import BelfryCore

/// A pattern in the language of Amazon EventBridge: fields are AND, the values of a list are OR.
///
/// It follows event-ruler 2.0.1 (github.com/aws/event-ruler), with these differences, each on the strict side:
/// - `cidr` takes exactly one `/` and plain digits behind it; Java's parser lets `10.0.0.0/8/` and `/+8` pass.
/// - Characters beyond U+FFFF have case in the `equals-ignore-case` operators.
/// - At most 32 `*` a text, 10,000 values a pattern when its `$or`s are multiplied out, and 64 levels.
///
/// This is the plain matcher: no automaton, one pattern against one event, in an order that can be read off the pattern.
public struct EventPattern: Sendable {
    let branches: [PatternBranch]
    /// Every path of the pattern and every prefix of one: what must be read of an event. Not kept: it would be most of
    /// the memory that a rule takes.
    var wanted: Set<FieldPath> { branches.reduce(into: []) { $0.formUnion($1.wanted) } }

    /// Reads a pattern out of a document.
    /// - Throws: everything that is wrong with it.
    public init(parsing node: DocumentNode) throws(PatternErrors) {
        var parser = PatternParser()
        branches = parser.branches(of: node)
        guard parser.errors.isEmpty else { throw PatternErrors(errors: parser.errors) }
    }

    init(branches: [PatternBranch]) { self.branches = branches }

    /// Reads a pattern given as JSON. Of duplicate keys the later one counts.
    /// - Throws: the first thing that is wrong with it.
    public init(json: JSONValue) throws(PatternError) {
        do throws(PatternErrors) {
            try self.init(parsing: DocumentNode(json))
        } catch {
            throw error.errors.first ?? PatternError(path: "", reason: "not a pattern")
        }
    }

    /// Whether the event, an object, satisfies the pattern.
    public func matches(_ event: JSONValue) -> Bool { matches(EventFields(event, wanted: wanted)) }

    func matches(_ fields: EventFields) -> Bool {
        branches.contains { branch in
            let matcher = PatternMatcher(branch, fields)
            return matcher.verdict() == .matched
        }
    }

    /// What the pattern asks for, clause by clause, with the values that the event has there.
    public func explain(_ event: JSONValue) -> PatternExplanation {
        PatternExplanation(of: branches, EventFields(event, wanted: wanted))
    }
}

/// Everything that is wrong with a pattern; never empty.
public struct PatternErrors: Error, Sendable, CustomStringConvertible {
    public var errors: [PatternError]

    public var description: String { errors.map(\.description).joined(separator: "\n") }
}
