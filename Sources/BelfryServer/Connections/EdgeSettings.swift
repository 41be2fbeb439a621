import BelfryCore
import Logging
import NIOHTTP1

/// What every connection needs to know.
struct EdgeSettings: Sendable {
    var fanout: Fanout
    /// The largest body of this request.
    var bodyLimit: @Sendable (HTTPRequestHead) -> BodyLimit
    /// A request was refused before it was complete.
    var onRefusal: @Sendable (BelfryError, HTTPRequestHead?, _ remote: String) -> Void
    var connections = OpenConnections()
    /// What all connections hold together.
    var bodies = RequestBodies()
    /// Nil: connections are plain.
    var tls: ServerTLS?
    var logger = Logger(label: "belfry.edge")
    var clock = WallClock.system
    var idleTimeout = Limits.connectionIdleTimeout
    var readTimeout = Limits.requestReadTimeout
    var lingerTimeout = Limits.lingerTimeout

    /// Whether bytes for a client must pass a TLS handler. Where they need not, they may go straight to the socket.
    var isTLS: Bool { tls != nil }
}
