/// A request to send once.
public struct HTTPRequest: Sendable {
    public var method: String
    /// Absolute, `http` or `https`, without user name or password.
    public var url: String
    /// Sent as they are; a secret belongs here and nowhere else.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    /// Until the connection stands, TLS included.
    public var connectTimeout = Duration.seconds(10)
    /// From there until the head of the response is complete.
    public var firstByteTimeout = Duration.seconds(60)
    /// Between two pieces of the body. It rests while the reader holds the transfer back.
    public var idleTimeout = Duration.seconds(60)
    /// The whole exchange, to the last byte of the body.
    public var deadline: Duration?

    public init(
        _ method: String = "GET",
        url: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// Refuses what would let data become protocol: line breaks in headers, names that are no tokens (RFC 9110, 5.6.2),
    /// and the headers that frame the message.
    func checkForm() throws(HTTPFailure) {
        guard Self.isToken(method) else { throw HTTPFailure(.invalidRequest, "the method is no HTTP token") }
        for (name, value) in headers {
            guard Self.isToken(name) else { throw HTTPFailure(.invalidRequest, "a header's name is no HTTP token") }
            guard value.utf8.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }) else {
                throw HTTPFailure(
                    .invalidRequest, "the value of header \(name) holds a control character or line break")
            }
            guard !["content-length", "transfer-encoding", "connection"].contains(name.lowercased()) else {
                throw HTTPFailure(.invalidRequest, "header \(name) is the client's own to set")
            }
        }
    }

    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
