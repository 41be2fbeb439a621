public import BelfryCore
public import BelfryStore

extension Hub {
    // MARK: - Audit

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

    // MARK: - Tokens

    /// Who a bearer token belongs to; nil for one that is unknown, expired or revoked.
    public func authenticate(bearer: String) -> Principal? { store.authenticate(token: bearer)?.principal }

    /// Whether a token that was good once still is. Cheap: memory only.
    public func isValid(token id: TokenID) -> Bool { store.isValid(token: id) }

    public func tokens() -> [TokenRecord] { store.tokens() }

    public func createToken(name: String, role: Role, by principal: Principal) async throws(BelfryError) -> CreatedToken
    {
        try await store.createToken(name: name, role: role, by: principal)
    }

    public func revokeToken(_ id: TokenID, by principal: Principal) async throws(BelfryError) {
        try await store.revokeToken(id, by: principal)
    }
}
