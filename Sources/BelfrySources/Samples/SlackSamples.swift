import BelfryCore

/// What a Slack app is sent: a mention, a slash command, a button.
enum SlackSamples {
    static let userAgent = (name: "User-Agent", value: "Slackbot 1.0 (+https://api.slack.com/robots)")

    static func mention(now: Timestamp) -> JSONValue {
        let time = "\(now.seconds).000200"
        return [
            "token": "made-up-verification-token", "team_id": "T0HARBOUR", "api_app_id": "A0BELFRY",
            "event": [
                "type": "app_mention", "user": "U0OKONKWO", "ts": .string(time), "channel": "C0ONCALL",
                "event_ts": .string(time), "client_msg_id": .string("belfry-\(now.milliseconds)"), "team": "T0HARBOUR",
                "text":
                    "<@U0BELFRY> checkout answers slowly since the last deploy. What changed, and who can roll back?",
            ],
            "type": "event_callback", "event_id": .string("Ev0\(now.milliseconds)"),
            "event_time": .int(now.seconds), "is_ext_shared_channel": false, "event_context": "4-made-up",
            "authorizations": [
                ["team_id": "T0HARBOUR", "user_id": "U0BELFRY", "is_bot": true, "is_enterprise_install": false]
            ],
        ]
    }

    static func command(now: Timestamp) -> String {
        "token=made-up-verification-token&team_id=T0HARBOUR&team_domain=harbour&channel_id=C0ONCALL"
            + "&channel_name=on-call&user_id=U0OKONKWO&user_name=okonkwo&command=%2Fdiagnose&text=checkout+last+30m"
            + "&api_app_id=A0BELFRY&is_enterprise_install=false"
            + "&response_url=https%3A%2F%2Fhooks.slack.example%2Fcommands%2FT0HARBOUR%2F1%2Fx"
            + "&trigger_id=\(now.milliseconds).7.belfry"
    }

    static func button(now: Timestamp) -> String {
        let payload: JSONValue = [
            "type": "block_actions", "trigger_id": .string("\(now.milliseconds).8.belfry"), "api_app_id": "A0BELFRY",
            "team": ["id": "T0HARBOUR", "domain": "harbour"], "user": ["id": "U0MIRA", "username": "mira-b"],
            "channel": ["id": "C0ONCALL", "name": "on-call"],
            "container": ["type": "message", "message_ts": "1700000000.000200", "channel_id": "C0ONCALL"],
            "actions": [
                ["type": "button", "action_id": "roll_back", "block_id": "deploy", "value": "checkout 2.14.0"]
            ],
        ]
        return "payload=" + payload.text.utf8.map { "%" + Hex.encode([$0]) }.joined()
    }
}
