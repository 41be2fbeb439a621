import BelfryCore
import BelfryEngine
import BelfrySources
import Testing

/// Senders that want another answer than the hub's own.
@Suite(.timeLimit(.minutes(3))) struct HookAnswerTests {
    private static let documents = """
        source: chat
        preset: slack
        secret: generate
        ---
        source: broker
        preset: cloudevents
        secret: generate
        """

    private static func lines(_ headers: [(name: String, value: String)]) -> String {
        headers.map { "\($0.name): \($0.value)\r\n" }.joined()
    }

    private func secret(of source: String, _ rig: HubRig) async throws -> Secret {
        let shown = try await rig.send("GET", "/v1/sources/\(source)", token: rig.admin).json
        return Secret(try #require(shown["secrets"]?.array?.first?["value"]?.string))
    }

    @Test("Slack's command is stored and answered 200 with nothing, its repeat too; the challenge is said back")
    func slack() async throws {
        try await HubRig.run { rig in
            let documents = HubRig.documents + "\n---\n" + Self.documents
            _ = try await rig.hub.applyDocuments([(path: "test.yaml", text: documents)], by: .hub)
            let secret = try await secret(of: "chat", rig)
            let source = SourceDefinition(name: "chat", preset: .slack)
            func post(_ body: [UInt8], _ type: String) async throws -> HubRig.Answer {
                let signed = DeliverySigner.headers(
                    for: source, secret: secret, body: body, id: "1", now: WallClock.system.now())
                return try await rig.send(
                    "POST", "/hooks/chat", headers: Self.lines([("Content-Type", type)] + signed),
                    body: String(decoding: body, as: UTF8.self))
            }
            let command = try #require(SampleDelivery.named("slack-command"))
            for _ in 0..<2 {
                let answer = try await post(command.body, "application/x-www-form-urlencoded")
                #expect(answer.status == 200)
                #expect(answer.body.isEmpty)
            }
            let events = try await rig.send("GET", "/v1/events", token: rig.admin).json["items"]?.array ?? []
            #expect(events.map { $0["type"]?.string } == ["slash_command"])
            let challenge = try await post(
                Array(#"{"type":"url_verification","challenge":"c-7"}"#.utf8), "application/json")
            #expect(challenge.status == 200)
            #expect(challenge.body == "c-7")
            #expect(challenge.head.contains("x-content-type-options: nosniff"))
            let mention = try #require(SampleDelivery.named("slack-mention"))
            #expect(try await post(mention.body, "application/json").status == 202)
        }
    }

    @Test("a broker's OPTIONS is answered with what it may do; another source refuses the method")
    func handshake() async throws {
        try await HubRig.run { rig in
            let documents = HubRig.documents + "\n---\n" + Self.documents
            _ = try await rig.hub.applyDocuments([(path: "test.yaml", text: documents)], by: .hub)
            let asked = [
                (name: "WebHook-Request-Origin", value: "broker.example.com"), ("WebHook-Request-Rate", "120"),
            ]
            let answer = try await rig.send("OPTIONS", "/hooks/broker", headers: Self.lines(asked))
            #expect(answer.status == 200)
            #expect(answer.head.contains("WebHook-Allowed-Origin: broker.example.com"))
            #expect(answer.head.contains("WebHook-Allowed-Rate: 120"))
            let junk = try await rig.send("OPTIONS", "/hooks/broker", headers: "WebHook-Request-Origin: <b>\r\n")
            #expect(junk.status == 400)
            #expect(!junk.head.contains("WebHook-Allowed"))
            #expect(try await rig.send("OPTIONS", "/hooks/plant", headers: Self.lines(asked)).status == 405)
        }
    }
}
