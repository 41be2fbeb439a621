import BelfryCore
import Glibc
import Testing

@testable import BelfryRules

/// Patterns and events made to cost much. Each is refused or answered within moments.
@Suite(.timeLimit(.minutes(3)))
struct PatternHardeningTests {
    /// Of this thread on a processor: what others do meanwhile does not count.
    private func seconds(_ work: () throws -> Void) rethrows -> Double {
        func now() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        let start = now()
        try work()
        return now() - start
    }

    @Test("a wildcard with many stars is linear in a long text")
    func manyStars() throws {
        let stars = "*" + String(repeating: "a*", count: 15) + "b"
        let pattern = try EventPattern(json: ["f": [["wildcard": .string(stars)]]])
        let text = String(repeating: "a", count: 200_000)
        let spent = seconds { #expect(!pattern.matches(["f": .string(text)])) }
        #expect(spent < 10)
        #expect(pattern.matches(["f": .string(text + "b")]))
    }

    @Test("a long literal between stars is linear too")
    func longLiteral() throws {
        let part = String(repeating: "a", count: 20_000) + "c"
        let pattern = try EventPattern(json: ["f": [["wildcard": .string("*\(part)*")]]])
        let spent = seconds { #expect(!pattern.matches(["f": .string(String(repeating: "a", count: 200_000))])) }
        #expect(spent < 10)
    }

    @Test("1,000 wildcards in one text are refused")
    func thousandWildcards() {
        let text = String(repeating: "a*", count: 1000)
        #expect(throws: PatternError.self) { try EventPattern(json: ["f": [["wildcard": .string(text)]]]) }
    }

    @Test("a number of a megabyte is not read anew for every rule; beyond 512 bytes it is only its text")
    func longNumbers() throws {
        let step = StepDefinition(name: "s", action: .command([try Template(parsing: "x")]))
        let rules = try (0..<1000).map { number in
            let pattern = try EventPattern(json: .json(#"{"f": [{"numeric": [">", \#(number)]}]}"#))
            return Rule(definition: RuleDefinition(name: "r\(number)", pattern: pattern, steps: [step]), version: 1)
        }
        let set = RuleSet(version: 1, rules: rules)
        let event = #"{"f": 5000."# + String(repeating: "0", count: 1_000_000) + "}"
        let spent = seconds { #expect(set.matches(json: RawJSON(trusted: Array(event.utf8))).isEmpty) }
        #expect(spent < 5)
        // The smallest double, the largest, and one that zeros make too long; each is itself.
        let tiny = "0." + String(repeating: "0", count: 323) + "5"
        let huge = "17976931348623157" + String(repeating: "0", count: 292)
        let long = "1." + String(repeating: "0", count: 511)
        for (text, other, isNumber) in [
            (tiny, "5e-324", true), (huge, "1.7976931348623157e308", true), (long, "1", false),
        ] {
            let pattern = try EventPattern(json: .json(#"{"f": [\#(text)]}"#))
            #expect(pattern.matches(try .json(#"{"f": \#(text)}"#)))
            #expect(pattern.matches(try .json(#"{"f": \#(other)}"#)) == isNumber)
        }
        #expect(ComparableNumber(String(long.dropLast())) == ComparableNumber("1"))
    }

    @Test("$or that multiplies beyond the bound is refused, and soon")
    func multiplyingOr() throws {
        let one = #""$or": [{"a": [1]}, {"b": [2]}]"#
        let levels = (0..<60).map { "\"k\($0)\": {\(one)}" }.joined(separator: ", ")
        let value = try JSONValue.json("{\(levels)}")
        let spent = seconds { #expect(throws: PatternError.self) { try EventPattern(json: value) } }
        #expect(spent < 10)
    }

    @Test("deeply nested $or and fields are refused")
    func deep() throws {
        let or =
            String(repeating: #"{"$or": [{"a": [1]}, "#, count: 40) + #"{"a": [1]}"#
            + String(repeating: "]}", count: 40)
        #expect(throws: PatternError.self) { try EventPattern(json: .json(or)) }
        let fields = String(repeating: #"{"a": "#, count: 100) + "[1]" + String(repeating: "}", count: 100)
        #expect(throws: PatternError.self) { try EventPattern(json: .json(fields)) }
    }

    @Test("10 MB of values are refused")
    func tenMegabytes() {
        let values = [JSONValue](repeating: "0123456789", count: 200_000)
        #expect(throws: PatternError.self) { try EventPattern(json: ["f": .array(values)]) }
        let text = #"{"rule": "r", "when": {"f": ["# + String(repeating: #""0123456789","#, count: 800_000) + "1]}}"
        let errors = #expect(throws: DocumentErrors.self) { try DocumentLoader.load([("big.json", text)]) }
        #expect(errors?.diagnostics.first?.message.contains("256 KiB") == true)
    }

    @Test("a large array with conditions on several fields costs no square")
    func largeArray() throws {
        let pattern = try EventPattern(json: .json(#"{"x": {"a": [1], "b": [2], "c": [3], "d": [{"exists": false}]}}"#))
        let rows = (0..<20_000).map { index -> JSONValue in ["a": 1, "b": 2, "c": .int(index % 2), "d": 1] }
        var elements = rows
        let spent = seconds {
            #expect(!pattern.matches(["x": .array(elements)]))
            elements.append(["a": 1, "b": 2, "c": 3])
            #expect(pattern.matches(["x": .array(elements)]))
            let nested: JSONValue = ["x": .array([.array(elements), .array(rows)])]
            #expect(pattern.matches(nested))
        }
        #expect(spent < 20)
    }

    @Test("keys with dots alone make nothing slow")
    func dottedLabels() throws {
        let pattern = try EventPattern(json: .json(#"{"l": {"k8s.io/a": [1]}, "x": {"a": [1], "b": [1], "c": [2]}}"#))
        let rows = JSONValue.array((0..<20_000).map { _ in ["a": 1, "b": 1, "c": 1] })
        let event: JSONValue = ["l": ["k8s.io/a": 1], "x": rows]
        let spent = seconds { #expect(pattern.explain(event).failures.map(\.path) == ["x.c"]) }
        #expect(spent < 20)
    }

    @Test("independent arrays do not multiply")
    func independentArrays() throws {
        let keys = (0..<12).map { "k\($0)" }
        let pattern = try EventPattern(
            json: .object(JSONObject(keys.map { .init(key: $0, value: ["a": [["exists": true]], "z": [1]]) })))
        let rows = JSONValue.array((0..<200).map { ["a": .int($0)] })
        let event = JSONValue.object(JSONObject(keys.map { .init(key: $0, value: rows) }))
        let spent = seconds { #expect(!pattern.matches(event)) }
        #expect(spent < 10)
    }

    @Test("arrays that share a path through dotted keys are given up, not multiplied")
    func dottedArrays() throws {
        let pattern = try EventPattern(
            json: .json(#"{"a.b.c.d": {"p": [1], "q": [1], "r": [1], "s": [1], "t": [2]}}"#))
        let rows = JSONValue.array((0..<300).map { _ in ["p": 1, "q": 1, "r": 1, "s": 1] })
        let event: JSONValue = [
            "a.b.c.d": rows, "a": ["b.c.d": rows, "b": ["c.d": rows, "c": ["d": rows]]], "a.b": ["c.d": rows],
        ]
        let spent = seconds {
            #expect(!pattern.matches(event))
            #expect(pattern.explain(event).failures.contains { $0.note?.contains("too many") == true })
        }
        #expect(spent < 20)
    }
}
