import BelfryCore

/// Keys that belong to steps of another kind.
extension DocumentDecoder {
    mutating func noteKeys(of fields: Fields, notOf kind: StepDefinition.Kind) {
        for key in fields.members.keys.sorted() {
            if let fault = Self.fault(of: key, in: kind) { note(fault, in: fields, key) }
        }
    }

    private static func fault(of key: String, in kind: StepDefinition.Kind) -> String? {
        let owners = owners(of: key)
        if owners.contains(kind) { return nil }
        switch (key, kind) {
        case ("prompt", .command): return "a command has no prompt; the event is on its input"
        case ("output", .command): return "what a command prints is text; a schema belongs to agent steps"
        case ("timeout", .approve): return "a request is open for as long as expires says"
        case ("timeout", .wait): return "a wait says its own time: wait: 10m, or within"
        case ("expires", .wait): return "a wait says its own time: wait: 10m, or within"
        case ("retry", .send): return "a message is tried again by a schedule of its own"
        case ("retry", _): return "only agent and command steps are tried again"
        case ("default", .approve): return "nothing supplies a decision; otherwise says what one that expires comes to"
        default:
            return
                "belongs to \(owners.map(\.rawValue).joined(separator: ", ")) steps, and this one's kind is \(kind.rawValue)"
        }
    }

    private static func owners(of key: String) -> [StepDefinition.Kind] {
        switch key {
        case "prompt", "output", "tools", "turns", "tokens": [.agent]
        case "value", "expires", "otherwise", "on_deny": [.approve]
        case "timeout": [.agent, .command, .send]
        case "retry": [.agent, .command]
        case "default": [.agent, .command, .send, .wait]
        // `step` and `if`, and the keys that say the kind.
        default: StepDefinition.Kind.allCases
        }
    }
}
