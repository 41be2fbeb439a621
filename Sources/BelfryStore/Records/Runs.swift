public import BelfryCore

/// A run as it is stored.
public struct RunRecord: Sendable, Hashable {
    /// Order of creation.
    public var sequence: Int64
    public var id: RunID
    public var event: EventID
    public var rule: String
    public var ruleVersion: Int64
    public var state: RunState
    /// Why it ended; nil before.
    public var reason: EndReason?
    public var error: StoredError?
    public var created: Timestamp
    public var started: Timestamp?
    public var ended: Timestamp?
    /// Counts the times the run was begun anew, from 1.
    public var attempt: Int
    /// W3C trace context of the delivery.
    public var traceparent: String?
    /// The group it was made for.
    public var group: GroupID?
    /// The hub has told it to stop, and why; a command that is at work ends first.
    public var stopReason: EndReason?
    /// The run that it repeats; nil: its event started it.
    public var retryOf: RunID?
    /// The parameters that an operator has set; the rule's own hold for the others.
    public var params: RawJSON?
    /// What it has in common with the runs of its group, and with the events that resolve it.
    var groupKey: [UInt8]?
}

/// What a run or a step failed of, as it is stored.
public struct StoredError: Sendable, Hashable {
    /// A stable code (``BelfryError/Code``).
    public var code: String
    public var message: String

    public init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    public init(_ error: BelfryError) { self.init(code: error.code.rawValue, message: error.message) }

    /// `{code, message}`
    public var json: JSONValue { ["code": .string(code), "message": .string(message)] }
}

/// A step of a run as it is stored.
public struct StepRecord: Sendable, Hashable {
    public var run: RunID
    /// Its place in the rule, from 0.
    public var index: Int
    public var name: String
    /// `agent`, `command`, `approve`, `send` or `wait`.
    public var kind: String
    public var state: StepState
    /// Why it was skipped; nil for one that was not.
    public var reason: StepReason?
    /// Counts the times it was begun, from 1; 0 while it is pending.
    public var attempt: Int
    public var started: Timestamp?
    public var ended: Timestamp?
    public var output: String?
    public var error: StoredError?
    /// The process group of its command while one runs: recovery ends it.
    public var processGroup: Int32?
    public var inputTokens: Int?
    public var outputTokens: Int?
    /// By the prices of its agent; nil where nobody has said any.
    public var cost: Cost?
    /// Template paths that had no value.
    public var missing: [String]
    /// When it is looked at again, of one that waits.
    public var due: Timestamp?
    /// JSON of what its kind keeps beside: the decision's `value`, the `event` it waited for, what an operator has set
    /// (`adjusted`).
    public var data: RawJSON?
    /// What an agent with tools has said and heard, of one that waits for a decision about a call.
    public var conversation: RawJSON?

    public init(
        run: RunID, index: Int, name: String, kind: String, state: StepState = .pending, attempt: Int = 0,
        started: Timestamp? = nil, ended: Timestamp? = nil, output: String? = nil, error: StoredError? = nil,
        processGroup: Int32? = nil, inputTokens: Int? = nil, outputTokens: Int? = nil, missing: [String] = []
    ) {
        self.run = run
        self.index = index
        self.name = name
        self.kind = kind
        self.state = state
        self.attempt = attempt
        self.started = started
        self.ended = ended
        self.output = output
        self.error = error
        self.processGroup = processGroup
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.missing = missing
    }

    /// `{input_tokens, output_tokens, cost?}`, null where the provider did not say; nil if nothing is known.
    public var usage: JSONValue? {
        guard inputTokens != nil || outputTokens != nil || cost != nil else { return nil }
        var usage: JSONObject = [
            "input_tokens": inputTokens.map { .int($0) } ?? .null,
            "output_tokens": outputTokens.map { .int($0) } ?? .null,
        ]
        if let cost { usage["cost"] = cost.json }
        return .object(usage)
    }
}

/// A run that the scheduler has taken, and the event it is about.
public struct ClaimedRun: Sendable {
    /// As it is after the claim: `running`, begun now.
    public var run: RunRecord
    /// Nil if it could not be read just now, or was removed under the run.
    public var event: Event?

    public init(run: RunRecord, event: Event?) {
        self.run = run
        self.event = event
    }
}

/// One transition of a run: everything it changes becomes true at once, or nothing does.
public struct RunChange: Sendable {
    public var run: RunID
    /// The states the run may be in now; any other is a conflict.
    public var from: Set<RunState>
    /// The new state; nil keeps it. An ended state also sets `ended`.
    public var to: RunState?
    public var reason: EndReason?
    public var error: StoredError?
    /// A new attempt count; nil keeps it.
    public var attempt: Int?
    /// A run that the hub has told to stop is a conflict too: no further step begins.
    public var yieldsToStop = false
    /// Rows to write, whole; those not named stay.
    public var steps: [StepRecord]
    public var frames: [DraftFrame]
    public var audit: [AuditDraft]
    /// Of the run's rule, as they are today: its breaker and its budget go by them.
    public var limits = RuleLimits()
    /// What the steps that end have used.
    public var spent = Spending()
    /// Questions that are asked or decided, whole.
    public var approvals: [ApprovalRecord] = []
    /// Commands that bring it about or end with it, with their answers.
    public var commands: [CommandRecord] = []
    /// The run's parameters as an operator has set them; nil keeps them.
    public var params: RawJSON?
    /// When a step of the run is to be looked at, if that changes; nil inside: never.
    public var due: Timestamp??
    /// Steps that begin to wait for an event.
    public var waits: [EventWaitRecord] = []
    /// How far the rules were when it was made sure that those ``waits`` are among them: events that were matched before are
    /// to be matched again if they are stored behind this change.
    public var generation: Int?
    /// Steps that end without the event that the store knows for theirs: one that has come meanwhile is a conflict.
    public var yieldsToEvents: Set<Int> = []
    /// Steps that go on with an event that was stored before they began to wait: it has resumed the run.
    public var found: [Int: EventID] = [:]

    public init(
        run: RunID, from: Set<RunState>, to: RunState? = nil, reason: EndReason? = nil, error: StoredError? = nil,
        attempt: Int? = nil, steps: [StepRecord] = [], frames: [DraftFrame] = [], audit: [AuditDraft] = []
    ) {
        self.run = run
        self.from = from
        self.to = to
        self.reason = reason
        self.error = error
        self.attempt = attempt
        self.steps = steps
        self.frames = frames
        self.audit = audit
    }
}

/// Which runs a list shows.
public struct RunFilter: Sendable, Hashable {
    public var states: Set<RunState>
    public var rule: String?
    public var event: EventID?

    public init(states: Set<RunState> = [], rule: String? = nil, event: EventID? = nil) {
        self.states = states
        self.rule = rule
        self.event = event
    }
}

/// What a rule has done so far.
public struct RuleActivity: Sendable, Hashable {
    public var rule: String
    /// Runs ever made, also those no longer kept.
    public var runs: Int64
    public var lastRun: Timestamp?
}
