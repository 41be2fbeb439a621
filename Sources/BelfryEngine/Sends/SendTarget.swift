public import BelfryCore

/// Where `send` steps may post to: a name of the server's configuration.
public struct SendTarget: Sendable, Hashable {
    public var address: Address
    /// A Standard Webhooks secret (`whsec_…`); nil: messages are not signed.
    public var secret: SecretReference?
    /// Further headers and where their values are.
    public var headers: [String: SecretReference] = [:]
    /// Whether the target may be at a private or loopback address.
    public var allowsPrivateAddresses = false
    /// Whether the body goes out as it is, not as the `data` of `{type, timestamp, data}`: for receivers with a form of
    /// their own, such as Slack.
    public var isPlain = false

    public init(_ address: Address) { self.address = address }

    /// The URL, or where it is: some receivers' URLs are secrets themselves.
    public enum Address: Sendable, Hashable {
        case url(String)
        case reference(SecretReference)
    }

    /// Every secret that a send there reads.
    public var references: [SecretReference] {
        var references = headers.sorted { $0.key < $1.key }.map(\.value)
        if let secret { references.insert(secret, at: 0) }
        if case .reference(let reference) = address { references.insert(reference, at: 0) }
        return references
    }
}

/// One attempt at one message, or a tool's question.
struct SendWork: Sendable {
    /// Name of the target.
    var target: String
    /// The rendered body, JSON.
    var body: [UInt8]
    /// A question: the target is asked with GET and these parameters, and there is no body.
    var query: [(name: String, value: String)]?
    /// Parts of the body by which whoever has them may decide something; they are in nothing that is kept of the answer.
    var confidential: [String] = []
    /// A tool's: the body goes out as it is, whatever the target's messages are like.
    var isBare = false
    /// Of the answer, this much is read.
    var answerBytesMax = Limits.sendAnswerBytesMax
    /// The same for every attempt at this message, also after a restart: by it receivers know a repeated one.
    var webhookID: String
    /// What the message is, ``BelfryRules/SendStep/typeDefault`` or as the step says.
    var type: String
    /// When the first attempt began: the message's own time, the same for every attempt.
    var created: Timestamp
    /// The runs that led to the run's event; the message says one more.
    var hops: Int
    /// From 1.
    var attempt: Int
    /// Of the attempt, where that is less than ``Limits/sendTimeout``.
    var timeout = Limits.sendTimeout

    /// The id of the message of a run's step. A `.` would be ambiguous in what is signed.
    static func webhookID(run: RunID, step: String) -> String {
        "msg_\(run)_\(step.replacing(".", with: "~"))"
    }
}

/// What came of an attempt.
enum SendOutcome: Sendable {
    /// With the answer's status and the beginning of its body.
    case delivered(status: Int, excerpt: String)
    /// To be tried again then, as the next attempt.
    case again(at: Timestamp, error: BelfryError)
    /// No further attempt would help, or there is none left. Code `cancelled`: the attempt was cut.
    case failed(BelfryError)
}

/// When a message is tried again: 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h after the attempt before (Standard Webhooks),
/// give or take a tenth, so that what failed together does not come back together.
enum SendSchedule {
    /// The pause before each attempt.
    static let pauses: [Duration] = [0, 5, 300, 1800, 7200, 18000, 36000, 36000].map { .seconds($0) }

    /// - Parameters:
    ///   - attempt: the one that has failed, from 1.
    ///   - retryAfter: what the target asked for; it is waited for at least so long, up to ``Limits/sendRetryAfterMax``.
    ///   - jitter: by chance, from -1 to 1.
    /// - Returns: nil after the last attempt.
    static func next(after attempt: Int, at now: Timestamp, retryAfter: Duration?, jitter: Double) -> Timestamp? {
        guard (1..<Limits.sendAttemptsMax).contains(attempt) else { return nil }
        let pause = pauses[attempt] + pauses[attempt] * jitter / 10
        return now + max(pause, min(retryAfter ?? .zero, Limits.sendRetryAfterMax))
    }
}
