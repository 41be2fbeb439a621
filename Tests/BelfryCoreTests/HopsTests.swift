import BelfryCore
import Testing

/// How many runs led to an event, as its sender says.
@Suite struct HopsTests {
    @Test(
        "a number up to 255 counts as it is, none as 0, and what is neither as too many",
        arguments: [
            ([], 0), (["0"], 0), (["3"], 3), (["008"], 8), (["255"], 255), (["256"], 255), (["1000"], 255),
            (["-1"], 255), ([""], 255), (["1, 2"], 255), (["1", "2"], 255), ([" 1"], 255), (["１"], 255),
        ])
    func header(values: [String], count: Int) { #expect(Hops.count(in: values) == count) }

    @Test("a run's programs send one more, and no more than can be written")
    func next() { #expect([Hops.next(after: 0), Hops.next(after: 7), Hops.next(after: 255)] == [1, 8, 255]) }
}
