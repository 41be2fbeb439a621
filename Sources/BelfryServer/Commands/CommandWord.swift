import BelfryCore
import BelfryEngine

/// What can be said to a run, and how it is written: the same members in a request's body and in a call's params.
enum CommandWord: String, CaseIterable {
    case stop, skip, adjust, retry

    /// The members it may have, beside `command_id`.
    var members: Set<String> {
        switch self {
        case .stop: []
        case .skip: ["step", "output"]
        case .adjust: ["params", "steps", "restart"]
        case .retry: ["from", "latest"]
        }
    }

    /// - Parameter body: has no members but ``members``.
    /// - Throws: `malformed`.
    func order(to run: RunID, _ body: JSONObject) throws(BelfryError) -> OperatorCommand.Order {
        switch self {
        case .stop: return .run(run, .stop)
        case .skip:
            guard let step = try body.text("step", "the name of a step") else {
                throw BelfryError(.malformed, "step must be the name of a step")
            }
            return .run(run, .skip(step: step, output: body["output"]))
        case .adjust: return .run(run, .adjust(try RunAdjustment(reading: body)))
        case .retry:
            return .retry(
                run, from: try body.text("from", "the name of a step"), latest: try body.flag("latest") ?? false)
        }
    }
}

/// What can be said of runs as a whole.
enum RunsWord: String, CaseIterable {
    /// A run of a rule, with an event that a person gives.
    case start = "run.start"
    case stop = "runs.stop"

    /// The members it may have, beside `command_id`.
    var members: Set<String> {
        switch self {
        case .start: ["rule", "event"]
        case .stop: ["rule"]
        }
    }

    /// - Parameter body: has no members but ``members``.
    /// - Throws: `malformed`.
    func order(_ body: JSONObject) throws(BelfryError) -> OperatorCommand.Order {
        let rule = try body.text("rule", "the name of a rule")
        guard rule.map(Name.isValid) ?? true else { throw BelfryError(.malformed, "rule must be the name of a rule") }
        switch self {
        case .start:
            guard let rule else { throw BelfryError(.missingAttribute, "rule must be the name of a rule") }
            guard let event = (body["event"] ?? [:]).object else {
                throw BelfryError(.malformed, "event must be an object: {type?, subject?, data?}")
            }
            return .start(rule: rule, event: event)
        case .stop: return .stopAll(rule: rule)
        }
    }
}

/// What can be said to a question.
enum VerdictWord: String, CaseIterable {
    case approve, deny

    /// The members it may have, beside `command_id`.
    var members: Set<String> {
        switch self {
        case .approve: ["value"]
        case .deny: ["reason"]
        }
    }

    /// - Parameter body: has no members but ``members``.
    /// - Throws: `malformed`.
    func verdict(_ body: JSONObject) throws(BelfryError) -> Verdict {
        switch self {
        case .approve:
            let value = body["value"]
            try value?.check(bytesMax: Limits.decisionValueBytesMax, "value")
            return .approve(value: value)
        case .deny:
            guard let reason = body["reason"], reason != .null else { return .deny() }
            guard let text = reason.string else { throw BelfryError(.malformed, "reason must be a text") }
            try reason.check(bytesMax: Limits.decisionReasonBytesMax, "reason")
            return .deny(reason: text)
        }
    }
}

extension RunAdjustment {
    /// `{params?, steps?: {NAME: {prompt?, agent?}}, restart?}`
    fileprivate init(reading body: JSONObject) throws(BelfryError) {
        self.init(params: try body.object("params", bytesMax: Limits.adjustedParamsBytesMax))
        for (name, value) in try body.object("steps", bytesMax: Limits.apiBodyBytesMax).members.map({
            ($0.key, $0.value)
        }) {
            guard value.object != nil else {
                throw BelfryError(.malformed, "steps.\(name.prefix(64)) must be an object of prompt and agent")
            }
            let members = try value.members(of: ["prompt", "agent"])
            var step = Step(agent: try members.object("agent", bytesMax: Limits.adjustedParamsBytesMax))
            if let prompt = members["prompt"] {
                guard prompt == .null || prompt.string != nil else {
                    throw BelfryError(.malformed, "prompt must be a text, or null for the rule's own")
                }
                try prompt.check(bytesMax: Limits.promptBytesMax, "prompt")
                step.prompt = .some(prompt.string)
            }
            steps[name] = step
        }
        if let restart = try body.flag("restart") { restarts = restart }
    }
}

extension JSONObject {
    /// A member that is a text, or absent.
    /// - Parameter what: what it must be, for who gave something else.
    fileprivate func text(_ key: String, _ what: String) throws(BelfryError) -> String? {
        guard let value = self[key] else { return nil }
        guard let text = value.string else { throw BelfryError(.malformed, "\(key) must be \(what)") }
        return text
    }

    /// A member that is true or false, or absent.
    fileprivate func flag(_ key: String) throws(BelfryError) -> Bool? {
        guard let value = self[key] else { return nil }
        guard let flag = value.bool else { throw BelfryError(.malformed, "\(key) must be true or false") }
        return flag
    }

    /// A member that is an object, or absent.
    fileprivate func object(_ key: String, bytesMax: Int) throws(BelfryError) -> JSONObject {
        guard let value = self[key] else { return [:] }
        guard let object = value.object else { throw BelfryError(.malformed, "\(key) must be an object") }
        try value.check(bytesMax: bytesMax, key)
        return object
    }

    /// A member that names a command; nil if there is none.
    func commandID() throws(BelfryError) -> CommandID? {
        guard let value = self["command_id"] else { return nil }
        guard let id = value.string.flatMap({ CommandID($0) }) else {
            throw BelfryError(.malformed, "command_id must be an id such as cmd_…")
        }
        return id
    }
}

extension JSONValue {
    /// - Throws: `malformed` if it is larger than that as JSON.
    fileprivate func check(bytesMax: Int, _ name: String) throws(BelfryError) {
        guard encoded().count <= bytesMax else {
            throw BelfryError(.malformed, "\(name) has at most \(bytesMax) bytes")
        }
    }
}
