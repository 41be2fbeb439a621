public import BelfryCore

/// What the edge needs to know.
public struct ServerConfiguration: Sendable {
    /// Address to listen on. Loopback by default: anything wider is the operator's decision.
    public var host = "127.0.0.1"
    /// Port to listen on; 0 for a free one.
    public var port = 8420
    /// Certificate and key; nil: HTTP without TLS.
    public var tls: ServerTLS?
    /// What senders and browsers reach the server by, without a slash at the end; nil: the address it listens on.
    public var publicURL: String?
    /// Origins whose pages a signed-in browser may bring along, beside the hub's own.
    public var allowedOrigins: [WebOrigin] = []
    /// Codes of sign-in links, for whoever prints one beside the API.
    public var signInCodes = SignInCodes()
    /// Connections at the same time; further ones wait to be accepted.
    public var connectionsMax = Limits.connectionsMax
    /// What has not ended this long after the shutdown began is cut.
    public var drainTimeout = Limits.drainTimeout
    /// Opens `GET /v1/echo`, a WebSocket for tests of the protocol, to this machine and to tokens.
    public var testEcho = false
    public var clock = WallClock.system

    public init() {}
}
