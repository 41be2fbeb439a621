import BelfryCore
import BelfryStore
import Foundation
import Logging
import Synchronization
import Testing

@testable import BelfryEngine

/// A hub that ends in the middle of a run, and the next one on its folder. (A crash of the real binary is tested end to
/// end; here the rules of what goes on and what does not.)
@Suite(.timeLimit(.minutes(3))) struct RecoveryTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private static let documents = """
        source: lab
        preset: none
        ---
        agent: slow
        kind: echo
        words_per_second: 20
        ---
        rule: talk
        when: { source: [lab], data: { words: [ { exists: true } ] } }
        run:
          steps:
            - { step: first, agent: slow, prompt: "done" }
            - { step: second, agent: slow, prompt: "{{data.words}}" }
        ---
        rule: shell
        when: { source: [lab], data: { shell: [ { exists: true } ] } }
        run:
          steps:
            - { step: work, command: [shell, "-c", "{{data.shell}}"] }
        ---
        rule: both
        when: { source: [lab], data: { both: [ { exists: true } ] } }
        run:
          steps:
            - parallel:
                - { step: ask, approve: "On?" }
                - { step: work, command: [shell, "-c", "sleep 60"] }
        """

    /// Starts a run and ends the hub when `isReached`.
    private func interrupt(_ body: String, when isReached: @escaping @Sendable (Frame) -> Bool) async throws -> RunID {
        try await TestHub.with(documents: Self.documents, commands: ["shell": "/bin/sh"], folder: folder) { test in
            let run = try #require(try await test.post(body, to: "lab").first?.runs.first)
            _ = try await test.frames(of: run, until: isReached)
            return run
        }
    }

    private func resume(_ run: RunID) async throws -> (
        frames: [Frame], run: RunRecord, steps: [StepRecord], isIntact: Bool
    ) {
        try await TestHub.with(documents: Self.documents, commands: ["shell": "/bin/sh"], folder: folder) { test in
            let frames = try await test.framesToEnd(of: run)
            let (record, steps) = try await test.hub.run(run)
            return (frames, record, steps, try await test.hub.verifyAudit().isIntact)
        }
    }

    @Test("a question beside a command that was interrupted is withdrawn with the run, and everybody reads so")
    func question() async throws {
        let run = try await interrupt(#"{"both":true}"#) { $0.draft.type == .approvalRequested }
        let (frames, record, steps, isIntact) = try await resume(run)
        #expect(record.state == .failed && record.reason == .interrupted && isIntact)
        #expect(steps.map(\.state) == [.stopped, .failed])
        let decided = frames.filter { $0.draft.type == .approvalDecided }.map(\.draft.data.value)
        #expect(decided.count == 1 && decided[0]["decision"] == "void" && decided[0]["reason"] == "the run has ended")
    }

    @Test("a command of a run that left memory in the middle of it is not done again when something comes for the run")
    func leftMemory() async throws {
        let run = try await interrupt(#"{"shell":"sleep 60"}"#) { $0.draft.type == .stepStarted }
        // A hub that has not looked after what a crash left: as one whose store has failed for a while.
        var configuration = HubConfiguration(
            folder: folder.path,
            secrets: SecretResolver(allowedEnvironment: [], allowedFiles: [], environment: { _ in nil }))
        configuration.commands = ["shell": "/bin/sh"]
        let hub = try await Hub.open(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        guard case .new(let mailbox) = hub.mailboxes.open(run) else { throw CancellationError() }
        await RunLoader(services: hub.scheduler.services).perform(run, mailbox)
        let (record, steps) = try await hub.run(run)
        #expect(record.state == .failed && record.reason == .interrupted)
        #expect(steps.map(\.attempt) == [1])
        await hub.close()
    }

    @Test("an agent step that was interrupted begins anew, and a finished one does not run again")
    func agentStep() async throws {
        let run = try await interrupt(#"{"words":"one two three four five six seven eight"}"#) { frame in
            frame.draft.type == .textMessageContent && frame.draft.data.text.contains("second.1")
        }
        let (frames, record, steps, isIntact) = try await resume(run)
        #expect(record.state == .succeeded)
        #expect(record.attempt == 2)
        #expect(steps.map(\.attempt) == [1, 2])
        #expect(steps[1].output == "one two three four five six seven eight")
        #expect(isIntact)
        let messages = frames.filter { $0.draft.type == .textMessageStart || $0.draft.type == .textMessageEnd }
            .map { ($0.draft.type, $0.draft.data.value["messageId"]?.string) }
        #expect(messages.map(\.1) == ["first.1", "first.1", "second.1", "second.1", "second.2", "second.2"])
        #expect(
            messages.map(\.0) == [
                .textMessageStart, .textMessageEnd, .textMessageStart, .textMessageEnd, .textMessageStart,
                .textMessageEnd,
            ])
        var snapshot = RunSnapshot(run: run)
        for frame in frames { snapshot.add(frame) }
        let texts = snapshot.json.value["steps"]?.array?.map { $0["text"]?.string }
        #expect(texts == ["done", "one two three four five six seven eight"])
    }

    @Test("a command step that was interrupted is not repeated: its run fails, and says so")
    func commandStep() async throws {
        let counter = folder.path + "/count"
        let run = try await interrupt(#"{"shell":"echo x >> \#(counter); echo begun; sleep 30"}"#) {
            $0.draft.type == .textMessageContent
        }
        let (frames, record, steps, isIntact) = try await resume(run)
        #expect(record.state == .failed)
        #expect(record.reason == .interrupted)
        #expect(steps.map(\.state) == [.failed])
        #expect(frames.types.suffix(4) == [.textMessageEnd, .stepFinished, .notice, .runError])
        #expect(isIntact)
        #expect(try String(contentsOfFile: counter, encoding: .utf8) == "x\n")
    }

    @Test("a run that waited in the queue begins after the restart")
    func queued() async throws {
        let folder = folder
        let queued = try await TestHub.with(documents: Self.documents, folder: folder) { test in
            // The rule's four places are taken by runs that last.
            var runs: [RunID] = []
            for number in 0..<5 {
                let words = (0..<15).map { "w\(number)-\($0)" }.joined(separator: " ")
                runs += try await test.post(#"{"words":"\#(words)"}"#, to: "lab").first?.runs ?? []
            }
            _ = try await test.frames(of: runs[0]) { $0.draft.type == .textMessageContent }
            #expect(try await test.hub.run(runs[4]).run.state == .queued)
            return runs[4]
        }
        #expect(try await resume(queued).run.state == .succeeded)
    }

    @Test("a stop that meets the end of the hub is answered, and the next start ends the run")
    func stopDuringShutdown() async throws {
        let folder = folder
        let (run, stop) = try await TestHub.with(
            documents: Self.documents, commands: ["shell": "/bin/sh"], folder: folder
        ) { test in
            let body = #"{"shell":"trap '' TERM; echo begun; while :; do sleep 1; done"}"#
            let run = try #require(try await test.post(body, to: "lab").first?.runs.first)
            _ = try await test.frames(of: run) { $0.draft.type == .textMessageContent }
            // It outlives this hub: whoever asked must get an answer.
            let stop = Task { try await test.hub.perform(.stop, on: run, id: nil, by: .hub) }
            _ = try await test.frames(of: run) { $0.draft.type == .command }
            return (run, stop)
        }
        #expect(try await stop.value.result == .unconfirmed)
        let state = try await TestHub.with(documents: Self.documents, folder: folder) { test in
            _ = try await test.framesToEnd(of: run)
            return try await test.hub.run(run).run.state
        }
        #expect(state == .stopped)
    }

    @Test("what waits for a run that can't take it is told why")
    func letGo() async throws {
        let run = try await interrupt(#"{"both":true}"#) { $0.draft.type == .approvalRequested }
        let hub = try await Hub.open(
            HubConfiguration(
                folder: folder.path,
                secrets: SecretResolver(allowedEnvironment: [], allowedFiles: [], environment: { _ in nil })),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let loader = RunLoader(services: hub.scheduler.services)
        /// What two commands are told that wait for a run.
        func answers(_ run: RunID, _ known: ClaimedRun?) async throws -> [CommandAnswer] {
            guard case .new(let mailbox) = hub.mailboxes.open(run) else { throw CancellationError() }
            let (answers, told) = AsyncStream.makeStream(of: CommandAnswer.self)
            for _ in 0..<2 {
                let kind = RunCommandKind.skip(step: "ask", output: nil)
                let sent = SentCommand(CommandID(at: .init(seconds: 0)), kind.name, kind.parts, to: run, by: .hub)
                mailbox.post(.command(RunCommand(kind: kind, sent: sent) { told.yield($0) }))
            }
            await loader.perform(run, mailbox, known: known)
            told.finish()
            return await answers.reduce(into: []) { $0.append($1) }
        }
        let unknown = RunID(at: .init(seconds: 0))
        for answer in try await answers(unknown, nil) {
            #expect(answer.result == .rejected && answer.reason == "there is no run \(unknown)")
        }
        // In memory it waits; on disk it has ended, so no change of it can be committed.
        var (record, _) = try await hub.run(run)
        try await hub.store.commit(.end(record, .failed, .error, error: nil, at: WallClock.system.now()))
        record.state = .waiting
        let late = try await answers(run, ClaimedRun(run: record, event: nil))
        #expect(late.map(\.result) == [.rejected, .rejected])
        #expect(late.allSatisfy { $0.reason == "the run is failed already" }, "\(late)")
        await hub.close()
    }

    @Test("a clock that is set back hides no agent from the runs that come then")
    func clockSetBack() async throws {
        let clock = SetClock()
        try await TestHub.with(documents: Self.documents, clock: WallClock { clock.now }) { test in
            clock.setBack(by: .seconds(3600))
            let run = try #require(try await test.post(#"{"words":"one"}"#, to: "lab").first?.runs.first)
            _ = try await test.framesToEnd(of: run)
            #expect(try await test.hub.run(run).run.state == .succeeded)
        }
    }
}

/// A clock that a person sets.
private final class SetClock: Sendable {
    private let offset = Mutex(Duration.zero)

    var now: Timestamp { WallClock.system.now() - offset.withLock { $0 } }

    func setBack(by duration: Duration) { offset.withLock { $0 += duration } }
}
