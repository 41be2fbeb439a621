import BelfryCore
import BelfryStore
import Testing

@testable import BelfryEngine

/// Runs under an operator's hand: questions, waits, skips, adjustments.
@Suite(.timeLimit(.minutes(3))) struct ApprovalTests {
    private static let head = """
        source: lab
        preset: none
        ---
        agent: parrot
        kind: echo
        words_per_second: 1000
        ---

        """
    private static let pump =
        head + """
            rule: pump
            when: { source: [lab] }
            run:
              params: { tone: { enum: [terse, full], default: terse } }
              steps:
                - { step: look, agent: parrot, prompt: "looked {{params.tone}}" }
                - { step: confirm, approve: "Shut down {{data.pump}}?", expires: 15m, value: { schema: { type: object, properties: { why: { type: string } }, required: [why] } } }
                - { step: act, agent: parrot, prompt: "shut down because {{steps.confirm.value.why}}" }
            """

    private let anna = Principal(token: nil, name: "anna", role: .operator)
    private let bert = Principal(token: nil, name: "bert", role: .operator)

    /// Starts a run and waits until it waits.
    private func waiting(_ test: TestHub, _ body: String = #"{"pump":"p7"}"#) async throws -> RunID {
        let run = try #require(try await test.post(body, to: "lab").first?.runs.first)
        _ = try await test.frames(of: run) {
            $0.draft.type == .runState && $0.draft.data.value["state"] == "waiting"
        }
        return run
    }

    @Test("a run that asks leaves memory, and goes on with what was decided")
    func approve() async throws {
        try await TestHub.with(documents: Self.pump) { test in
            let run = try await waiting(test)
            #expect(try await test.isUnloaded())
            let open = try await test.hub.approvals(isOpen: true, run: run, limit: 9, cursor: nil).items
            #expect(open.map(\.message) == ["Shut down p7?"] && open.first?.guards == ["act"])
            let answer = try await test.say(
                .approve(step: "confirm", value: ["why": "it is hot"]), on: run, by: anna)
            #expect(answer.result == .applied, "\(answer.reason ?? "")")
            let frames = try await test.framesToEnd(of: run)
            #expect(frames.text.contains("it is hot"))
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .succeeded && steps.map(\.state) == [.succeeded, .succeeded, .succeeded])
            let decided = try await test.hub.approvals(isOpen: false, run: run, limit: 9, cursor: nil).items.first
            #expect(decided?.decision == .approve && decided?.decidedBy == "anna")
            #expect(try await test.hub.verifyAudit().isIntact)
        }
    }

    @Test("of two decisions the first counts, and the other is told whose it was")
    func first() async throws {
        try await TestHub.with(documents: Self.pump) { test in
            let run = try await waiting(test)
            let value: JSONValue = ["why": "hot"]
            async let one = test.say(.approve(step: "confirm", value: value), on: run, by: anna)
            async let two = test.say(.deny(step: "confirm", reason: "no"), on: run, by: bert)
            let answers = try await [one, two]
            let applied = answers.filter { $0.result == .applied }
            #expect(applied.count == 1)
            let lost = try #require(answers.first { $0.result == .rejected })
            #expect(lost.reason?.contains("already") == true, "\(lost.reason ?? "")")
        }
    }

    @Test("a denial ends the run as denied; its later steps never begin")
    func deny() async throws {
        try await TestHub.with(documents: Self.pump) { test in
            let run = try await waiting(test)
            _ = try await test.say(.deny(step: "confirm", reason: "too early"), on: run, by: anna)
            _ = try await test.framesToEnd(of: run)
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .stopped && record.reason == .denied)
            #expect(steps.map(\.name) == ["look", "confirm"] && steps[1].reason == .denied)
        }
    }

    @Test("a value that breaks its schema decides nothing")
    func wrongValue() async throws {
        try await TestHub.with(documents: Self.pump) { test in
            let run = try await waiting(test)
            for value: JSONValue? in [nil, ["why": 7], "yes"] {
                let answer = try await test.say(.approve(step: "confirm", value: value), on: run, by: anna)
                #expect(answer.result == .rejected && answer.reason?.contains("value") == true)
            }
            for (kind, why) in [
                (RunCommandKind.approve(step: "look", value: nil), "asks nothing"),
                (.deny(step: "none", reason: nil), "steps are: look, confirm, act"),
                (.skip(step: "look", output: nil), "already succeeded"),
                (.skip(step: "confirm", output: "yes"), "never supplies a decision"),
            ] {
                let answer = try await test.say(kind, on: run, by: anna)
                #expect(answer.result == .rejected && answer.reason?.contains(why) == true, "\(answer)")
            }
            #expect(try await test.hub.run(run).run.state == .waiting)
        }
    }

    @Test("skipping a question is a no; skipping what comes later takes the given output")
    func skip() async throws {
        try await TestHub.with(documents: Self.pump) { test in
            let first = try await waiting(test)
            #expect(try await test.say(.skip(step: "confirm", output: nil), on: first, by: anna).result == .applied)
            _ = try await test.framesToEnd(of: first)
            #expect(try await test.hub.run(first).run.reason == .denied)
            let second = try await waiting(test, #"{"pump":"p8"}"#)
            #expect(
                try await test.say(.skip(step: "act", output: "done by hand"), on: second, by: anna).result == .applied)
            _ = try await test.say(.approve(step: "confirm", value: ["why": "x"]), on: second, by: anna)
            _ = try await test.framesToEnd(of: second)
            let steps = try await test.hub.run(second).steps
            #expect(steps[2].state == .skipped && steps[2].reason == .operator && steps[2].output == "done by hand")
        }
    }

    @Test("what an operator adjusts is used, and a question whose steps it changes is asked anew")
    func adjust() async throws {
        try await TestHub.with(documents: Self.pump) { test in
            let run = try await waiting(test)
            let before = try await test.hub.approvals(isOpen: true, run: run, limit: 9, cursor: nil).items.first
            let adjustment = RunAdjustment(steps: ["act": .init(prompt: .some("only look at {{data.pump}}"))])
            #expect(try await test.say(.adjust(adjustment), on: run, by: anna).result == .applied)
            let after = try await test.hub.approvals(isOpen: true, run: run, limit: 9, cursor: nil).items
            #expect(after.count == 1 && after.first?.id != before?.id)
            for (adjustment, why) in [
                (RunAdjustment(params: ["tone": "loud"]), "params.tone"),
                (RunAdjustment(params: ["volume": 3]), "there are: tone"),
                (RunAdjustment(steps: ["look": .init(prompt: .some("x"))]), "is over"),
                (RunAdjustment(steps: ["act": .init(agent: ["model": "x"])]), "nothing of it is adjustable"),
                (RunAdjustment(), "nothing to adjust"),
            ] {
                let answer = try await test.say(.adjust(adjustment), on: run, by: anna)
                #expect(answer.result == .rejected && answer.reason?.contains(why) == true, "\(answer)")
            }
            _ = try await test.say(.approve(step: "confirm", value: ["why": "x"]), on: run, by: anna)
            let frames = try await test.framesToEnd(of: run)
            #expect(frames.text.hasSuffix("only look at {{data.pump}}"), "an operator's words are no template")
        }
    }

    @Test("a parameter is adjusted until somebody has approved what it changes, and any other one also later")
    func approvedParameters() async throws {
        let documents =
            Self.head + """
                rule: later
                when: { source: [lab] }
                run:
                  params: { minutes: { type: integer, default: 5 }, tone: { type: string, default: terse } }
                  steps:
                    - { step: confirm, approve: "For long?" }
                    - { step: rest, wait: 1h }
                    - { step: act, command: [shutdown, "{{params.minutes}}"] }
                    - { step: settle, approve: "Well?" }
                    - { step: tell, agent: parrot, prompt: "{{params.tone}}" }
                """
        try await TestHub.with(documents: documents) { test in
            let run = try await waiting(test)
            func adjust(_ params: JSONObject) async throws -> CommandAnswer {
                try await test.say(.adjust(RunAdjustment(params: params)), on: run, by: bert)
            }
            func open() async throws -> ApprovalID? {
                try await test.hub.approvals(isOpen: true, run: run, limit: 9, cursor: nil).items.first?.id
            }
            let first = try await open()
            #expect(try await adjust(["tone": "full"]).result == .applied)
            #expect(try await open() == first, "nothing that the question stands before has changed")
            #expect(try await adjust(["minutes": 7]).result == .applied)
            #expect(try await open() != first)
            #expect(try await test.say(.approve(step: "confirm", value: nil), on: run, by: anna).result == .applied)
            let refused = try await adjust(["minutes": 600])
            #expect(refused.reason == "not_adjustable: anna has approved what these steps are to do", "\(refused)")
            #expect(try await test.hub.run(run).run.params?.value["minutes"] == 7)
            #expect(try await adjust(["tone": "terse"]).result == .applied)
        }
    }

    @Test("a command that comes again gets its first answer; another under its id is refused")
    func repeated() async throws {
        try await TestHub.with(documents: Self.pump) { test in
            let run = try await waiting(test)
            let id = CommandID(at: Timestamp(seconds: 1_790_000_000))
            let approve = RunCommandKind.approve(step: "confirm", value: ["why": "x"])
            #expect(try await test.say(approve, on: run, id: id, by: anna).result == .applied)
            _ = try await test.framesToEnd(of: run)
            #expect(try await test.say(approve, on: run, id: id, by: anna).result == .applied)
            #expect(try await test.say(.stop, on: run, id: id, by: anna).result == .rejected)
            #expect(try await test.say(approve, on: run, id: id, by: bert).result == .rejected)

            // What was refused stays refused, with the same words.
            let late = CommandID(at: Timestamp(seconds: 1_790_000_001))
            let refused = try await test.say(.stop, on: run, id: late, by: anna)
            #expect(refused.reason?.hasPrefix("already succeeded at 20") == true, "\(refused.reason ?? "")")
            #expect(try await test.say(.stop, on: run, id: late, by: anna).reason == refused.reason)
            let other = try await test.say(.skip(step: "act", output: nil), on: run, id: late, by: anna)
            #expect(other.reason == "another command was sent under this id")
            let retried = try await test.hub.retry(run, from: nil, latest: false, command: late, by: anna)
            #expect(retried.reason == "another command was sent under this id")
        }
    }

    @Test("of a question that ends soon people are told once, and it still ends in its time")
    func expiring() async throws {
        let clock = SteppedClock()
        try await TestHub.with(documents: Self.pump, clock: WallClock { clock.now }) { test in
            let run = try await waiting(test)
            let open = try #require(
                try await test.hub.approvals(isOpen: true, run: run, limit: 9, cursor: nil).items.first)
            func isWarning(_ frame: Frame) -> Bool { frame.draft.data.value["kind"] == "approval_expiring" }
            test.set(clock, to: open.expires - .seconds(225))
            let told = try await test.frames(of: run) { $0.draft.data.value["kind"] == "approval_expiring" }
            #expect(told.first(where: isWarning)?.draft.data.value["title"] == "A question of pump ends in 3 min")
            #expect(try await test.hub.run(run).run.state == .waiting)
            test.set(clock, to: open.expires)
            let frames = try await test.framesToEnd(of: run)
            #expect(frames.filter(isWarning).count == 1)
            #expect(try await test.hub.run(run).steps.last?.reason == .expired)
        }
    }

    @Test("a question, a wait and their times outlive the hub")
    func restart() async throws {
        let folder = try TestFolder()
        let documents =
            Self.head + """
                rule: nap
                when: { source: [lab] }
                run:
                  steps:
                    - { step: rest, wait: 1s }
                    - { step: confirm, approve: "Go on?", on_deny: continue, expires: 1m }
                    - { step: tell, agent: parrot, prompt: "it was {{steps.confirm.decision}}" }
                """
        let run = try await TestHub.with(documents: documents, folder: folder) { test in
            try #require(try await test.post("{}", to: "lab").first?.runs.first)
        }
        try await TestHub.with(documents: documents, folder: folder) { test in
            _ = try await test.frames(of: run) { $0.draft.type == .approvalRequested }
        }
        try await TestHub.with(documents: documents, folder: folder) { test in
            let answer = try await test.say(.deny(step: "confirm", reason: nil), on: run, by: anna)
            #expect(answer.result == .applied)
            #expect(try await test.framesToEnd(of: run).text == "it was deny")
            #expect(try await test.hub.run(run).run.state == .succeeded)
        }
    }

    @Test("a question that nobody decides is a no, whatever its rule says, unless the server allows it")
    func expiry() async throws {
        let documents =
            Self.head + """
                rule: rash
                when: { source: [lab] }
                run: { steps: [ { step: confirm, approve: "Go on?", expires: 1s, otherwise: approve }, { step: act, agent: parrot, prompt: "done" } ] }
                """
        let refused = await #expect(throws: BelfryError.self) { try await TestHub.with(documents: documents) { _ in } }
        #expect(refused?.message.contains("does not let silence approve") == true, "\(String(describing: refused))")
        let folder = try TestFolder()
        try await TestHub.with(documents: documents, allowsOtherwiseApprove: true, folder: folder) { test in
            let run = try await waiting(test, "{}")
            #expect(try await test.framesToEnd(of: run).text == "done")
        }
        // The server no longer lets it: what was applied before counts for nothing.
        try await TestHub.with(documents: Self.head, folder: folder) { test in
            let run = try await waiting(test, "{}")
            _ = try await test.framesToEnd(of: run)
            let (record, steps) = try await test.hub.run(run)
            #expect(record.reason == .denied && steps.map(\.reason) == [.expired])
        }
    }

    @Test("a waiting run is stopped at once, and its question is withdrawn")
    func stop() async throws {
        try await TestHub.with(documents: Self.pump) { test in
            let run = try await waiting(test)
            let answer = try await test.say(.stop, on: run, by: anna)
            #expect(answer.result == .applied)
            #expect(try await test.hub.run(run).run.state == .stopped)
            let approval = try await test.hub.approvals(isOpen: nil, run: run, limit: 9, cursor: nil).items.first
            #expect(approval?.decision == .void)
            let late = try await test.say(.approve(step: "confirm", value: nil), on: run, by: anna)
            #expect(late.result == .rejected)
            #expect(late.reason?.hasPrefix("already stopped by anna at 20") == true, "\(late.reason ?? "")")
        }
    }

    @Test("steps side by side, one of which fails: the others are cut and the run fails")
    func parallel() async throws {
        let documents =
            Self.head + """
                rule: both
                when: { source: [lab] }
                run:
                  steps:
                    - parallel:
                        - { step: talk, agent: parrot, prompt: "{{data.words}}" }
                        - { step: ask, approve: "Really?" }
                        - { step: break, command: [nothing] }
                    - { step: never, agent: parrot, prompt: "x" }
                """
        try await TestHub.with(documents: documents) { test in
            let words = String(repeating: "word ", count: 60)
            let run = try #require(try await test.post("{\"words\":\"\(words)\"}", to: "lab").first?.runs.first)
            _ = try await test.framesToEnd(of: run)
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .failed && record.error?.code == "command_not_allowed")
            let end = try await test.hub.store.frames(after: 0, topics: [.run(run)]).frames.last {
                $0.draft.type == .runError
            }
            #expect(end?.draft.data.value["error"]?["code"] == "command_not_allowed")
            #expect(steps.map(\.state) == [.stopped, .stopped, .failed])
            #expect(try await test.hub.approvals(isOpen: true, run: run, limit: 9, cursor: nil).items.isEmpty)
        }
    }

    @Test("a step that fails as it begins ends the run before those beside it begin")
    func failsAtOnce() async throws {
        let documents =
            Self.head + """
                rule: both
                when: { source: [lab] }
                run:
                  steps:
                    - parallel:
                        - { step: later, wait: { for: { source: [lab] }, by: [data.id], within: 1m } }
                        - { step: talk, agent: parrot, prompt: "x" }
                """
        try await TestHub.with(documents: documents) { test in
            let run = try #require(try await test.post("{}", to: "lab").first?.runs.first)
            _ = try await test.framesToEnd(of: run)
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .failed && steps.map(\.name) == ["later"])
            #expect(record.error?.code == "missing_attribute" && record.error?.message.contains("data.id") == true)
        }
    }

    @Test("a step that failed is tried again as often as it says")
    func retry() async throws {
        let documents =
            Self.head + """
                rule: again
                when: { source: [lab] }
                run:
                  steps:
                    - { step: work, command: [sh, "-c", "test -e \\"$0\\" || { touch \\"$0\\"; exit 1; }", "{{data.file}}"], retry: { times: 2, pause: 1s } }
                """
        try await TestHub.with(documents: documents, commands: ["sh": "/bin/sh"]) { test in
            let file = "\(test.folder)/once"
            let run = try #require(try await test.post("{\"file\":\"\(file)\"}", to: "lab").first?.runs.first)
            _ = try await test.framesToEnd(of: run)
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .succeeded && steps.map(\.attempt) == [2])
        }
    }
}
