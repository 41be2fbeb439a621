public import BelfryCore
import Synchronization

/// A pattern in the language of Amazon EventBridge: fields are AND, the values of a list are OR.
///
/// It follows event-ruler 2.0.1 (github.com/aws/event-ruler), with these differences, each on the strict side:
/// - `cidr` takes exactly one `/` and plain digits behind it; Java's parser lets `10.0.0.0/8/` and `/+8` pass.
/// - Characters beyond U+FFFF have case in the `equals-ignore-case` operators.
/// - At most 32 `*` a text, 10,000 values a pattern when its `$or`s are multiplied out, and 64 levels.
///
/// This is the plain matcher: no automaton, one pattern against one event, in an order that can be read off the pattern.
public struct EventPattern: Sendable {
    /// The pattern as JSON, and what has been read out of it: all copies share both.
    private final class Storage: Sendable {
        /// Nil: it was put together, and keeps its branches for ever.
        let text: RawJSON?
        let branches: Mutex<[PatternBranch]?>

        init(text: RawJSON?, branches: [PatternBranch]) {
            self.text = text
            self.branches = Mutex(branches)
        }
    }

    private let storage: Storage

    /// The ways to satisfy it.
    var branches: [PatternBranch] {
        if let branches = storage.branches.withLock({ $0 }) { return branches }
        // It has been read before, so it can be read.
        var parser = PatternParser()
        return storage.text.map { parser.branches(of: DocumentNode($0.value)) } ?? []
    }

    /// Forgets what has been read: branches take several times the memory of the text, and a rule set that is compiled
    /// does not look at them. Whoever asks for them reads them again.
    func forgetBranches() {
        if storage.text != nil { storage.branches.withLock { $0 = nil } }
    }

    /// Reads a pattern out of a document.
    /// - Throws: everything that is wrong with it.
    public init(parsing node: DocumentNode) throws(PatternErrors) { try self.init(node, RawJSON(node.json)) }

    private init(_ node: DocumentNode, _ text: RawJSON) throws(PatternErrors) {
        var parser = PatternParser()
        let branches = parser.branches(of: node)
        guard parser.errors.isEmpty else { throw PatternErrors(errors: parser.errors) }
        storage = Storage(text: text, branches: branches)
    }

    init(branches: [PatternBranch]) { storage = Storage(text: nil, branches: branches) }

    /// Reads a pattern given as JSON. Of duplicate keys the later one counts.
    /// - Throws: the first thing that is wrong with it.
    public init(json: JSONValue) throws(PatternError) {
        do throws(PatternErrors) {
            try self.init(DocumentNode(json), RawJSON(json))
        } catch {
            throw error.errors.first ?? PatternError(path: "", reason: "not a pattern")
        }
    }

    /// Whether the event, an object, satisfies the pattern.
    public func matches(_ event: JSONValue) -> Bool {
        let branches = branches
        return branches.areSatisfied(by: EventFields(event, wanted: branches.wanted))
    }

    /// Whether it asks for something below a member of the object.
    public func asksFor(root: String) -> Bool {
        branches.contains { $0.clauses.contains { $0.path.prefixes.first?.text == root } }
    }

    /// Whether it asks for a field, or for one below it.
    func asksFor(below field: String) -> Bool {
        branches.contains { $0.clauses.contains { $0.path.text == field || $0.path.text.hasPrefix(field + ".") } }
    }

    func matches(_ fields: EventFields) -> Bool { branches.areSatisfied(by: fields) }

    /// What the pattern asks for, clause by clause, with the values that the event has there.
    public func explain(_ event: JSONValue) -> PatternExplanation {
        let branches = branches
        return PatternExplanation(of: branches, EventFields(event, wanted: branches.wanted))
    }
}

extension [PatternBranch] {
    /// Every path and every prefix of one: what must be read of an event.
    fileprivate var wanted: Set<FieldPath> { reduce(into: []) { $0.formUnion($1.wanted) } }

    /// Whether the event satisfies one of them.
    fileprivate func areSatisfied(by fields: EventFields) -> Bool {
        contains { PatternMatcher($0, fields).verdict() == .matched }
    }
}

/// Everything that is wrong with a pattern; never empty.
public struct PatternErrors: Error, Sendable, CustomStringConvertible {
    public var errors: [PatternError]

    public var description: String { errors.map(\.description).joined(separator: "\n") }
}
