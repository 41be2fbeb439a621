/// A frame on `alerts` that a person should see.
public struct Notice: Sendable, Hashable {
    /// What it is about. A closed set, so that a client can choose.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A rule with `notify: true` matched.
        case event
        case runFailed = "run_failed"
        case stopUnconfirmed = "stop_unconfirmed"
    }

    public enum Severity: String, Sendable, Hashable, CaseIterable { case info, warning, error }

    public var kind: Kind
    public var severity: Severity
    public var title: String
    public var text: String
    public var event: EventID?
    public var run: RunID?
    public var rule: String?

    public init(
        _ kind: Kind, _ severity: Severity, title: String, text: String, event: EventID? = nil, run: RunID? = nil,
        rule: String? = nil
    ) {
        self.kind = kind
        self.severity = severity
        self.title = title
        self.text = text
        self.event = event
        self.run = run
        self.rule = rule
    }

    public func frame(at time: Timestamp) -> DraftFrame {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("kind", kind.rawValue)
        writer.member("severity", severity.rawValue)
        writer.member("title", title)
        writer.member("text", text)
        writer.member("event", ifPresent: event?.description)
        writer.member("run", ifPresent: run?.description)
        writer.member("rule", ifPresent: rule)
        writer.endObject()
        return DraftFrame(
            time: time, topic: .alerts, run: run, rule: rule, type: .notice, data: RawJSON(trusted: writer.bytes)
        )
    }
}
