import BelfryCore
import Foundation
import GRDB
import Testing

@testable import BelfryStore

/// What is removed from the log is missed by nobody unawares, and nobody is told of what they would not have got.
@Suite("floors", .timeLimit(.minutes(3))) struct FloorTests {
    /// Reads the log as a subscriber does that asks for one page now and then.
    private struct Reader {
        let topics: [Topic]
        let start: Int64
        var cursor: Int64
        var seen: Set<Int64> = []
        var gaps: [(from: Int64, to: Int64, topic: Topic)] = []

        mutating func read(_ store: Store, max: Int) async throws {
            let page = try await store.frames(after: cursor, topics: topics, max: max)
            seen.formUnion(page.frames.map(\.position))
            for (topic, floor) in page.floors { gaps.append((cursor, floor, topic)) }
            cursor = page.through
        }

        /// Whether the frame was seen, or a topic that covers it was said to have a hole there.
        func knows(of frame: Frame) -> Bool {
            seen.contains(frame.position)
                || gaps.contains {
                    $0.from < frame.position && frame.position <= $0.to && $0.topic.covers(frame.draft)
                }
        }
    }

    private static let homes: [Topic] = [
        .everyRun, .runs, .source("s"), .everySource, .alerts, .rules, .custom("c"), .rule("a"),
    ]

    @Test("what readers saw and what gaps name is everything, and gaps name what is gone alone", arguments: 1...8)
    func nothingIsLost(seed: UInt64) async throws {
        let fixture = try Fixture()
        var random = SeededGenerator(seed: seed)
        let runs = (0..<3).map { _ in RunID(at: fixture.clock.now) }
        let topics: [Topic] = Self.homes + [.run(runs[0]), .run(runs[1]), .source("t"), .rule("b"), .custom("none")]
        var removed: Set<Int64> = []
        var readers: [Reader] = []
        for _ in 0..<40 {
            let drafts = (0..<12).map { _ in LogTests.frame(runs, &random) }
            try await fixture.store.append(drafts)
            let start = Int64.random(in: 0...fixture.store.head, using: &random)
            let wanted = Array(topics.shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random)))
            readers.append(Reader(topics: wanted, start: start, cursor: start))
            if Int.random(in: 0..<3, using: &random) == 0 {
                let bound = Int64.random(in: 0...fixture.store.head, using: &random)
                let homes = Bool.random(using: &random) ? nil : [Self.homes.randomElement(using: &random) ?? .runs]
                try await fixture.store.removeFrames(through: bound, of: homes)
                let kept = try await Self.positions(fixture.store)
                removed = Set(1...fixture.store.head).subtracting(kept)
            }
            for index in readers.indices where Bool.random(using: &random) {
                try await readers[index].read(fixture.store, max: Int.random(in: 1...40, using: &random))
            }
        }
        for index in readers.indices {
            while readers[index].cursor < fixture.store.head { try await readers[index].read(fixture.store, max: 50) }
        }
        let all = fixture.recorder.frames
        for reader in readers {
            var missed: [Int64] = []
            for frame in all where frame.position > reader.start {
                guard reader.topics.contains(where: { $0.covers(frame.draft) }) else {
                    #expect(!reader.seen.contains(frame.position))
                    continue
                }
                if !reader.knows(of: frame) { missed.append(frame.position) }
            }
            #expect(missed == [], "of \(reader.topics) after \(reader.start)")
            for gap in reader.gaps {
                #expect(
                    all.contains {
                        removed.contains($0.position) && $0.position > gap.from && $0.position <= gap.to
                            && gap.topic.covers($0.draft)
                    }, "\(gap.topic) has lost nothing in \(gap.from)...\(gap.to)")
            }
        }
        #expect(!removed.isEmpty)
        await fixture.store.close()
    }

    private static func positions(_ store: Store) async throws -> [Int64] {
        try await store.read { db in try Int64.fetchAll(db, sql: "SELECT position FROM frames") }
    }

    @Test("a topic is told nothing when frames of another were removed; positions are not given again")
    func perTopic() async throws {
        let fixture = try Fixture()
        let run = RunID(at: fixture.clock.now)
        try await fixture.store.append([fixture.delta(run: run), fixture.delta()])
        try await fixture.store.append([fixture.custom("b"), fixture.custom("c")])
        try await fixture.store.removeFrames(through: 4, of: [.custom("b")])
        func floors(_ topics: [Topic], after: Int64 = 1) async throws -> [Topic: Int64] {
            try await fixture.store.frames(after: after, topics: topics).floors
        }
        #expect(try await floors([.custom("b"), .custom("c"), .everyRun, .run(run)]) == [.custom("b"): 3])
        #expect(try await floors([.custom("b")], after: 3) == [:])
        try await fixture.store.removeFrames(through: 4)
        #expect(
            try await floors([.custom("b"), .custom("c"), .everyRun, .run(run), .alerts], after: 0) == [
                .custom("b"): 3, .custom("c"): 4, .everyRun: 2, .run(run): 1,
            ])
        #expect(try await fixture.store.append([fixture.delta()]) == 5)
        await fixture.store.close()
    }

    @Test("the rows are bounded: the lowest of a kind become one, that holds for all without a row")
    func fold() async throws {
        let fixture = try Fixture()
        try await fixture.store.append((1...9).map { fixture.custom("c\($0)") })
        try await fixture.store.append([fixture.delta()])
        try await fixture.store.removeFrames(through: 10)
        try await fixture.store.writer.perform { try Floors($0.db).fold(keeping: 3) }
        try await fixture.store.append([fixture.custom("c1")])
        let rows = try await fixture.store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM floors") }
        // Three of the topics and their common row; a run, and every run.
        #expect(rows == 3 + 1 + 2)
        let topics: [Topic] = [.custom("c9"), .custom("c7"), .custom("c6"), .custom("c1"), .custom("new"), .rules]
        let floors = try await fixture.store.frames(after: 1, topics: topics).floors
        #expect(
            floors == [.custom("c9"): 9, .custom("c7"): 7, .custom("c6"): 6, .custom("c1"): 6, .custom("new"): 6])
        await fixture.store.close()
    }

    @Test("more than one transaction holds is removed in several")
    func manyTransactions() async throws {
        let fixture = try Fixture()
        let count = 2 * Limits.framesRemovedPerCommitMax + 7
        try await fixture.store.append(
            (1...count).map { $0 % 2 == 0 ? fixture.custom("b") : fixture.delta() })
        try await fixture.store.removeFrames(through: Int64(count), of: [.everyRun])
        let kept = try await Self.positions(fixture.store)
        #expect(kept.count == count / 2)
        #expect(kept.allSatisfy { $0 % 2 == 0 })
        await fixture.store.close()
    }
}

extension Fixture {
    fileprivate func custom(_ name: String) -> DraftFrame {
        DraftFrame(time: clock.now, topic: .custom(name), type: .custom, data: .null)
    }
}
