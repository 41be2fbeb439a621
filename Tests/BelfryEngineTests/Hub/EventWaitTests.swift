import BelfryCore
import BelfryRules
import BelfryStore
import Logging
import Testing

@testable import BelfryEngine

/// Runs that wait for a later event.
@Suite(.timeLimit(.minutes(3))) struct EventWaitTests {
    private static let head = """
        source: lab
        preset: none
        ---
        agent: parrot
        kind: echo
        words_per_second: 1000
        ---

        """

    /// A rule whose runs wait for the end of a pull request.
    private static func documents(
        version: String = "one", before: String = "", wait: String = "within: 1m", more: String = ""
    ) -> String {
        head + """
            rule: pr
            about: \(version)
            when: { source: [lab], data: { kind: [opened] } }
            limits: { concurrency: 256, runs_per_hour: 10000 }
            run:
              steps:
                \(before)
                - { step: merged, wait: { for: { source: [lab], data: { kind: [merged] } }, by: [data.pr], \(wait) }\(more) }
                - { step: tell, agent: parrot, prompt: "\(version) by {{steps.merged.event.data.who}}\(more.isEmpty ? "" : "{{steps.merged.output.who}}")" }
            """
    }

    private func json(_ kind: String, _ pr: Int, who: String = "anna") -> String {
        #"{"kind":"\#(kind)","pr":\#(pr),"who":"\#(who)"}"#
    }

    private func outcomes(_ accepted: [AcceptedEvent]) -> [Outcome] { accepted.flatMap(\.outcomes).map(\.outcome) }

    @Test("a later event with the same values resumes the run, which knows it; any other does not")
    func resumes() async throws {
        try await TestHub.with(documents: Self.documents()) { test in
            let run = try await test.waiting(json("opened", 7))
            try await test.unloaded()
            #expect(try await outcomes(test.post(json("merged", 8), to: "lab")).isEmpty)
            #expect(try await outcomes(test.post(#"{"kind":"merged"}"#, to: "lab")).isEmpty)
            #expect(try await outcomes(test.post(json("closed", 7), to: "lab")).isEmpty)
            #expect(try await test.hub.run(run).run.state == .waiting)
            let accepted = try await test.post(json("merged", 7), to: "lab")
            #expect(outcomes(accepted) == [.resumed] && accepted.first?.status == .accepted)
            let event = try #require(accepted.first?.event)
            let frames = try await test.framesToEnd(of: run)
            #expect(frames.text == "one by anna")
            let ended = frames.first { $0.draft.type == .stepFinished && $0.draft.data.value["step"] == "merged" }
            #expect(ended?.draft.data.value["event"]?.string == event.description)
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .succeeded && steps.map(\.state) == [.succeeded, .succeeded])
            #expect(steps[0].data?.value["event"]?.string == event.description)
            let why = try await test.hub.why(event)
            #expect(why["matches"]?.array?.first?["outcome"] == "resumed")
            #expect(why["matches"]?.array?.first?["run"]?.string == run.description)
            #expect(try await test.hub.verifyAudit().isIntact)
        }
    }

    @Test("an event may resume several runs, and start one of the same rule besides; its own does not resume it")
    func besides() async throws {
        let documents =
            Self.head + """
                rule: ping
                when: { source: [lab] }
                run:
                  steps:
                    - { step: next, wait: { for: { source: [lab] }, by: [data.pr], within: 1m, look_back: 10m } }
                """
        try await TestHub.with(documents: documents) { test in
            let first = try await test.waiting(json("ping", 1))
            let own = try await test.hub.run(first).run.event
            _ = try await test.hub.replay(own, by: .hub)
            let second = try #require(try await test.post(json("ping", 2), to: "lab").first?.runs.first)
            let accepted = try await test.post(json("ping", 1), to: "lab")
            #expect(outcomes(accepted) == [.resumed, .started])
            _ = try await test.framesToEnd(of: first)
            #expect(try await test.hub.run(first).steps[0].arrivedEvent == accepted.first?.event)
            // The new run looks back past its own event, and finds the one that began the first.
            let third = try #require(accepted.first?.runs.first)
            _ = try await test.framesToEnd(of: third)
            #expect(try await test.hub.run(third).steps[0].arrivedEvent == own)
            #expect(try await !test.hub.run(second).run.state.isEnded)
        }
    }

    @Test("one event resumes all runs that wait for its values")
    func several() async throws {
        try await TestHub.with(documents: Self.documents()) { test in
            var runs: [RunID] = []
            for _ in 0..<3 { runs.append(try await test.waiting(json("opened", 7))) }
            let accepted = try await test.post(json("merged", 7), to: "lab")
            #expect(outcomes(accepted) == [.resumed] && Set(accepted.first?.resumed ?? []) == Set(runs))
            for run in runs {
                _ = try await test.framesToEnd(of: run)
                #expect(try await test.hub.run(run).steps[0].arrivedEvent == accepted.first?.event)
            }
        }
    }

    @Test("looking back finds the first event of that time that is the run's; an older one is too old")
    func lookBack() async throws {
        let documents = Self.documents(wait: "within: 1m, look_back: 1s")
        try await TestHub.with(documents: documents) { test in
            _ = try await test.post(json("merged", 7, who: "old"), to: "lab")
            try await Task.sleep(for: .milliseconds(1100))
            _ = try await test.post(json("merged", 8), to: "lab")
            let first = try #require(try await test.post(json("merged", 7, who: "first"), to: "lab").first)
            #expect(first.status == .filtered)
            _ = try await test.post(json("merged", 7, who: "second"), to: "lab")
            let run = try #require(try await test.post(json("opened", 7), to: "lab").first?.runs.first)
            #expect(try await test.framesToEnd(of: run).text == "one by first")
            let why = try await test.hub.why(first.event)
            #expect(why["status"] == "accepted" && why["matches"]?.array?.count == 1, "\(why)")
            #expect(why["matches"]?.array?.first?["outcome"] == "resumed")
            #expect(why["matches"]?.array?.first?["run"]?.string == run.description)
            #expect(why["matches"]?.array?.first?["detail"] == "step merged, looking back")
            let other = try await test.waiting(json("opened", 9))
            try await test.unloaded()
            _ = try await test.post(json("merged", 9), to: "lab")
            #expect(try await test.framesToEnd(of: other).text == "one by anna")
        }
    }

    @Test("without look_back what came before does not count")
    func noLookBack() async throws {
        try await TestHub.with(documents: Self.documents()) { test in
            _ = try await test.post(json("merged", 7, who: "early"), to: "lab")
            let run = try await test.waiting(json("opened", 7))
            _ = try await test.post(json("merged", 7), to: "lab")
            #expect(try await test.framesToEnd(of: run).text == "one by anna")
        }
    }

    @Test("when the time is over the run fails of it, or goes on with the default")
    func timeout() async throws {
        try await TestHub.with(documents: Self.documents(wait: "within: 100ms")) { test in
            let run = try #require(try await test.post(json("opened", 7), to: "lab").first?.runs.first)
            _ = try await test.framesToEnd(of: run)
            let (record, steps) = try await test.hub.run(run)
            #expect(record.state == .failed && record.reason == .timeout && record.error?.code == "timeout")
            #expect(steps.map(\.state) == [.failed] && steps[0].reason == .expired && steps[0].error == record.error)
            #expect(try await outcomes(test.post(json("merged", 7), to: "lab")).isEmpty, "nobody waits any more")
        }
        let more = #", default: { who: "nobody" }"#
        try await TestHub.with(documents: Self.documents(wait: "within: 100ms", more: more)) { test in
            let run = try #require(try await test.post(json("opened", 7), to: "lab").first?.runs.first)
            #expect(try await test.framesToEnd(of: run).text == "one by nobody")
            let steps = try await test.hub.run(run).steps
            #expect(steps[0].state == .succeeded && steps[0].reason == .expired)
        }
    }

    @Test("waiting outlives the hub, and so do an event that had just come and a time that ran out meanwhile")
    func restart() async throws {
        let folder = try TestFolder()
        let documents = Self.documents(wait: "within: 1m, look_back: 1s")
        let runs = try await TestHub.with(documents: documents, folder: folder) { test in
            [
                try await test.waiting(json("opened", 1)), try await test.waiting(json("opened", 2)),
                try await test.waiting(json("opened", 3)),
            ]
        }
        // No scheduler is at work: the event is noted, and its run does not hear of it.
        let resolver = SecretResolver(allowedEnvironment: [], allowedFiles: [], environment: { _ in nil })
        let hub = try await Hub.open(
            HubConfiguration(folder: folder.path, secrets: resolver),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let accepted = try await TestHub(hub: hub, folder: folder.path).post(json("merged", 1, who: "x"), to: "lab")
        #expect(outcomes(accepted) == [.resumed])
        await hub.close()
        try await TestHub.with(documents: documents, folder: folder) { test in
            #expect(try await test.framesToEnd(of: runs[0]).text == "one by x")
            _ = try await test.post(json("merged", 2), to: "lab")
            #expect(try await test.framesToEnd(of: runs[1]).text == "one by anna")
        }
        let clock = SteppedClock()
        clock.set(to: clock.now + .seconds(61))
        try await TestHub.with(documents: documents, folder: folder, clock: WallClock { clock.now }) { test in
            _ = try await test.framesToEnd(of: runs[2])
            #expect(try await test.hub.run(runs[2]).run.reason == .timeout)
        }
    }

    @Test("a run waits by the version it keeps, whatever becomes of its rule; then the set lets go of that")
    func versions() async throws {
        let folder = try TestFolder()
        let runs = try await TestHub.with(documents: Self.documents(), folder: folder) { test in
            func heldVersions() -> [Int64] {
                test.hub.registry.snapshot.ruleSet.rules.filter(\.isForWaitsOnly).map(\.version)
            }
            let first = try await test.waiting(json("opened", 1))
            let other = try await test.waiting(json("opened", 4))
            // Two begin to wait after their rule has changed.
            let rest = "- { step: rest, wait: 3s }"
            _ = try await test.apply(Self.documents(version: "two", before: rest))
            let second = try await test.waiting(json("opened", 2), for: "time")
            let last = try await test.waiting(json("opened", 3), for: "time")
            _ = try await test.apply(
                Self.documents(version: "three").replacing("kind: [merged]", with: "kind: [closed]"))
            #expect(heldVersions() == [1])
            for run in [second, last] { try await test.waits(run, for: "event") }
            #expect(heldVersions() == [1, 2] && test.hub.registry.snapshot.ruleSet.currentRules.count == 1)
            _ = try await test.post(json("merged", 2), to: "lab")
            #expect(try await test.framesToEnd(of: second).text == "two by anna")
            try await test.hub.setEnabled(rule: "pr", false, by: .hub)
            _ = try await test.post(json("merged", 1), to: "lab")
            #expect(try await test.framesToEnd(of: first).text == "one by anna")
            try await test.hub.setEnabled(rule: "pr", true, by: .hub)
            try await test.hub.removeDocument(DocumentName(.rule, "pr"), by: .hub)
            #expect(heldVersions() == [1, 2])
            return (last, other)
        }
        try await TestHub.with(documents: Self.head, folder: folder) { test in
            #expect(test.hub.registry.snapshot.ruleSet.rules.map(\.version) == [1, 2])
            _ = try await test.post(json("merged", 3), to: "lab")
            #expect(try await test.framesToEnd(of: runs.0).text == "two by anna")
            #expect(try await test.hub.perform(.stop, on: runs.1, id: nil, by: .hub).result == .applied)
            try await test.eventually("the set to let go of them") {
                test.hub.registry.snapshot.ruleSet.rules.isEmpty
            }
        }
    }

    @Test("a step that waits for an event is skipped and stopped like any other")
    func commands() async throws {
        try await TestHub.with(documents: Self.documents(more: #", default: { who: "nobody" }"#)) { test in
            let skipped = try await test.waiting(json("opened", 1))
            let skip = RunCommandKind.skip(step: "merged", output: ["who": "me"])
            #expect(try await test.hub.perform(skip, on: skipped, id: nil, by: .hub).result == .applied)
            #expect(try await test.framesToEnd(of: skipped).text == "one by me")
            let stopped = try await test.waiting(json("opened", 1))
            #expect(try await test.hub.perform(.stop, on: stopped, id: nil, by: .hub).result == .applied)
            #expect(try await test.hub.run(stopped).steps.map(\.state) == [.stopped])
            #expect(try await outcomes(test.post(json("merged", 1), to: "lab")).isEmpty)
        }
    }

    @Test("of an event and a skip, or the end of the time, at the same moment one has the step, and each is told so")
    func sameMoment() async throws {
        let documents = Self.documents(wait: "within: 300ms", more: #", default: { who: "nobody" }"#)
        try await TestHub.with(documents: documents) { test in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for pr in 0..<40 {
                    group.addTask {
                        let run = try await test.waiting(json("opened", pr))
                        // Even ones are skipped, the time of the others is over.
                        let isSkipped = pr % 2 == 0
                        async let skipping =
                            isSkipped
                            ? test.hub.perform(.skip(step: "merged", output: nil), on: run, id: nil, by: .hub) : nil
                        if !isSkipped { try await Task.sleep(for: .milliseconds(240 + pr * 2)) }
                        let event = try #require(try await test.post(json("merged", pr), to: "lab").first)
                        let skip = try await skipping
                        _ = try await test.framesToEnd(of: run)
                        let step = try await test.hub.run(run).steps[0]
                        #expect(event.resumed == (step.arrivedEvent == nil ? [] : [run]))
                        #expect((step.state == .skipped) == (skip?.result == .applied))
                        #expect((step.reason == nil) == (step.arrivedEvent == event.event))
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("an event that was matched before a step began to wait is matched again, and resumes it")
    func matchedBefore() async throws {
        try await TestHub.with(documents: Self.documents()) { test in
            let run = try await test.waiting(json("opened", 7))
            let now = WallClock.system.now()
            let event = Event(
                id: EventID(at: now), source: "lab", type: "x", time: now, received: now,
                data: RawJSON(try JSONValue(parsing: Array(json("merged", 7).utf8))))
            var early = AcceptedDelivery(
                source: "lab", remote: "", verifiedBy: nil, ruleSetVersion: 0,
                items: [AcceptedDelivery.Item(event: event)])
            early.generation = 0
            #expect(try await outcomes(test.hub.accept(early)) == [.resumed])
            #expect(try await test.framesToEnd(of: run).text == "one by anna")
        }
    }

    @Test("no event is lost or counted twice between looking back and waiting, while events come and rules change")
    func gapless() async throws {
        let count = 60
        @Sendable func documents(_ version: Int) -> String {
            Self.documents(version: "v\(version)", wait: "within: 30s, look_back: 10m")
        }
        try await TestHub.with(documents: documents(0)) { test in
            let opened = try await withThrowingTaskGroup(of: (pr: Int, run: RunID?, event: EventID?).self) { group in
                for pr in 0..<count {
                    group.addTask {
                        // Before the run, or when it waits, or about when it begins to.
                        var event = pr % 3 > 0 ? nil : try await test.post(json("merged", pr), to: "lab").first?.event
                        let run = try await test.post(json("opened", pr), to: "lab").first?.runs.first
                        guard event == nil, let run else { return (pr, run, event) }
                        let early: Set<RunState> = pr % 3 == 1 ? [.queued, .running] : [.queued]
                        while early.contains(try await test.hub.run(run).run.state) {
                            try await Task.sleep(for: .milliseconds(2))
                        }
                        try await Task.sleep(for: .milliseconds(pr % 13))
                        event = try await test.post(json("merged", pr), to: "lab").first?.event
                        return (pr, run, event)
                    }
                }
                group.addTask {
                    for version in 1..<8 { _ = try await test.apply(documents(version)) }
                    return (0, nil, nil)
                }
                var runs: [Int: RunID] = [:]
                var events: [Int: EventID] = [:]
                for try await told in group {
                    if let run = told.run { runs[told.pr] = run }
                    if let event = told.event { events[told.pr] = event }
                }
                return (runs: runs, events: events)
            }
            #expect(opened.runs.count == count && opened.events.count == count)
            var lookedBack = 0
            for (pr, run) in opened.runs {
                let frames = try await test.framesToEnd(of: run)
                let ends = frames.filter { $0.draft.type == .stepFinished && $0.draft.data.value["step"] == "merged" }
                #expect(ends.map { $0.draft.data.value["event"]?.string } == [opened.events[pr]?.description], "\(pr)")
                let event = try #require(opened.events[pr])
                let matches = try await test.hub.store.matches(of: event)
                #expect(matches.map(\.outcome) == [.resumed] && matches.map(\.run) == [run], "\(pr)")
                lookedBack += matches.count { $0.detail?.hasSuffix("looking back") == true }
            }
            #expect(try await test.hub.store.versionsWithWaits().isEmpty)
            // Both ways were taken, or this test shows nothing.
            #expect(lookedBack > 0 && lookedBack < count)
        }
    }
}

extension TestHub {
    /// Starts a run, and waits until a step of it waits.
    fileprivate func waiting(_ body: String, for reason: String = "event") async throws -> RunID {
        let run = try #require(try await post(body, to: "lab").first?.runs.first)
        try await waits(run, for: reason)
        return run
    }

    fileprivate func waits(_ run: RunID, for reason: String) async throws {
        _ = try await frames(of: run) { $0.draft.type == .stepState && $0.draft.data.value["for"]?.string == reason }
    }

    fileprivate func apply(_ documents: String) async throws -> [String] {
        try await hub.applyDocuments([(path: "test.yaml", text: documents)], by: .hub).warnings
    }

    fileprivate func unloaded() async throws {
        try await eventually("the run to leave memory") { hub.mailboxes.count == 0 }
    }

    fileprivate func eventually(_ what: String, _ isSo: () -> Bool) async throws {
        for _ in 0..<1000 where !isSo() { try await Task.sleep(for: .milliseconds(5)) }
        #expect(isSo(), "\(what)")
    }
}

extension String {
    fileprivate func replacing(_ text: String, with other: String) -> String {
        split(separator: text, omittingEmptySubsequences: false).joined(separator: other)
    }
}
