public import BelfryCore
import BelfryStore

/// A run as its frames tell it: state and text so far. A late viewer gets this, then the live frames.
///
/// It is a fold over the run's frames and nothing else, so what it shows and what follows it can't disagree.
public struct RunSnapshot: Sendable {
    private struct Step {
        var name: String
        var state: String
        var attempt: Int64
        var reason: String?
        var text: String
    }

    public let run: RunID
    private(set) var rule: String?
    private var state: String?
    private var reason: String?
    private var steps: [Step] = []
    /// What was asked and is not decided, as APPROVAL_REQUESTED has told it.
    private var questions: [(approval: String, data: RawJSON)] = []
    /// The text messages that have begun and not ended.
    private(set) var openMessages: [(step: String, message: String)] = []

    public init(run: RunID) { self.run = run }

    /// Adds the next frame of the run.
    public mutating func add(_ frame: Frame) {
        if let rule = frame.draft.rule { self.rule = rule }
        switch frame.draft.type {
        case .runStarted, .runState, .runFinished, .runError:
            let data = frame.draft.data.value
            state = data["state"]?.string ?? (frame.draft.type == .runStarted ? RunState.running.rawValue : state)
            reason = data["reason"]?.string ?? reason
        case .stepStarted:
            let data = frame.draft.data.value
            let name = data["step"]?.string ?? ""
            steps.removeAll { $0.name == name }
            steps.append(
                Step(
                    name: name, state: StepState.running.rawValue, attempt: data["attempt"]?.number?.int64 ?? 1,
                    text: "")
            )
        case .stepFinished, .stepState:
            let data = frame.draft.data.value
            let (name, state) = (data["step"]?.string, data["state"]?.string)
            guard let index = index(of: name) else {
                // A skipped step ends without having begun.
                let step = Step(
                    name: name ?? "", state: state ?? "", attempt: 0, reason: data["reason"]?.string, text: "")
                return steps.append(step)
            }
            steps[index].state = state ?? steps[index].state
        case .approvalRequested:
            questions.append((frame.draft.data.value["approval"]?.string ?? "", frame.draft.data))
        case .approvalDecided:
            let approval = frame.draft.data.value["approval"]?.string
            questions.removeAll { $0.approval == approval }
        case .textMessageStart:
            let data = frame.draft.data.value
            openMessages.append((data["step"]?.string ?? "", data["messageId"]?.string ?? ""))
        case .textMessageEnd:
            let message = frame.draft.data.value["messageId"]?.string ?? ""
            openMessages.removeAll { $0.message == message }
        case .textMessageContent:
            let data = frame.draft.data.value
            guard let index = index(of: data["step"]?.string) else { return }
            steps[index].text += data["delta"]?.string ?? ""
        default:
            break
        }
    }

    /// Folds the run's frames, up to the head of the log.
    static func read(_ run: RunID, from store: Store) async throws(BelfryError) -> RunSnapshot {
        try await read(run, from: store, through: store.head, textBytesMax: .max) ?? RunSnapshot(run: run)
    }

    /// Folds the run's frames up to a position.
    /// - Returns: nil once there is more text than that; the rest is not read.
    static func read(
        _ run: RunID, from store: Store, through bound: Int64, textBytesMax: Int
    ) async throws(BelfryError) -> RunSnapshot? {
        var snapshot = RunSnapshot(run: run)
        var position: Int64 = 0
        while position < bound {
            let page = try await store.frames(after: position, through: bound, topics: [.run(run)])
            for frame in page.frames { snapshot.add(frame) }
            guard snapshot.textBytes <= textBytesMax else { return nil }
            position = page.through
        }
        return snapshot
    }

    private var textBytes: Int { steps.reduce(0) { $0 + $1.text.utf8.count } }

    private func index(of step: String?) -> Int? { steps.lastIndex { $0.name == step } }

    /// `{run, rule, state, reason?, steps: [{step, state, attempt, reason?, text}], approvals?: [{step, approval, …}]}`
    public var json: RawJSON {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("run", run.description)
        writer.member("rule", ifPresent: rule)
        writer.member("state", ifPresent: state)
        writer.member("reason", ifPresent: reason)
        writer.key("steps")
        writer.beginArray()
        for step in steps {
            writer.beginObject()
            writer.member("step", step.name)
            writer.member("state", step.state)
            writer.member("attempt", step.attempt)
            writer.member("reason", ifPresent: step.reason)
            writer.member("text", step.text)
            writer.endObject()
        }
        writer.endArray()
        if !questions.isEmpty {
            writer.key("approvals")
            writer.beginArray()
            for question in questions { writer.raw(question.data.bytes) }
            writer.endArray()
        }
        writer.endObject()
        return RawJSON(trusted: writer.bytes)
    }
}
