public import BelfryCore

/// A step that waits for a person's decision: `approve: "Shut down {{data.sensor}}?"`.
public struct ApproveStep: Sendable, Hashable {
    /// What a request that nobody decides comes to.
    public enum Otherwise: String, Sendable, Hashable, CaseIterable {
        case deny
        /// Only where the server's configuration allows it (`approvals.allow_otherwise_approve`).
        case approve
    }

    /// What a denial does to the run.
    public enum OnDeny: String, Sendable, Hashable, CaseIterable {
        /// The run ends, `stopped` with the reason `denied`.
        case stop
        case `continue`
    }

    /// What the person is asked.
    public var message: Template
    /// Key `value: {schema}`: of the object that a decision carries; nil: it carries none.
    public var schema: JSONSchema?
    /// From the request on.
    public var expires: Duration = Limits.approvalLifetimeDefault
    public var otherwise = Otherwise.deny
    public var onDeny = OnDeny.stop

    public init(message: Template) { self.message = message }
}
