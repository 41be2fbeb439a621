public import BelfryCore
public import BelfryStore

extension Hub {
    /// Who a bearer token belongs to; nil for one that is unknown, expired or revoked.
    public func authenticate(bearer: String) -> Principal? { store.authenticate(token: bearer)?.principal }

    /// Whether a token that was good once still is. Cheap: memory only.
    public func isValid(token id: TokenID) -> Bool { store.isValid(token: id) }

    public func tokens() -> [TokenRecord] { store.tokens() }

    /// Makes a token.
    /// - Parameters:
    ///   - scopes: topics it is held to; a publisher needs at least one.
    ///   - expires: nil for a token that works until it is revoked.
    /// - Throws: `malformed` for what is no scope or a time that has passed, `conflict` for a name that is taken and
    ///   for a publisher's scope on a source that verifies its senders.
    public func createToken(
        name: String, role: Role, scopes: [String] = [], expires: Timestamp? = nil, by principal: Principal
    ) async throws(BelfryError) -> CreatedToken {
        guard !name.hasPrefix(TokenRecord.sessionPrefix) else {
            throw BelfryError(
                .malformed, "names that begin with \(TokenRecord.sessionPrefix) are for browsers' sessions")
        }
        guard scopes.count <= Limits.scopesPerTokenMax else {
            throw BelfryError(.malformed, "a token has at most \(Limits.scopesPerTokenMax) scopes")
        }
        if role == .publisher, scopes.isEmpty {
            throw BelfryError(
                .missingAttribute,
                "a publisher's token names what it may publish: scopes such as source/NAME, custom/NAME or custom/*")
        }
        var stored: [String] = []
        for text in scopes {
            let scope = try checkedScope(text, role: role)
            if !stored.contains(scope) { stored.append(scope) }
        }
        let now = configuration.clock.now()
        if let expires, !(now < expires && expires <= now + Limits.tokenLifetimeMax) {
            throw BelfryError(.malformed, "expires must be in the future, and within ten years")
        }
        return try await store.createToken(name: name, role: role, scopes: stored, expires: expires, by: principal)
    }

    /// Ends a token at once, and the sessions of browsers that it signed in.
    /// - Throws: `not_found`.
    public func revokeToken(_ id: TokenID, by principal: Principal) async throws(BelfryError) {
        let record = store.tokens().first { $0.id == id }
        try await store.revokeToken(id, by: principal)
        if let record { try await endSessions(madeBy: record, by: principal) }
    }

    private func checkedScope(_ text: String, role: Role) throws(BelfryError) -> String {
        guard let scope = Principal.scope(text) else {
            throw BelfryError(
                .malformed,
                "\"\(text.prefix(80))\" is no scope; scopes are topics (source/NAME, run/*, alerts, …) and custom/*")
        }
        guard role == .publisher, scope != "custom/*" else { return scope }
        switch Topic(scope) {
        case .custom: return scope
        case .source(let name):
            try checkNotVerifying(source: name)
            return scope
        default:
            throw BelfryError(
                .malformed, "a publisher publishes to source/NAME, custom/NAME and custom/*, not to \(scope)")
        }
    }

    /// A source whose senders prove themselves must not be spoken for by a token.
    private func checkNotVerifying(source name: String) throws(BelfryError) {
        guard let source = registry.snapshot.sources[name]?.definition, source.preset != .none else { return }
        throw BelfryError(
            .conflict,
            "source \(name) verifies its senders (preset \(source.preset.rawValue)); nobody else may speak for it. "
                + "Name another source, or one with preset: none")
    }
}
