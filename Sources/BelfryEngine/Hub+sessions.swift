public import BelfryCore
import BelfryCrypto
public import BelfryStore

/// Browsers that are signed in. A session is a token like others: listed, revocable, with an end.
extension Hub {
    /// Makes a session with the role of who signs in. It ends no later than their own token.
    /// - Throws: `conflict` if there are too many, `unauthorized` if their token is no good any more.
    public func beginSession(for principal: Principal) async throws(BelfryError) -> CreatedToken {
        let now = configuration.clock.now()
        try await forgetEndedSessions(at: now)
        let tokens = store.tokens()
        let live = tokens.count { $0.isSession && store.isValid(token: $0.id) }
        guard live < Limits.sessionsMax else {
            throw BelfryError(
                .conflict, "there are \(live) sessions already; end some: belfry tokens list, belfry tokens revoke ID")
        }
        let end = now + Limits.sessionLifetime
        let own = tokens.first { $0.id == principal.token }?.expires
        let session = try await store.createToken(
            name: TokenRecord.sessionPrefix + Hex.encode(Random.bytes(5)), role: principal.role,
            expires: min(end, own ?? end), by: principal
        )
        // A token that was revoked meanwhile had its sessions ended before this one was there.
        if let maker = principal.token, !store.isValid(token: maker) {
            try await store.revokeToken(session.record.id, by: principal)
            throw BelfryError(.unauthorized, "the token was revoked")
        }
        return session
    }

    /// Ends the session that this principal is.
    /// - Throws: `conflict` if it is a token that somebody was given: those are revoked, not signed out.
    public func endSession(of principal: Principal) async throws(BelfryError) {
        guard let id = principal.token, principal.name.hasPrefix(TokenRecord.sessionPrefix) else {
            throw BelfryError(
                .conflict, "\(principal.name) is no browser's session; a token ends by belfry tokens revoke")
        }
        try await store.revokeToken(id, by: principal)
    }

    /// What a principal is called where others see who is there: of a browser's session the token that signed it in.
    public func personName(of principal: Principal) -> String {
        let tokens = store.tokens()
        var name = principal.name
        // Sessions may make sessions, by a link.
        for _ in 0..<Limits.sessionsMax where name.hasPrefix(TokenRecord.sessionPrefix) {
            guard let maker = tokens.first(where: { $0.name == name })?.createdBy else { break }
            name = maker
        }
        return name
    }

    /// Rows come with sign-ins alone, so here is where they go: those that ended long ago, and what is too many.
    private func forgetEndedSessions(at now: Timestamp) async throws(BelfryError) {
        let ended = store.tokens().filter(\.isSession).compactMap { session -> (id: TokenID, end: Timestamp)? in
            let ends = [session.revoked, session.expires].compactMap(\.self).filter { $0 <= now }
            return ends.min().map { (session.id, $0) }
        }
        let old = ended.sorted { $0.end > $1.end }.enumerated().filter { number, session in
            number >= Limits.endedSessionsMax || now - session.end >= Limits.sessionRecordRetention
        }
        guard !old.isEmpty else { return }
        try await store.forgetTokens(old.map(\.element.id))
    }

    /// Ends the sessions that a token signed in, and those which these did: who loses a token loses its browsers.
    func endSessions(madeBy maker: TokenRecord, by principal: Principal) async throws(BelfryError) {
        for session in store.tokens() where session.isSession && session.createdBy == maker.name {
            guard store.isValid(token: session.id) else { continue }
            try await store.revokeToken(session.id, by: principal)
            try await endSessions(madeBy: session, by: principal)
        }
    }
}

extension TokenRecord {
    static let sessionPrefix = "session-"
    /// Only ``Hub/beginSession(for:)`` gives such names.
    var isSession: Bool { name.hasPrefix(Self.sessionPrefix) }
}
