import BelfryCore
import BelfrySources
import BelfryStore
import Logging
import Testing

@testable import BelfryEngine

/// A hub on a folder of its own, with its scheduler at work, for the time of a test.
struct TestHub {
    let hub: Hub
    let folder: String

    /// Runs `body` with a hub; the scheduler is cancelled and the store closed behind it.
    static func with<Result: Sendable>(
        documents: String, commands: [String: String] = [:], targets: [String: SendTarget] = [:],
        allowsOtherwiseApprove: Bool = false, change: (inout HubConfiguration) -> Void = { _ in },
        folder: TestFolder? = nil, clock: WallClock = .system,
        _ body: @Sendable (TestHub) async throws -> Result
    ) async throws -> Result {
        let folder = try folder ?? TestFolder()
        let resolver = SecretResolver(
            allowedEnvironment: ["TEST_SECRET"], allowedFiles: [], environment: { _ in "s3cret" })
        var configuration = HubConfiguration(folder: folder.path, secrets: resolver)
        configuration.commands = commands
        configuration.targets = targets
        configuration.allowsOtherwiseApprove = allowsOtherwiseApprove
        configuration.clock = clock
        change(&configuration)
        let hub = try await Hub.open(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        _ = try await hub.applyDocuments([(path: "test.yaml", text: documents)], by: .hub)
        let result: Swift.Result<Result, any Error> = await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await hub.scheduler.run() }
            group.addTask { try? await hub.timers.run() }
            group.addTask { try? await hub.backtests.run() }
            group.addTask { try? await hub.slackAnswers.run() }
            defer { group.cancelAll() }
            do {
                return .success(try await body(TestHub(hub: hub, folder: folder.path)))
            } catch {
                return .failure(error)
            }
        }
        await hub.close()
        return try result.get()
    }

    /// Posts a JSON body to a source that has no secret.
    func post(_ body: String, to source: String, headers: [(name: String, value: String)] = []) async throws
        -> [AcceptedEvent]
    {
        let delivery = Delivery(
            headers: HeaderFields([(name: "content-type", value: "application/json")] + headers),
            body: Array(body.utf8),
            remote: "127.0.0.1", isLoopback: true, received: WallClock.system.now()
        )
        guard case .stored(let events, _, _) = try await hub.receive(source: source, delivery) else { return [] }
        return events
    }

    /// Waits for the first run there is.
    func firstRun() async throws -> RunRecord? {
        let (commits, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        hub.subscribeCommits { _ in continuation.yield() }
        continuation.yield()
        for await _ in commits {
            if let run = try await hub.runs(state: nil, rule: nil, limit: 1, cursor: nil).items.first { return run }
        }
        return nil
    }

    /// Waits for the run's end by its frames. - Returns: all of them.
    func framesToEnd(of run: RunID) async throws -> [Frame] {
        try await frames(of: run) { $0.draft.type == .runFinished || $0.draft.type == .runError }
    }

    /// Waits until a frame of the run satisfies `isLast`. - Returns: all up to the head of that moment.
    func frames(of run: RunID, until isLast: @Sendable (Frame) -> Bool) async throws -> [Frame] {
        let (commits, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        hub.subscribeCommits { _ in continuation.yield() }
        continuation.yield()
        for await _ in commits {
            let frames = try await hub.frames(after: 0, through: nil, topics: [.run(run)], max: 100_000).frames
            if frames.contains(where: isLast) { return frames }
        }
        return []
    }
}

extension TestHub {
    /// An operator's command.
    func say(
        _ kind: RunCommandKind, on run: RunID, id: CommandID? = nil, by principal: Principal
    ) async throws -> CommandAnswer {
        try await hub.perform(kind, on: run, id: id, by: principal)
    }

    /// Waits until no run is in memory.
    func isUnloaded() async throws -> Bool {
        for _ in 0..<1000 where hub.mailboxes.count > 0 { try await Task.sleep(for: .milliseconds(5)) }
        return hub.mailboxes.count == 0
    }
}

extension [Frame] {
    /// The text that the frames carry.
    var text: String {
        filter { $0.draft.type == .textMessageContent }.map { $0.draft.data.value["delta"]?.string ?? "" }.joined()
    }

    var types: [FrameType] { map(\.draft.type) }
}

/// Waits for what no frame tells.
func eventually(_ what: String, _ isSo: () -> Bool) async throws {
    for _ in 0..<1000 where !isSo() { try await Task.sleep(for: .milliseconds(5)) }
    #expect(isSo(), "\(what)")
}
