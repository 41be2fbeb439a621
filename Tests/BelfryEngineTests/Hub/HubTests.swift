import BelfryCore
import BelfryEngine
import BelfryStore
import Testing

@Suite(.timeLimit(.minutes(3))) struct HubTests {
    private static let documents = """
        source: lab
        preset: none
        ---
        agent: parrot
        kind: echo
        words_per_second: 1000
        ---
        rule: greet
        when: { source: [lab], data: { name: [ { exists: true } ] } }
        run:
          steps:
            - { step: hello, agent: parrot, prompt: "Hello {{data.name}}." }
            - { step: again, agent: parrot, prompt: "Rule {{rule.name}} again." }
        ---
        rule: shell
        when: { source: [lab], data: { shell: [ { exists: true } ] } }
        run:
          steps:
            - { step: work, command: [shell, "-c", "{{data.shell}}"] }
        """

    @Test("a delivery that a rule matches becomes a run whose steps follow each other")
    func run() async throws {
        try await TestHub.with(documents: Self.documents) { test in
            let accepted = try await test.post(#"{"name":"Ada"}"#, to: "lab")
            #expect(accepted.first?.status == .matched)
            let run = try #require(accepted.first?.runs.first)
            let frames = try await test.framesToEnd(of: run)
            #expect(frames.text == "Hello Ada.Rule greet again.")
            #expect(
                frames.types.filter { $0 != .textMessageContent } == [
                    .runState, .runStarted, .stepStarted, .textMessageStart, .textMessageEnd, .stepFinished,
                    .stepStarted,
                    .textMessageStart, .textMessageEnd, .stepFinished, .runFinished,
                ]
            )
            let record = try await test.hub.run(run)
            #expect(record.run.state == .succeeded)
            #expect(record.steps.map(\.output) == ["Hello Ada.", "Rule greet again."])
            #expect(try await test.hub.verifyAudit().isIntact)
        }
    }

    @Test("a later step sees what an earlier one has written, fenced as the foreign text it is")
    func outputs() async throws {
        let documents =
            Self.documents + """

                ---
                rule: relay
                when: { source: [lab], data: { relay: [ { exists: true } ] } }
                run:
                  steps:
                    - { step: first, agent: parrot, prompt: "{{data.relay}}" }
                    - { step: second, agent: parrot, prompt: "It said: {{steps.first.output}} {{steps.absent.output}}" }
                """
        await #expect(throws: BelfryError.self) { try await TestHub.with(documents: documents) { _ in } }
        let known = documents.replacing(" {{steps.absent.output}}", with: "")
        try await TestHub.with(documents: known) { test in
            let run = try #require(try await test.post(#"{"relay":"words"}"#, to: "lab").first?.runs.first)
            _ = try await test.framesToEnd(of: run)
            let output = try await test.hub.run(run).steps[1].output ?? ""
            #expect(output.contains("It said: "))
            #expect(output.contains("\nwords\n"))
            #expect(output.contains("steps.first.output"))
        }
    }

    @Test("an event that no rule matches is stored, and why names the clause")
    func why() async throws {
        try await TestHub.with(documents: Self.documents) { test in
            let accepted = try await test.post(#"{"other":1}"#, to: "lab")
            #expect(accepted.first?.status == .filtered)
            let why = try await test.hub.why(try #require(accepted.first?.event))
            #expect(why["status"]?.string == "filtered")
            #expect(JSONValue.object(why).text.contains("data.name"))
        }
    }

    @Test("why names the rules that would match and are disabled, and no others")
    func whyDisabled() async throws {
        let rules = ["hot", "off", "cold"].map { name in
            """
            rule: \(name)
            enabled: \(name == "hot")
            when: { source: [lab], data: { \(name == "cold" ? "cold" : "hot"): [true] } }
            run: { steps: [{ step: a, agent: parrot, prompt: x }] }
            """
        }
        try await TestHub.with(documents: ([Self.documents] + rules).joined(separator: "\n---\n")) { test in
            let event = try #require(try await test.post(#"{"hot":true}"#, to: "lab").first?.event)
            #expect(try await test.hub.why(event)["disabled"] == ["off"])
            try await test.hub.setEnabled(rule: "hot", false, by: .hub)
            #expect(try await test.hub.why(event)["disabled"] == ["hot", "off"])
            let other = try #require(try await test.post(#"{"other":1}"#, to: "lab").first?.event)
            #expect(try await test.hub.why(other)["disabled"] == nil)
        }
    }

    @Test("why tells a rule as it was when the event came, as it is, and that it was not there")
    func whyOneRule() async throws {
        @Sendable func rule(_ name: String, over celsius: Int) -> String {
            """
            rule: \(name)
            when: { source: [lab], data: { celsius: [{ numeric: [">", \(celsius)] }] } }
            run: { steps: [{ step: a, agent: parrot, prompt: x }] }
            """
        }
        try await TestHub.with(documents: Self.documents + "\n---\n" + rule("hot", over: 90)) { test in
            @Sendable func apply(_ text: String) async throws {
                _ = try await test.hub.applyDocuments([(path: "a", text: text)], by: .hub)
            }
            let event = try #require(try await test.post(#"{"celsius":95}"#, to: "lab").first?.event)
            let quiet = try #require(try await test.post(#"{"celsius":85}"#, to: "lab").first?.event)
            try await apply(rule("hot", over: 99) + "\n---\n" + rule("new", over: 80))
            let why = try await test.hub.why(event, .named("hot"))
            #expect(why["matches"]?.array?.first?["rule_version"]?.number?.int64 == 1)
            #expect(why["matches"]?.array?.first?["version_now"]?.number?.int64 == 2)
            #expect(why["then"]?["matched"]?.bool == true && why["then"]?["version"]?.number?.int64 == 1)
            #expect(why["rules"]?.array?.map { $0["matched"]?.bool } == [false])
            #expect(try await test.hub.why(event, .named("new"))["then"]?.isNull == true)
            #expect(try await test.hub.why(quiet, .named("hot"))["then"]?["version"]?.number?.int64 == 1)
            _ = try await test.hub.replay(quiet, by: .hub)
            #expect(try await test.hub.why(quiet)["matches"]?.array?.map { $0["round"]?.number?.int64 } == [1])
            try await test.hub.removeDocument(DocumentName(.rule, "hot"), by: .hub)
            let gone = try await test.hub.why(event, .named("hot"))
            #expect(gone["rules"]?.array?.isEmpty == true && gone["then"]?["version"]?.number?.int64 == 1)
            #expect(gone["matches"]?.array?.first?["version_now"]?.isNull == true)
            await #expect(throws: BelfryError.self) { try await test.hub.why(event, .named("never")) }
        }
    }

    @Test("a stop ends the process group before it answers, and is rejected once the run has ended")
    func stop() async throws {
        try await TestHub.with(documents: Self.documents, commands: ["shell": "/bin/sh"]) { test in
            let accepted = try await test.post(
                #"{"shell":"trap '' TERM; echo begun; while :; do sleep 1; done"}"#, to: "lab")
            let run = try #require(accepted.first?.runs.first)
            _ = try await test.frames(of: run) { $0.draft.type == .textMessageContent }
            let answer = try await test.hub.perform(.stop, on: run, id: nil, by: .hub)
            #expect(answer.result == .applied)
            let record = try await test.hub.run(run)
            #expect(record.run.state == .stopped)
            #expect(record.run.reason == .operator)
            #expect(record.steps.map(\.state) == [.stopped])
            let frames = try await test.framesToEnd(of: run)
            #expect(frames.types.suffix(5) == [.command, .runState, .textMessageEnd, .stepFinished, .runFinished])
            let second = try await test.hub.perform(.stop, on: run, id: nil, by: .hub)
            #expect(second.result == .rejected)
            #expect(second.reason?.hasPrefix("already stopped by ") == true)
        }
    }

    @Test("a step that fails fails the run, with the command's own words")
    func failure() async throws {
        try await TestHub.with(documents: Self.documents, commands: ["shell": "/bin/sh"]) { test in
            let accepted = try await test.post(#"{"shell":"echo no room >&2; exit 3"}"#, to: "lab")
            let run = try #require(accepted.first?.runs.first)
            let frames = try await test.framesToEnd(of: run)
            #expect(frames.types.last == .runError)
            let record = try await test.hub.run(run)
            #expect(record.run.state == .failed)
            #expect(record.run.error?.message.contains("no room") == true)
        }
    }

    @Test("a command that the configuration does not name is refused")
    func unknownCommand() async throws {
        try await TestHub.with(documents: Self.documents) { test in
            let accepted = try await test.post(#"{"shell":"id"}"#, to: "lab")
            let run = try #require(accepted.first?.runs.first)
            _ = try await test.framesToEnd(of: run)
            #expect(try await test.hub.run(run).run.error?.code == "command_not_allowed")
        }
    }

    @Test("a queued run that is stopped never begins")
    func stopQueued() async throws {
        let documents = """
            source: lab
            preset: none
            ---
            agent: slow
            kind: echo
            words_per_second: 1
            ---
            rule: one-at-a-time
            when: { source: [lab] }
            limits: { concurrency: 1 }
            run:
              steps:
                - { step: talk, agent: slow, prompt: "one two three four five six seven eight nine ten" }
            """
        try await TestHub.with(documents: documents) { test in
            let first = try #require(try await test.post("{}", to: "lab").first?.runs.first)
            _ = try await test.frames(of: first) { $0.draft.type == .textMessageContent }
            let second = try await test.post("{}", to: "lab")
            #expect(second.first?.outcomes.first?.outcome == .queued)
            let queued = try #require(second.first?.runs.first)
            #expect(try await test.hub.perform(.stop, on: queued, id: nil, by: .hub).result == .applied)
            #expect(try await test.hub.run(queued).run.started == nil)
            #expect(try await test.hub.perform(.stop, on: first, id: nil, by: .hub).result == .applied)
        }
    }

    @Test("a rule with notify raises a notice for each match, also where nothing runs, and a failed run raises one")
    func notices() async throws {
        let documents = """
            source: lab
            preset: none
            ---
            rule: look
            mode: observe
            notify: true
            when: { source: [lab] }
            run: { steps: [ { step: work, command: [absent] } ] }
            ---
            rule: fail
            when: { source: [lab] }
            run: { steps: [ { step: work, command: [absent] } ] }
            """
        try await TestHub.with(documents: documents) { test in
            let accepted = try #require(try await test.post("{}", to: "lab").first)
            let run = try #require(accepted.runs.first)
            _ = try await test.framesToEnd(of: run)
            let notices = try await test.hub.frames(after: 0, through: nil, topics: [.alerts], max: 10).frames
                .map { $0.draft.data.value }
            #expect(notices.map { $0["kind"]?.string } == ["event", "run_failed"])
            #expect(notices.map { $0["rule"]?.string } == ["look", "fail"])
            #expect(notices.allSatisfy { $0["event"]?.string == accepted.event.description })
            #expect(notices.last?["text"]?.string?.contains("commands:") == true)
        }
    }
}
