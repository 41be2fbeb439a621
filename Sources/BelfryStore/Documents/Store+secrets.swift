public import BelfryCore
import BelfryCrypto
import Foundation
import GRDB

extension Store {
    /// The secrets the hub made for a source, oldest first; all of them are active.
    /// - Throws: `secret_unavailable` if the key file does not open one.
    public func generatedSecrets(source: String) async throws(BelfryError) -> [NamedSecret] {
        let key = key
        return try await read { db in
            let sql = "SELECT number, sealed FROM generated_secrets WHERE source = ? ORDER BY number"
            return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [source]).map { row in
                let number = row.int("number")
                guard let bytes = key.open(row.bytes("sealed"), context: Self.context(source, number)) else {
                    throw BelfryError(
                        .secretUnavailable, "secret.key does not open \(Self.name(number)) of source \(source)"
                    )
                }
                return NamedSecret(name: Self.name(number), secret: Secret(bytes))
            }
        }
    }

    /// Makes a secret for a source, or keeps a given one, sealed with the key file. The older ones stay active.
    /// - Parameter secret: Nil makes 32 random bytes, as hex.
    /// - Parameter onlyFirst: does nothing if the source has one already; then nil comes back.
    @discardableResult
    public func addGeneratedSecret(
        _ secret: Secret? = nil, source: String, onlyFirst: Bool = false, by principal: Principal
    ) async throws(BelfryError) -> NamedSecret? {
        let secret = secret ?? Secret(Hex.encode(Random.bytes(32)))
        let key = key
        return try await writer.perform { transaction in
            let last = try transaction.row(
                "SELECT max(number) AS last FROM generated_secrets WHERE source = ?", [source]
            )
            let count: Int64 = last?.int("last") ?? 0
            if onlyFirst, count > 0 { return nil }
            let number = count + 1
            let sealed = key.seal(secret.bytes, context: Self.context(source, number))
            try transaction.execute(
                "INSERT INTO generated_secrets (source, number, sealed, created, created_by) VALUES (?, ?, ?, ?, ?)",
                [source, number, sealed.blob, transaction.now.milliseconds, principal.name.blob]
            )
            try transaction.appendSecretChange("secret.added", Self.name(number), source: source, by: principal)
            return NamedSecret(name: Self.name(number), secret: secret)
        }
    }

    /// Ends a secret: what is signed with it is refused from now on.
    /// - Parameter name: As ``generatedSecrets(source:)`` names it.
    public func removeGeneratedSecret(
        _ name: String, source: String, by principal: Principal
    ) async throws(BelfryError) {
        try await writer.perform { transaction in
            let number = name == "generate" ? 1 : Int64(name.dropFirst("generate#".count)) ?? 0
            try transaction.execute(
                "DELETE FROM generated_secrets WHERE source = ? AND number = ?", [source, number]
            )
            guard transaction.db.changesCount == 1, name.hasSameBytes(as: Self.name(number)) else {
                throw BelfryError(.notFound, "source \(source) has no secret \(name)")
            }
            try transaction.appendSecretChange("secret.removed", name, source: source, by: principal)
        }
    }

    private static func name(_ number: Int64) -> String { number == 1 ? "generate" : "generate#\(number)" }

    /// Binds a sealed secret to its place: moved to another row it does not open.
    private static func context(_ source: String, _ number: Int64) -> String { "source/\(source)#\(number)" }
}

extension WriteTransaction {
    fileprivate func appendSecretChange(
        _ action: String, _ name: String, source: String, by principal: Principal
    ) throws {
        try append(
            AuditDraft(
                by: principal, action: action, subject: "source/\(source)",
                detail: JSONObject([.init(key: "name", value: .string(name))])
            )
        )
        hasRuleChanges = true
    }
}
