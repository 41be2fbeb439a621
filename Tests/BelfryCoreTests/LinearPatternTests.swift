import Foundation
import Testing

@testable import BelfryCore

@Suite("Patterns of JSON Schema")
struct LinearPatternTests {
    private static func isFound(_ pattern: String, in text: String) throws -> Bool {
        var steps = 1_000_000
        let found = try LinearPattern(pattern).isFound(in: text, stepsLeft: &steps)
        #expect(steps >= 0)
        return found
    }

    static let cases: [(String, [String], [String])] = [
        ("b", ["abc"], ["ac", ""]),
        ("^ab?c$", ["ac", "abc"], ["abbc", "xac", "acx"]),
        ("^(a|bc)*$", ["", "abca", "bcbc"], ["ab", "b"]),
        ("^(a*)*$", ["", "aaaa"], ["aab"]),
        ("^(?:x{2,3}|y{2})$", ["xx", "xxx", "yy"], ["x", "xxxx", "y", "yyy"]),
        ("^a{0}b{1,}$", ["b", "bbb"], ["", "ab"]),
        (#"^\d{4}-\d\d$"#, ["2026-11"], ["٢٠٢٦-11", "2026-1"]),
        (#"^[^\W_-]+$"#, ["aZ9"], ["a_", "a-", "é"]),
        (#"^[\]\-a]+$"#, ["]-a"], ["b"]),
        ("^[a-]+$", ["a-"], ["b"]),
        ("^[]$", [], ["", "a"]),
        ("^[^]$", ["a", "\n", "😀"], [""]),
        ("^.$", ["a", "😀"], ["\n", "\u{2028}", "e\u{301}"]),
        (#"^\u{1F600}\uD83D\uDE00\x41\/$"#, ["😀😀A/"], ["😀A/"]),
        (#"\bcat\b"#, ["a cat!"], ["concat"]),
        (#"\Bcat"#, ["concat"], ["a cat"]),
        (#"^\s+$"#, [" \t\u{A0}\u{FEFF}"], ["\u{200B}"]),
        ("^(?<year>a+?)$", ["aa"], ["b"]),
        ("", ["", "x"], []),
        ("a||b", ["x"], []),
        ("a$", ["a"], ["a\n"]),
    ]

    @Test("a pattern matches what ECMA-262 says", arguments: cases)
    func matches(pattern: String, good: [String], bad: [String]) throws {
        for text in good { #expect(try Self.isFound(pattern, in: text), "\(pattern) in \(text)") }
        for text in bad { #expect(try !Self.isFound(pattern, in: text), "\(pattern) in \(text)") }
    }

    @Test(
        "what is no pattern, or takes a way back, is refused",
        arguments: [
            "(", ")", "a)", "*a", "a**", "a{2}{3}", "a{3,2}", "{", "}", "]", "[", "[b-a]", #"[\d-z]"#, #"\1"#,
            #"\k<a>"#,
            #"\p{L}"#, "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?i)a", "^*", #"\"#, #"\q"#, #"\u12"#, #"\x1"#,
            #"\uD800"#,
            "a{99999999999999999999}", String(repeating: "(", count: 100) + String(repeating: ")", count: 100),
            String(repeating: "a", count: 1001), "(((((a{0,99}){9}){9}){9}){9})",
        ])
    func refused(pattern: String) {
        #expect(throws: LinearPattern.Issue.self) { try LinearPattern(pattern) }
    }

    @Test("nothing, repeated however often, is read at once", .timeLimit(.minutes(3)))
    func nothingRepeated() throws {
        #expect(try Self.isFound("(((((){2000}){2000}){2000}){2000}){0,2000}a", in: "a"))
    }

    @Test("a pattern that a backtracking engine never finishes takes steps that grow with the text alone")
    func linear() throws {
        func steps(_ count: Int) throws -> Int {
            var left = Int.max
            _ = try LinearPattern("^(a|aa|a*)*b$").isFound(in: String(repeating: "a", count: count), stepsLeft: &left)
            return Int.max - left
        }
        let (short, long) = (try steps(1000), try steps(10_000))
        #expect(long < 11 * short)
    }

    @Test("a search that is given up says so")
    func givenUp() throws {
        var left = 100
        #expect(try !LinearPattern("b").isFound(in: String(repeating: "a", count: 1000) + "b", stepsLeft: &left))
        #expect(left < 0)
    }

    @Test("random patterns find in random texts what Swift's own engine finds", .timeLimit(.minutes(3)))
    func differential() throws {
        var generator = SeededGenerator(seed: 20)
        var found = 0
        for _ in 0..<3000 {
            let pattern = Self.randomPattern(depth: 3, &generator)
            guard let ours = try? LinearPattern(pattern) else { continue }
            let theirs = try Regex(pattern).matchingSemantics(.unicodeScalar)
            for _ in 0..<8 {
                let length = Int.random(in: 0...6, using: &generator)
                let text = String((0..<length).map { _ in "abc_ 1".randomElement(using: &generator) ?? "a" })
                var steps = 1_000_000
                let isFound = ours.isFound(in: text, stepsLeft: &steps)
                #expect(isFound == (text.firstMatch(of: theirs) != nil), "\(pattern) in '\(text)'")
                found += isFound ? 1 : 0
            }
        }
        #expect(found > 2000)
    }

    private static func randomPattern(depth: Int, _ generator: inout SeededGenerator) -> String {
        let atoms = ["a", "b", "c", ".", "[ab]", "[^a]", #"\d"#, #"\w"#, #"\s"#, "[a-c_]"]
        let count = Int.random(in: 1...3, using: &generator)
        return (0..<count).map { _ -> String in
            switch Int.random(in: 0..<(depth > 0 ? 10 : 5), using: &generator) {
            // No `\b`: for Swift a digit is no part of a word.
            case 0: return Bool.random(using: &generator) ? "^" : "$"
            case 1..<5: return atoms.randomElement(using: &generator) ?? "a"
            case 5, 6:
                let piece = "(\(randomPattern(depth: depth - 1, &generator)))"
                return piece + (["*", "+", "?", "{2}", "{1,2}", "{0,3}", "*?"].randomElement(using: &generator) ?? "")
            case 7:
                return
                    "(?:\(randomPattern(depth: depth - 1, &generator))|\(randomPattern(depth: depth - 1, &generator)))"
            default:
                return (atoms.randomElement(using: &generator) ?? "a")
                    + (["*", "+", "?", "{2,}"].randomElement(using: &generator) ?? "")
            }
        }.joined()
    }
}
