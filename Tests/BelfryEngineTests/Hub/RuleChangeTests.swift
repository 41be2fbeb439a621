import BelfryCore
import BelfryRules
import BelfryStore
import Testing

@testable import BelfryEngine

/// Rules that are changed one by one while the hub is at work.
@Suite(.timeLimit(.minutes(3))) struct RuleChangeTests {
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

    @Test("a field that no event has is a warning, with the nearest that events have")
    func unknownFields() async throws {
        try await TestHub.with(documents: Self.documents) { test in
            let steps = "run: { steps: [{ step: s, agent: parrot, prompt: hi }] }"
            func warnings(_ when: String, _ more: String = "") async throws -> [String] {
                try await test.hub.applyDocuments(
                    [(path: "r.yaml", text: "rule: r\nwhen: \(when)\n\(more)\(steps)\n")], dryRun: true, by: .hub
                ).warnings
            }
            let trigger = try await warnings("{ sorce: [lab], $or: [{ type: [a] }, { repository.name: [b] }] }")
            #expect(
                trigger == [
                    "rule r: when: no event has a field 'repository'; what the sender wrote is below data",
                    "rule r: when: no event has a field 'sorce'; did you mean 'source'?",
                ])
            let resolve = try await warnings("{ source: [lab] }", "resolve: { when: { typ: [a] } }\n")
            #expect(resolve == ["rule r: resolve.when: no event has a field 'typ'; did you mean 'type'?"])
            let all = Event.fieldNames.map { "\($0).x: [1]" }.joined(separator: ", ")
            let known = try await warnings("{ \(all) }")
            #expect(known == [])
            var event = Event(
                id: EventID(at: Timestamp(milliseconds: 0)), source: "s", origin: "o", key: "k", type: "t",
                subject: "s",
                time: Timestamp(milliseconds: 0), received: Timestamp(milliseconds: 0), data: .null)
            event.ext = ["a": 1]
            #expect(event.value.object?.members.map(\.key) == Event.fieldNames)
        }
    }

    @Test("what will fail when a step begins, or leads where nobody gets, is a warning; the hub's own source is none")
    func stepsThatWillFail() async throws {
        let tool = "{ tool: t, about: x, command: [gone] }"
        let rule = """
            rule: r
            when: { source: [belfry] }
            run:
              steps:
                - { step: a, agent: parrot, prompt: hi, tools: [\(tool)] }
                - { step: b, command: [there] }
                - { step: c, approve: "Go on?" }
                - { step: d, send: { to: desk, body: { text: "{{links.c}}" } } }
            """
        let target = SendTarget(.url("http://127.0.0.1:9/"))
        let commands = ["gone": "/nowhere/gone", "there": "/bin/sh"]
        try await TestHub.with(documents: Self.documents, commands: commands, targets: ["desk": target]) { test in
            let said = try await test.hub.applyDocuments([(path: "r.yaml", text: rule)], dryRun: true, by: .hub)
                .warnings
            #expect(
                said == [
                    "rule r, step a, tool t: /nowhere/gone, the program of the command gone, is not there or may not be run",
                    "rule r, step a: the agent parrot can't be given tools, so the step will fail; take one of kind openai or anthropic",
                    "rule r, step d: its links lead to http://127.0.0.1:8420, where others may not get; set public_url in the server's configuration",
                ])
        }
    }

    @Test("rules that change while all are compiled whole stay changed")
    func changesWhileCompiling() async throws {
        try await TestHub.with(documents: Self.documents) { test in
            let compiler = Task { await test.hub.compiler.run() }
            defer { compiler.cancel() }
            func matched(_ word: String) async throws -> Bool {
                try await test.post(#"{"word":"\#(word)"}"#, to: "lab").first?.status == .matched
            }
            for part in 0..<2 {
                let rules = (0..<1000).map { Self.rule("p\(part)-\($0)", wants: "p\(part)-\($0)") }
                _ = try await test.hub.applyDocuments(
                    [(path: "rules.yaml", text: rules.joined(separator: "\n---\n"))], by: .hub)
            }
            // More have changed now than a layer bears: what follows meets the compiler at work.
            let rules = 0..<40
            for number in rules {
                let name = "r\(number)"
                _ = try await test.hub.putDocument(
                    DocumentName(.rule, name), text: Self.rule(name, wants: "c-\(number)"), by: .hub)
            }
            let version = test.hub.registry.snapshot.ruleSet.version
            while test.hub.registry.snapshot.ruleSet.isFragmented { try await Task.sleep(for: .milliseconds(5)) }
            #expect(test.hub.registry.snapshot.ruleSet.version == version)
            for number in rules {
                let isMatched = try await matched("c-\(number)")
                #expect(isMatched, "\(number)")
            }
            let other = try await matched("p1-999")
            #expect(other)
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
