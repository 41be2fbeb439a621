public import BelfryCore

/// An audit entry that has no place in the chain yet. It holds ids and digests, never payload.
public struct AuditDraft: Sendable {
    /// Who: a principal's name, or `belfry`.
    public var actor: String
    /// What, as `noun.verb`: `run.stopped`.
    public var action: String
    /// On what: an id or a name.
    public var subject: String
    public var detail: JSONObject

    public init(actor: String, action: String, subject: String, detail: JSONObject = JSONObject()) {
        self.actor = actor
        self.action = action
        self.subject = subject
        self.detail = detail
    }

    public init(by principal: Principal, action: String, subject: String, detail: JSONObject = JSONObject()) {
        var detail = detail
        if let token = principal.token { detail["token"] = .string(token.description) }
        self.init(actor: principal.name, action: action, subject: subject, detail: detail)
    }
}

/// An entry of the audit chain.
public struct AuditEntry: Sendable, Hashable {
    /// From 1, without gaps.
    public var sequence: Int64
    public var time: Timestamp
    public var actor: String
    public var action: String
    public var subject: String
    /// Canonical JSON.
    public var detail: RawJSON
    /// SHA-256 over the previous entry's hash and this entry's canonical record.
    public var hash: [UInt8]
}

/// What a check of the whole chain found.
public struct AuditVerification: Sendable, Hashable {
    /// Entries that were checked and hold.
    public var entries: Int64
    /// Hash of the last entry that holds; 32 zero bytes if there is none.
    public var head: [UInt8]
    /// The first entry that does not: changed, missing, or cut off at the end.
    public var brokenAt: Int64?
    /// What is wrong there.
    public var problem: String?

    public var isIntact: Bool { brokenAt == nil }
}
