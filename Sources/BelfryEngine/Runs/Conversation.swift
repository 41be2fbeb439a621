import BelfryAgents
import BelfryCore

/// What an agent and the hub have said to each other in one attempt at a step, and what the agent has called and was not
/// done yet: enough to go on with, also after a restart of the hub.
struct Conversation: Sendable, Hashable {
    /// A call of the agent's last answer.
    struct Call: Sendable, Hashable {
        /// Unique in the run: `STEP.ATTEMPT.TURN.NUMBER`. Frames, the audit and questions call it that.
        var id: String
        var asked: ToolCall
    }

    private(set) var messages: [AgentMessage]
    /// How often the agent was asked.
    private(set) var turns = 0
    /// What it called and what was not done yet, in its order.
    private(set) var calls: [Call] = []
    /// The agent was told what is wrong with its answer; it may mend that once.
    private(set) var isRepaired = false
    private(set) var usage = Usage(inputTokens: nil, outputTokens: nil)
    /// As the rule's budget counts them.
    private(set) var spent = Spending()
    /// How long agent and tools have worked; the time that people take does not count.
    var worked = Duration.zero

    /// What the agent has said last.
    var lastText: String {
        for case .assistant(let text, _) in messages.reversed() { return text }
        return ""
    }

    init(_ messages: [AgentMessage]) { self.messages = messages }

    /// The agent has said something.
    mutating func add(_ text: String, calls: [Call], usage: Usage, spent: Spending) {
        turns += 1
        self.usage = self.usage + usage
        self.spent = self.spent + spent
        messages.append(.assistant(text, toolCalls: calls.map(\.asked)))
        self.calls = calls
    }

    /// The first of ``calls`` is done, or will not be done.
    mutating func answerCall(_ text: String, isError: Bool) {
        messages.append(.toolResult(id: calls.removeFirst().asked.id, text: text, isError: isError))
    }

    mutating func askToMend(_ prompt: String) {
        isRepaired = true
        messages.append(.user(prompt))
    }
}

extension Usage {
    fileprivate static func + (left: Usage, right: Usage) -> Usage {
        func sum(_ left: Int?, _ right: Int?) -> Int? {
            left.map { min($0 + (right ?? 0), Limits.ruleTokensPerDayMax) } ?? right
        }
        return Usage(
            inputTokens: sum(left.inputTokens, right.inputTokens),
            outputTokens: sum(left.outputTokens, right.outputTokens))
    }
}

// MARK: - As a step's row keeps it

extension Conversation {
    /// - Throws: `internal`: the row was not written by this.
    init(_ row: RawJSON) throws(BelfryError) {
        guard let value = try? JSONValue(parsing: row.bytes), let messages = value["messages"]?.array,
            let calls = value["calls"]?.array
        else { throw Self.unreadable }
        self.init([])
        for message in messages { self.messages.append(try AgentMessage(message)) }
        for call in calls {
            guard let id = call["id"]?.string else { throw Self.unreadable }
            self.calls.append(Call(id: id, asked: try ToolCall(call["asked"] ?? .null)))
        }
        turns = value["turns"]?.number?.int64.map { Int($0) } ?? 0
        isRepaired = value["repaired"]?.bool ?? false
        usage.inputTokens = value["input_tokens"]?.number?.int64.map { Int($0) }
        usage.outputTokens = value["output_tokens"]?.number?.int64.map { Int($0) }
        spent.tokens = value["tokens"]?.number?.int64.map { Int($0) } ?? 0
        spent.cost.millionths = value["cost_millionths"]?.number?.int64 ?? 0
        worked = .milliseconds(value["worked_ms"]?.number?.int64 ?? 0)
    }

    var row: RawJSON {
        let calls = calls.map { JSONValue.object(["id": .string($0.id), "asked": $0.asked.json]) }
        return RawJSON([
            "messages": .array(messages.map(\.json)), "turns": .int(turns), "calls": .array(calls),
            "repaired": .bool(isRepaired), "input_tokens": usage.inputTokens.map { .int($0) } ?? .null,
            "output_tokens": usage.outputTokens.map { .int($0) } ?? .null, "tokens": .int(spent.tokens),
            "cost_millionths": .int(spent.cost.millionths),
            "worked_ms": .int(worked.milliseconds),
        ])
    }

    fileprivate static let unreadable = BelfryError(
        .internal, "what the agent has said so far can't be read; retry the run from this step")
}

extension AgentMessage {
    fileprivate init(_ value: JSONValue) throws(BelfryError) {
        let text = value["text"]?.string ?? ""
        switch (value["role"]?.string, value["id"]?.string) {
        case ("system", _): self = .system(text)
        case ("user", _): self = .user(text)
        case ("assistant", _):
            var calls: [ToolCall] = []
            for call in value["calls"]?.array ?? [] { calls.append(try ToolCall(call)) }
            self = .assistant(text, toolCalls: calls)
        case ("tool", let id?): self = .toolResult(id: id, text: text, isError: value["error"]?.bool ?? false)
        default: throw Conversation.unreadable
        }
    }

    fileprivate var json: JSONValue {
        switch self {
        case .system(let text): ["role": "system", "text": .string(text)]
        case .user(let text): ["role": "user", "text": .string(text)]
        case .assistant(let text, let calls):
            ["role": "assistant", "text": .string(text), "calls": .array(calls.map(\.json))]
        case .toolResult(let id, let text, let isError):
            ["role": "tool", "id": .string(id), "text": .string(text), "error": .bool(isError)]
        }
    }
}

extension ToolCall {
    fileprivate init(_ value: JSONValue) throws(BelfryError) {
        guard let id = value["id"]?.string, let name = value["name"]?.string, let text = value["arguments"]?.string
        else { throw Conversation.unreadable }
        self.init(id: id, name: name, arguments: text)
    }

    fileprivate var json: JSONValue {
        ["id": .string(id), "name": .string(name), "arguments": .string(arguments)]
    }
}
