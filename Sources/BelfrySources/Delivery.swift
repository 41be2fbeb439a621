public import BelfryCore

/// One inbound request to a source, as it came off the wire.
public struct Delivery: Sendable {
    /// Upper case.
    public var method: String
    /// The parameters behind the question mark, decoded, in their order.
    public var query: [(name: String, value: String)]
    public var headers: HeaderFields
    public var body: [UInt8]
    /// Address of the peer.
    public var remote: String
    /// The peer is on loopback, and no Forwarded, X-Forwarded-For, Via or Origin says that it speaks for another.
    public var isLoopback: Bool
    public var received: Timestamp

    public init(
        method: String = "POST", query: [(name: String, value: String)] = [], headers: HeaderFields, body: [UInt8],
        remote: String, isLoopback: Bool, received: Timestamp
    ) {
        self.method = method
        self.query = query
        self.headers = headers
        self.body = body
        self.remote = remote
        self.isLoopback = isLoopback
        self.received = received
    }
}

/// What an accepted delivery says, before it has an id and a place in the store.
public struct IncomingEvent: Sendable, Hashable {
    /// The sender's own source: a repository, an Alertmanager receiver.
    public var origin: String?
    /// The sender's id, scoped by our source; nil if it gives none.
    public var key: String?
    /// How long the key is remembered from its first sighting; nil: ``Limits/identityRetention`` from the last one.
    public var keyWindow: Duration?
    /// Whether whoever changed the key would have broken the signature.
    public var isKeySigned: Bool
    public var type: String
    public var subject: String?
    /// The sender's time; nil if it says none.
    public var time: Timestamp?
    public var ext: JSONObject
    /// Lower-case names; only those that the preset and `keep_headers` allow.
    public var headers: JSONObject
    public var data: RawJSON

    public init(
        origin: String? = nil, key: String? = nil, keyWindow: Duration? = nil, isKeySigned: Bool = false, type: String,
        subject: String? = nil, time: Timestamp? = nil, ext: JSONObject = JSONObject(),
        headers: JSONObject = JSONObject(), data: RawJSON
    ) {
        self.origin = origin
        self.key = key
        self.keyWindow = keyWindow
        self.isKeySigned = isKeySigned
        self.type = type
        self.subject = subject
        self.time = time
        self.ext = ext
        self.headers = headers
        self.data = data
    }
}

/// What a source says to a delivery.
public enum Verdict: Sendable {
    /// Verified and read; `verifiedBy` names the secret that matched, nil where there is none to match.
    case accepted(verifiedBy: String?, events: [IncomingEvent])
    /// A handshake: answer with this, there is no event.
    case answered(DeliveryAnswer)
    case refused(BelfryError)
}

/// An answer that the sender asks for in place of the hub's own.
public struct DeliveryAnswer: Sendable {
    /// 200 to 299.
    public var status: Int
    /// With the content type, if there is a body.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public init(status: Int = 200, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// 200 with a text that no browser takes for anything else.
    static func text(_ text: String) -> DeliveryAnswer {
        DeliveryAnswer(
            headers: [("content-type", "text/plain; charset=utf-8"), ("x-content-type-options", "nosniff")],
            body: Array(text.utf8)
        )
    }

    /// What the document of a source says.
    init(_ fixed: FixedAnswer) {
        self.init(status: fixed.status, body: Array(fixed.body.utf8))
        // Also of an empty body: it may be asked for.
        if status != 204, status != 205 {
            headers = [("content-type", fixed.contentType), ("x-content-type-options", "nosniff")]
        }
    }
}
