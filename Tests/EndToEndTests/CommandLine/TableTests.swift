import BelfryCore
import Testing

@testable import belfry

struct TableTests {
    private let items: [JSONValue] = [
        ["name": "a", "about": "A sentence that is longer than most terminals care for", "id": "rule_1"],
        ["name": "bb", "about": "Short", "id": "rule_2"],
    ]

    private func table() -> Table {
        Table(["name", "about", "id"], items) { item in ["name", "about", "id"].map(item.cell) }
    }

    @Test("on a terminal a table fits its width: sentences are cut, ids are whole")
    func fits() {
        let lines = table().text(width: 40).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 40 })
        #expect(lines[1].hasPrefix("a     A sentence that is long") && lines[1].hasSuffix("…  rule_1"))
        #expect(lines[2].hasPrefix("bb    Short ") && lines[2].hasSuffix("  rule_2"))
    }

    @Test("what cannot be cut is not cut, however narrow the terminal is")
    func tooNarrow() {
        let text = table().text(width: 10)
        #expect(text.contains("A sente…  rule_1"))
    }

    @Test("in a pipe nothing is cut")
    func whole() {
        #expect(table().text(width: nil).contains("longer than most terminals care for  rule_1"))
    }

    @Test("times say that they are UTC; a list of runs is its first and how many more")
    func cells() {
        let event: JSONValue = [
            "received": "2026-01-02T03:04:05.678Z", "runs": ["run_a", "run_b", "run_c"], "none": [],
        ]
        #expect(event.timeCell("received") == "2026-01-02 03:04:05Z")
        #expect(event.timeCell("absent") == "-")
        #expect(event.firstCell("runs", isShort: true) == "run_a +2")
        #expect(event.firstCell("runs", isShort: false) == "run_a, run_b, run_c")
        #expect(event.firstCell("none", isShort: true) == "-")
    }

    @Test("a failed run is listed with the start of its message")
    func reason() {
        #expect(
            RunsList.reason(["reason": "error", "error": ["message": "the provider answered 401\nbody"]])
                == "the provider answered 401")
        #expect(RunsList.reason(["reason": "completed", "error": .null]) == "completed")
    }
}
