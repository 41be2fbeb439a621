import BelfryCore

/// The text of one step out of the frames of its run. Pure.
///
/// A step that begins anew after it has said something ends the text: its words would follow those of an attempt that
/// came to nothing. Who asks again gets the new attempt.
struct StepTextStateMachine: Sendable {
    enum Output: Sendable, Equatable {
        /// The step has begun. It says nothing with that, unless the frame of its beginning is missing.
        case began(String)
        case text(String)
        case ended(End)
    }

    enum End: Sendable, Equatable {
        case succeeded(usage: JSONValue?)
        case failed(code: String, message: String)
        case stopped
        /// It is not begun, because its condition does not hold or an operator said so.
        case skipped
        /// It begins anew.
        case restarted
        /// A part of it is no longer in the log.
        case incomplete
        /// The run has ended without it.
        case absent(state: String)

        /// As the trailer of a text says it.
        var name: String {
            switch self {
            case .succeeded: "succeeded"
            case .failed: "failed"
            case .stopped: "stopped"
            case .skipped: "skipped"
            case .restarted: "restarted"
            case .incomplete: "incomplete"
            case .absent: "absent"
            }
        }
    }

    /// What frames that are gone mean for the text.
    private enum Past: Equatable {
        case whole
        /// Frames up to there are gone, of which some may be the step's: what began there is not whole.
        case gone(through: Int64)
        /// The reader has what is gone.
        case read
    }

    let step: String
    private var past = Past.whole
    private(set) var hasBegun = false
    private var hasText = false
    /// Nothing follows.
    private(set) var end: End?

    init(step: String) { self.step = step }

    /// - Returns: one for a reader who has what is gone of the frames so far, and goes on behind it.
    func resumed() -> Self {
        var machine = self
        machine.past = .read
        return machine
    }

    mutating func output(for frame: Frame) -> Output? {
        guard end == nil else { return nil }
        let draft = frame.draft
        let data = draft.data.value
        switch draft.type {
        case .runFinished, .runError:
            guard hasBegun || past == .whole else { return end(.incomplete) }
            return end(.absent(state: data["state"]?.string ?? RunState.failed.rawValue))
        case .gap:
            guard !hasBegun else { return end(.incomplete) }
            past = .gone(through: data["to"]?.number?.int64 ?? frame.position)
            return nil
        case .stepStarted, .stepFinished, .textMessageContent: break
        default: return nil
        }
        guard data["step"]?.string == step else { return nil }
        switch draft.type {
        case .stepStarted: return begin(at: frame.position)
        case .textMessageContent: return say(data["delta"]?.string ?? "")
        default:
            let end = Self.end(of: data)
            if case .succeeded = end, !hasBegun, isPastGone { return self.end(.incomplete) }
            return self.end(end)
        }
    }

    private var isPastGone: Bool { if case .gone = past { true } else { false } }

    private mutating func begin(at position: Int64) -> Output? {
        guard !hasText else { return end(.restarted) }
        if case .gone(let through) = past, position <= through { return end(.incomplete) }
        past = .whole
        defer { hasBegun = true }
        return hasBegun ? nil : .began("")
    }

    private mutating func say(_ delta: String) -> Output? {
        guard !delta.isEmpty else { return nil }
        guard hasBegun || !isPastGone else { return end(.incomplete) }
        hasText = true
        defer { hasBegun = true }
        return hasBegun || past == .read ? .text(delta) : .began(delta)
    }

    private mutating func end(_ end: End) -> Output {
        self.end = end
        return .ended(end)
    }

    private static func end(of data: JSONValue) -> End {
        switch data["state"]?.string {
        case StepState.succeeded.rawValue: .succeeded(usage: data["usage"])
        case StepState.stopped.rawValue: .stopped
        case StepState.skipped.rawValue: .skipped
        default:
            .failed(
                code: data["error"]?["code"]?.string ?? "failed",
                message: data["error"]?["message"]?.string ?? "the step has failed")
        }
    }
}
