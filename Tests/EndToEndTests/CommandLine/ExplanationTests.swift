import BelfryCore
import BelfryRules
import Testing

@testable import belfry

struct ExplanationTests {
    private func text(_ pattern: String, _ event: String, failuresOnly: Bool) throws -> String {
        let explanation = try EventPattern(json: JSONValue(parsing: pattern)).explain(try JSONValue(parsing: event))
        return Explanation.text(explanation.json, failuresOnly: failuresOnly)
    }

    @Test("why not: the failing clause and the value that was seen, nothing else")
    func failures() throws {
        let pattern = #"{"source": ["plant"], "data": {"celsius": [{"numeric": [">", 90]}]}}"#
        let text = try text(pattern, #"{"source": "plant", "data": {"celsius": 85}}"#, failuresOnly: true)
        #expect(text == "  ✗ data.celsius: numeric [\">\",90] — saw 85\n")
    }

    @Test("a missing field is said to be missing")
    func missing() throws {
        let text = try text(#"{"data": {"site": ["a", "b"]}}"#, #"{"data": {}}"#, failuresOnly: true)
        #expect(text == "  ✗ data.site: \"a\" or \"b\" — saw no value\n")
    }

    @Test("of an $or the nearest way is shown")
    func alternatives() throws {
        let pattern = #"{"source": ["a"], "$or": [{"x": [1]}, {"y": [2]}]}"#
        let text = try text(pattern, #"{"source": "a", "x": 5}"#, failuresOnly: true)
        #expect(text.contains("✗ $or, 2 ways; the nearest:"))
        #expect(text.contains("    ✗ "))
        #expect(!text.contains("source"))
    }

    @Test("the source comes first, then the type, then the rest")
    func order() throws {
        let pattern = #"{"data": {"a": [1]}, "type": ["t"], "source": ["s"]}"#
        let text = try text(pattern, #"{"source": "x", "type": "y", "data": {"a": 2}}"#, failuresOnly: true)
        let paths = text.split(separator: "\n").map { $0.dropFirst(4).prefix { $0 != ":" } }
        #expect(paths == ["source", "type", "data.a"])
    }

    @Test("a rule's resolve and when stand under their names, the one that decided first")
    func resolve() throws {
        var rule = RuleDefinition(
            name: "hot", pattern: try EventPattern(json: ["a": [1]]), steps: [])
        rule.resolve = ResolveSettings(pattern: try EventPattern(json: ["a": [2]]), by: [])
        let text = RuleVerdict.text(.object(rule.explain(["a": 2], version: 4).json), width: nil)
        #expect(
            text == """
                ✓ hot (v4): resolves
                  ✓ resolve
                    ✓ a: 2 — saw 2
                  ✗ when
                    ✗ a: 1 — saw 2

                """)
    }

    @Test("all ways of an $or are shown where all is shown, each under its number")
    func ways() throws {
        let text = try text(
            #"{"s": ["p"], "$or": [{"x": [1]}, {"y": [2]}]}"#, #"{"s": "p", "y": 2}"#, failuresOnly: false)
        #expect(
            text == """
                  ✓ s: "p" — saw "p"
                  ✓ $or, 2 ways:
                    way 1
                      ✓ y: 2 — saw 2
                    way 2
                      ✗ x: 1 — saw no value

                """)
    }

    @Test("a long line is broken between words on a terminal alone")
    func wrapped() {
        let wrap = TextWrap(width: 20, indent: 2)
        #expect(wrap.text("one two three four five six") == "one two three four\n    five six")
        #expect(TextWrap(width: nil, indent: 2).text("one two three four five six") == "one two three four five six")
        #expect(wrap.text("a-word-that-is-longer-than-a-line") == "a-word-that-is-longer-than-a-line")
    }
}
