import BelfryCore
import Foundation
import Testing

/// `POST /v1/events`: CloudEvents that a token speaks for.
@Suite(.timeLimit(.minutes(2)))
struct PublishTests {
    private static let documents = """
        source: plant
        preset: none
        redact: [data.owner]
        body_max: 4000
        ---
        source: forge
        preset: github
        secret: generate
        ---
        agent: fitter
        kind: echo
        ---
        rule: hot
        when: { source: [plant, mill], type: [reading] }
        run: { steps: [{ step: advise, agent: fitter, prompt: "{{event.subject}}" }] }
        """

    private func publisher(_ hub: HubProcess, _ scopes: String...) async throws -> RawClient {
        let flags = scopes.flatMap { ["--scope", $0] }
        let environment = ["BELFRY_URL": hub.url, "BELFRY_DATA": hub.dataFolder]
        let name = "p" + UUID().uuidString.lowercased().prefix(8)
        let made = try await CommandResult.of(
            ["tokens", "create", name, "--role", "publisher", "--output", "json", "--expires", "1h"] + flags,
            environment: environment, in: hub.folder)
        return RawClient(port: hub.port, token: try #require(made.json["token"]?.string, "\(made)"))
    }

    private func event(_ id: String, _ data: JSONValue = ["celsius": 96]) -> JSONValue {
        [
            "specversion": "1.0", "id": .string(id), "source": "/pumps/7", "type": "reading", "subject": "pump-7",
            "data": data,
        ]
    }

    private func publish(
        _ body: JSONValue, batch: Bool = false, to path: String = "/v1/events", _ client: RawClient
    ) async throws -> RawClient.Response {
        let type = batch ? "application/cloudevents-batch+json" : "application/cloudevents+json"
        return try await client.request("POST", path, headers: [("Content-Type", type)], body: body.encoded())
    }

    @Test("binary, structured and batched events start runs, are known again, and the audit says who published")
    func modes() async throws {
        try await withHub(documents: Self.documents) { hub in
            let ci = try await publisher(hub, "source/plant")
            let first = try await publish(event("1", ["owner": "Ann", "celsius": 96]), ci)
            #expect(first.status == 202 && first.json["status"] == "matched", "\(first.text)")
            #expect(first.json["runs"]?.array?.count == 1)
            let again = try await publish(event("1"), ci)
            #expect(
                again.status == 200 && again.json["status"] == "duplicate" && again.json["runs"] == first.json["runs"])

            let binary = try await ci.request(
                "POST", "/v1/events",
                headers: [
                    ("ce-specversion", "1.0"), ("ce-id", "2"), ("ce-source", "/pumps/7"), ("ce-type", "reading"),
                    ("Content-Type", "application/json"),
                ], body: Array("{}".utf8))
            #expect(binary.status == 202, "\(binary.text)")
            let batch = try await publish([event("2"), event("3")], batch: true, ci)
            #expect(batch.status == 202, "\(batch.text)")
            #expect(batch.json["events"]?.array?.map { $0["status"] } == ["duplicate", "matched"])

            let id = try #require(first.json["event"]?.string)
            let stored = try await hub.client.request("GET", "/v1/events/\(id)").json
            #expect(stored["source"] == "plant" && stored["origin"] == "/pumps/7" && stored["type"] == "reading")
            #expect(stored["data"]?["owner"] == "[redacted]")
            #expect(stored["verified_by"]?.string?.hasPrefix("token/p") == true)
            #expect(!stored.text.contains(ci.token ?? "?"))
            let audit = try await hub.client.request("GET", "/v1/audit?after=0&limit=1000").json["items"]?.array ?? []
            #expect(audit.contains { $0["detail"]?["verified_by"] == stored["verified_by"] })
            #expect(try await hub.allRunsEnded().count == 3)
        }
    }

    @Test("nobody publishes as a source that verifies its senders, nor to one its scopes do not name")
    func posing() async throws {
        try await withHub(documents: Self.documents) { hub in
            let both = try await publisher(hub, "source/plant", "source/mill")
            let unnamed = try await publish(event("1"), both)
            #expect(unnamed.status == 400 && unnamed.json["detail"]?.string?.contains("plant, mill") == true)
            #expect(
                try await publish(event("1"), to: "/v1/events?source=mill", both).status == 202, "no document needed")
            for name in ["forge", "other", "Plant", ""] {
                let refused = try await publish(event("1"), to: "/v1/events?source=\(name)", both)
                #expect([400, 403].contains(refused.status), "\(name): \(refused.text)")
            }
            // Also an admin, who may publish to every other source.
            let admin = try await publish(event("1"), to: "/v1/events?source=forge", try hub.client)
            #expect(admin.status == 403 && admin.json["detail"]?.string?.contains("verifies its senders") == true)

            // A document may make it one that verifies later.
            #expect(try await hub.belfry("sources", "add", "mill", "--preset", "github").code == 0)
            #expect(try await publish(event("2"), to: "/v1/events?source=mill", both).status == 403)
            let viewer = try await hub.belfry("tokens", "create", "v", "--output", "json").json["token"]?.string
            let eye = RawClient(port: hub.port, token: viewer)
            #expect(try await publish(event("3"), to: "/v1/events?source=plant", eye).status == 403)
            let nobody = RawClient(port: hub.port, token: nil)
            #expect(try await publish(event("3"), to: "/v1/events?source=plant", nobody).status == 401)
        }
    }

    @Test("one malformed event refuses its batch with its index; size and pause are the document's")
    func bounds() async throws {
        try await withHub(documents: Self.documents) { hub in
            let ci = try await publisher(hub, "source/plant")
            let broken = try await publish([event("1"), ["id": "2"]], batch: true, ci)
            #expect(broken.status == 400 && broken.json["index"]?.number?.int64 == 1, "\(broken.text)")
            let missing = try await publish(event("1"), ci)
            #expect(missing.status == 202, "nothing of the batch was stored: \(missing.text)")
            let large = try await publish(event("4", .string(String(repeating: "x", count: 5000))), ci)
            #expect(large.status == 413, "\(large.text)")
            let many = try await publish(.array((0...1000).map { _ in [:] }), batch: true, ci)
            #expect([400, 413].contains(many.status))
            #expect(try await hub.belfry("sources", "pause", "plant").code == 0)
            let paused = try await publish(event("5"), ci)
            #expect(paused.status == 202 && paused.json["status"] == "paused")
            for body in ["", "[]", "{", "{}"] {
                let odd = try await ci.request(
                    "POST", "/v1/events", headers: [("Content-Type", "application/cloudevents+json")],
                    body: Array(body.utf8))
                #expect(odd.status == 400, "\(body): \(odd.text)")
            }
        }
    }
}
