/// A frame on `alerts` that a person should see.
public struct Notice: Sendable, Hashable {
    /// What it is about. A closed set, so that a client can choose.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A rule with `notify: true` matched.
        case event
        case runFailed = "run_failed"
        /// A run waits for a person's decision.
        case runWaiting = "run_waiting"
        /// A question ends soon, and nobody has decided.
        case approvalExpiring = "approval_expiring"
        /// A button outside the hub was pressed, and decided nothing.
        case decisionRefused = "decision_refused"
        /// What started a run no longer holds, and the rule says `on_resolved: notify`.
        case resolved
        case stopUnconfirmed = "stop_unconfirmed"
        /// Documents that can't be used: a rules folder that can't be applied, a stored document that can't be read, a
        /// secret or an agent that is gone; and a rule whose breaker has opened.
        case ruleBroken = "rule_broken"
        /// A rule has used up its tokens or its money of the day.
        case budget
        /// A source refuses what its sender brings.
        case sourceRefusing = "source_refusing"
        /// A target of sends said that it is gone; it gets nothing until it is enabled again.
        case targetDead = "target_dead"
        /// The TLS certificate ends soon, or can't be read anew.
        case tls
        /// Room on the data folder's disk: low, none, and enough again.
        case disk
    }

    public enum Severity: String, Sendable, Hashable, CaseIterable { case info, warning, error }

    public var kind: Kind
    public var severity: Severity
    public var title: String
    public var text: String
    public var event: EventID?
    public var run: RunID?
    public var rule: String?
    public var source: String?

    /// Title and text are cut to a bound and lose their control characters: names and messages of others stand in them.
    public init(
        _ kind: Kind, _ severity: Severity, title: String, text: String, event: EventID? = nil, run: RunID? = nil,
        rule: String? = nil, source: String? = nil
    ) {
        self.kind = kind
        self.severity = severity
        self.title = title.plain(bytesMax: Limits.noticeTitleBytesMax)
        self.text = text.plain(bytesMax: Limits.noticeTextBytesMax)
        self.event = event
        self.run = run
        self.rule = rule
        self.source = source
    }

    /// Where there is more, relative to the hub's root: the run before the event, the event before rule and source.
    public var link: String {
        if let run { return "/#run/\(run)" }
        if let event { return "/#event/\(event)" }
        if let rule { return "/#rule/\(rule)" }
        return source.map { "/#source/\($0)" } ?? "/"
    }

    public func frame(at time: Timestamp) -> DraftFrame {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("kind", kind.rawValue)
        writer.member("severity", severity.rawValue)
        writer.member("title", title)
        writer.member("text", text)
        writer.member("link", link)
        writer.member("event", ifPresent: event?.description)
        writer.member("run", ifPresent: run?.description)
        writer.member("rule", ifPresent: rule)
        writer.member("source", ifPresent: source)
        writer.endObject()
        return DraftFrame(
            time: time, topic: .alerts, run: run, rule: rule, source: source, type: .notice,
            data: RawJSON(trusted: writer.bytes)
        )
    }
}
