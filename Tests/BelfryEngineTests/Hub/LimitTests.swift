import BelfryCore
import BelfryEngine
import BelfryStore
import Testing

/// What ends or skips work before it begins: conditions, budgets, breakers; and what a repeated delivery is matched with.
@Suite(.timeLimit(.minutes(3))) struct LimitTests {
    private static let head = """
        source: lab
        preset: none
        identity: body.id
        ---
        agent: parrot
        kind: echo
        words_per_second: 1000
        ---
        """

    @Test("a step whose condition does not hold is skipped: row, frame, snapshot; its output is missing later")
    func condition() async throws {
        let documents =
            Self.head + """

                rule: r
                when: { source: [lab] }
                run:
                  steps:
                    - { step: first, if: { data: { go: [true] } }, agent: parrot, prompt: One. }
                    - { step: look, agent: parrot, prompt: "Heard: {{steps.first.output}}" }
                    - { step: fix, if: { steps: { look: { output: [{ prefix: "Heard: O" }] } } }, command: [absent] }
                    - { step: end, if: { steps: { first: { state: [skipped] } } }, agent: parrot, prompt: " End." }
                    - { step: never, if: { event: { data: { go: [true] } } }, agent: parrot, prompt: No. }
                """
        try await TestHub.with(documents: documents) { test in
            let run = try #require(try await test.post(#"{"id": "1"}"#, to: "lab").first?.runs.first)
            let frames = try await test.framesToEnd(of: run)
            #expect(frames.text == "Heard:  End.")
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .succeeded)
            #expect(steps.map(\.state) == [.skipped, .succeeded, .skipped, .succeeded, .skipped])
            #expect(steps.map(\.reason) == [.condition, nil, .condition, nil, .condition])
            #expect(steps[1].missing == ["steps.first.output"] && steps[0].attempt == 0 && steps[0].started == nil)
            let skipped = frames.map(\.draft).filter { $0.data.value["state"] == "skipped" }
            #expect(skipped.map(\.type) == [.stepFinished, .stepFinished, .stepFinished])
            #expect(skipped.first?.data.value["reason"] == "condition" && skipped.first?.topic == .runs)
            var snapshot = RunSnapshot(run: run)
            for frame in frames { snapshot.add(frame) }
            let shown = snapshot.json.value["steps"]?.array ?? []
            #expect(shown.map { $0["step"]?.string } == ["first", "look", "fix", "end", "never"])
            #expect(shown.first?["reason"] == "condition" && shown.first?["attempt"]?.number?.int64 == 0)
            #expect(try await test.hub.verifyAudit().isIntact)
        }
    }

    @Test("what steps have cost stands with them, ends the rule's runs, and limits its matches")
    func cost() async throws {
        let documents =
            Self.head.replacing("kind: echo", with: "kind: echo\nprice: { input: 1000, output: 2000 }") + """

                rule: r
                when: { source: [lab] }
                limits: { cost_per_day: 0.01 }
                run:
                  steps:
                    - { step: a, agent: parrot, prompt: "12345678" }
                    - { step: b, agent: parrot, prompt: "12345678" }
                    - { step: c, agent: parrot, prompt: "12345678" }
                """
        try await TestHub.with(documents: documents) { test in
            let run = try #require(try await test.post(#"{"id": "1"}"#, to: "lab").first?.runs.first)
            _ = try await test.framesToEnd(of: run)
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .failed && record.reason == .budget)
            #expect(record.error?.message.hasSuffix("(limits.cost_per_day: 0.01)") == true, "\(record)")
            // Two tokens in, two out.
            #expect(steps.map(\.cost?.text) == ["0.006", "0.006"] && steps[0].usage?["cost"]?.text == "0.006")
            let next = try #require(try await test.post(#"{"id": "2"}"#, to: "lab").first)
            #expect(next.runs.isEmpty)
        }
    }

    @Test("a run whose rule has used up its tokens ends before its next step; a queued one before its first")
    func budget() async throws {
        let documents =
            Self.head + """

                rule: r
                when: { source: [lab] }
                limits: { tokens_per_day: 6, concurrency: 1 }
                run:
                  steps:
                    - { step: one, agent: parrot, prompt: "{{data.say}}" }
                    - { step: two, agent: parrot, prompt: more }
                """
        try await TestHub.with(documents: documents) { test in
            // 12 bytes of prompt and 12 of output are 3 tokens each.
            let first = try #require(
                try await test.post(#"{"id": "1", "say": "twelve bytes"}"#, to: "lab").first?.runs.first)
            let frames = try await test.framesToEnd(of: first)
            #expect(frames.text == "twelve bytes")
            let (record, steps) = try await test.hub.run(first)
            #expect(record.state == .failed && record.reason == .budget && record.error?.code == "budget")
            #expect(steps.map(\.state) == [.succeeded])
            let later = try #require(try await test.post(#"{"id": "2", "say": "x"}"#, to: "lab").first)
            #expect(later.outcomes.map(\.outcome) == [.limited] && later.status == .accepted)
            let alerts = try await test.hub.frames(after: 0, through: nil, topics: [.alerts], max: 10).frames
            #expect(alerts.map { $0.draft.data.value["kind"]?.string } == ["budget"])
        }
    }

    @Test("what a provider does not count is counted by its length; commands cost nothing")
    func commandsAreFree() async throws {
        let documents =
            Self.head + """

                rule: r
                when: { source: [lab] }
                limits: { tokens_per_day: 1 }
                run:
                  steps:
                    - { step: one, command: [shell, "-c", "echo a long answer"] }
                    - { step: two, command: [shell, "-c", "echo $BELFRY_HOPS"] }
                """
        try await TestHub.with(documents: documents, commands: ["shell": "/bin/sh"]) { test in
            let run = try #require(
                try await test.post(#"{"id": "1"}"#, to: "lab", headers: [("Belfry-Hops", "3")]).first?.runs.first)
            #expect(try await test.framesToEnd(of: run).text == "a long answer\n4\n")
        }
    }

    @Test("failures in a row open the breaker, and matches say so; enabling it again closes it")
    func breaker() async throws {
        let documents =
            Self.head + """

                rule: r
                when: { source: [lab] }
                limits: { failures: 2 }
                run: { steps: [ { step: work, command: [absent] } ] }
                """
        try await TestHub.with(documents: documents) { test in
            for id in 1...2 {
                let run = try #require(try await test.post(#"{"id": "\#(id)"}"#, to: "lab").first?.runs.first)
                _ = try await test.framesToEnd(of: run)
            }
            #expect(try await test.post(#"{"id": "3"}"#, to: "lab").first?.outcomes.map(\.outcome) == [.broken])
            let rule = try #require(try await test.hub.rule("r"))
            #expect(rule["broken"]?["reason"]?.string?.hasPrefix("2 runs in a row failed, the last of: ") == true)
            try await test.hub.setEnabled(rule: "r", true, by: .hub)
            #expect(try await test.hub.rule("r")?["broken"] == nil)
            // A redelivery of what was broken is matched again.
            let again = try #require(try await test.post(#"{"id": "3"}"#, to: "lab").first)
            #expect(again.status == .matched && again.firstSeen != nil && again.runs.count == 1)
            _ = try await test.framesToEnd(of: again.runs[0])
        }
    }

    @Test("a repeated delivery is matched with what is stored, not with what it says now")
    func storedContent() async throws {
        let rule = """

            rule: r
            when: { source: [lab], data: { kind: [KIND] } }
            run: { steps: [ { step: say, agent: parrot, prompt: "{{data.kind}}" } ] }
            """
        try await TestHub.with(documents: Self.head + rule.replacing("KIND", with: "none")) { test in
            let first = try #require(try await test.post(#"{"id": "1", "kind": "old"}"#, to: "lab").first)
            #expect(first.status == .filtered)
            #expect(try await test.post(#"{"id": "1", "kind": "none"}"#, to: "lab").first?.status == .duplicate)
            let mended = Self.head + rule.replacing("KIND", with: "old")
            _ = try await test.hub.applyDocuments([(path: "test.yaml", text: mended)], by: .hub)
            let again = try #require(try await test.post(#"{"id": "1", "kind": "none"}"#, to: "lab").first)
            #expect(again.status == .matched && again.event == first.event)
            #expect(try await test.framesToEnd(of: try #require(again.runs.first)).text == "old")
            let third = try #require(try await test.post(#"{"id": "1", "kind": "old"}"#, to: "lab").first)
            #expect(third.status == .duplicate && third.runs == again.runs)
        }
    }
}
