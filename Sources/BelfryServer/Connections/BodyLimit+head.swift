import BelfryCore
import BelfryEngine
import NIOHTTP1

extension BodyLimit {
    /// The limit of a request: a source's own for its deliveries, documents for what carries them, and little where
    /// already the head shows that the request will be refused.
    init(of head: HTTPRequestHead, _ hub: Hub, _ authentication: Authentication) {
        if let source = head.deliverySource {
            self = hub.bodyBytesMax(source: source).map { BodyLimit(bytes: $0) } ?? .unknownSource
            return
        }
        let path = Dispatcher.split(head.uri).path
        guard path.hasPrefix("/v1/") else {
            self.init(bytes: Limits.anonymousBodyBytesMax)
            return
        }
        self.init(bytes: Self.bytesMax(path: path))
        guard head.mayCarry(moreThan: Limits.anonymousBodyBytesMax), !authentication.isKnown(head) else { return }
        self = .unauthorized
    }

    private static func bytesMax(path: String) -> Int {
        if path.hasPrefix("/v1/topics/") { return Limits.customFrameBytesMax }
        // The source's own limit is looked at when it is known which.
        if path == "/v1/events" { return Limits.deliveryBodyBytesCeiling }
        return path == "/v1/documents" ? Limits.documentSetBytesMax : Limits.apiBodyBytesMax
    }

    private static let unknownSource = BodyLimit(
        bytes: Limits.anonymousBodyBytesMax, refusal: BelfryError(.unknownSource, "there is no source of this name")
    )
    private static let unauthorized = BodyLimit(
        bytes: Limits.anonymousBodyBytesMax, refusal: BelfryError(.unauthorized, "a valid bearer token is needed")
    )
}

extension HTTPRequestHead {
    /// The source that a delivery is for; nil for every other request. A slash at the end makes no difference to
    /// routes.
    var deliverySource: String? {
        let path = Dispatcher.split(uri).path
        guard path.hasPrefix("/hooks/") else { return nil }
        return String(path.dropFirst(7).prefix { $0 != "/" })
    }

    /// Whether it is a dry run by somebody who may: what is wrong with it is no refusal of a delivery.
    func isRehearsal(_ authentication: Authentication) -> Bool {
        guard method == .POST, Query(Dispatcher.split(uri).query).asksForDryRun,
            let principal = try? authentication.principal(of: self, changes: true)
        else { return false }
        return Access.role(.operator).admits(principal.role) && principal.scopes.isEmpty
    }

    /// The token of the `Authorization` header; nil if there is none, or it is of another scheme.
    var bearerToken: String? {
        guard let authorization = headers.first(name: "authorization") else { return nil }
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return parts[1].trimmingSpaces()
    }

    /// Whether the head leaves room for a body of more bytes than this.
    fileprivate func mayCarry(moreThan bytes: Int) -> Bool {
        guard let length = headers.first(name: "content-length").flatMap({ Int($0) }) else {
            return headers.contains(name: "transfer-encoding")
        }
        return length > bytes
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> String {
        var text = self.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
