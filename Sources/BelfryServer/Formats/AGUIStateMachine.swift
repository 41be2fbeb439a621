import BelfryCore

/// The frames of one run as events of AG-UI 1.0. Pure: what it gives for a frame depends on the frames before alone, so
/// a reader that resumes is given what one that was never cut is given.
///
/// ```
///            first frame            APPROVAL_REQUESTED
///   before ───────────────▶ open ───────────────────────▶ interrupted
///                           │  ▲      APPROVAL_DECIDED         │
///                           │  └──────────────────────────────┘
///                           └── RUN_FINISHED, RUN_ERROR ──▶ ended
/// ```
/// A run of ours is a thread of AG-UI, and one run of AG-UI for each time it goes on: AG-UI has nothing that waits inside
/// of a run. What is open is closed before any end. The frames that the engine writes come to one event each at most,
/// so a cut falls between two of them; only a frame that ends what others left open needs several.
struct AGUIStateMachine: Sendable {
    private enum Phase { case before, open, interrupted, ended }

    private let thread: String
    private var phase = Phase.before
    /// Counts the runs of AG-UI.
    private var number = 0
    private var openSteps: [String] = []
    private var openMessages: [String] = []
    private var openCalls: [String] = []
    private var tokens = AGUIEvent.TokenCount()

    init(run: RunID) { thread = run.description }

    /// Nothing follows.
    var isComplete: Bool { phase == .ended }

    /// What a frame comes to, in this order.
    mutating func events(for frame: Frame) -> [AGUIEvent] {
        let data = frame.draft.data.value
        var output = Output(time: frame.draft.time)
        switch phase {
        case .ended: return []
        case .interrupted where !Self.goesOn(with: frame.draft.type, data): return []
        case .before, .interrupted:
            let saysNoMore = [.runState, .runStarted, .approvalDecided].contains(frame.draft.type)
            begin(&output, detail: saysNoMore ? .some(data) : .none)
            if !saysNoMore { render(frame.draft, data, to: &output) }
        case .open: render(frame.draft, data, to: &output)
        }
        return output.events
    }

    /// Whether a run that waits for an answer goes on with a frame. What else comes meanwhile has no place: there is no
    /// run of AG-UI that it could stand in.
    private static func goesOn(with type: FrameType, _ data: JSONValue) -> Bool {
        switch type {
        case .runState: data["state"]?.string != RunState.waiting.rawValue
        case .approvalDecided, .approvalRequested, .stepStarted, .stepFinished, .runFinished, .runError, .gap: true
        case .textMessageStart, .textMessageContent, .toolCallStart, .toolCallArgs, .toolCallResult: true
        default: false
        }
    }

    private struct Output {
        let time: Timestamp
        var events: [AGUIEvent] = []

        mutating func add(_ kind: AGUIEvent.Kind, detail: JSONValue? = nil) {
            events.append(AGUIEvent(kind: kind, time: time, detail: detail))
        }
    }

    // MARK: - Runs

    private var run: String { "\(thread).\(number)" }

    private mutating func begin(_ output: inout Output, detail: JSONValue?) {
        number += 1
        tokens = AGUIEvent.TokenCount()
        phase = .open
        output.add(.runStarted(thread: thread, run: run), detail: detail)
    }

    private mutating func end(_ data: JSONValue, hasFailed: Bool, to output: inout Output) {
        closeAll(&output)
        phase = .ended
        let reason = data["reason"]?.string ?? ""
        let state = data["state"]?.string
        guard hasFailed || state == RunState.failed.rawValue else {
            let outcome: AGUIEvent.Outcome = state == RunState.succeeded.rawValue ? .success : .cancelled
            return output.add(.runFinished(thread: thread, run: run, outcome, tokens), detail: data)
        }
        let message = data["error"]?["message"]?.string ?? "the run has failed: \(reason)"
        output.add(.runError(message: message, code: data["error"]?["code"]?.string ?? reason, tokens), detail: data)
    }

    private mutating func interrupt(_ data: JSONValue, to output: inout Output) {
        closeAll(&output)
        phase = .interrupted
        var interrupt: JSONObject = [
            "id": .string(data["approval"]?.string ?? data["step"]?.string ?? run),
            "reason": .string(data["reason"]?.string ?? "approval"),
        ]
        for (key, name) in [("message", "message"), ("expires", "expiresAt"), ("toolCallId", "toolCallId")] {
            if let value = data[key]?.string { interrupt[name] = .string(value) }
        }
        if let schema = data["schema"]?.object { interrupt["responseSchema"] = .object(schema) }
        output.add(.runFinished(thread: thread, run: run, .interrupt(.object(interrupt)), tokens), detail: data)
    }

    // MARK: - What happens in a run

    private mutating func render(_ frame: DraftFrame, _ data: JSONValue, to output: inout Output) {
        switch frame.type {
        case .runFinished, .runError: end(data, hasFailed: frame.type == .runError, to: &output)
        case .approvalRequested: interrupt(data, to: &output)
        case .runStarted, .runState: state(frame, data, to: &output)
        case .stepStarted: stepStarted(data, to: &output)
        case .stepFinished: stepFinished(data, to: &output)
        case .textMessageStart, .textMessageContent, .textMessageEnd: text(frame.type, data, to: &output)
        case .toolCallStart, .toolCallArgs, .toolCallEnd, .toolCallResult: toolCall(frame.type, data, to: &output)
        case .stepState where goesOn(data): stepStarted(data, to: &output)
        case .custom: output.add(.custom(name: Self.name(data["name"]?.string ?? "custom"), data))
        case .snapshot: break
        case .stepState, .command, .approvalDecided, .event, .rules, .notice, .gap, .closing:
            output.add(.custom(name: Self.name(frame.type.rawValue), data))
        }
    }

    private static func name(_ name: String) -> String { AGUIEvent.prefix + name.lowercased() }

    private mutating func state(_ frame: DraftFrame, _ data: JSONValue, to output: inout Output) {
        // A restart of the hub has cut the step, which begins anew.
        let wasCut = data["reason"]?.string == EndReason.interrupted.rawValue && !openSteps.isEmpty
        guard !wasCut else { return closeAll(&output, detail: data) }
        var state: JSONObject = ["run": .string(thread)]
        if let rule = frame.rule { state["rule"] = .string(rule) }
        if frame.type == .runStarted { state["state"] = .string(RunState.running.rawValue) }
        for member in data.object?.members ?? [] { state[member.key] = member.value }
        output.add(.stateSnapshot(.object(state)))
    }

    private mutating func stepStarted(_ data: JSONValue, to output: inout Output) {
        let step = data["step"]?.string ?? ""
        // A step that only asks is the interrupt that follows.
        guard data["kind"]?.string != "approve" else {
            return output.add(.custom(name: Self.name(FrameType.stepStarted.rawValue), data))
        }
        if openSteps.contains(step) { closeAll(&output) }
        openSteps.append(step)
        output.add(.stepStarted(step), detail: data)
    }

    /// What a step has asked is decided: with the run of AG-UI it goes on, which the question had ended.
    private func goesOn(_ data: JSONValue) -> Bool {
        data["state"]?.string == StepState.running.rawValue && data["toolCallId"] == nil
            && !openSteps.contains(data["step"]?.string ?? "")
    }

    private mutating func stepFinished(_ data: JSONValue, to output: inout Output) {
        tokens.add(data["usage"])
        guard openSteps.contains(data["step"]?.string ?? "") else {
            return output.add(.custom(name: Self.name(FrameType.stepFinished.rawValue), data))
        }
        closeAll(&output, detail: data)
    }

    /// Closes messages, calls and steps. Steps of a run do not overlap, so what is open belongs to the one that ends.
    /// - Parameter detail: for the last event.
    private mutating func closeAll(_ output: inout Output, detail: JSONValue? = nil) {
        for message in openMessages { output.add(.messageEnd(message)) }
        for call in openCalls { output.add(.toolCallEnd(call)) }
        for (index, step) in openSteps.enumerated() {
            output.add(.stepFinished(step), detail: index == openSteps.count - 1 ? detail : .none)
        }
        openMessages = []
        openCalls = []
        openSteps = []
    }

    // MARK: - Messages and calls

    private mutating func text(_ type: FrameType, _ data: JSONValue, to output: inout Output) {
        let message = data["messageId"]?.string ?? ""
        func open() {
            guard !openMessages.contains(message) else { return }
            openMessages.append(message)
            let role = data["role"]?.string ?? ""
            let isKnown = ["assistant", "developer", "system", "user"].contains(role)
            output.add(.messageStart(message, role: isKnown ? role : "assistant"))
        }
        switch type {
        case .textMessageStart: open()
        case .textMessageContent:
            guard let delta = data["delta"]?.string, !delta.isEmpty else { return }
            open()
            output.add(.messageContent(message, delta: delta))
        default:
            guard let index = openMessages.firstIndex(of: message) else { return }
            openMessages.remove(at: index)
            output.add(.messageEnd(message), detail: data["interrupted"] == nil ? .none : .some(data))
        }
    }

    private mutating func toolCall(_ type: FrameType, _ data: JSONValue, to output: inout Output) {
        let call = data["toolCallId"]?.string ?? ""
        func open() {
            guard !openCalls.contains(call) else { return }
            openCalls.append(call)
            let name = data["toolCallName"]?.string ?? ""
            output.add(.toolCallStart(call, name: name, message: data["parentMessageId"]?.string))
        }
        func close() {
            guard let index = openCalls.firstIndex(of: call) else { return }
            openCalls.remove(at: index)
            output.add(.toolCallEnd(call))
        }
        switch type {
        case .toolCallStart: open()
        case .toolCallArgs:
            guard let delta = data["delta"]?.string, !delta.isEmpty else { return }
            open()
            output.add(.toolCallArgs(call, delta: delta))
        case .toolCallResult:
            close()
            let content = data["content"] ?? .null
            let message = data["messageId"]?.string ?? "\(call).result"
            output.add(.toolCallResult(call, message: message, content: content.string ?? content.text))
        default: close()
        }
    }
}
