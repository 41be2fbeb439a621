/// How frames stand on the connection.
enum StreamFraming: Sendable {
    /// HTTP/1.1: each write is one chunk (RFC 9112, section 7.1).
    case chunked
    /// HTTP/1.0, which proxies such as nginx speak by default: the bytes as they are, ended by the connection.
    case plain
    /// A text message per frame, which holds it as a JSON-RPC notification (RFC 6455, section 5).
    case webSocket
}
