import BelfryCore
import BelfryEngine

/// What can be said to a run, and how it is written: the same members in a request's body and in a call's params.
enum CommandWord: String, CaseIterable {
    case stop, skip, adjust

    /// The members it may have, beside `command_id`.
    var members: Set<String> {
        switch self {
        case .stop: []
        case .skip: ["step", "output"]
        case .adjust: ["params", "steps", "restart"]
        }
    }

    /// - Parameter body: has no members but ``members``.
    /// - Throws: `malformed`.
    func kind(_ body: JSONObject) throws(BelfryError) -> RunCommandKind {
        switch self {
        case .stop: return .stop
        case .skip:
            guard let step = body["step"]?.string else {
                throw BelfryError(.malformed, "step must be the name of a step")
            }
            return .skip(step: step, output: body["output"])
        case .adjust: return .adjust(try RunAdjustment(reading: body))
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
        if let restart = body["restart"] {
            guard let flag = restart.bool else { throw BelfryError(.malformed, "restart must be true or false") }
            restarts = flag
        }
    }
}

extension JSONObject {
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
