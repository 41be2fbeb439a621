import BelfryCore

/// An event of AG-UI 1.0 (docs.ag-ui.com/spec/1.0), as far as a run of ours has need of it.
struct AGUIEvent: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case runStarted(thread: String, run: String)
        case runFinished(thread: String, run: String, Outcome, TokenCount)
        case runError(message: String, code: String, TokenCount)
        case stepStarted(String)
        case stepFinished(String)
        case messageStart(String, role: String)
        case messageContent(String, delta: String)
        case messageEnd(String)
        case toolCallStart(String, name: String, message: String?)
        case toolCallArgs(String, delta: String)
        case toolCallEnd(String)
        case toolCallResult(String, message: String, content: String)
        case stateSnapshot(JSONValue)
        case custom(name: String, JSONValue)
    }

    enum Outcome: Sendable, Hashable {
        case success
        /// Stopped before it was complete, and not because it failed.
        case cancelled
        /// It waits for an answer to this.
        case interrupt(JSONValue)
    }

    /// What the model calls of a run used, as far as their providers say.
    struct TokenCount: Sendable, Hashable {
        var input: Int64?
        var output: Int64?
    }

    /// The version that ``Kind/runStarted(thread:run:)`` declares.
    static let protocolVersion = "1.0"
    /// Names of ours begin with it: names without a prefix are AG-UI's own.
    static let prefix = "belfry."

    var kind: Kind
    var time: Timestamp
    /// What the frame behind it says besides: the member `belfry` of its `metadata`.
    var detail: JSONValue?

    /// As it stands in the stream.
    var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        kind.write(to: &writer)
        writer.member("timestamp", time.milliseconds)
        if let detail { writer.member("metadata", ["belfry": detail]) }
        writer.endObject()
        return writer.bytes
    }
}

extension AGUIEvent.Kind {
    fileprivate func write(to writer: inout JSONWriter) {
        func write(_ type: String, _ members: KeyValuePairs<String, String?> = [:]) {
            writer.member("type", type)
            for (key, value) in members { writer.member(key, ifPresent: value) }
        }
        switch self {
        case .runStarted(let thread, let run):
            write(
                "RUN_STARTED",
                ["threadId": thread, "runId": run, "protocolVersion": AGUIEvent.protocolVersion])
        case .runFinished(let thread, let run, let outcome, let tokens):
            write("RUN_FINISHED", ["threadId": thread, "runId": run])
            writer.member("outcome", outcome.json)
            if let usage = tokens.json { writer.member("usage", usage) }
        case .runError(let message, let code, let tokens):
            write("RUN_ERROR", ["message": message, "code": code])
            if let usage = tokens.json { writer.member("usage", usage) }
        case .stepStarted(let name): write("STEP_STARTED", ["stepName": name])
        case .stepFinished(let name): write("STEP_FINISHED", ["stepName": name])
        case .messageStart(let id, let role): write("TEXT_MESSAGE_START", ["messageId": id, "role": role])
        case .messageContent(let id, let delta): write("TEXT_MESSAGE_CONTENT", ["messageId": id, "delta": delta])
        case .messageEnd(let id): write("TEXT_MESSAGE_END", ["messageId": id])
        case .toolCallStart(let id, let name, let message):
            write("TOOL_CALL_START", ["toolCallId": id, "toolCallName": name, "parentMessageId": message])
        case .toolCallArgs(let id, let delta): write("TOOL_CALL_ARGS", ["toolCallId": id, "delta": delta])
        case .toolCallEnd(let id): write("TOOL_CALL_END", ["toolCallId": id])
        case .toolCallResult(let id, let message, let content):
            write("TOOL_CALL_RESULT", ["messageId": message, "toolCallId": id, "content": content])
        case .stateSnapshot(let state):
            write("STATE_SNAPSHOT")
            writer.member("snapshot", state)
        case .custom(let name, let value):
            write("CUSTOM", ["name": name])
            writer.member("value", value)
        }
    }
}

extension AGUIEvent.Outcome {
    fileprivate var json: JSONValue {
        switch self {
        case .success: ["type": "success"]
        case .cancelled: ["type": "cancelled"]
        case .interrupt(let interrupt): ["type": "interrupt", "interrupts": .array([interrupt])]
        }
    }
}

extension AGUIEvent.TokenCount {
    /// Adds the `usage` of a step that has ended.
    mutating func add(_ usage: JSONValue?) {
        if let count = usage?["input_tokens"]?.number?.int64 { input = (input ?? 0) + count }
        if let count = usage?["output_tokens"]?.number?.int64 { output = (output ?? 0) + count }
    }

    /// One entry: a frame does not name provider and model. A count that nobody reported is left out.
    fileprivate var json: JSONValue? {
        guard input != nil || output != nil else { return nil }
        var entry = JSONObject()
        if let input { entry["inputTokens"] = .int(input) }
        if let output { entry["outputTokens"] = .int(output) }
        return .array([.object(entry)])
    }
}
