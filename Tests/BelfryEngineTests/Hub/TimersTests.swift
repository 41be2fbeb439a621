import BelfryCore
import BelfryEngine
import BelfryStore
import Testing

/// Timers are rows: they fire after a restart, and when a commit sets an earlier one.
@Suite(.timeLimit(.minutes(1))) struct TimersTests {
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
            #expect(try await test.firstRun()?.rule == "soon")
        }
    }

    @Test("a rule that was taken away while its group waited starts nothing")
    func removed() async throws {
        try await TestHub.with(documents: documents(debounce: "300ms")) { test in
            let event = try #require(try await test.post(#"{"n": 7}"#, to: "lab").first?.event)
            try await test.hub.removeDocument(DocumentName(.rule, "quiet"), by: .hub)
            var detail = ""
            while detail.isEmpty || detail.hasPrefix("the run is made at") {
                try await Task.sleep(for: .milliseconds(20))
                detail = try await test.hub.why(event)["matches"]?.array?.first?["detail"]?.string ?? ""
            }
            #expect(detail == "the rule was switched off while its group waited")
        }
    }
}
