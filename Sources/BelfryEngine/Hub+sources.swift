public import BelfryCore
import BelfrySources
import BelfryStore

extension Hub {
    /// Gives a source a new secret; the older ones that the hub keeps for it work on for a while and then end.
    /// - Parameters:
    ///   - secret: one that the sender gave; nil makes one.
    ///   - keep: how long the older ones work on.
    /// - Returns: the new secret.
    /// - Throws: `not_found`; `conflict` for a source whose document does not say `generate`, with how to rotate that;
    ///   `malformed` for a secret that can't be one.
    public func rotateSecret(
        source name: String, secret: Secret?, keep: Duration = Limits.secretKeepDefault, by principal: Principal
    ) async throws(BelfryError) -> NamedSecret {
        guard let source = registry.snapshot.sources[name]?.definition else {
            throw BelfryError(.notFound, "there is no source \(name); `belfry sources list` shows those there are")
        }
        try checkKeepsSecrets(source)
        guard (.zero...Limits.secretKeepMax).contains(keep) else {
            throw BelfryError(.malformed, "keep must be from 0s to 90d")
        }
        if let secret, let fault = source.secretFault(secret) {
            throw BelfryError(.malformed, "the secret \(fault)")
        }
        let rotated = try await store.rotateSecret(
            secret ?? source.preset.makeSecret(), source: name, keep: keep, by: principal
        )
        // The new one verifies before its owner is told.
        try await registry.reload([DocumentName(.source, name)])
        return rotated
    }

    private func checkKeepsSecrets(_ source: SourceDefinition) throws(BelfryError) {
        if source.secrets.contains(.generated) { return }
        guard source.preset.needsSecret else {
            throw BelfryError(
                .conflict,
                "source \(source.name) verifies nothing (preset \(source.preset.rawValue)), so there is no secret to rotate"
            )
        }
        guard let reference = source.secrets.first else {
            throw BelfryError(
                .conflict, "source \(source.name) has no secret; put `secret: generate` into its document first")
        }
        throw BelfryError(
            .conflict,
            "source \(source.name) takes its secret from \(reference), which the hub does not change: list the new one "
                + "beside it (secret: [\(reference), …]), reload, change the sender, and then take the old one out; "
                + "or add `generate` to the list to rotate here"
        )
    }
}
