import BelfryCore
import NIOCore
import NIOHTTP1

extension HTTPRequestHead {
    /// Whether the parser takes this for a request to change the protocol.
    var isUpgrade: Bool {
        headers.contains(name: "upgrade")
            && headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
    }

    /// What the connection must know before the body comes.
    func shape(bodyLimit: BodyLimit) -> ConnectionStateMachine.RequestHead {
        ConnectionStateMachine.RequestHead(
            contentLength: headers.first(name: "content-length").flatMap { Int($0) },
            isChunked: headers.contains(name: "transfer-encoding"), bodyLimit: bodyLimit,
            expectation: version == .http1_1 ? headers.first(name: "expect")?.lowercased() : nil, fault: fault
        )
    }

    /// RFC 9112, section 3.2: exactly one `Host` in HTTP/1.1; and of the forms of a target, only a path is served here.
    private var fault: BelfryError? {
        if version == .http1_1, headers["host"].count != 1 {
            return BelfryError(.malformed, "a request needs exactly one Host header")
        }
        if method == .CONNECT { return BelfryError(.methodNotAllowed, "this is not a proxy") }
        guard uri.utf8.first == UInt8(ascii: "/") || uri.hasPrefix("http://") || uri.hasPrefix("https://") else {
            return BelfryError(.malformed, "the request target is not a path")
        }
        return nil
    }
}

extension BelfryError {
    init(unreadable error: HTTPParserError) {
        switch error {
        case .headerOverflow: self.init(.headersTooLarge, "the headers are larger than what is allowed here")
        case .invalidVersion: self.init(.malformed, "only HTTP/1.1 and HTTP/1.0 are spoken here")
        default: self.init(.malformed, "the request is not valid HTTP/1.1")
        }
    }
}
