import BelfryCore
import BelfrySources
import Testing

struct SlackPresetTests {
    private let fixture = SourceFixture(.slack, secrets: ["8f742231b10e8888abcd99yyyzzz85a5", "older"])
    private let form = [("Content-Type", "application/x-www-form-urlencoded")]
    private let mention =
        #"{"token":"t","team_id":"T1","type":"event_callback","event_id":"Ev1","event_time":1699999999,"#
        + #""event":{"type":"app_mention","channel":"C1","text":"<@U1> hello"}}"#
    private let command =
        "token=x&team_id=T1&channel_id=C1&command=%2Fdiagnose&text=till+3&text=again&trigger_id=398738663015.4"

    @Test("Slack's published vector verifies, for a command that is answered 200 with nothing")
    func vector() throws {
        var fixture = fixture
        fixture.now = Timestamp(seconds: 1_531_420_618)
        let body =
            "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
            + "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
            + "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
            + "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
        let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
        let headers = form + [("X-Slack-Signature", signature), ("X-Slack-Request-Timestamp", "1531420618")]
        let event = try #require(fixture.judge(body, headers).event)
        #expect(event.type == "slash_command")
        #expect(event.subject == "G8PSS9T3V")
        #expect(event.key == "398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c")
        #expect(event.data.value["command"]?.string == "/webhook-collect")
    }

    @Test("an event says its type, channel, team, id and time")
    func reads() throws {
        let retry = [
            ("Content-Type", "application/json"), ("X-Slack-Retry-Num", "1"), ("X-Slack-Retry-Reason", "http_error"),
        ]
        let event = try #require(fixture.judgeSigned(mention, retry).event)
        #expect(event.type == "app_mention")
        #expect(event.subject == "C1")
        #expect(event.origin == "T1")
        #expect(event.key == "Ev1")
        #expect(event.isKeySigned)
        #expect(event.time == Timestamp(seconds: 1_699_999_999))
        #expect(event.data.text == mention)
        #expect(event.headers["x-slack-retry-num"] == "1")
        #expect(!event.headers.members.contains { $0.key == "x-slack-signature" })
    }

    @Test(
        "the channel is found where Slack puts it",
        arguments: [
            #"{"type":"channel_rename","channel":{"id":"C9"}}"#, #"{"type":"reaction_added","item":{"channel":"C9"}}"#,
            #"{"type":"file_shared","channel_id":"C9"}"#,
        ])
    func channel(event: String) {
        #expect(fixture.judgeSigned(#"{"type":"event_callback","event":\#(event)}"#).event?.subject == "C9")
    }

    @Test("the URL is verified by saying the challenge back, but only to who signs")
    func challenge() throws {
        let body =
            #"{"token":"t","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}"#
        guard case .answered(let answer) = fixture.judgeSigned(body) else {
            Issue.record("no answer")
            return
        }
        #expect(answer.status == 200)
        #expect(String(decoding: answer.body, as: UTF8.self) == "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P")
        #expect(answer.headers.contains { $0 == ("content-type", "text/plain; charset=utf-8") })
        #expect(answer.headers.contains { $0 == ("x-content-type-options", "nosniff") })
        #expect(fixture.judge(body, [("Content-Type", "application/json")]).code == "signature_missing")
        #expect(fixture.judgeSigned(body) { body, _ in body[30] ^= 1 }.code == "signature_invalid")
        let long = #"{"type":"url_verification","challenge":"\#(String(repeating: "x", count: 2000))"}"#
        #expect(fixture.judgeSigned(long).code == "malformed")
        #expect(fixture.judgeSigned(#"{"type":"url_verification"}"#).code == "missing_attribute")
    }

    @Test("a command becomes an object of its fields, without the old verification token")
    func slashCommand() throws {
        let event = try #require(fixture.judgeSigned(command, form).event)
        #expect(event.type == "slash_command")
        #expect(event.origin == "T1")
        #expect(
            event.data.text
                == #"{"team_id":"T1","channel_id":"C1","command":"/diagnose","text":["till 3","again"],"trigger_id":"398738663015.4"}"#
        )
    }

    @Test("a button is the JSON in the form's payload; its trigger is its identity")
    func button() throws {
        let payload =
            #"{"type":"block_actions","trigger_id":"13345224609.8","team":{"id":"T1"},"container":{"channel_id":"C2"}}"#
        let body = "payload=" + payload.utf8.map { "%" + Hex.encode([$0]) }.joined()
        let event = try #require(fixture.judgeSigned(body, form).event)
        #expect(event.type == "block_actions")
        #expect(event.subject == "C2")
        #expect(event.key == "13345224609.8")
        #expect(event.data.text == payload)
    }

    @Test("forms are answered 200 with nothing, events with what became of them")
    func answers() {
        let source = fixture.source
        let answer = source.answer(to: fixture.delivery([], form))
        #expect(answer?.status == 200)
        #expect(answer?.body.isEmpty == true)
        #expect(source.answer(to: fixture.delivery([], [("Content-Type", "application/json")])) == nil)
    }

    @Test("what carries no id is known by its body for ten minutes")
    func withoutID() throws {
        let event = try #require(fixture.judgeSigned(#"{"type":"app_rate_limited","team_id":"T1"}"#).event)
        #expect(event.type == "app_rate_limited")
        #expect(event.key?.hasPrefix("sha256:") == true)
        #expect(event.keyWindow == .seconds(600))
        let closed = try #require(fixture.judgeSigned("payload=%7B%22type%22:%22view_closed%22%7D", form).event)
        #expect(closed.keyWindow == .seconds(600))
    }

    @Test("a look at the certificate is answered and is no event")
    func certificate() {
        guard case .answered(let answer) = fixture.judgeSigned("token=x&ssl_check=1", form) else {
            Issue.record("no answer")
            return
        }
        #expect(answer.status == 200)
    }

    @Test("the window is 300 s to both sides")
    func stale() {
        for (offset, expected) in [(-300, nil), (300, nil), (-301, "signature_stale"), (301, "signature_stale")] {
            #expect(fixture.judgeSigned(mention, sentAt: fixture.now + .seconds(offset)).code == expected, "\(offset)")
        }
    }

    @Test("a changed body, time or label is refused")
    func tampered() {
        #expect(fixture.judgeSigned(mention) { body, _ in body[20] ^= 1 }.code == "signature_invalid")
        #expect(
            fixture.judgeSigned(command, form) { body, _ in body += Array("&text=x".utf8) }.code == "signature_invalid")
        func code(_ name: String, _ value: String?) -> String? {
            fixture.judgeSigned(mention) { _, headers in
                headers.remove(name)
                if let value { headers.append((name, value)) }
            }.code
        }
        #expect(code("x-slack-request-timestamp", "1700000001") == "signature_invalid")
        #expect(code("x-slack-request-timestamp", "1700000000.0") == "signature_invalid")
        #expect(code("x-slack-request-timestamp", nil) == "signature_missing")
        #expect(code("x-slack-signature", nil) == "signature_missing")
        #expect(code("x-slack-signature", "v1=00") == "signature_invalid")
    }

    @Test("a rotated secret is accepted under its own name")
    func rotated() {
        #expect(fixture.judgeSigned(mention, secret: 1).verifiedBy == "env:S1")
    }

    @Test("a retry is the same identity")
    func duplicate() {
        let retry = [("Content-Type", "application/json"), ("X-Slack-Retry-Num", "2")]
        #expect(fixture.judgeSigned(mention).event?.key == fixture.judgeSigned(mention, retry).event?.key)
        #expect(fixture.judgeSigned(command, form).event?.key == "398738663015.4")
    }

    @Test(
        "forms that say two things, or nothing, are refused",
        arguments: [
            ("payload=%7B%7D&payload=%7B%7D", "malformed"), ("payload=", "invalid_json"),
            ("payload=%7B", "invalid_json"),
            ("payload=%7B%7D", "missing_attribute"), ("", "missing_attribute"), ("command=", "missing_attribute"),
            ("command=%2Fa&command=%2Fb", "malformed"), ("command=%ZZ", "malformed"),
            ("payload=[1]", "missing_attribute"),
        ])
    func badForms(body: String, code: String) {
        #expect(fixture.judgeSigned(body, form).code == code)
    }
}
