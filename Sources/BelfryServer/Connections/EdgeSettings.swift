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
    /// What all connections hold together.
    var bodies = RequestBodies()
    var clock = WallClock.system
    /// Bytes are encrypted on their way to the socket.
    var isTLS = false
    var idleTimeout = Limits.connectionIdleTimeout
    var readTimeout = Limits.requestReadTimeout
    var lingerTimeout = Limits.lingerTimeout
}
