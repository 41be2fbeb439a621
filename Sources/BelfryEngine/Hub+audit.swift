public import BelfryCore
public import BelfryStore

extension Hub {
    /// Oldest first after a sequence number.
    public func audit(after sequence: Int64, limit: Int) async throws(BelfryError) -> [AuditEntry] {
        try await store.audit(after: sequence, max: limit)
    }

    /// Newest first.
    public func audit(cursor: String?, limit: Int) async throws(BelfryError) -> Page<AuditEntry> {
        try await store.audit(cursor: cursor, max: limit)
    }

    /// Checks the whole chain.
    public func verifyAudit() async throws(BelfryError) -> AuditVerification { try await store.verifyAudit() }
}
