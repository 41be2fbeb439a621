import BelfryCore
import BelfryEngine
import BelfryStore
import HTTPTypes
import NIOHTTP1

/// Signing a browser in and out, and the links that do it.
struct SessionRoutes {
    let hub: Hub
    let codes: SignInCodes
    /// What browsers reach the hub by; nil: what they ask for.
    let publicURL: String?
    /// What the server itself speaks: `http` or `https`.
    let scheme: String
    let origins: OriginPolicy
    private let failures = SignInFailures()

    init(hub: Hub, codes: SignInCodes, publicURL: String?, scheme: String, origins: OriginPolicy) {
        self.hub = hub
        self.codes = codes
        self.publicURL = publicURL
        self.scheme = scheme
        self.origins = origins
    }

    func add(to table: inout RouteTable) {
        table.add(.get, "/v1/session", .known, show)
        table.add(.post, "/v1/session", .open, signIn)
        table.add(.delete, "/v1/session", .anyToken, signOut)
        table.add(.post, "/v1/sign-in-links", .role(.viewer), makeLink)
    }

    /// `{signed_in, name?, role?}`: a page asks before it opens streams, which can't say why they were refused.
    private func show(_ request: RouteRequest) async throws -> Reply {
        guard let principal = request.principal else { return .json(["signed_in": false]) }
        return .json([
            "signed_in": true, "name": .string(principal.name), "role": .string(principal.role.rawValue),
        ])
    }

    /// `{code}` of a link, or `{token}` → 204 and the cookie.
    private func signIn(_ request: RouteRequest) async throws -> Reply {
        // Another page must not sign a browser in either: what is done there would be done for somebody else.
        guard origins.verdict(on: request.headers) != .refused else {
            throw BelfryError(.forbidden, "a browser signs in from the hub's own page")
        }
        guard let principal = credential(in: try request.json(), at: request.received) else {
            try failures.note(request.peer.address, at: request.received)
            throw BelfryError(.unauthorized, "the code was used or is too old, or the token is no good")
        }
        guard principal.role != .publisher, principal.scopes.isEmpty else {
            throw BelfryError(.forbidden, "a publisher's or scoped token does not reach what the page shows")
        }
        let session = try await hub.beginSession(for: principal)
        // A browser has one session: the one it held until now ends.
        if let old = SessionCookie.token(in: request.headers).flatMap(hub.authenticate(bearer:)) {
            try await hub.endSession(of: old)
        }
        return .empty(
            204,
            headers: [
                SessionCookie.header(session.secret, host: request.host, isSecure: isSecure(request)),
                ("cache-control", "no-store"),
            ])
    }

    private func credential(in body: JSONValue, at now: Timestamp) -> Principal? {
        if let code = body["code"]?.string {
            guard let maker = codes.take(code, at: now) else { return nil }
            // Whoever made the link must still be somebody.
            return maker.token.map(hub.isValid(token:)) ?? true ? maker : nil
        }
        return body["token"]?.string.flatMap(hub.authenticate(bearer:))
    }

    private func signOut(_ request: RouteRequest) async throws -> Reply {
        try await hub.endSession(of: try request.caller())
        let cookie = SessionCookie.forgettingHeader(host: request.host, isSecure: isSecure(request))
        return .empty(204, headers: [cookie, ("cache-control", "no-store")])
    }

    /// → `{url, code, expires}`
    private func makeLink(_ request: RouteRequest) async throws -> Reply {
        let (code, expires) = try codes.make(for: try request.caller(), at: request.received)
        let base = publicURL ?? "\(scheme)://\(request.host ?? "localhost")"
        return .json(
            [
                "url": .string(SignInCodes.link(base: base, code)), "code": .string(code.text),
                "expires": .string(expires.description),
            ],
            status: 201
        )
    }

    /// Whether the browser speaks TLS, perhaps to a proxy: its page says so, and else the public URL.
    private func isSecure(_ request: RouteRequest) -> Bool {
        if scheme == "https" { return true }
        if let origin = request.headers.first(name: "origin").flatMap({ WebOrigin($0) }) {
            return origin.scheme == "https"
        }
        return publicURL?.hasPrefix("https://") ?? false
    }
}
