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
    /// The token that opened the stream or connection was revoked or has expired.
    case unauthorized
    /// The log could not be read.
    case logUnavailable = "log_unavailable"
    /// Writing to the connection failed.
    case writeFailed = "write_failed"
    /// The client gave no sign of life for ``Limits/webSocketSilenceMax``.
    case unresponsive
    /// The client broke the WebSocket protocol.
    case protocolError = "protocol_error"
    /// The client sent a message of a kind that is not taken here.
    case unsupportedData = "unsupported_data"
    /// The client sent text that is no UTF-8.
    case invalidText = "invalid_text"
    /// The client sent a message that is larger, or in more fragments, than what is taken.
    case messageTooLarge = "message_too_large"
    /// Another connection has taken over the named stream, or the one that a ticket opened.
    case replaced
    /// The client called far more often than ``Limits/webSocketCallsPerSecond``.
    case tooManyCalls = "too_many_calls"
    /// Too many clients send large messages at the same time.
    case overloaded
}
