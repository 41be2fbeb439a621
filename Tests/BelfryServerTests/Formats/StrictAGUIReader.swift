import BelfryCore

/// A reader of AG-UI events that accepts nothing but what the specification 1.0 allows (docs.ag-ui.com/spec/1.0: runs
/// and steps, streaming messages, interrupts), and keeps what it has read.
struct StrictAGUIReader: Equatable {
    struct Violation: Error, CustomStringConvertible { var description: String }

    enum Phase: Equatable { case nothing, open, finished, interrupted, failed }

    private(set) var phase = Phase.nothing
    private(set) var thread: String?
    private(set) var runs: [String] = []
    private(set) var openSteps: Set<String> = []
    private(set) var openMessages: Set<String> = []
    private(set) var openCalls: Set<String> = []
    private(set) var messages: [String: String] = [:]
    private(set) var calls: [String: String] = [:]
    private(set) var state: JSONValue = .null
    private(set) var outcome: String?

    /// What it has of the run, whichever way it came to it.
    var content: [String: String] { messages.merging(calls.map { ("call \($0)", $1) }) { first, _ in first } }

    mutating func read(_ bytes: [UInt8]) throws {
        guard let event = try? JSONValue(parsing: bytes), let type = event["type"]?.string else {
            throw Violation(description: "no event: \(String(decoding: bytes, as: UTF8.self))")
        }
        try read(type, event)
    }

    private func field(_ name: String, _ event: JSONValue) throws -> String {
        guard let value = event[name]?.string else { throw Violation(description: "no \(name) in \(event.text)") }
        return value
    }

    private func check(_ isValid: Bool, _ event: JSONValue) throws {
        guard isValid else { throw Violation(description: "\(phase), \(openSteps), \(openMessages): \(event.text)") }
    }

    private mutating func read(_ type: String, _ event: JSONValue) throws {
        if let metadata = event["metadata"] { try check(metadata["belfry"]?.object != nil, event) }
        try check(event["timestamp"]?.number?.int64 != nil, event)
        switch type {
        case "RUN_STARTED": return try begin(event)
        case "RUN_ERROR" where phase == .nothing: break
        default: try check(phase == .open, event)
        }
        switch type {
        case "RUN_FINISHED": try finish(event)
        case "RUN_ERROR":
            _ = try field("message", event)
            // More than the specification asks for: it lets a failure close what is open.
            try check(openSteps.isEmpty && openMessages.isEmpty && openCalls.isEmpty, event)
            phase = .failed
        case "STEP_STARTED": try check(openSteps.insert(field("stepName", event)).inserted, event)
        case "STEP_FINISHED": try check(openSteps.remove(field("stepName", event)) != nil, event)
        case "STATE_SNAPSHOT":
            guard let snapshot = event["snapshot"] else { throw Violation(description: "no snapshot") }
            state = snapshot
        case "CUSTOM":
            try check(field("name", event).hasPrefix("belfry."), event)
            try check(event["value"] != nil, event)
        default: try readItem(type, event)
        }
    }

    private mutating func begin(_ event: JSONValue) throws {
        let isBetween = phase == .nothing || phase == .finished || phase == .interrupted
        try check(isBetween, event)
        let (thread, run) = (try field("threadId", event), try field("runId", event))
        try check(self.thread == nil || self.thread == thread, event)
        try check(!runs.contains(run), event)
        self.thread = thread
        runs.append(run)
        outcome = nil
        phase = .open
    }

    private mutating func finish(_ event: JSONValue) throws {
        try check(field("threadId", event) == thread && field("runId", event) == runs.last, event)
        try check(openSteps.isEmpty && openMessages.isEmpty && openCalls.isEmpty, event)
        guard let outcome = event["outcome"]?["type"]?.string else { throw Violation(description: "no outcome") }
        self.outcome = outcome
        phase = outcome == "interrupt" ? .interrupted : .finished
        guard outcome == "interrupt" else { return try check(["success", "cancelled"].contains(outcome), event) }
        let interrupts = event["outcome"]?["interrupts"]?.array ?? []
        try check(!interrupts.isEmpty, event)
        for interrupt in interrupts { _ = (try field("id", interrupt), try field("reason", interrupt)) }
    }

    private mutating func readItem(_ type: String, _ event: JSONValue) throws {
        switch type {
        case "TEXT_MESSAGE_START":
            try check(["assistant", "user", "system", "developer"].contains(field("role", event)), event)
            try check(openMessages.insert(field("messageId", event)).inserted, event)
        case "TEXT_MESSAGE_CONTENT":
            let (message, delta) = (try field("messageId", event), try field("delta", event))
            try check(openMessages.contains(message) && !delta.isEmpty, event)
            messages[message, default: ""] += delta
        case "TEXT_MESSAGE_END": try check(openMessages.remove(field("messageId", event)) != nil, event)
        case "TOOL_CALL_START":
            _ = try field("toolCallName", event)
            try check(openCalls.insert(field("toolCallId", event)).inserted, event)
        case "TOOL_CALL_ARGS":
            let (call, delta) = (try field("toolCallId", event), try field("delta", event))
            try check(openCalls.contains(call) && !delta.isEmpty, event)
            calls[call, default: ""] += delta
        case "TOOL_CALL_END": try check(openCalls.remove(field("toolCallId", event)) != nil, event)
        case "TOOL_CALL_RESULT":
            _ = (try field("messageId", event), try field("toolCallId", event), try field("content", event))
        default: throw Violation(description: "unknown type: \(event.text)")
        }
    }
}
