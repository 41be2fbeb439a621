import BelfryCore

@testable import BelfryEngine

/// The frames of a made-up run, in the order and shape in which the engine writes them: the ``RunStateMachine`` decides
/// what follows, chance what happens to each step.
struct RunLog {
    /// What may happen besides agents and commands that talk, fail, are stopped and interrupted.
    struct Features {
        /// Steps that ask a person.
        var approvals = false
        /// Tool calls of agents, also open ones when the step is cut.
        var toolCalls = false
    }

    let run = RunID(at: Timestamp(milliseconds: 1_790_000_000_000), bits: (7, 7))
    private(set) var frames: [Frame] = []
    private(set) var steps: [(name: String, kind: String)] = []
    private var random: SeededGenerator
    private let features: Features
    private var position: Int64
    private var attempts = 1

    init(seed: UInt64, features: Features = Features()) {
        random = SeededGenerator(seed: seed)
        self.features = features
        position = Int64(seed % 5)
        let kinds = ["agent", "agent", "command"] + (features.approvals ? ["approve"] : [])
        for index in 0..<Int.random(in: 1...4, using: &random) {
            steps.append(("s\(index)", kinds.randomElement(using: &random) ?? "agent"))
        }
        write()
    }

    private mutating func happens(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func add(_ type: FrameType, _ data: JSONValue, isToken: Bool = false) {
        position += Int64.random(in: 1...3, using: &random)
        let draft = DraftFrame(
            time: Timestamp(milliseconds: 1_790_000_000_000 + position), topic: isToken ? .run(run) : .runs, run: run,
            rule: "r", type: type, data: RawJSON(data)
        )
        frames.append(Frame(position: position, draft: draft))
    }

    // MARK: - The run

    private mutating func write() {
        add(.runState, ["state": "queued"])
        if happens(3) { return add(.runFinished, ["state": "expired", "reason": "max_wait"]) }
        if happens(3) { return add(.runFinished, ["state": "stopped", "reason": "operator"]) }
        add(.runStarted, ["run": .string(run.description), "event": "evt_x", "rule": "r", "rule_version": 1])
        var machine = RunStateMachine(stages: Array(steps.indices))
        var actions = machine.begin()
        while let action = actions.first {
            switch action {
            case .consider(let index):
                if happens(10) {
                    add(.stepFinished, ["step": .string(steps[index].name), "reason": "condition", "state": "skipped"])
                    actions = machine.ended(index, .over)
                } else if steps[index].kind == "approve" {
                    guard let next = ask(index, &machine) else { return }
                    actions = next
                } else {
                    machine.began(index)
                    guard let next = perform(index, &machine) else { return }
                    actions = next
                }
            case .end(let state, let reason): return end(state, reason)
            case .cut, .abandon: return
            }
        }
    }

    private mutating func end(_ state: RunState, _ reason: EndReason) {
        var data: JSONObject = ["state": .string(state.rawValue), "reason": .string(reason.rawValue)]
        if state == .failed {
            if happens(70) { data["error"] = ["code": "agent_failed", "message": "it broke"] }
            add(.notice, ["kind": "run_failed", "title": "a run failed"])
        }
        add(state == .failed ? .runError : .runFinished, .object(data))
        if happens(20) { add(.notice, ["kind": "stop_unconfirmed"]) }
    }

    // MARK: - Steps that talk

    /// - Returns: nil if the run has ended with it.
    private mutating func perform(_ index: Int, _ machine: inout RunStateMachine) -> [RunStateMachine.Action]? {
        let (name, kind) = steps[index]
        for attempt in 1... {
            add(.stepStarted, ["step": .string(name), "kind": .string(kind), "attempt": .int(attempt)])
            let message = "\(name).\(attempt)"
            let hasText = talk(name, message)
            if happens(12) {
                stop(&machine)
                if happens(20) {
                    interrupt(name, hasText ? message : nil)
                    add(.stepFinished, ["step": .string(name), "state": "stopped", "attempt": .int(attempt)])
                    add(.runFinished, ["state": "stopped", "reason": "operator"])
                    return nil
                }
            } else if happens(15) {
                interrupt(name, hasText ? message : nil)
                guard kind == "agent" else {
                    let error: JSONValue = ["code": "interrupted", "message": "the hub stopped"]
                    add(
                        .stepFinished,
                        ["step": .string(name), "state": "failed", "attempt": .int(attempt), "error": error])
                    add(.notice, ["kind": "run_failed", "title": "a run failed"])
                    add(.runError, ["state": "failed", "reason": "interrupted", "error": error])
                    return nil
                }
                attempts += 1
                add(.runState, ["state": "running", "reason": "interrupted", "attempt": .int(attempts)])
                continue
            }
            let end: RunStateMachine.StepEnd =
                machine.isEnding ? .stopped : happens(85) ? .over : .failed(.error)
            if hasText { add(.textMessageEnd, ["step": .string(name), "messageId": .string(message)], isToken: true) }
            finish(name, attempt, end)
            return machine.ended(index, end)
        }
        return nil
    }

    private mutating func finish(_ name: String, _ attempt: Int, _ end: RunStateMachine.StepEnd) {
        var data: JSONObject = ["step": .string(name), "attempt": .int(attempt)]
        switch end {
        case .over: data["state"] = "succeeded"
        case .failed, .denied:
            data["state"] = "failed"
            data["error"] = ["code": "agent_failed", "message": "it broke"]
        case .stopped: data["state"] = "stopped"
        }
        if happens(50) { data["usage"] = ["input_tokens": 3, "output_tokens": happens(80) ? 4 : nil] }
        add(.stepFinished, .object(data))
    }

    private mutating func stop(_ machine: inout RunStateMachine) {
        add(.command, ["command": "cmd_x", "kind": "stop", "by": "ops"])
        add(.runState, ["state": "stopping"])
        _ = machine.stop(.operator) { _ in true }
    }

    /// The hub was killed, and is there again.
    private mutating func interrupt(_ step: String, _ message: String?) {
        guard let message else { return }
        add(
            .textMessageEnd, ["step": .string(step), "messageId": .string(message), "interrupted": true], isToken: true)
    }

    /// - Returns: whether it has said anything.
    private mutating func talk(_ step: String, _ message: String) -> Bool {
        var hasText = false
        for turn in 0..<Int.random(in: 0...6, using: &random) {
            if happens(15) {
                add(
                    .custom,
                    ["step": .string(step), "messageId": .string(message), "name": "log", "value": "a line"],
                    isToken: true)
            } else if features.toolCalls, happens(20) {
                call(step, "\(message).\(turn)")
            } else {
                let members: JSONObject = ["step": .string(step), "messageId": .string(message)]
                if !hasText {
                    var start = members
                    start["role"] = "assistant"
                    add(.textMessageStart, .object(start), isToken: true)
                }
                hasText = true
                var content = members
                content["delta"] = .string(["a", "né ", "\n\n", "\"}", "🏔 "].randomElement(using: &random) ?? "")
                add(.textMessageContent, .object(content), isToken: true)
            }
        }
        return hasText
    }

    private mutating func call(_ step: String, _ id: String) {
        let members: JSONObject = ["step": .string(step), "toolCallId": .string(id)]
        var start = members
        start["toolCallName"] = "search"
        add(.toolCallStart, .object(start), isToken: true)
        var args = members
        args["delta"] = "{\"q\":"
        add(.toolCallArgs, .object(args), isToken: true)
        if happens(30) { return }
        args["delta"] = "1}"
        add(.toolCallArgs, .object(args), isToken: true)
        add(.toolCallEnd, .object(members), isToken: true)
        if features.approvals, happens(40) { askFirst(step, id) }
        guard happens(80) else { return }
        var begun = members
        begun["state"] = "running"
        add(.stepState, .object(begun), isToken: true)
        var result = members
        result["messageId"] = .string("\(id).result")
        result["content"] = happens(50) ? "found" : ["hits": 2]
        add(.toolCallResult, .object(result), isToken: true)
    }

    // MARK: - Steps that ask

    /// A person is asked about a call, and the attempt goes on.
    private mutating func askFirst(_ step: String, _ call: String) {
        let names: JSONObject = ["step": .string(step), "approval": .string("\(call).question")]
        var question = names
        (question["toolCallId"], question["message"]) = (.string(call), "May it search?")
        add(.approvalRequested, .object(question))
        add(.stepState, ["step": .string(step), "state": "waiting", "for": "approval"])
        add(.runState, ["state": "waiting"])
        var decision = names
        decision["decision"] = happens(50) ? "approve" : "deny"
        add(.approvalDecided, .object(decision))
        add(.stepState, ["step": .string(step), "state": "running"])
        add(.runState, ["state": "running"])
    }

    /// - Returns: nil if the run has ended with it.
    private mutating func ask(_ index: Int, _ machine: inout RunStateMachine) -> [RunStateMachine.Action]? {
        let name = steps[index].name
        add(.stepStarted, ["step": .string(name), "kind": "approve", "attempt": 1])
        add(
            .approvalRequested,
            [
                "step": .string(name), "approval": .string("\(name).1"), "message": "Shut it down?",
                "schema": ["type": "object"], "expires": "2026-11-23T12:00:00.000Z",
            ])
        add(.stepState, ["step": .string(name), "state": "waiting", "for": "approval"])
        add(.notice, ["kind": "run_waiting"])
        add(.runState, ["state": "waiting"])
        machine.waits(index)
        if happens(30) { add(.notice, ["kind": "approval_expiring"]) }
        if happens(20) {
            add(.command, ["command": "cmd_x", "kind": "stop", "by": "ops"])
            add(
                .approvalDecided,
                ["step": .string(name), "approval": .string("\(name).1"), "decision": "void", "reason": "it is over"])
            add(.stepFinished, ["step": .string(name), "state": "stopped"])
            guard case .actions(let actions) = machine.stop(.operator, cuts: { _ in true }) else { return nil }
            return actions.filter { $0 != .abandon(step: index) }
        }
        add(.command, ["command": "cmd_y", "kind": "approve", "by": "ops"])
        let isApproved = happens(70)
        add(
            .approvalDecided,
            ["step": .string(name), "approval": .string("\(name).1"), "decision": isApproved ? "approve" : "deny"])
        guard isApproved else {
            add(.stepFinished, ["step": .string(name), "state": "failed", "reason": "denied"])
            return machine.ended(index, .denied)
        }
        add(.stepFinished, ["step": .string(name), "state": "succeeded"])
        return machine.ended(index, .over)
    }
}
