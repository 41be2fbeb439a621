import BelfryCore

/// The client's side of `GET /v1/ws` over all its connections: what was handled, what a message means, and what to do
/// when a connection ends. Pure: no socket, no clock.
///
/// ```
///  opened ──▶ subscribe {topics, after: position}
///  message ─▶ frame, or the position to begin from, or a refusal
///  handled ─▶ the position advances: what is asked for after the next reconnect
///  lost ────▶ a pause, and a line for the person the first time
/// ```
struct ListenStateMachine {
    /// What a message of the hub means.
    enum Message {
        /// To be handled; then ``handled(_:)``.
        case frame(JSONValue)
        /// Frames are gone from the log.
        case gap(JSONValue)
        /// The position to begin from is known, or moved without a frame.
        case positioned
        /// The hub cannot serve now: lost, to be tried again.
        case unavailable(String)
        case nothing
    }

    /// How a connection came to its end, or did not come to be.
    enum Loss {
        /// Nothing listens, or the way is cut.
        case unreachable(String)
        /// An answer instead of the upgrade.
        case refused(Failure, status: Int)
        /// It was open for `lifetime`.
        case closed(String, lifetime: Duration)
    }

    let topics: [String]
    /// Everything up to here was handled; nil as long as nothing says where "now" is.
    private(set) var position: Int64?
    private var pause = ReconnectPause()
    /// Whether a first connection that fails is waited for.
    private let isPatient: Bool
    private var wasOpen = false
    private var isGone = false
    /// The pause that the hub, which stops, has asked for.
    private var askedPause: Duration?

    /// - Parameter position: begin behind it; nil begins now.
    init(topics: [String], position: Int64?, isPatient: Bool = false) {
        self.topics = topics
        self.position = position
        self.isPatient = isPatient
    }

    /// The connection is open: the request to send, and a line for the person if the hub was gone.
    mutating func opened() -> (request: String, line: String?) {
        defer { (wasOpen, isGone, askedPause) = (true, false, nil) }
        var parameters: JSONObject = ["topics": .array(topics.map { .string($0) })]
        parameters["after"] = position.map { .int($0) }
        let request: JSONValue = [
            "jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": .object(parameters),
        ]
        return (request.text, isGone ? "back" : nil)
    }

    /// Reads a message. Throws a ``Failure`` if the hub refuses the subscription.
    mutating func received(_ bytes: [UInt8]) throws -> Message {
        guard let message = try? JSONValue(parsing: bytes) else { return .nothing }
        if message["method"]?.string == "frame" { return read(message["params"] ?? .null) }
        guard message["id"]?.number?.int64 == 1 else { return .nothing }
        if let error = message["error"] {
            let failure = Self.refusal(error)
            // It is just stopping, or overloaded.
            guard failure.code == .serverError, error["data"] != nil else { throw failure }
            return .unavailable(failure.message)
        }
        // With a position of our own the hub's is only where it will get to.
        guard position == nil, let begin = message["result"]?["position"]?.number?.int64 else { return .nothing }
        position = begin
        return .positioned
    }

    private mutating func read(_ frame: JSONValue) -> Message {
        let at = frame["position"]?.number?.int64
        switch frame["type"]?.string {
        case FrameType.snapshot.rawValue:
            // The state so far is no news. After a GAP beyond the log's end its position is also the smaller one.
            guard let at else { return .nothing }
            position = at
            return .positioned
        case FrameType.gap.rawValue:
            // Told once: it stands where the hub goes on.
            position = at ?? position
            return .gap(frame)
        case FrameType.closing.rawValue:
            askedPause = ReconnectPause.asked(by: frame)
            return .nothing
        default:
            if let at, let position, at <= position { return .nothing }
            return .frame(frame)
        }
    }

    /// A frame was printed, or its program has ended.
    mutating func handled(_ frame: JSONValue) {
        if let at = frame["position"]?.number?.int64 { position = at }
    }

    /// The connection is lost: how long to wait, and a line for the person. Throws if there is no use in waiting.
    /// - Parameter random: a number from 0 to 1, for the jitter.
    mutating func lost(_ loss: Loss, random: Double) throws(Failure) -> (pause: Duration, line: String?) {
        var words: String
        switch loss {
        case .unreachable(let reason):
            words = reason
            guard wasOpen || isPatient else { throw Failure(.unreachable, reason) }
        case .refused(let failure, let status):
            // A revoked token stays revoked. Everything else passes, or is a proxy's word for a hub that restarts.
            guard ![401, 403].contains(status), wasOpen || isPatient else { throw failure }
            words = failure.message
        case .closed(let reason, let lifetime):
            words = reason
            if lifetime >= Limits.clientGoodConnection { pause = ReconnectPause() }
        }
        let line = isGone ? nil : "\(words); trying again"
        isGone = true
        defer { askedPause = nil }
        return (askedPause ?? pause.next(random: random), line)
    }

    /// A JSON-RPC error as the failure it is: with the problem document if there is one.
    private static func refusal(_ error: JSONValue) -> Failure {
        if let problem = error["data"], let status = problem["status"]?.number?.int64 {
            let answer = APIClient.Answer(status: Int(clamping: status), headers: [], body: problem)
            return Failure(problem: answer, at: "subscribe")
        }
        let message = error["message"]?.string ?? "no reason given"
        // -32602: the parameters, which are the person's topics.
        let isUsage = error["code"]?.number?.int64 == -32602
        return Failure(isUsage ? .usage : .serverError, "the hub refuses the subscription: \(message)")
    }
}
