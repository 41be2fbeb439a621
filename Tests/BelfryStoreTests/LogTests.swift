import BelfryCore
import Foundation
import Testing

@testable import BelfryStore

/// Reading the log again gives exactly what a subscriber of these topics was to get.
@Suite(.timeLimit(.minutes(3))) struct LogTests {
    static func frame(_ runs: [RunID], _ random: inout SeededGenerator) -> DraftFrame {
        let run = runs.randomElement(using: &random) ?? runs[0]
        let rule = ["a", "b"].randomElement(using: &random)
        let time = Timestamp(milliseconds: Int64.random(in: 0...1000, using: &random))
        func draft(_ topic: Topic, run: RunID? = nil, rule: String? = nil, _ type: FrameType) -> DraftFrame {
            DraftFrame(
                time: time, topic: topic, run: run, rule: rule, type: type, data: RawJSON(.int(time.milliseconds)))
        }
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1, 2: return draft(.run(run), run: run, rule: rule, .textMessageContent)
        case 3: return draft(.runs, run: run, rule: rule, .runState)
        case 4: return draft(.source(["s", "t"].randomElement(using: &random) ?? "s"), .event)
        case 5: return draft(.alerts, run: Bool.random(using: &random) ? run : nil, rule: rule, .notice)
        case 6: return draft(.rules, .rules)
        default: return draft(.custom("c"), .custom)
        }
    }

    @Test("pages of any topics equal a plain filter over all frames", arguments: 1...6)
    func equalsNaiveFilter(seed: UInt64) async throws {
        let fixture = try Fixture()
        var random = SeededGenerator(seed: seed)
        let runs = (0..<3).map { _ in RunID(at: fixture.clock.now) }
        for _ in 0..<20 {
            let drafts = (0..<20).map { _ in Self.frame(runs, &random) }
            // Spans of the index begin within a stretch, between two, or are left out.
            let leap = Int64([0, 0, 0, 4076, 4090, 20_000].randomElement(using: &random) ?? 0)
            try await fixture.store.writer.perform { transaction in
                transaction.position += leap
                for draft in drafts { try transaction.append(draft) }
            }
        }
        let all = fixture.recorder.frames
        let head = fixture.store.head
        let topics: [Topic] = [
            .run(runs[0]), .run(runs[1]), .everyRun, .runs, .rule("a"), .rule("b"), .source("s"), .alerts, .rules,
            .custom("c"), .approvals, .source("none"),
        ]
        for _ in 0..<60 {
            let wanted = Array(topics.shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random)))
            let after = Int64.random(in: 0...head, using: &random)
            let through = Bool.random(using: &random) ? nil : Int64.random(in: 0...head + 50, using: &random)
            let bound = min(through ?? .max, head)
            let expected = all.filter { frame in
                frame.position > after && frame.position <= bound && wanted.contains { $0.covers(frame.draft) }
            }
            var found: [Frame] = []
            var reached = after
            repeat {
                let page = try await fixture.store.frames(
                    after: reached, through: through, topics: wanted, max: Int.random(in: 1...50, using: &random)
                )
                #expect(page.frames.allSatisfy { $0.position > reached && $0.position <= page.through })
                found += page.frames
                #expect(page.through > reached || reached >= bound)
                reached = page.through
            } while reached < bound
            #expect(found == expected, "topics \(wanted), after \(after), through \(bound)")
        }
        await fixture.store.close()
    }

    @Test("every run's frames are found behind long stretches of other frames")
    func longStretch() async throws {
        let fixture = try Fixture()
        let draft = fixture.delta()
        try await fixture.store.append([draft])
        try fixture.sql("UPDATE frames SET position = 1")
        try await fixture.store.writer.perform { transaction in
            try transaction.execute(
                """
                WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)
                INSERT INTO frames (position, time, topic, type, data)
                    SELECT i, 0, 'custom/c', 'CUSTOM', CAST('0' AS BLOB) FROM n
                """
            )
        }
        let again = try await fixture.reopen()
        let last = try await again.append([draft])
        #expect(last == 150_001)
        var reached: Int64 = 0
        var found: [Int64] = []
        while reached < last {
            let page = try await again.frames(after: reached, topics: [.everyRun])
            found += page.frames.map(\.position)
            #expect(page.through > reached)
            reached = page.through
        }
        #expect(found == [1, last])
        await again.close()
    }
}
