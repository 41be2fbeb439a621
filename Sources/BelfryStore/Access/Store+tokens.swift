public import BelfryCore
import BelfryCrypto
import Foundation
import GRDB

extension Store {
    /// Makes a token. Only its SHA-256 is stored: what is returned can't be shown again.
    ///
    /// The audit shows who did what by these names, so two live tokens never share one.
    /// - Throws: `malformed` for what is no name, `conflict` for one that is taken.
    public func createToken(
        name: String, role: Role, scopes: [String] = [], expires: Timestamp? = nil, by principal: Principal
    ) async throws(BelfryError) -> CreatedToken {
        guard Name.isValid(name) else {
            throw BelfryError(.malformed, "\"\(name.prefix(80))\" is no name for a token; one is \(Name.form)")
        }
        let isTaken = tokenTable.all.contains { $0.name == name && $0.revoked == nil }
        guard name != Principal.hub.name, !isTaken else {
            throw BelfryError(.conflict, "there is a token \(name) already; take another name, or revoke that one")
        }
        // 256 random bits need no slow hash; the prefix lets secret scanners know it.
        let secret = Secret("blf_" + Hex.encode(Random.bytes(32)))
        let digest = Digest.sha256(secret.bytes)
        let table = tokenTable
        let record = try await writer.perform { transaction in
            let record = TokenRecord(
                id: TokenID(at: transaction.now), name: name, role: role, scopes: scopes, created: transaction.now,
                createdBy: principal.name, expires: expires
            )
            try transaction.execute(
                """
                INSERT INTO tokens (id, digest, name, role, scopes, created, created_by, expires)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    record.id.bytes.blob, digest.blob, name.blob, role.rawValue,
                    RawJSON(.array(scopes.map(JSONValue.string))).blob, record.created.milliseconds,
                    principal.name.blob, expires?.milliseconds,
                ]
            )
            try transaction.append(
                AuditDraft(
                    by: principal, action: "token.created", subject: record.id.description, detail: record.auditDetail
                )
            )
            return record
        }
        table.insert(TokenTable.Entry(digest: digest, record: record))
        return CreatedToken(record: record, secret: secret)
    }

    /// All tokens, oldest first, also revoked and expired ones.
    public func tokens() -> [TokenRecord] { tokenTable.all }

    /// Ends a token, at once.
    /// - Throws: `not_found`.
    public func revokeToken(_ id: TokenID, by principal: Principal) async throws(BelfryError) {
        let revoked = try await writer.perform { transaction in
            try transaction.execute(
                "UPDATE tokens SET revoked = coalesce(revoked, ?) WHERE id = ?",
                [transaction.now.milliseconds, id.bytes.blob]
            )
            guard transaction.db.changesCount == 1 else { throw BelfryError(.notFound, "there is no token \(id)") }
            try transaction.append(AuditDraft(by: principal, action: "token.revoked", subject: id.description))
            return transaction.now
        }
        tokenTable.update(id) { record in record.revoked = record.revoked ?? revoked }
    }

    /// Removes tokens that have ended from the list. The audit keeps when they were made and revoked.
    public func forgetTokens(_ ids: [TokenID]) async throws(BelfryError) {
        try await writer.perform { transaction in
            for id in ids { try transaction.execute("DELETE FROM tokens WHERE id = ?", [id.bytes.blob]) }
        }
        tokenTable.remove(ids)
    }

    /// Whether there is such a token and it is neither revoked nor expired. Asks memory only.
    public func isValid(token id: TokenID) -> Bool { tokenTable[id: id]?.isValid(at: now) ?? false }

    /// Whose token this is; nil if it is unknown, revoked or expired. Asks memory only.
    ///
    /// The look-up goes by the digest, so its timing tells nothing of any token.
    public func authenticate(token: String) -> TokenRecord? {
        let digest = Digest.sha256(Array(token.utf8))
        let now = now
        guard let record = tokenTable[digest], record.isValid(at: now) else { return nil }
        if tokenTable.noteUse(digest, at: now) {
            writer.post { transaction in
                try transaction.execute(
                    "UPDATE tokens SET last_used = ? WHERE id = ?", [now.milliseconds, record.id.bytes.blob]
                )
            }
        }
        return record
    }
}

extension TokenRecord {
    fileprivate var auditDetail: JSONObject {
        var detail: JSONObject = ["name": .string(name), "role": .string(role.rawValue)]
        if !scopes.isEmpty { detail["scopes"] = .array(scopes.map(JSONValue.string)) }
        if let expires { detail["expires"] = .string(expires.description) }
        return detail
    }

    fileprivate func isValid(at now: Timestamp) -> Bool { revoked == nil && expires.map { now < $0 } ?? true }
}
