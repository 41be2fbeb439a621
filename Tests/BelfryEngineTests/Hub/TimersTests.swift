import BelfryCore
import BelfryEngine
import BelfryStore
import Testing

/// Timers are rows: they fire after a restart, and when a commit sets an earlier one.
@Suite(.timeLimit(.minutes(3))) struct TimersTests {
    private func documents(debounce: String) -> String {
        """
        source: lab
        preset: none
        ---
        agent: parrot
        kind: echo
        ---
        rule: quiet
        when: { source: [lab], data: { n: [{ exists: true }] } }
        group: { by: [data.n], within: 1d, debounce: \(debounce) }
        run: { steps: [{ step: say, agent: parrot, prompt: "{{group.count}} of {{group.by}}" }] }
        """
    }

    @Test("what was due while the hub was down is done at its start")
    func overdue() async throws {
        let folder = try TestFolder()
        let event = try await TestHub.with(documents: documents(debounce: "1h"), folder: folder) { test in
            let event = try await test.post(#"{"n": 7}"#, to: "lab").first
            #expect(event?.outcomes.map(\.outcome) == [.grouped])
            return event?.event
        }
        let later = WallClock { WallClock.system.now() + .seconds(7200) }
        try await TestHub.with(documents: documents(debounce: "1h"), folder: folder, clock: later) { test in
            let run = try #require(try await test.firstRun())
            #expect(run.event == event)
            #expect(try await test.framesToEnd(of: run.id).text == "1 of [7]")
        }
    }

    @Test("a run whose max_wait has passed while the hub was down expires at its start, and the one at work goes on")
    func maxWait() async throws {
        let documents = """
            source: lab
            preset: none
            ---
            agent: parrot
            kind: echo
            words_per_second: 1
            ---
            rule: slow
            when: { source: [lab] }
            limits: { concurrency: 1, max_wait: 1h, failures: 1 }
            run: { steps: [{ step: say, agent: parrot, prompt: "\(String(repeating: "word ", count: 500))" }] }
            """
        let folder = try TestFolder()
        let (atWork, waiting) = try await TestHub.with(documents: documents, folder: folder) { test in
            let first = try #require(try await test.post("{}", to: "lab").first?.runs.first)
            _ = try await test.frames(of: first) { $0.draft.type == .textMessageStart }
            let second = try #require(try await test.post("{}", to: "lab").first)
            #expect(second.outcomes.map(\.outcome) == [.queued])
            return (first, second)
        }
        let later = WallClock { WallClock.system.now() + .seconds(7200) }
        try await TestHub.with(documents: documents, folder: folder, clock: later) { test in
            let run = try #require(waiting.runs.first)
            #expect(try await test.framesToEnd(of: run).types == [.runState, .runFinished])
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .expired && record.reason == .maxWait && steps.isEmpty)
            #expect(try await test.hub.run(atWork).run.state == .running)
            let match = try await test.hub.why(waiting.event)["matches"]?.array?.first
            #expect(match?["run_end"]?["error"]?["message"] == "waited longer than 1h (limits.max_wait)")
            #expect(try await test.hub.rule("slow")?["broken"] == nil)
            let stopped = try await test.hub.perform(.stop, on: run, id: nil, by: .hub)
            #expect(stopped.result == .rejected)
            #expect(stopped.reason?.hasPrefix("already expired (max_wait) at 20") == true)
            #expect(try await test.hub.verifyAudit().isIntact)
        }
    }

    @Test("a timer that is set before the one that is waited for wakes the service")
    func earlier() async throws {
        let documents =
            documents(debounce: "1h") + """

                ---
                rule: soon
                when: { source: [lab], data: { soon: [true] } }
                group: { within: 1d, debounce: 200ms }
                run: { steps: [{ step: say, agent: parrot, prompt: soon }] }
                """
        try await TestHub.with(documents: documents) { test in
            _ = try await test.post(#"{"n": 7}"#, to: "lab")
            _ = try await test.post(#"{"soon": true}"#, to: "lab")
            let first = try #require(try await test.firstRun())
            #expect(first.rule == "soon")
            _ = try await test.framesToEnd(of: first.id)
            // It has looked, and would do so again after a while; it must not take that long.
            let start = ContinuousClock.now
            _ = try await test.post(#"{"soon": true}"#, to: "lab")
            while try await test.hub.runs(state: nil, rule: "soon", limit: 2, cursor: nil).items.count < 2 {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(ContinuousClock.now - start < Limits.timerLookInterval / 2)
        }
    }

    @Test("a rule that was taken away while its group waited starts nothing")
    func removed() async throws {
        let folder = try TestFolder()
        let event = try await TestHub.with(documents: documents(debounce: "1h"), folder: folder) { test in
            let event = try #require(try await test.post(#"{"n": 7}"#, to: "lab").first?.event)
            try await test.hub.removeDocument(DocumentName(.rule, "quiet"), by: .hub)
            return event
        }
        let rest = documents(debounce: "1h").split(separator: "---").dropLast().joined(separator: "---")
        let later = WallClock { WallClock.system.now() + .seconds(7200) }
        try await TestHub.with(documents: rest, folder: folder, clock: later) { test in
            var detail = ""
            while detail.isEmpty || detail.hasPrefix("the run is made at") {
                try await Task.sleep(for: .milliseconds(20))
                detail = try await test.hub.why(event)["matches"]?.array?.first?["detail"]?.string ?? ""
            }
            #expect(detail == "the rule was switched off while its group waited")
        }
    }
}
