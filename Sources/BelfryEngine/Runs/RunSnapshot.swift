public import BelfryCore
import BelfryStore

/// A run as its frames tell it: state, text and calls so far. A late viewer gets this, then the live frames.
///
/// It is a fold over the run's frames and nothing else, so what it shows and what follows it can't disagree.
public struct RunSnapshot: Sendable {
    private struct Step {
        var name: String
        var state: String
        var attempt: Int64
        var reason: String?
        var text = ""
        var calls = SnapshotCalls()

        /// The members `text`, `calls` and `calls_dropped`.
        func writeSaid(to writer: inout JSONWriter) {
            writer.member("text", text)
            calls.write(to: &writer)
        }
    }

    public let run: RunID
    private(set) var rule: String?
    private var state: String?
    private var reason: String?
    private var steps: [Step] = []
    /// What was asked and is not decided, as APPROVAL_REQUESTED has told it, and when.
    private var questions: [JSONObject] = []
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
                    name: name, state: StepState.running.rawValue, attempt: data["attempt"]?.number?.int64 ?? 1))
        case .stepFinished, .stepState:
            let data = frame.draft.data.value
            let (name, state) = (data["step"]?.string, data["state"]?.string)
            guard let index = index(of: name) else {
                // A skipped step ends without having begun.
                let step = Step(name: name ?? "", state: state ?? "", attempt: 0, reason: data["reason"]?.string)
                return steps.append(step)
            }
            steps[index].state = state ?? steps[index].state
            if data["toolCallId"] != nil {
                steps[index].calls.add(.stepState, data, at: 0)
            } else if frame.draft.type == .stepFinished || data["for"]?.string == "retry" {
                steps[index].calls.end()
            }
        case .approvalRequested:
            var question = frame.draft.data.value.object ?? [:]
            question["requested"] = .string(frame.draft.time.description)
            questions.append(question)
        case .approvalDecided:
            decided(frame.draft.data.value)
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
        case .toolCallStart, .toolCallArgs, .toolCallResult:
            let data = frame.draft.data.value
            guard let index = index(of: data["step"]?.string) else { return }
            steps[index].calls.add(frame.draft.type, data, at: steps[index].text.utf8.count)
        default:
            break
        }
    }

    private mutating func decided(_ data: JSONValue) {
        guard let index = questions.firstIndex(where: { $0["approval"] == data["approval"] }) else { return }
        let question = questions.remove(at: index)
        guard data["decision"]?.string == Decision.approve.rawValue, let arguments = data["value"],
            let call = question["toolCallId"]?.string, let step = self.index(of: data["step"]?.string)
        else { return }
        steps[step].calls.change(call, to: arguments)
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

    private var textBytes: Int { steps.reduce(0) { $0 + $1.text.utf8.count + $1.calls.bytes } }

    private func index(of step: String?) -> Int? { steps.lastIndex { $0.name == step } }

    /// What a step has said in its last attempt: `{text, calls?, calls_dropped?}`
    func said(in step: String) -> RawJSON? {
        guard let index = index(of: step) else { return nil }
        var writer = JSONWriter()
        writer.beginObject()
        steps[index].writeSaid(to: &writer)
        writer.endObject()
        return RawJSON(trusted: writer.bytes)
    }

    /// `{run, rule, state, reason?, steps: [{step, state, attempt, reason?, text, calls?}], approvals?: [{step, approval, …}]}`
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
            step.writeSaid(to: &writer)
            writer.endObject()
        }
        writer.endArray()
        if !questions.isEmpty {
            writer.member("approvals", JSONValue.array(questions.map(JSONValue.object)))
        }
        writer.endObject()
        return RawJSON(trusted: writer.bytes)
    }
}
