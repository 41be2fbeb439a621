import BelfryCore

/// The text of one step out of the frames of its run. Pure.
///
/// A step that begins anew after it has said something ends the text: its words would follow those of an attempt that
/// came to nothing. Who asks again gets the new attempt.
struct StepTextStateMachine: Sendable {
    enum Output: Sendable, Equatable {
        /// The step has begun. It says nothing with that, unless its beginning is no longer in the log.
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

    let step: String
    private(set) var hasBegun = false
    private var hasText = false
    /// Nothing follows.
    private(set) var end: End?

    init(step: String) { self.step = step }

    mutating func output(for frame: Frame) -> Output? {
        guard end == nil else { return nil }
        let draft = frame.draft
        switch draft.type {
        case .runFinished, .runError:
            let state = draft.data.value["state"]?.string ?? RunState.failed.rawValue
            return end(.absent(state: state))
        case .gap: return hasBegun ? end(.incomplete) : nil
        case .stepStarted, .stepFinished, .textMessageContent: break
        default: return nil
        }
        let data = draft.data.value
        guard data["step"]?.string == step else { return nil }
        switch draft.type {
        case .stepStarted:
            guard !hasText else { return end(.restarted) }
            defer { hasBegun = true }
            return hasBegun ? nil : .began("")
        case .textMessageContent:
            guard let delta = data["delta"]?.string, !delta.isEmpty else { return nil }
            hasText = true
            defer { hasBegun = true }
            return hasBegun ? .text(delta) : .began(delta)
        default: return end(Self.end(of: data))
        }
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
