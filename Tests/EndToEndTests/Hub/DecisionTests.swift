import BelfryCore
import BelfryCrypto
import Foundation
import Testing

/// Questions decided from elsewhere: by a link in a message, by a button in Slack.
@Suite(.timeLimit(.minutes(2))) struct DecisionTests {
    private static let documents = """
        source: lab
        preset: none
        ---
        source: slack
        preset: slack
        secret: env:SLACK_SIGNING_SECRET
        ---
        agent: parrot
        kind: echo
        words_per_second: 1000
        ---
        rule: ask
        when: { source: [lab] }
        run:
          steps:
            - parallel:
                - step: confirm
                  approve: "Shut down <{{data.pump}}>?"
                  VALUE
                - { step: tell, send: { to: chat, body: { link: "{{links.confirm}}", value: "{{run.id}}/confirm" } } }
            - { step: act, agent: parrot, prompt: "{{steps.confirm.by}} PLACE" }
        """

    private let secret = "8f742231b10e8888abcd99yyyzzz85a5"

    /// A hub, a run that asks, and the message that its other step has sent.
    /// - Parameter value: whether it asks for a value.
    private func asked(
        value: Bool, _ body: (HubProcess, _ run: String, _ message: JSONValue) async throws -> Void
    ) async throws {
        let schema = "value: { schema: { type: object, properties: { minutes: { type: integer } } } }"
        let documents = Self.documents.replacing("VALUE", with: value ? schema : "on_deny: stop")
            .replacing("PLACE", with: value ? "{{steps.confirm.value.minutes}}" : "alone")
        let chat = try ScriptedProvider([.text("taken")])
        let folder = try TemporaryFolder()
        let file = try folder.write(
            """
            targets: { chat: { url: "http://127.0.0.1:\(chat.port)/", allow_private: true, plain: true } }
            approvals: { slack_users: { U061F7AUR: anna } }
            """, to: "belfry.yaml")
        try await HubProcess.start(
            documents: documents, arguments: ["--config", file], environment: ["SLACK_SIGNING_SECRET": secret]
        ).use { hub in
            let posted = try await hub.client.request("POST", "/hooks/lab", json: ["pump": "p7"])
            let run = try #require(posted.json["runs"]?.array?.first?.string, "\(posted.text)")
            let message = try await eventually(within: .seconds(20), "the message") {
                try? JSONValue(parsing: Array((chat.exchanges.first?.body ?? "").utf8))
            }
            _ = try await eventually(within: .seconds(20), "the question") {
                try await hub.client.request("GET", "/v1/approvals?state=open").json["items"]?.array?.first
            }
            try await body(hub, run, message)
        }
    }

    /// `/decide?code=…` of a link.
    private func path(_ message: JSONValue) throws -> String {
        let link = try #require(message["link"]?.string)
        return String(link[try #require(link.range(of: "/decide?code=")).lowerBound...])
    }

    @Test("a link shows the question and decides nothing; its form does, once")
    func link() async throws {
        try await asked(value: true) { hub, run, message in
            let path = try path(message)
            let stranger = RawClient(port: hub.port, token: nil)
            for _ in 0..<2 {
                let page = try await stranger.request("GET", path)
                #expect(page.status == 200 && page.text.contains("Shut down &lt;p7&gt;?"), "\(page.text)")
                #expect(page.text.contains("name=\"decision\" value=\"approve\""))
            }
            let approval = try #require(
                try await hub.client.request("GET", "/v1/approvals?run=\(run)").json["items"]?.array?.first?["id"]?
                    .string)
            func post(_ form: String) async throws -> RawClient.Response {
                try await stranger.request(
                    "POST", path, headers: [("content-type", "application/x-www-form-urlencoded")],
                    body: Array(form.utf8))
            }
            let wrong = try await post("approval=\(approval)&decision=approve&value=%7B%22minutes%22%3A%22x%22%7D")
            #expect(wrong.status == 422 && wrong.text.contains("value.minutes"), "\(wrong.text)")
            #expect(try await post("approval=\(approval)&decision=approve&value=soon").text.contains("not JSON"))
            #expect(try await post("approval=\(approval)").status == 400)
            let yes = try await post("approval=\(approval)&decision=approve&value=%7B%22minutes%22%3A+5%7D")
            #expect(yes.status == 303, "\(yes.text)")
            let ended = try await hub.ended(run)
            #expect(ended["state"] == "succeeded")
            #expect(ended["steps"]?.array?.last?["output"] == "link 5", "\(ended.text)")
            #expect(try await stranger.request("GET", path).text.contains("Approved by link."))
            let late = try await post("approval=\(approval)&decision=deny")
            #expect(late.status == 422 && late.text.contains("already"), "\(late.text)")
            let code = try #require(path.split(separator: "=").last.map(String.init))
            #expect(!hub.log.contains(code), "a link's code stands in no log")
            let cut = try await stranger.request("GET", String(path.dropLast()))
            #expect(cut.status == 404 && cut.text.contains("no link of this hub"))
            let forged = String(path.dropLast()) + (path.hasSuffix("0") ? "1" : "0")
            #expect(try await stranger.request("GET", forged).status == 404)
        }
    }

    @Test("a button in Slack decides for who is known, once, and tells of others")
    func slack() async throws {
        try await asked(value: false) { hub, run, message in
            func press(_ user: String, _ action: String, trigger: String) async throws -> RawClient.Response {
                let value = try #require(message["value"]?.string)
                let payload: JSONValue = [
                    "type": "block_actions", "trigger_id": .string(trigger), "user": ["id": .string(user)],
                    "team": ["id": "T1"], "channel": ["id": "C1"],
                    "actions": .array([["action_id": .string(action), "value": .string(value)]]),
                ]
                let body = "payload=\(PercentEncoding.component(payload.text))"
                let now = "\(Int(Date().timeIntervalSince1970))"
                let signature = Hex.encode(
                    HMAC.code(.sha256, key: Array(secret.utf8), [Array("v0:\(now):\(body)".utf8)]))
                return try await hub.client.request(
                    "POST", "/hooks/slack",
                    headers: [
                        ("content-type", "application/x-www-form-urlencoded"), ("x-slack-request-timestamp", now),
                        ("x-slack-signature", "v0=\(signature)"),
                    ], body: Array(body.utf8))
            }
            #expect(try await press("U0STRANGER", "belfry.approve", trigger: "1.1").status == 200)
            let alerts = try await hub.client.request("GET", "/v1/approvals?state=open").json["items"]?.array
            #expect(alerts?.count == 1, "a stranger decides nothing")
            #expect(try await press("U061F7AUR", "somebody.else", trigger: "1.2").status == 200)
            let yes = try await press("U061F7AUR", "belfry.approve", trigger: "1.3")
            #expect(yes.status == 200 && yes.text.isEmpty, "\(yes.text)")
            #expect(try await press("U061F7AUR", "belfry.approve", trigger: "1.3").status == 200, "Slack says it again")
            let ended = try await hub.ended(run)
            #expect(ended["steps"]?.array?.last?["output"] == "anna alone", "\(ended.text)")
            #expect(hub.log.contains("U0STRANGER may not decide here"))
        }
    }
}
