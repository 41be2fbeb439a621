import BelfryCore
import NIOHTTP1

/// Who asks: a bearer token, or else the cookie of a browser that was signed in. A browser sends its cookie whichever
/// page makes it ask, so a cookie alone may only read.
struct Authentication: Sendable {
    /// Whose token this is; nil if it is unknown, expired or revoked. Asks memory only.
    let principal: @Sendable (String) -> Principal?
    let origins: OriginPolicy

    /// How a request says who asks.
    private enum Credential {
        case bearer(String)
        case cookie(String)
    }

    /// Who asks; nil if the request does not say, or says it by a cookie that is worth nothing any more.
    /// - Parameter changes: whether the request can change something or opens a way to: every method but GET and HEAD,
    ///   and an upgrade to WebSocket.
    /// - Throws: `unauthorized` for a token that is no good, `forbidden` for a page that may not.
    func principal(of head: HTTPRequestHead, changes: Bool) throws(BelfryError) -> Principal? {
        switch credential(of: head) {
        case .bearer(let token):
            if let principal = principal(token) { return principal }
            throw BelfryError(.unauthorized, "the token is unknown, expired or revoked")
        case .cookie(let token):
            guard let principal = principal(token) else { return nil }
            guard !changes || origins.verdict(on: head.headers) == .allowed else {
                throw BelfryError(
                    .forbidden,
                    "a browser's session may do this only from a page of the hub's own, or of cors.origins; "
                        + "programs send Authorization: Bearer TOKEN"
                )
            }
            return principal
        case nil:
            guard head.headers.contains(name: "authorization") else { return nil }
            throw BelfryError(.unauthorized, "the token is unknown, expired or revoked")
        }
    }

    /// A ticket is no cookie: no browser sends it by itself. But one that has leaked must not serve a page that nobody
    /// has named.
    /// - Throws: `forbidden` for a page that may not.
    func checkTicketOrigin(of head: HTTPRequestHead) throws(BelfryError) {
        guard origins.verdict(on: head.headers) != .refused else {
            throw BelfryError(
                .forbidden, "pages of this origin may not connect here; the server's cors.origins names those that may"
            )
        }
    }

    /// Whether the request comes from somebody who is known, whatever they may do.
    func isKnown(_ head: HTTPRequestHead) -> Bool {
        switch credential(of: head) {
        case .bearer(let token), .cookie(let token): principal(token) != nil
        case nil: false
        }
    }

    /// Another scheme in `Authorization` is a proxy's, and does not stand in the way of the cookie.
    private func credential(of head: HTTPRequestHead) -> Credential? {
        head.bearerToken.map(Credential.bearer) ?? SessionCookie.token(in: head.headers).map(Credential.cookie)
    }
}
