import BelfryCore
import Testing

@testable import BelfryEngine

@Suite struct SendScheduleTests {
    private static let now = Timestamp(milliseconds: 1_000_000_000)

    private func pause(after attempt: Int, retryAfter: Duration? = nil, jitter: Double = 0) -> Duration? {
        SendSchedule.next(after: attempt, at: Self.now, retryAfter: retryAfter, jitter: jitter).map { $0 - Self.now }
    }

    @Test("attempts are made after 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h, and then no more")
    func pauses() {
        #expect(SendSchedule.pauses.count == Limits.sendAttemptsMax && SendSchedule.pauses[0] == .zero)
        #expect((1...7).map { pause(after: $0)?.components.seconds } == [5, 300, 1800, 7200, 18000, 36000, 36000])
        for attempt in [8, 9, Int.max, 0, -1] { #expect(pause(after: attempt) == nil) }
    }

    @Test("chance moves an attempt by a tenth of its pause at most")
    func jitter() {
        #expect(pause(after: 2, jitter: -1) == .seconds(270))
        #expect(pause(after: 2, jitter: 1) == .seconds(330))
    }

    @Test("a target may ask for more time, up to a day, never for less")
    func retryAfter() {
        #expect(pause(after: 1, retryAfter: .seconds(60)) == .seconds(60))
        #expect(pause(after: 2, retryAfter: .seconds(60)) == .seconds(300))
        #expect(pause(after: 7, retryAfter: .seconds(999_999_999)) == .seconds(86400))
    }

    @Test("the id of a message is of its run and step alone, and holds no dot")
    func messageID() throws {
        let run = RunID(at: Self.now)
        let id = SendWork.webhookID(run: run, step: "tell.ops")
        #expect(id == SendWork.webhookID(run: run, step: "tell.ops") && id == "msg_\(run)_tell~ops")
        #expect(id != SendWork.webhookID(run: run, step: "tell-ops"))
    }
}
