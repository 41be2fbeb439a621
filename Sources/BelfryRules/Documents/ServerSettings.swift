/// What the server's configuration lets documents do; nil: not known here, and not checked.
public struct ServerSettings: Sendable, Hashable {
    /// Names of the `targets:` table.
    public var targets: Set<String>?
    /// `approvals.allow_otherwise_approve`
    public var allowsOtherwiseApprove: Bool?

    public init(targets: Set<String>? = nil, allowsOtherwiseApprove: Bool? = nil) {
        self.targets = targets
        self.allowsOtherwiseApprove = allowsOtherwiseApprove
    }
}
