import BelfryCore
import Foundation
import GRDB
import Logging
import Synchronization
import Testing

@testable import BelfryStore

/// A clock that tests move.
final class TestClock: Sendable {
    private let time = Mutex(Timestamp(milliseconds: 1_800_000_000_000))

    var now: Timestamp { time.withLock { $0 } }
    var wall: WallClock { WallClock { self.now } }
    func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// Keeps what was committed, in the order it was handed out.
final class CommitRecorder: Sendable {
    private let batches = Mutex<[CommittedBatch]>([])

    func note(_ batch: CommittedBatch) { batches.withLock { $0.append(batch) } }
    var all: [CommittedBatch] { batches.withLock { $0 } }
    var frames: [Frame] { all.flatMap(\.frames) }
}

/// A store in a folder of its own, which is removed at the end.
struct Fixture: ~Copyable {
    let folder: String
    let clock = TestClock()
    let recorder = CommitRecorder()
    let store: Store

    init(_ adjust: (inout StoreConfiguration) -> Void = { _ in }) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("belfry-store-\(UUID())").path
        var configuration = StoreConfiguration(folder: folder, clock: clock.wall)
        adjust(&configuration)
        store = try Store.open(configuration, logger: .quiet, onCommit: recorder.note)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Closes the store and opens the folder again.
    func reopen() async throws -> Store {
        await store.close()
        return try open()
    }

    func open() throws -> Store {
        try Store.open(StoreConfiguration(folder: folder, clock: clock.wall), logger: .quiet, onCommit: recorder.note)
    }

    // MARK: Things to store

    func event(
        _ key: String? = nil, source: String = "plant", type: String = "sensor.reading", data: String = "{}"
    ) -> Event {
        let now = clock.now
        return Event(
            id: EventID(at: now), source: source, key: key, type: type, time: now, received: now, remote: "192.0.2.1",
            data: RawJSON(trusted: Array(data.utf8))
        )
    }

    func delivery(_ items: [AcceptedDelivery.Item], source: String = "plant") -> AcceptedDelivery {
        AcceptedDelivery(
            source: source, remote: "192.0.2.1", verifiedBy: "generate", ruleSetVersion: 1, items: items
        )
    }

    @discardableResult
    func accept(_ event: Event, matching rules: [MatchRequest] = []) async throws -> AcceptedEvent {
        let accepted = try await store.accept(
            delivery([AcceptedDelivery.Item(event: event, matches: rules)], source: event.source)
        )
        return try #require(accepted.first)
    }

    func delta(_ text: String = "word", run: RunID? = nil) -> DraftFrame {
        let run = run ?? RunID(at: clock.now)
        return DraftFrame(
            time: clock.now, topic: .run(run), run: run, type: .textMessageContent, data: RawJSON(.string(text))
        )
    }

    /// SQL behind the store's back.
    func sql(_ sql: String) throws {
        try store.onWriter { db in try db.execute(sql: sql) }
    }

    func number(_ sql: String) throws -> Int? {
        try store.onWriter { db in try Int.fetchOne(db, sql: sql) }
    }
}

extension Store {
    /// The writer's own connection, between two batches.
    func onWriter<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try writer.pool.writeWithoutTransaction(body)
    }
}

extension Logger {
    static var quiet: Logger { Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }) }
}

extension MatchRequest {
    static func rule(
        _ name: String, concurrency: Int = 4, runsPerHour: Int = 60, observes: Bool = false
    ) -> MatchRequest {
        var limits = RuleLimits()
        limits.concurrency = concurrency
        limits.runsPerHour = runsPerHour
        return MatchRequest(rule: name, ruleVersion: 1, observesOnly: observes, limits: limits)
    }
}

extension Store {
    /// Appends a frame as a run's tokens are; returns when it is on disk.
    func post(_ frame: DraftFrame) async throws {
        let failure: BelfryError? = await withCheckedContinuation { continuation in
            post(tokens: { [frame] }, ended: { continuation.resume(returning: $0) })
        }
        if let failure { throw failure }
    }
}

/// The error that `body` throws, if it is one of ours.
func belfryError(_ body: () async throws -> Void) async -> BelfryError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? BelfryError
    }
}

/// SplitMix64: the same cases every time.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
