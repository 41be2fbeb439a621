import BelfryCore
import Dispatch
import Foundation
import GRDB
import Synchronization
import Testing

@testable import BelfryStore

/// Group commit: many callers, one transaction, one order.
@Suite(.timeLimit(.minutes(3))) struct WriterTests {
    @Test("callers that wait together are committed together")
    func groupCommit() async throws {
        let fixture = try Fixture()
        let store = fixture.store
        let deliveries = (0..<200).map { index in fixture.delivery([.init(event: fixture.event("k\(index)"))]) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for delivery in deliveries { group.addTask { _ = try await store.accept(delivery) } }
            try await group.waitForAll()
        }
        #expect(store.statistics.operations == 200)
        #expect(store.statistics.commits < 100)
        #expect(try fixture.number("SELECT count(*) FROM events") == 200)
        await store.close()
    }

    @Test("an operation that fails is undone alone, its batch is not")
    func savepoints() async throws {
        let fixture = try Fixture()
        let writer = fixture.store.writer
        let draft = fixture.delta()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<40 {
                group.addTask {
                    do {
                        try await writer.perform { transaction in
                            try transaction.append(draft)
                            try transaction.append(AuditDraft(actor: "a", action: "x.y", subject: "\(index)"))
                            if index.isMultiple(of: 2) { throw BelfryError(.conflict, "no") }
                        }
                        return true
                    } catch { return false }
                }
            }
            var successes = 0
            for try await isSuccess in group { successes += isSuccess ? 1 : 0 }
            #expect(successes == 20)
        }
        #expect(try fixture.number("SELECT count(*) FROM frames") == 20)
        #expect(try await fixture.store.verifyAudit().entries == 20)
        #expect(fixture.recorder.frames.map(\.position) == Array(1...20))
        await fixture.store.close()
    }

    @Test("frames are handed out in the order of positions, before their callers resume")
    func handOver() async throws {
        let fixture = try Fixture()
        let store = fixture.store
        let recorder = fixture.recorder
        let draft = fixture.delta()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<200 {
                group.addTask {
                    let position =
                        try await index.isMultiple(of: 2) ? store.publish(draft) : store.append([draft])
                    #expect(store.head >= position)
                    #expect(recorder.frames.contains { $0.position == position })
                }
            }
            try await group.waitForAll()
        }
        #expect(recorder.frames.map(\.position) == Array(1...200))
        #expect(recorder.all.allSatisfy { $0.head == $0.frames.last?.position })
        await store.close()
    }

    @Test("positions go on after a reopen, also when the last frames were removed")
    func positionsAfterReopen() async throws {
        let fixture = try Fixture()
        #expect(try await fixture.store.append([fixture.delta(), fixture.delta()]) == 2)
        try fixture.sql("DELETE FROM frames")
        let again = try await fixture.reopen()
        #expect(again.head == 2)
        #expect(try await again.append([fixture.delta()]) == 3)
        await again.close()
    }

    @Test("commits of nothing but tokens keep their distance, and ride along with others")
    func deltaDistance() async throws {
        let fixture = try Fixture()
        let store = fixture.store
        let draft = fixture.delta()
        for _ in 0..<3 { try await fixture.store.post(draft) }
        let start = ContinuousClock.now
        for _ in 0..<10 { try await fixture.store.post(draft) }
        #expect(.now - start >= Limits.deltaCommitInterval * 9)
        // An ordinary operation does not wait, and takes the waiting tokens along.
        let before = store.statistics.commits
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { try await store.post(draft) } }
            try await group.waitForAll()
        }
        #expect(store.statistics.commits - before <= 4)
        await store.close()
    }

    @Test("a queue that is full refuses, and takes in again when there is room")
    func overload() async throws {
        let queue = WriteQueue(operationsMax: 2, bytesMax: 100)
        let failures = Mutex<[BelfryError.Code]>([])
        func operation(_ bytes: Int, _ kind: WriteOperation.Kind = .delivery) -> WriteOperation {
            WriteOperation(
                bytes: bytes, kind: kind, perform: { _ in {} },
                fail: { error in failures.withLock { $0.append(error.code) } }
            )
        }
        queue.enqueue(operation(150))
        queue.enqueue(operation(1))
        #expect(failures.withLock { $0 } == [.overloaded])
        #expect(queue.nextBatch(after: .init())?.count == 1)
        for _ in 0..<3 { queue.enqueue(operation(1)) }
        #expect(failures.withLock { $0 } == [.overloaded, .overloaded])
        // A run must be able to end while deliveries are refused, but there is a bound for that too.
        for _ in 0..<3 { queue.enqueue(operation(1, .transition)) }
        #expect(failures.withLock { $0 } == [.overloaded, .overloaded, .overloaded])
        queue.close()
        queue.enqueue(operation(1))
        #expect(failures.withLock { $0 }.last == .shuttingDown)
        #expect(queue.nextBatch(after: .init())?.count == 4)
        #expect(queue.nextBatch(after: .init()) == nil)
    }

    @Test("who sends side by side shares a commit, as far as they come in time; who sends alone waits for nobody")
    func company() {
        @Sendable func operation(_ kind: WriteOperation.Kind) -> WriteOperation {
            WriteOperation(bytes: 1, kind: kind, perform: { _ in {} }, fail: { _ in })
        }
        let queue = WriteQueue(operationsMax: 9000, bytesMax: 9000)
        func never(_ company: Int) -> WriteQueue.LastCommits {
            WriteQueue.LastCommits(end: .now.advanced(by: .seconds(3600)), company: company)
        }
        for _ in 0..<3 { queue.enqueue(operation(.publication)) }
        #expect(queue.fromOutside == 3)
        #expect(queue.nextBatch(after: never(3))?.count == 3)
        queue.enqueue(operation(.delivery))
        #expect(queue.nextBatch(after: never(1))?.count == 1)
        // One of three is late: the others wait for it, whatever tokens come meanwhile.
        queue.enqueue(operation(.publication))
        let late = Thread {
            queue.enqueue(operation(.delta))
            queue.enqueue(operation(.delivery))
            queue.enqueue(operation(.publication))
        }
        late.start()
        #expect(queue.nextBatch(after: never(3))?.count == 4)
        queue.enqueue(operation(.publication))
        let start = ContinuousClock.now
        #expect(queue.nextBatch(after: .init(end: start, company: 9))?.count == 1)
        #expect(.now - start >= Limits.companyInterval)
        // What is urgent takes them along.
        queue.enqueue(operation(.publication))
        queue.enqueue(operation(.transition))
        #expect(queue.nextBatch(after: never(9))?.count == 2)
        #expect(queue.fromOutside == 0)
    }

    @Test("tokens wait for their interval; what is urgent takes them along at once")
    func deltaWait() {
        func operation(_ kind: WriteOperation.Kind) -> WriteOperation {
            WriteOperation(bytes: 1, kind: kind, perform: { _ in {} }, fail: { _ in })
        }
        let queue = WriteQueue(operationsMax: 9000, bytesMax: 9000)
        queue.enqueue(operation(.delta))
        let start = ContinuousClock.now
        #expect(queue.nextBatch(after: .init(deltaBegin: start))?.count == 1)
        #expect(.now - start >= Limits.deltaCommitInterval)
        // With an interval that never ends, only what is urgent can end the wait, or that there are too many.
        let never = WriteQueue.LastCommits(deltaBegin: .now.advanced(by: .seconds(3600)))
        queue.enqueue(operation(.delta))
        queue.enqueue(operation(.transition))
        #expect(queue.nextBatch(after: never)?.count == 2)
        for _ in 0..<Limits.commitDeltasMax { queue.enqueue(operation(.delta)) }
        #expect(queue.nextBatch(after: never)?.count == Limits.commitDeltasMax)
        // Ordinary operations have their own bound per commit, and order is kept.
        for _ in 0..<100 { queue.enqueue(operation(.delivery)) }
        #expect(queue.nextBatch(after: .init())?.count == Limits.commitOperationsMax)
        #expect(queue.nextBatch(after: .init())?.count == 100 - Limits.commitOperationsMax)
    }

    @Test("deliveries pass tokens that came too early, and take along those whose time has come; order is kept in each")
    func deltasBesideDeliveries() {
        let names = Mutex<[String]>([])
        func operation(_ name: String, _ kind: WriteOperation.Kind) -> WriteOperation {
            WriteOperation(
                bytes: 10, kind: kind, perform: { _ in {} }, fail: { _ in names.withLock { $0.append(name) } })
        }
        func told(_ batch: [WriteOperation]?) -> [String] {
            for operation in batch ?? [] { operation.fail(BelfryError(.internal, "")) }
            return names.withLock { names in
                defer { names = [] }
                return names
            }
        }
        let queue = WriteQueue(operationsMax: 9000, bytesMax: 9000)
        let early = WriteQueue.LastCommits(deltaBegin: .now.advanced(by: .seconds(3600)))
        queue.enqueue(operation("token 1", .delta))
        queue.enqueue(operation("delivery 1", .delivery))
        queue.enqueue(operation("token 2", .delta))
        queue.enqueue(operation("frame 1", .publication))
        #expect(told(queue.nextBatch(after: early)) == ["delivery 1", "frame 1"])
        #expect(queue.load == (2, 20) && queue.fromOutside == 0)
        queue.enqueue(operation("delivery 2", .delivery))
        #expect(told(queue.nextBatch(after: .init())) == ["token 1", "token 2", "delivery 2"])
        // A run's end stands behind its tokens, whatever their time.
        queue.enqueue(operation("token 3", .delta))
        queue.enqueue(operation("delivery 3", .delivery))
        queue.enqueue(operation("end", .transition))
        #expect(told(queue.nextBatch(after: early)) == ["token 3", "delivery 3", "end"])
        #expect(queue.load == (0, 0))
    }

    @Test("the write-ahead log starts anew between commits and stays bounded")
    func checkpoints() async throws {
        let fixture = try Fixture { $0.walBytesMax = 1024 * 1024 }
        let payload = "\"" + String(repeating: "x", count: 200_000) + "\""
        for _ in 0..<40 { try await fixture.accept(fixture.event(data: payload)) }
        #expect(fixture.store.statistics.checkpoints >= 5)
        let attributes = try FileManager.default.attributesOfItem(atPath: fixture.folder + "/belfry.db-wal")
        let bytes = try #require((attributes[.size] as? NSNumber)?.intValue)
        #expect(bytes < 2 * 1024 * 1024)
        await fixture.store.close()
    }

    @Test("while tokens come, the write-ahead log starts anew four times as often", arguments: [false, true])
    func checkpointsBesideTokens(areTokensComing: Bool) async throws {
        let fixture = try Fixture { $0.walBytesMax = 4 * 1024 * 1024 }
        let payload = "\"" + String(repeating: "x", count: 200_000) + "\""
        let draft = fixture.delta()
        for _ in 0..<30 {
            try await fixture.accept(fixture.event(data: payload))
            if areTokensComing { try await fixture.store.post(draft) }
        }
        let checkpoints = fixture.store.statistics.checkpoints
        #expect(areTokensComing ? checkpoints >= 5 : (1...2).contains(checkpoints))
        await fixture.store.close()
    }

    @Test("a full disk fails the batch and no more: with room again, the store goes on")
    func fullDisk() async throws {
        let fixture = try Fixture()
        try await fixture.accept(fixture.event("first"))
        let position = fixture.store.head
        let pages = try #require(try fixture.number("PRAGMA page_count"))
        try fixture.sql("PRAGMA max_page_count = \(pages)")
        let payload = "\"" + String(repeating: "x", count: 1_000_000) + "\""
        let error = await belfryError { try await fixture.accept(fixture.event("second", data: payload)) }
        #expect(error?.code == .storageFull)
        #expect(fixture.store.statistics.failedCommits == 1)
        #expect(fixture.store.head == position)
        try fixture.sql("PRAGMA max_page_count = 1000000")
        let accepted = try await fixture.accept(fixture.event("second", data: payload))
        #expect(accepted.status == .filtered)
        let positions = fixture.recorder.frames.map(\.position)
        #expect(zip(positions, positions.dropFirst()).allSatisfy { $0 < $1 })
        #expect(try await fixture.store.verifyAudit().isIntact)
        await fixture.store.close()
    }

    @Test("a batch whose commit fails tells nobody of success, and its positions are not given again")
    func failedCommit() async throws {
        let fixture = try Fixture()
        let first = try await fixture.store.append([fixture.delta()])
        // A deferred constraint is checked by COMMIT itself.
        try fixture.sql(
            """
            PRAGMA foreign_keys = ON;
            CREATE TABLE parent (id INTEGER PRIMARY KEY);
            CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
            """
        )
        let draft = fixture.delta()
        let error = await belfryError {
            try await fixture.store.writer.perform { transaction in
                try transaction.append(draft)
                try transaction.execute("INSERT INTO child (parent) VALUES (1)")
            }
        }
        #expect(error != nil)
        #expect(fixture.recorder.frames.map(\.position) == [first])
        // A commit without frames must not show the positions that came to nothing: a subscriber would resume behind
        // frames that get them after a restart.
        try await fixture.store.setAllPaused(false, by: .hub)
        _ = try await fixture.store.claimRuns(max: 1, concurrency: { _ in nil })
        #expect(fixture.store.head == first)
        #expect(fixture.recorder.all.allSatisfy { $0.head == first })
        let next = try await fixture.store.append([draft])
        #expect(next == first + 2)
        #expect(try fixture.number("SELECT count(*) FROM frames") == 2)
        await fixture.store.close()
    }
}
