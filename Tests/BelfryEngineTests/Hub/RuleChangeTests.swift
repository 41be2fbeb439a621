import BelfryCore
import BelfryEngine
import BelfryStore
import Testing

/// Rules that are changed one by one while the hub is at work.
@Suite(.timeLimit(.minutes(1))) struct RuleChangeTests {
    private static func rule(_ name: String, wants word: String) -> String {
        """
        rule: \(name)
        when: { source: [lab], data: { word: [\(word)] } }
        run:
          steps:
            - { step: hello, agent: parrot, prompt: "hi" }
        """
    }

    private static let documents = """
        source: lab
        preset: none
        ---
        agent: parrot
        kind: echo
        words_per_second: 1000
        """

    @Test("changes that are made at the same time are all live when they are answered")
    func concurrentChanges() async throws {
        try await TestHub.with(documents: Self.documents) { test in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        let name = "r\(number)"
                        let id = DocumentName(.rule, name)
                        for word in ["first", "second"] {
                            _ = try await test.hub.putDocument(
                                id, text: Self.rule(name, wants: word + name), by: .hub)
                            let accepted = try await test.post(#"{"word":"\#(word)\#(name)"}"#, to: "lab")
                            #expect(accepted.first?.status == .matched, "\(name) \(word)")
                        }
                        if number % 3 == 0 { try await test.hub.setEnabled(rule: name, false, by: .hub) }
                        if number % 3 == 1 { try await test.hub.removeDocument(id, by: .hub) }
                    }
                }
                try await group.waitForAll()
            }
            for number in 0..<12 {
                let accepted = try await test.post(#"{"word":"secondr\#(number)"}"#, to: "lab")
                #expect(accepted.first?.status == (number % 3 == 2 ? .matched : .filtered), "\(number)")
            }
            try await test.hub.setEnabled(rule: "r0", true, by: .hub)
            #expect(try await test.post(#"{"word":"secondr0"}"#, to: "lab").first?.status == .matched)
            try await test.hub.reload()
            #expect(try await test.post(#"{"word":"secondr2"}"#, to: "lab").first?.status == .matched)
            #expect(try await test.post(#"{"word":"firstr2"}"#, to: "lab").first?.status == .filtered)
        }
    }

    @Test("more rules than a layer holds are compiled whole in the background, and go on matching")
    func compiledWhole() async throws {
        try await TestHub.with(documents: Self.documents) { test in
            let compiler = Task { await test.hub.compiler.run() }
            defer { compiler.cancel() }
            for part in 0..<2 {
                let rules = (0..<600).map { Self.rule("r\(part)-\($0)", wants: "w\(part)-\($0)") }
                _ = try await test.hub.applyDocuments(
                    [(path: "rules.yaml", text: rules.joined(separator: "\n---\n"))], by: .hub)
            }
            for word in ["w0-0", "w0-599", "w1-599"] {
                #expect(try await test.post(#"{"word":"\#(word)"}"#, to: "lab").first?.runs.count == 1)
            }
        }
    }
}
