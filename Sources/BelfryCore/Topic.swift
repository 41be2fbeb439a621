/// A filter over frames; also the home of a frame.
public enum Topic: Sendable, Hashable, CustomStringConvertible {
    /// All frames of one run; home of its tokens.
    case run(RunID)
    /// All frames of every run.
    case everyRun
    /// Life of runs: their state changes, no tokens.
    case runs
    /// Life of one rule's runs.
    case rule(String)
    /// One EVENT frame per event of a source: its outcome, no payload.
    case source(String)
    /// The same of every source.
    case everySource
    case approvals
    /// Changes of rules and sources.
    case rules
    /// Notices a person should see.
    case alerts
    /// Frames published from outside.
    case custom(String)

    public var description: String {
        switch self {
        case .run(let id): "run/\(id)"
        case .everyRun: "run/*"
        case .runs: "runs"
        case .rule(let name): "rule/\(name)"
        case .source(let name): "source/\(name)"
        case .everySource: "source/*"
        case .approvals: "approvals"
        case .rules: "rules"
        case .alerts: "alerts"
        case .custom(let name): "custom/\(name)"
        }
    }

    /// Reads the text form. Nil for anything that is no topic.
    public init?(_ text: some StringProtocol) {
        switch text {
        case "run/*": self = .everyRun
        case "source/*": self = .everySource
        case "runs": self = .runs
        case "approvals": self = .approvals
        case "rules": self = .rules
        case "alerts": self = .alerts
        default:
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            let name = String(parts[1])
            switch parts[0] {
            case "run":
                guard let id = RunID(name) else { return nil }
                self = .run(id)
            case "rule" where Name.isValid(name): self = .rule(name)
            case "source" where Name.isValid(name): self = .source(name)
            case "custom" where Name.isValid(name): self = .custom(name)
            default: return nil
            }
        }
    }

    /// Reads the text form of a topic that somebody names. Throws `malformed` with the topics there are.
    public init(named text: String) throws(BelfryError) {
        guard let topic = Topic(text) else {
            throw BelfryError(
                .malformed,
                "\"\(text.prefix(80))\" is no topic; topics are run/ID, run/*, runs, "
                    + "rule/NAME, source/NAME, source/*, approvals, rules, alerts, custom/NAME")
        }
        self = topic
    }

    /// The topics that somebody names, each once. Throws `malformed` with the topics there are, or if they are too many.
    public static func list(_ names: some Collection<String>) throws(BelfryError) -> [Topic] {
        guard names.count <= Limits.topicsPerSubscriptionMax else {
            throw BelfryError(.malformed, "a stream has at most \(Limits.topicsPerSubscriptionMax) topics")
        }
        var topics: [Topic] = []
        for name in names {
            let topic = try Topic(named: name)
            if !topics.contains(topic) { topics.append(topic) }
        }
        return topics
    }

    /// Whether a subscriber of this topic gets the frame.
    public func covers(_ frame: DraftFrame) -> Bool {
        switch self {
        case .run(let id): frame.run == id
        case .everyRun: frame.run != nil
        case .rule(let name): frame.topic == .runs && frame.rule == name
        case .everySource: if case .source = frame.topic { true } else { false }
        case .runs, .source, .approvals, .rules, .alerts, .custom: frame.topic == self
        }
    }
}

/// Names of sources, agents, rules, steps and custom topics.
public enum Name {
    /// What a name looks like, for who gave something else.
    public static let form = "1 to \(Limits.nameBytesMax) of a-z 0-9 - _ . and begins with a letter or digit"

    /// Whether it has the ``form``: safe in a URL, a topic and a file name.
    public static func isValid(_ text: String) -> Bool {
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        guard let first = text.utf8.first, text.utf8.count <= Limits.nameBytesMax else { return false }
        return isLetterOrDigit(first) && text.utf8.allSatisfy { isLetterOrDigit($0) || "-_.".utf8.contains($0) }
    }
}
