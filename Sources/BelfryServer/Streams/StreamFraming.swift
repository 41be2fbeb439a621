/// How the bytes of a stream stand in the response.
enum StreamFraming: Sendable {
    /// HTTP/1.1: each write is one chunk (RFC 9112, section 7.1).
    case chunked
    /// HTTP/1.0, which proxies such as nginx speak by default: the bytes as they are, ended by the connection.
    case plain
}
