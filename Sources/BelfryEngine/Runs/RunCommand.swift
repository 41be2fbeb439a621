public import BelfryCore
import BelfryStore

/// An operator's word on a run.
public enum RunCommandKind: Sendable, Hashable {
    case stop
    /// Skips a step that has not begun, runs or waits; `output` takes the place of its own.
    case skip(step: String, output: JSONValue?)
    case adjust(RunAdjustment)
    /// Decides the question of a step. `value` is what the question asked for, beside yes. With `approval` it holds for
    /// that question alone, and not for one that the step has asked since.
    case approve(step: String, approval: ApprovalID? = nil, value: JSONValue? = nil)
    case deny(step: String, approval: ApprovalID? = nil, reason: String? = nil)

    /// `stop`, `skip`, `adjust`, `approve` or `deny`.
    public var name: String {
        switch self {
        case .stop: "stop"
        case .skip: "skip"
        case .adjust: "adjust"
        case .approve: "approve"
        case .deny: "deny"
        }
    }

    /// The step that it is about.
    public var step: String? {
        switch self {
        case .skip(let step, _), .approve(let step, _, _), .deny(let step, _, _): step
        case .stop, .adjust: nil
        }
    }

    /// The question that it decides, if it says which.
    var approval: ApprovalID? {
        switch self {
        case .approve(_, let approval, _), .deny(_, let approval, _): approval
        case .stop, .skip, .adjust: nil
        }
    }

    /// What it says, beside its name.
    var parts: [JSONValue] {
        switch self {
        case .stop: []
        case .skip(let step, let output): [.string(step), output ?? .null]
        case .adjust(let adjustment): [adjustment.json]
        case .approve(let step, let approval, let value):
            [.string(step), .optional(approval?.description), value ?? .null]
        case .deny(let step, let approval, let reason):
            [.string(step), .optional(approval?.description), .optional(reason)]
        }
    }
}

/// What an operator changes of a live run: a merge (RFC 7396), in which null takes back what was set before.
public struct RunAdjustment: Sendable, Hashable {
    /// Of a step.
    public struct Step: Sendable, Hashable {
        /// The prompt in place of the rule's, as it is: no template. `.some(nil)`: the rule's again.
        public var prompt: String??
        /// Fields of the agent: `temperature`, `max_tokens`.
        public var agent: JSONObject

        public init(prompt: String?? = nil, agent: JSONObject = JSONObject()) {
            self.prompt = prompt
            self.agent = agent
        }
    }

    public var params: JSONObject
    public var steps: [String: Step]
    /// Steps that run and are changed begin anew; else they go on as they are.
    public var restarts: Bool

    public init(params: JSONObject = JSONObject(), steps: [String: Step] = [:], restarts: Bool = false) {
        self.params = params
        self.steps = steps
        self.restarts = restarts
    }

    /// `{params?, steps?: {NAME: {agent?, prompt?}}, restart?}`
    public var json: JSONValue {
        var object: JSONObject = [:]
        if !params.isEmpty { object["params"] = .object(params) }
        if !steps.isEmpty {
            object["steps"] = .object(
                JSONObject(
                    steps.sorted { $0.key < $1.key }.map { name, step in
                        var members: JSONObject = [:]
                        if case .some(let prompt) = step.prompt { members["prompt"] = .optional(prompt) }
                        if !step.agent.isEmpty { members["agent"] = .object(step.agent) }
                        return JSONObject.Member(key: name, value: .object(members))
                    }))
        }
        if restarts { object["restart"] = true }
        return .object(object)
    }
}

/// What somebody says to a question.
public enum Verdict: Sendable, Hashable {
    /// `value` is what the question asked for, beside yes.
    case approve(value: JSONValue? = nil)
    case deny(reason: String? = nil)
}

/// A command on its way to its run.
struct RunCommand: Sendable {
    var kind: RunCommandKind
    var sent: SentCommand
    /// Called exactly once, with what became of the command.
    var answer: @Sendable (CommandAnswer) -> Void

    var id: CommandID { sent.id }
    var by: Principal { sent.by }

    func answer(_ result: CommandAnswer.Result, reason: String? = nil) { answer(sent.answer(result, reason: reason)) }

    /// For the table of commands.
    func record(_ result: CommandAnswer.Result, reason: String? = nil) -> CommandRecord {
        sent.record(sent.answer(result, reason: reason))
    }
}

/// What became of an operator's command.
public struct CommandAnswer: Sendable, Hashable {
    public enum Result: String, Sendable, Hashable {
        case applied
        /// Done, but the socket or process could not be seen to be gone in time.
        case unconfirmed = "applied, unconfirmed"
        case rejected
    }

    public var command: CommandID
    public var result: Result
    /// Why it was rejected: `already stopped`.
    public var reason: String?
    /// What else came of it: the `run` that a retry or a start has made, how many runs were stopped.
    public var details: JSONObject = [:]
    /// From the command's arrival to the committed end.
    public var latency: Duration

    /// The run that a retry or a start has made.
    public var run: RunID? { details["run"]?.string.flatMap { RunID($0) } }

    public init(command: CommandID, result: Result, reason: String? = nil, latency: Duration = .zero) {
        self.command = command
        self.result = result
        self.reason = reason
        self.latency = latency
    }
}
