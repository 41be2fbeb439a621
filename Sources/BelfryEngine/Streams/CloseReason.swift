/// Why a subscription ended: goes to the log, a metric and, where the transport can say it, the client.
public enum CloseReason: String, Sendable, Hashable, CaseIterable {
    /// The client went away.
    case clientClosed = "client_closed"
    /// The run that was watched has ended and everything about it was delivered.
    case runEnded = "run_ended"
    /// The client took nothing for ``Limits/subscriberStallTimeout``.
    case stalled
    /// The server is stopping.
    case serverShutdown = "server_shutdown"
    /// The token that opened the stream was revoked or has expired.
    case unauthorized
    /// The log could not be read.
    case logUnavailable = "log_unavailable"
    /// Writing to the connection failed.
    case writeFailed = "write_failed"
}
