import BelfryCore

/// A button of a Slack message that is meant for the hub (docs.slack.dev, block_actions payload).
struct SlackPress: Sendable {
    private static let actions = ["belfry.approve", "belfry.deny"]

    let user: String
    let value: String
    let verdict: Verdict
    /// Where Slack takes what is to become of the message, up to five times in half an hour; a secret. Nil: the payload has
    /// none, or the source's `redact` has taken it out.
    let responseURL: String?
    /// The message that the button stands in.
    private let message: JSONValue

    /// Nil for what is meant for somebody else.
    init?(_ payload: JSONValue) {
        guard let user = payload["user"]?["id"]?.string, let action = payload["actions"]?.array?.first,
            let value = action["value"]?.string
        else { return nil }
        switch action["action_id"]?.string {
        case Self.actions[0]: verdict = .approve()
        case Self.actions[1]: verdict = .deny()
        default: return nil
        }
        self.user = user.plain(bytesMax: 64)
        self.value = value
        responseURL = payload["response_url"]?.string
        message = payload["message"] ?? .null
    }

    /// The message without the question's buttons, and with a line in their place (docs.slack.dev, modifying messages).
    func replacement(_ line: String) -> JSONValue {
        let line = line.plain(bytesMax: Limits.errorTextBytesMax)
        let text = [message["text"]?.string, line].compactMap(\.self).filter { !$0.isEmpty }.joined(separator: "\n")
        var body: JSONObject = ["replace_original": true, "text": .string(text)]
        if let blocks = message["blocks"]?.array {
            let said: JSONValue = [
                "type": "context", "elements": .array([["type": "plain_text", "text": .string(line)]]),
            ]
            let kept = blocks.compactMap(withoutButtons).prefix(Limits.slackBlocksMax - 1)
            body["blocks"] = .array(kept + [said])
        }
        return .object(body)
    }

    /// What only who has pressed the button sees; the message stays as it is, for those who may decide.
    static func hint(_ line: String) -> JSONValue {
        [
            "response_type": "ephemeral", "replace_original": false,
            "text": .string(line.plain(bytesMax: Limits.errorTextBytesMax)),
        ]
    }

    /// Other buttons stay. Nil: nothing of the block is left.
    private func withoutButtons(_ block: JSONValue) -> JSONValue? {
        guard var members = block.object else { return nil }
        if let accessory = block["accessory"], isOurs(accessory) { members["accessory"] = nil }
        guard block["type"] == "actions", let elements = block["elements"]?.array else { return .object(members) }
        let kept = elements.filter { !isOurs($0) }
        members["elements"] = .array(kept)
        return kept.isEmpty ? nil : .object(members)
    }

    private func isOurs(_ element: JSONValue) -> Bool {
        element["value"]?.string == value && Self.actions.contains(element["action_id"]?.string ?? "")
    }
}
