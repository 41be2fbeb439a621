public import BelfryCore
import BelfryCrypto
import Foundation
import GRDB

extension Store {
    /// A key that only this data folder has, for one purpose.
    public func key(for purpose: String) -> [UInt8] { key.derived(for: purpose) }

    /// The secrets the hub keeps for a source, oldest first, without those that have ended.
    /// - Throws: `secret_unavailable` if the key file does not open one.
    public func generatedSecrets(source: String) async throws(BelfryError) -> [NamedSecret] {
        let (key, now) = (key, now)
        return try await read { db in
            try Row.fetchAll(db.cachedStatement(sql: Self.active), arguments: [source, now.milliseconds])
                .map { try Self.open($0, of: source, key) }
        }
    }

    private static let active = """
        SELECT number, sealed, expires FROM generated_secrets
        WHERE source = ? AND (expires IS NULL OR expires > ?) ORDER BY number
        """

    private static func open(_ row: Row, of source: String, _ key: SealingKey) throws(BelfryError) -> NamedSecret {
        let number = row.int("number")
        guard let bytes = key.open(row.bytes("sealed"), context: Self.context(source, number)) else {
            throw BelfryError(
                .secretUnavailable, "secret.key does not open \(Self.name(number)) of source \(source)"
            )
        }
        return NamedSecret(
            name: Self.name(number), secret: Secret(bytes), expires: row.optionalTimestamp("expires")
        )
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
            let last = try transaction.lastSecretNumber(source: source)
            if onlyFirst, last > 0 { return nil }
            try transaction.insert(secret, number: last + 1, source: source, key, by: principal)
            try transaction.appendSecretChange("secret.added", Self.name(last + 1), source: source, by: principal)
            return NamedSecret(name: Self.name(last + 1), secret: secret)
        }
    }

    /// Adds a secret; the older ones work on for a while and then end.
    /// - Parameter keep: how long they work on; none of them longer than it would have anyway.
    /// - Throws: `conflict` for a secret that is active already, and if there are too many; `not_found` for a source
    ///   whose secrets went with it, or that never had one: a rotation that a removal overtakes leaves nothing behind.
    public func rotateSecret(
        _ secret: Secret, source: String, keep: Duration, by principal: Principal
    ) async throws(BelfryError) -> NamedSecret {
        let key = key
        return try await writer.perform { transaction in
            let now = transaction.now
            let last = try transaction.lastSecretNumber(source: source)
            guard last > 0 else {
                throw BelfryError(.notFound, "the hub keeps no secret of a source \(source); was it removed?")
            }
            let older = try transaction.rows(Self.active, [source, now.milliseconds])
                .map { try Self.open($0, of: source, key) }
            if let same = older.first(where: { $0.secret == secret }) {
                throw BelfryError(.conflict, "source \(source) has this secret already: \(same.name)")
            }
            guard keep <= .zero || older.count < Limits.sealedSecretsPerSourceMax else {
                throw BelfryError(
                    .conflict, "source \(source) has \(older.count) active secrets; keep 0s ends them all at once")
            }
            let end = now + keep
            try transaction.execute(
                "UPDATE generated_secrets SET expires = min(coalesce(expires, ?), ?) WHERE source = ?",
                [end.milliseconds, end.milliseconds, source]
            )
            let number = last + 1
            try transaction.insert(secret, number: number, source: source, key, by: principal)
            try transaction.appendSecretChange(
                "secret.rotated", Self.name(number), source: source,
                detail: [
                    "ending": .array(older.map { .string($0.name) }), "ends": .string(end.description),
                ], by: principal
            )
            return NamedSecret(name: Self.name(number), secret: secret)
        }
    }

    private static func name(_ number: Int64) -> String { number == 1 ? "generate" : "generate#\(number)" }

    /// Binds a sealed secret to its place: moved to another row it does not open.
    fileprivate static func context(_ source: String, _ number: Int64) -> String { "source/\(source)#\(number)" }
}

extension WriteTransaction {
    /// The number of the newest secret; 0 if there is none. The newest never ends, so no number is used twice.
    fileprivate func lastSecretNumber(source: String) throws -> Int64 {
        try row("SELECT max(number) AS last FROM generated_secrets WHERE source = ?", [source])?.int("last") ?? 0
    }

    fileprivate func insert(
        _ secret: Secret, number: Int64, source: String, _ key: SealingKey, by principal: Principal
    ) throws {
        let sealed = key.seal(secret.bytes, context: Store.context(source, number))
        try execute(
            "INSERT INTO generated_secrets (source, number, sealed, created, created_by) VALUES (?, ?, ?, ?, ?)",
            [source, number, sealed.blob, now.milliseconds, principal.name.blob]
        )
    }

    /// What the source was to be known by ends with it: one of the same name gets new ones.
    func removeSecrets(source: String, by principal: Principal) throws {
        try execute("DELETE FROM generated_secrets WHERE source = ?", [source])
        guard db.changesCount > 0 else { return }
        try appendSecretChange("secret.removed", "all", source: source, by: principal)
    }

    fileprivate func appendSecretChange(
        _ action: String, _ name: String, source: String, detail: JSONObject = JSONObject(), by principal: Principal
    ) throws {
        var detail = detail
        detail["name"] = .string(name)
        try append(AuditDraft(by: principal, action: action, subject: "source/\(source)", detail: detail))
        hasRuleChanges = true
    }
}
