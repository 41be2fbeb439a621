import BelfryCore
import BelfryCrypto
import BelfrySources
import BelfryStore
import Testing

@testable import BelfryEngine

/// What Slack is told of a button that was pressed there, against a server in Slack's place.
@Suite(.timeLimit(.minutes(3))) struct SlackAnswerTests {
    private static let secret = "8f742231b10e8888abcd99yyyzzz85a5"
    private static let documents = """
        source: lab
        preset: none
        ---
        source: slack
        preset: slack
        secret: env:TEST_SECRET
        ---
        rule: ask
        when: { source: [lab] }
        run: { steps: [ { step: confirm, approve: "Shut down p7?" } ] }
        """

    /// - Parameter body: gets the question of a run that waits for it.
    private func asked(
        _ origin: String, allowsPrivateAddresses: Bool = true,
        _ body: @Sendable (TestHub, ApprovalRecord) async throws -> Void
    ) async throws {
        try await TestHub.with(
            documents: Self.documents,
            change: { configuration in
                configuration.slackUsers = ["U1": "anna"]
                configuration.slackOrigin.url = origin
                configuration.slackOrigin.allowsPrivateAddresses = allowsPrivateAddresses
                configuration.secrets = SecretResolver(
                    allowedEnvironment: ["TEST_SECRET"], allowedFiles: [], environment: { _ in Self.secret })
            }
        ) { test in
            let run = try #require(try await test.post("{}", to: "lab").first?.runs.first)
            _ = try await test.frames(of: run) { $0.draft.type == .approvalRequested }
            let open = try await test.hub.approvals(isOpen: true, run: run, limit: 9, cursor: nil).items
            try await body(test, try #require(open.first))
        }
    }

    /// Presses one of two buttons that stand beside a third, below a text.
    private func press(
        _ test: TestHub, _ question: ApprovalRecord, as user: String = "U1", _ action: String = "approve",
        trigger: String = "1", at url: String
    ) async throws {
        let value = JSONValue.string(question.id.description)
        func button(_ name: String, _ value: JSONValue) -> JSONValue {
            ["type": "button", "action_id": .string(name), "value": value]
        }
        let blocks: JSONValue = .array([
            ["type": "section", "text": ["type": "plain_text", "text": "Shut down p7?"]],
            [
                "type": "actions",
                "elements": .array([
                    button("belfry.approve", value), button("belfry.deny", value), button("open", "x"),
                ]),
            ],
            ["type": "actions", "elements": .array([button("belfry.deny", value)])],
        ])
        let payload: JSONValue = [
            "type": "block_actions", "trigger_id": .string(trigger), "user": ["id": .string(user)],
            "team": ["id": "T1"], "channel": ["id": "C1"], "response_url": .string(url),
            "message": ["text": "p7 is hot", "blocks": blocks],
            "actions": .array([button("belfry.\(action)", value)]),
        ]
        let body = "payload=\(PercentEncoding.component(payload.text))"
        let now = WallClock.system.now()
        let signature = HMAC.code(.sha256, key: Array(Self.secret.utf8), [Array("v0:\(now.seconds):\(body)".utf8)])
        let headers = HeaderFields([
            (name: "content-type", value: "application/x-www-form-urlencoded"),
            (name: "x-slack-request-timestamp", value: "\(now.seconds)"),
            (name: "x-slack-signature", value: "v0=\(Hex.encode(signature))"),
        ])
        let delivery = Delivery(
            headers: headers, body: Array(body.utf8), remote: "127.0.0.1", isLoopback: true, received: now)
        _ = try await test.hub.receive(source: "slack", delivery)
    }

    private func slack(_ status: String = "200 OK", headers: String = "") -> ScriptedServer {
        ScriptedServer { connection in
            while connection.readRequest() != nil { connection.answer(status, headers: headers, body: "ok") }
        }
    }

    private func told(_ server: ScriptedServer, _ count: Int) async throws -> JSONValue {
        #expect(await server.waits { $0.requests.count == count })
        let request = try #require(server.record.requests.last)
        #expect(request.hasPrefix("POST /actions/T1/S3CRET HTTP/1.1\r\n"), "\(request)")
        return try JSONValue(parsing: Array(request.split(separator: "\r\n\r\n", maxSplits: 1)[1].utf8))
    }

    @Test(
        "the question's buttons give way to who has decided; other parts of the message stay; the address is told nobody"
    )
    func replaced() async throws {
        let server = slack()
        let url = server.url + "/actions/T1/S3CRET"
        try await asked(server.url + "/") { test, question in
            try await press(test, question, at: url)
            let body = try await told(server, 1)
            #expect(body["replace_original"] == true && body["text"] == "p7 is hot\napproved by anna")
            let blocks = body["blocks"]?.array ?? []
            #expect(blocks.map { $0["type"]?.string } == ["section", "actions", "context"], "\(blocks)")
            #expect(blocks[1]["elements"]?.array?.map { $0["action_id"]?.string } == ["open"])
            #expect(blocks[2]["elements"] == [["type": "plain_text", "text": "approved by anna"]])
            try await eventually("its count") { test.hub.slackAnswers.counts == .init(told: 1) }
            _ = try await test.framesToEnd(of: question.run)
            let frames = try await test.hub.frames(after: 0, through: nil, topics: [.everyRun, .runs, .alerts], max: 1000).frames
            let audit = try await test.hub.audit(cursor: nil, limit: 99).items
            #expect(frames.count > 5 && audit.count > 5)
            for text in frames.map(\.draft.data.text) + audit.map(\.detail.text) { #expect(!text.contains("S3CRET")) }
        }
    }

    @Test("who may not decide is told so alone, and the buttons stay; who comes too late sees who was first")
    func refused() async throws {
        let server = slack()
        let url = server.url + "/actions/T1/S3CRET"
        try await asked(server.url + "/") { test, question in
            try await press(test, question, as: "U9", trigger: "1", at: url)
            let hint = try await told(server, 1)
            #expect(hint["response_type"] == "ephemeral" && hint["replace_original"] == false)
            #expect(hint["text"]?.string?.contains("U9 may not decide here") == true && hint["blocks"] == nil)
            #expect(try await test.hub.approval(question.id).decision == nil)
            try await press(test, question, "deny", trigger: "2", at: url)
            #expect(try await told(server, 2)["text"]?.string?.hasSuffix("\ndenied by anna") == true)
            try await press(test, question, trigger: "3", at: url)
            let late = try await told(server, 3)
            #expect(late["replace_original"] == true)
            #expect(late["text"]?.string?.contains("already denied by anna") == true, "\(late)")
        }
    }

    @Test(
        "an answer that Slack does not take, redirects, or is not Slack's changes nothing in the decision, and is counted"
    )
    func failures() async throws {
        let elsewhere = slack()
        let servers = [
            slack("500 Oops"), slack("302 Found", headers: "Location: \(elsewhere.url)/\r\n"),
        ]
        for server in servers {
            try await asked(server.url + "/") { test, question in
                try await press(test, question, at: server.url + "/actions/T1/S3CRET")
                _ = try await test.framesToEnd(of: question.run)
                try await eventually("the failure") { test.hub.slackAnswers.counts == .init(failed: 1) }
                #expect(try await test.hub.run(question.run).run.state == .succeeded)
                #expect(server.record.requests.count == 1)
            }
        }
        // Another host, one that only begins alike, and Slack's name at a private address.
        let origin = "http://127.0.0.1:\(elsewhere.port)"
        for (allowed, isPrivate) in [("https://hooks.slack.com/", true), (origin + "0/", true), (origin + "/", false)] {
            try await asked(allowed, allowsPrivateAddresses: isPrivate) { test, question in
                try await press(test, question, at: origin + "/actions/T1/S3CRET")
                _ = try await test.framesToEnd(of: question.run)
                try await eventually("the failure") { test.hub.slackAnswers.counts == .init(failed: 1) }
                #expect(try await test.hub.run(question.run).run.state == .succeeded)
            }
        }
        #expect(elsewhere.record.requests.isEmpty)
    }
}
