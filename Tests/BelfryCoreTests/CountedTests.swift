import BelfryCore
import Testing

struct CountedTests {
    @Test("one is one, and everything else is several")
    func counted() {
        #expect([0, 1, 2].map { $0.counted("run") } == ["0 runs", "1 run", "2 runs"])
        #expect(Int64(3).counted("match") == "3 matches")
    }
}
