import BelfryCore
import NIOCore

/// What one HTTP/1 connection waits for, and until when. Pure: ``ConnectionHandler`` performs the actions.
///
/// ```
/// idle ──first byte──▶ receiving ──end──▶ responding ──┬── keep-alive ──▶ idle
///   │ idle deadline        │ read deadline, too large  └── close ──▶ lingering ──▶ closed
///   ▼                      ▼
/// closed                refused: the answer, then lingering
/// ```
/// An answer takes as long as the client goes on reading it; the linger deadline begins when all of it is sent.
/// One deadline covers a whole request, from its first byte to its last: drip-feeding gains nothing.
struct ConnectionStateMachine {
    enum Phase: Equatable {
        case idle
        /// Some of a request has come. `bodyBytesLeft` is nil until its head has.
        case receiving(bodyBytesLeft: Int?)
        case responding
        /// The last answer is written; what still comes is dropped.
        case lingering(bytesLeft: Int)
        case closed
    }

    /// What the head of a request says about what follows.
    struct RequestHead {
        var contentLength: Int?
        var isChunked = false
        var bodyLimit: BodyLimit
        /// The `Expect` header, lower case.
        var expectation: String?
        /// Something that makes the request unacceptable in itself.
        var fault: BelfryError?
    }

    enum Action {
        case none
        /// Tell the client to send its body.
        case sendContinue
        /// The request is complete.
        case dispatch
        /// Answer with this problem and end the connection.
        case refuse(BelfryError)
        case close
    }

    private(set) var phase = Phase.idle
    /// When ``tick(now:)`` has something to do.
    private(set) var deadline: NIODeadline?
    /// The answer under way is the connection's last.
    private(set) var isLast = false
    /// What is said to a body beyond its limit.
    private var tooLarge = Self.tooLarge(0)
    /// The last answer is not sent yet.
    private var isSending = false
    /// What was unsent when the client was last found reading.
    private var unsentBytes: Int?
    private let idleTimeout: TimeAmount
    private let readTimeout: TimeAmount
    private let lingerTimeout: TimeAmount

    init(
        now: NIODeadline, idleTimeout: Duration = Limits.connectionIdleTimeout,
        readTimeout: Duration = Limits.requestReadTimeout, lingerTimeout: Duration = Limits.lingerTimeout
    ) {
        self.idleTimeout = TimeAmount(idleTimeout)
        self.readTimeout = TimeAmount(readTimeout)
        self.lingerTimeout = TimeAmount(lingerTimeout)
        deadline = now + self.idleTimeout
    }

    /// Bytes came that may be the beginning of a request.
    mutating func bytesArrived(now: NIODeadline) {
        guard phase == .idle else { return }
        phase = .receiving(bodyBytesLeft: nil)
        deadline = now + readTimeout
    }

    mutating func head(_ head: RequestHead, now: NIODeadline) -> Action {
        bytesArrived(now: now)
        guard case .receiving = phase else { return .none }
        phase = .receiving(bodyBytesLeft: head.bodyLimit.bytes)
        tooLarge = head.bodyLimit.refusal ?? Self.tooLarge(head.bodyLimit.bytes)
        if let fault = head.fault { return .refuse(fault) }
        if let length = head.contentLength, length > head.bodyLimit.bytes {
            return .refuse(tooLarge)
        }
        guard let expectation = head.expectation else { return .none }
        guard expectation == "100-continue" else {
            return .refuse(BelfryError(.expectationFailed, "the only expectation met here is 100-continue"))
        }
        return head.isChunked || head.contentLength ?? 0 > 0 ? .sendContinue : .none
    }

    /// Part of a body. It is to be kept if the answer is `.none`.
    mutating func body(bytes: Int) -> Action {
        switch phase {
        case .receiving(let left?):
            guard bytes <= left else { return .refuse(tooLarge) }
            phase = .receiving(bodyBytesLeft: left - bytes)
            return .none
        case .lingering(let left):
            guard bytes <= left else { return .close }
            phase = .lingering(bytesLeft: left - bytes)
            return .none
        default: return .none
        }
    }

    mutating func end() -> Action {
        guard case .receiving = phase else { return .none }
        phase = .responding
        deadline = nil
        return .dispatch
    }

    /// An answer is written.
    /// - Parameter keepsAlive: whether the request allows another one behind it.
    mutating func responded(keepsAlive: Bool, now: NIODeadline) {
        deadline = now + idleTimeout
        unsentBytes = nil
        if keepsAlive, !isLast {
            phase = .idle
        } else {
            phase = .lingering(bytesLeft: Limits.lingerBytesMax)
            isSending = true
        }
    }

    /// The last answer has left.
    mutating func sent(now: NIODeadline) {
        guard case .lingering = phase, isSending else { return }
        isSending = false
        deadline = now + lingerTimeout
    }

    /// The client has said all it will say.
    mutating func inputClosed() -> Action {
        switch phase {
        case .responding:
            isLast = true
            return .none
        // Whoever has said all may still read.
        case .lingering where isSending: return .none
        case .idle, .receiving, .lingering: return .close
        case .closed: return .none
        }
    }

    /// The server is stopping: what is under way is finished, nothing begins.
    mutating func quiesce() -> Action {
        isLast = true
        switch phase {
        case .idle: return .close
        case .receiving, .responding, .lingering, .closed: return .none
        }
    }

    /// What came is not HTTP.
    mutating func unreadable(_ error: BelfryError) -> Action {
        switch phase {
        case .idle, .receiving: return .refuse(error)
        case .responding:
            isLast = true
            return .none
        case .lingering, .closed: return .none
        }
    }

    /// - Parameter unsentBytes: what is still unsent of answers.
    mutating func tick(now: NIODeadline, unsentBytes: Int = 0) -> Action {
        guard let deadline, now >= deadline else { return .none }
        if phase == .idle || isSending, unsentBytes > 0, unsentBytes < self.unsentBytes ?? .max {
            self.unsentBytes = unsentBytes
            self.deadline = now + idleTimeout
            return .none
        }
        self.deadline = nil
        switch phase {
        case .idle, .lingering: return .close
        case .receiving:
            return .refuse(BelfryError(.requestTimeout, "the request was not complete in time"))
        case .responding, .closed: return .none
        }
    }

    mutating func closed() {
        phase = .closed
        deadline = nil
    }

    private static func tooLarge(_ most: Int) -> BelfryError {
        BelfryError(
            .payloadTooLarge,
            "the body is larger than \(most) bytes, the most that is taken here (of a source: its body_max)")
    }
}
