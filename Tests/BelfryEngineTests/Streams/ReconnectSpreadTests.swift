import BelfryCore
import BelfryEngine
import Testing

@Suite("reconnect spread")
struct ReconnectSpreadTests {
    private func delays(clients: Int, offset: Double, taken: Int) -> [Int64] {
        var spread = ReconnectSpread(clients: clients, offset: offset)
        return (0..<taken).map { _ in spread.next().milliseconds }
    }

    @Test(
        "in no second come more than they may, whatever part of them is told",
        arguments: [1, 7, 255, 1000, 2500, 10_000, 20_000], [0, 0.1, 0.499, 0.618, 0.99, 1] as [Double])
    func even(clients: Int, offset: Double) throws {
        for taken in Set([1, clients / 7, clients / 2, clients]) where taken > 0 {
            let delays = delays(clients: clients, offset: offset, taken: taken).sorted()
            let perSecond = stride(from: Int64(0), to: 30_000, by: 100).map { start in
                delays.count { ($0 - start) >= 0 && $0 - start < 1000 }
            }
            let share = min(Limits.reconnectsPerSecond, taken)
            #expect(try #require(perSecond.max()) <= share + share / 20 + 3)
        }
    }

    @Test("the delays lie between 1 s and what the number of clients needs, at most 30 s")
    func bounds() {
        for (clients, last) in [(1, 2000), (1000, 2000), (10_000, 11_000), (20_000, 21_000), (1_000_000, 30_000)] {
            let delays = delays(clients: clients, offset: 0.3, taken: min(clients, 20_000))
            #expect(delays.allSatisfy { (1000...Int64(last)).contains($0) })
            if clients > 1000 { #expect(Set(delays).count > 6000) }
        }
    }

    @Test("what an hour's restarts tell one client differs")
    func offset() {
        #expect(Set(stride(from: 0.0, to: 1, by: 0.1).map { delays(clients: 10, offset: $0, taken: 1) }).count == 10)
    }
}
