import BelfryCore
import NIOCore
import Testing

@testable import BelfryServer

/// How often a connection may call.
@Suite("call rate")
struct CallRateTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    @Test("a burst, then the rate; a refusal says when the next call is allowed")
    func bucket() {
        var rate = CallRate()
        for _ in 0..<Limits.webSocketCallBurst { #expect(rate.take(at: Self.start) == .allowed) }
        guard case .wait(let time) = rate.take(at: Self.start) else {
            Issue.record("it was not refused")
            return
        }
        #expect(time > .zero && time <= .seconds(1))
        // The refused one took a place too.
        let interval = TimeAmount.nanoseconds(1_000_000_000 / Limits.webSocketCallsPerSecond)
        let later = Self.start + TimeAmount(time) + interval
        #expect(rate.take(at: later) == .allowed)
        #expect(rate.take(at: later) != .allowed)
        #expect(rate.take(at: later + .seconds(3600)) == .allowed)
    }

    @Test("who keeps to the rate is never refused")
    func steady() {
        var rate = CallRate()
        let interval = TimeAmount.nanoseconds(1_000_000_000 / Limits.webSocketCallsPerSecond)
        for call in 0..<1000 { #expect(rate.take(at: Self.start + interval * call) == .allowed) }
    }

    @Test("who goes on although refused is an abuser")
    func abuse() {
        var rate = CallRate()
        var calls: Int64 = 0
        while rate.take(at: Self.start) != .abuse { calls += 1 }
        #expect(calls == Limits.webSocketCallBurst + Limits.webSocketCallDebtMax)
    }
}
