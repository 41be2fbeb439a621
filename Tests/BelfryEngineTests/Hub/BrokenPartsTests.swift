import BelfryCore
import BelfryStore
import Testing

@testable import BelfryEngine

/// A part that can't work is told of, and the rest works.
@Suite(.timeLimit(.minutes(3)))
struct BrokenPartsTests {
    private static let documents = """
        source: plant
        preset: none
        ---
        source: locked
        preset: hmac
        secret: env:NOT_ALLOWED
        signature: { header: x-signature }
        ---
        agent: talker
        kind: echo
        ---
        rule: talk
        when: { source: [plant] }
        run: { steps: [ { step: say, agent: talker, prompt: x } ] }
        """

    private func notices(_ hub: Hub) async throws -> [JSONValue] {
        try await hub.frames(after: 0, through: nil, topics: [.alerts], max: 100).frames.map(\.draft.data.value)
    }

    @Test("a source without its secret, a rule whose agent is gone and a document that can't be read: once each")
    func broken() async throws {
        try await TestHub.with(documents: Self.documents) { test in
            let hub = test.hub
            #expect(try await notices(hub).map { $0["source"]?.string } == ["locked"])
            #expect(try await notices(hub).first?["kind"] == "rule_broken")
            #expect(try await notices(hub).first?["text"]?.string?.contains("NOT_ALLOWED") == true)
            try await hub.reload()
            #expect(try await notices(hub).count == 1, "not at every reload")

            try await hub.removeDocument(DocumentName(.agent, "talker"), by: .hub)
            let rule = try #require(try await notices(hub).last)
            #expect(rule["rule"] == "talk" && rule["link"] == "/#rule/talk")
            #expect(
                rule["text"]
                    == "step say: agent talker: there is none; apply a document `agent: talker`, or change the rule")

            let draft = DocumentDraft(kind: .rule, name: "odd", text: "rule: odd", canonical: RawJSON(["rule": 5]))
            _ = try await hub.store.apply(DocumentPlan(owner: .api, documents: [draft]), by: .hub)
            try await hub.reload()
            #expect(try await notices(hub).count == 3)
            #expect(try await notices(hub).last?["rule"] == "odd")
            #expect(try await hub.rule("odd")?["problem"]?.string != nil)
            #expect(try await test.post("{}", to: "plant").first?.status == .matched, "the rest works")
        }
    }

    @Test("a rule whose target the configuration has lost is told of at the start, with step, target and the mend")
    func lostTarget() async throws {
        let documents = """
            source: plant
            preset: none
            ---
            agent: talker
            kind: echo
            ---
            rule: tell
            when: { source: [plant] }
            run:
              steps:
                - { step: say, agent: talker, prompt: x }
                - { step: report, send: { to: ledger, body: { a: 1 } } }
            ---
            rule: quiet
            enabled: false
            when: { source: [plant] }
            run: { steps: [ { step: report, send: { to: ledger, body: { a: 1 } } } ] }
            """
        let folder = try TestFolder()
        try await TestHub.with(
            documents: documents, targets: ["ledger": SendTarget(.url("https://ledger.example/"))], folder: folder
        ) { test in
            let told = try await notices(test.hub)
            #expect(told.isEmpty && test.hub.status["problems"] == [])
        }
        try await TestHub.with(documents: "source: plant\npreset: none", folder: folder) { test in
            let text: JSONValue = .string(
                "step report: the server's configuration has no target ledger, so what is sent there fails; "
                    + "add it under targets: and start the hub again, or change the rule")
            let told = try await notices(test.hub)
            #expect(told.map { $0["text"] } == [text] && told.first?["rule"] == "tell", "\(told)")
            let problem: JSONValue = ["title": "rule/tell can't send", "text": text, "rule": "tell"]
            #expect(test.hub.status["problems"] == [problem], "\(test.hub.status)")
        }
    }

    @Test("a rules folder that can't be applied is told of, with what is wrong, on one line")
    func folder() async throws {
        try await TestHub.with(documents: "source: plant\npreset: none") { test in
            await test.hub.note(RulesFolder(path: "/rules", error: nil))
            await test.hub.note(RulesFolder(path: "/rules", error: "bad.yaml:2: whem: unknown\nmore"))
            let told = try await notices(test.hub)
            #expect(told.count == 1 && told.first?["kind"] == "rule_broken")
            #expect(told.first?["text"] == "the set from before stays: bad.yaml:2: whem: unknown more")
        }
    }
}
