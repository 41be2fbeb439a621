public import BelfryCore

/// A question to a person, as it is stored.
public struct ApprovalRecord: Sendable, Hashable {
    /// Order of asking; 0 for one that is not stored yet.
    public var sequence: Int64 = 0
    public var id: ApprovalID
    public var run: RunID
    public var rule: String
    /// Its step's place in the rule, from 0, and its name.
    public var step: Int
    public var name: String
    public var message: String
    /// JSON Schema of the value that a decision carries; nil: it carries none.
    public var schema: RawJSON?
    /// The steps that it stands before.
    public var guards: [String]
    /// The call of a tool that it is about, `{id, tool, arguments}`; nil: it is the question of an `approve` step. Its
    /// decision's value are the arguments that a person has put in place of the model's.
    public var call: RawJSON?
    /// Of what these are to do. An approval holds for that alone.
    public var digest: [UInt8]
    public var requested: Timestamp
    public var expires: Timestamp
    /// Nil while it is open.
    public var decision: Decision?
    public var decided: Timestamp?
    /// The name of who decided.
    public var decidedBy: String?
    public var value: RawJSON?
    /// Why, for a person: what the decider wrote, or `expired`.
    public var reason: String?

    public init(
        id: ApprovalID, run: RunID, rule: String, step: Int, name: String, message: String, schema: RawJSON? = nil,
        guards: [String], digest: [UInt8], requested: Timestamp, expires: Timestamp
    ) {
        self.id = id
        self.run = run
        self.rule = rule
        self.step = step
        self.name = name
        self.message = message
        self.schema = schema
        self.guards = guards
        self.digest = digest
        self.requested = requested
        self.expires = expires
    }

    /// It is open no longer.
    public mutating func close(
        _ decision: Decision, value: RawJSON? = nil, reason: String?, by principal: Principal, at now: Timestamp
    ) {
        self.decision = decision
        decided = now
        decidedBy = principal.name
        self.value = value
        self.reason = reason
    }
}

/// An operator's command and what became of it: repeated, it gets the first answer again.
public struct CommandRecord: Sendable, Hashable {
    /// The name of who sent it; ids are theirs.
    public var principal: String
    public var id: CommandID
    /// Nil: it was said to none, or to many.
    public var run: RunID?
    /// `stop`, `skip`, …
    public var kind: String
    /// SHA-256 of what it says: another command under the same id is refused.
    public var digest: [UInt8]
    /// JSON: `{result, reason?}`, and what else came of it.
    public var answer: RawJSON

    public init(principal: String, id: CommandID, run: RunID?, kind: String, digest: [UInt8], answer: RawJSON) {
        self.principal = principal
        self.id = id
        self.run = run
        self.kind = kind
        self.digest = digest
        self.answer = answer
    }
}
