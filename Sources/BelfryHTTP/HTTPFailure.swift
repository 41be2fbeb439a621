/// Why an outbound exchange came to nothing: what, with whom (host and port), and what to do. It never holds a header,
/// a body, or the path and query of a URL.
public struct HTTPFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public var code: Code
    public var message: String
    /// What libcurl or the system says about it.
    public var cause: String?

    public init(_ code: Code, _ message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String { cause.map { "\(message) (\($0))" } ?? message }

    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String {
            case invalidRequest, resolve, connect, connectTimeout, tls, proxy, addressNotAllowed, firstByteTimeout,
                idleTimeout, deadline, connectionLost, protocolViolation, tooLarge, cancelled, clientClosed
        }
        private let value: Value
        private init(_ value: Value) { self.value = value }
        public var description: String { value.rawValue }

        /// The URL or a header cannot be sent.
        public static let invalidRequest = Code(.invalidRequest)
        /// The name has no address.
        public static let resolve = Code(.resolve)
        /// Nothing listens, or no way leads there.
        public static let connect = Code(.connect)
        public static let connectTimeout = Code(.connectTimeout)
        /// No TLS session, or a certificate that is not trusted.
        public static let tls = Code(.tls)
        /// The proxy is unreachable or refuses.
        public static let proxy = Code(.proxy)
        /// The policy refuses the address that the name stands for.
        public static let addressNotAllowed = Code(.addressNotAllowed)
        /// The head of the response was not complete in time.
        public static let firstByteTimeout = Code(.firstByteTimeout)
        /// The response stopped coming.
        public static let idleTimeout = Code(.idleTimeout)
        /// The whole exchange took too long.
        public static let deadline = Code(.deadline)
        /// The connection ended before the response did.
        public static let connectionLost = Code(.connectionLost)
        /// What came is not HTTP/1.1, or its head is too large.
        public static let protocolViolation = Code(.protocolViolation)
        /// The body is larger than the caller takes.
        public static let tooLarge = Code(.tooLarge)
        /// The caller's task was cancelled; the socket is closed.
        public static let cancelled = Code(.cancelled)
        public static let clientClosed = Code(.clientClosed)
    }

    static let cancelled = HTTPFailure(.cancelled, "the request was cancelled")
    static let clientClosed = HTTPFailure(.clientClosed, "the HTTP client is closed")

    static func addressNotAllowed(_ address: String, target: HTTPTarget) -> HTTPFailure {
        HTTPFailure(
            .addressNotAllowed,
            "\(target) leads to \(address), which is no public address"
        )
    }
}
