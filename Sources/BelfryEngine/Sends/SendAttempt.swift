import BelfryCore
import BelfryStore

/// What came of one attempt at a message, as its step keeps it for a person.
struct SendAttempt: Sendable {
    /// Of the answer; nil: there was none.
    var status: Int?
    /// The beginning of an answer that was no yes, or why there was none. Without what the target was told in confidence.
    var problem: String?

    /// Nil: the attempt was cut, or nothing was tried.
    init?(_ outcome: SendOutcome) {
        switch outcome {
        case .delivered(let status, _): self.status = status
        case .again(_, let error), .failed(let error):
            guard error.code != .cancelled else { return nil }
            status = error.details[Self.statusKey]?.number?.int64.map { Int($0) }
            problem = error.details[Self.answerKey]?.string ?? error.message
        }
    }

    /// What an answer that was no yes says, for the details of its error.
    static func details(status: Int, answer: String) -> JSONObject {
        [statusKey: .int(status), answerKey: .string(answer)]
    }

    private static let statusKey = "http_status"
    private static let answerKey = "answer"
}

extension StepRecord {
    private static let attemptsKey = "attempts"
    private static let statusKey = "http_status"

    /// Of the last answer to its message.
    var httpStatus: Int64? { data?.value[Self.statusKey]?.number?.int64 }

    /// Keeps what came of the attempt that ends now, beside those before it.
    mutating func keep(_ attempt: SendAttempt?, at now: Timestamp) {
        guard let attempt else { return }
        var kept = data?.value.object ?? [:]
        var entry: JSONObject = ["attempt": .int(self.attempt), "ended": .string(now.description)]
        if let status = attempt.status { entry[Self.statusKey] = .int(status) }
        if let problem = attempt.problem { entry["problem"] = .string(problem) }
        let attempts = (kept[Self.attemptsKey]?.array ?? []) + [.object(entry)]
        kept[Self.attemptsKey] = .array(attempts.suffix(Limits.sendAttemptsMax))
        kept[Self.statusKey] = attempt.status.map { .int($0) }
        data = RawJSON(.object(kept))
    }
}
