/// One immutable item of the log: a token, a state change, a notice.
public struct Frame: Sendable, Hashable {
    /// Global, strictly increasing, never reused.
    public var position: Int64
    public var draft: DraftFrame

    public init(position: Int64, draft: DraftFrame) {
        self.position = position
        self.draft = draft
    }

    /// The frame as its subscribers get it: `{position, time, topic, run?, rule?, source?, type, data}`.
    public var json: RawJSON {
        var writer = JSONWriter(reservingCapacity: draft.data.bytes.count + 224)
        writer.beginObject()
        writer.member("position", position)
        draft.writeMembers(into: &writer)
        writer.endObject()
        return RawJSON(trusted: writer.bytes)
    }
}

/// A frame that the log has not given a position yet.
public struct DraftFrame: Sendable, Hashable {
    public var time: Timestamp
    /// The home topic. Other topics are filters over frames (``Topic/covers(_:)``).
    public var topic: Topic
    public var run: RunID?
    public var rule: String?
    public var source: String?
    public var type: FrameType
    public var data: RawJSON

    public init(
        time: Timestamp, topic: Topic, run: RunID? = nil, rule: String? = nil, source: String? = nil, type: FrameType,
        data: RawJSON
    ) {
        self.time = time
        self.topic = topic
        self.run = run
        self.rule = rule
        self.source = source
        self.type = type
        self.data = data
    }

    func writeMembers(into writer: inout JSONWriter) {
        writer.member("time", time.description)
        writer.member("topic", topic.description)
        writer.member("run", ifPresent: run?.description)
        writer.member("rule", ifPresent: rule)
        writer.member("source", ifPresent: source)
        writer.member("type", type.rawValue)
        writer.member("data", raw: data)
    }
}

/// What a frame says. Names are AG-UI's (docs.ag-ui.com) where AG-UI has the notion.
public enum FrameType: String, Sendable, Hashable, CaseIterable {
    case runStarted = "RUN_STARTED"
    case stepStarted = "STEP_STARTED"
    case textMessageStart = "TEXT_MESSAGE_START"
    case textMessageContent = "TEXT_MESSAGE_CONTENT"
    case textMessageEnd = "TEXT_MESSAGE_END"
    /// `{step, toolCallId, toolCallName, parentMessageId?}`
    case toolCallStart = "TOOL_CALL_START"
    /// `{step, toolCallId, delta}`
    case toolCallArgs = "TOOL_CALL_ARGS"
    /// `{step, toolCallId}`
    case toolCallEnd = "TOOL_CALL_END"
    /// `{step, toolCallId, messageId, content, error?}`; `error: true`: it was not done, or has failed.
    case toolCallResult = "TOOL_CALL_RESULT"
    case stepFinished = "STEP_FINISHED"
    case runFinished = "RUN_FINISHED"
    case runError = "RUN_ERROR"
    case runState = "RUN_STATE"
    case stepState = "STEP_STATE"
    /// `{step, approval, message, schema?, expires, guards, toolCallId?, tool?, arguments?}`; `approval` is the question's
    /// id. With `tool` an agent wants to call it with these arguments, which the decision's value may replace.
    case approvalRequested = "APPROVAL_REQUESTED"
    /// `{step, approval, decision, …}`
    case approvalDecided = "APPROVAL_DECIDED"
    case command = "COMMAND"
    case event = "EVENT"
    /// Documents or switches changed.
    case rules = "RULES"
    case notice = "NOTICE"
    case snapshot = "SNAPSHOT"
    case gap = "GAP"
    case closing = "CLOSING"
    case custom = "CUSTOM"
}
