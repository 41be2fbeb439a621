import BelfryCore
import BelfryRules
import BelfrySources
import BelfryStore
import Testing

@testable import BelfryEngine

/// What a token may speak for, while documents come and go.
@Suite(.timeLimit(.minutes(3)))
struct PublishingTests {
    private func publish(_ id: String, to source: String, _ hub: Hub) async -> Result<[AcceptedEvent], BelfryError> {
        let delivery = Delivery(
            headers: HeaderFields([
                ("content-type", "application/json"), ("ce-specversion", "1.0"), ("ce-id", id), ("ce-source", "/s"),
                ("ce-type", "t"),
            ]),
            body: Array("{}".utf8), remote: "192.0.2.1", isLoopback: false, received: WallClock.system.now()
        )
        let publisher = Principal(token: nil, name: "ci", role: .publisher, scopes: ["source/\(source)"])
        do throws(BelfryError) {
            return .success(try await hub.publish(source: nil, delivery, by: publisher))
        } catch {
            return .failure(error)
        }
    }

    @Test("nobody publishes what only the hub itself says")
    func ownSources() async throws {
        try await TestHub.with(documents: "source: plant\npreset: none") { test in
            for source in ["belfry", "manual"] {
                guard case .failure(let error) = await publish("1", to: source, test.hub) else {
                    Issue.record("published as \(source)")
                    continue
                }
                #expect(error.code == .forbidden && error.message.contains("the hub's own"), "\(error)")
            }
        }
    }

    /// Changes documents in the store alone: the hub is between its look at them and its commit.
    private func applyBehind(_ hub: Hub, _ text: String) async throws {
        let documents = try DocumentLoader.load([(path: "test.yaml", text: text)], knownAgents: [])
        let drafts = documents.map { document in
            DocumentDraft(
                kind: document.kind, name: document.name, text: document.text, canonical: document.canonical)
        }
        _ = try await hub.store.apply(DocumentPlan(owner: .api, documents: drafts), by: .hub)
    }

    @Test("a document that comes between the look at it and the commit keeps a publisher out")
    func documentInBetween() async throws {
        try await TestHub.with(documents: "source: plant\npreset: none") { test in
            let hub = test.hub
            #expect(try await publish("1", to: "shop", hub).get().first?.status == .filtered)
            #expect(try await publish("1", to: "plant", hub).get().first?.status == .filtered)
            try await applyBehind(
                hub,
                "source: shop\npreset: stripe\nsecret: generate\n---\nsource: plant\npreset: github\nsecret: generate"
            )
            for source in ["shop", "plant"] {
                guard case .failure(let error) = await publish("2", to: source, hub) else {
                    Issue.record("published as \(source)")
                    continue
                }
                #expect(error.code == .overloaded && error.retryAfter != nil, "\(error)")
            }
            try await hub.reload()
            guard case .failure(let error) = await publish("2", to: "shop", hub) else {
                Issue.record("published as shop")
                return
            }
            #expect(error.code == .forbidden)
            #expect(try await publish("2", to: "other", hub).get().first?.status == .filtered)
        }
    }
}
