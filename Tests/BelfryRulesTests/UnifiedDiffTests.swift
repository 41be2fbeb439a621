import Testing

@testable import BelfryRules

/// Differences of documents, as `diff -u` shows them.
@Suite struct UnifiedDiffTests {
    private func diff(_ old: String, _ new: String) -> String {
        UnifiedDiff.text(old, new, oldLabel: "old", newLabel: "new")
    }

    private func numbered(_ lines: ClosedRange<Int>, changing: [Int: String] = [:]) -> String {
        lines.map { (changing[$0] ?? "line \($0)") + "\n" }.joined()
    }

    @Test("equal texts have no difference, not even an empty one")
    func same() {
        #expect(diff("a\nb\n", "a\nb\n") == "")
        #expect(diff("", "") == "")
    }

    @Test("a change shows three lines around it, two that are near share a hunk")
    func hunks() {
        let text = diff(numbered(1...30), numbered(1...30, changing: [4: "four", 9: "nine", 25: "more\nand more"]))
        #expect(
            text == """
                --- old
                +++ new
                @@ -1,12 +1,12 @@
                 line 1
                 line 2
                 line 3
                -line 4
                +four
                 line 5
                 line 6
                 line 7
                 line 8
                -line 9
                +nine
                 line 10
                 line 11
                 line 12
                @@ -22,7 +22,8 @@
                 line 22
                 line 23
                 line 24
                -line 25
                +more
                +and more
                 line 26
                 line 27
                 line 28

                """)
    }

    @Test("texts that begin, end or are empty on one side")
    func edges() {
        #expect(diff("", "a\n") == "--- old\n+++ new\n@@ -0,0 +1,1 @@\n+a\n")
        #expect(diff("a\n", "") == "--- old\n+++ new\n@@ -1,1 +0,0 @@\n-a\n")
        #expect(
            diff("a\nb", "a\nb\n") == """
                --- old
                +++ new
                @@ -1,2 +1,2 @@
                 a
                -b
                \\ No newline at end of file
                +b

                """)
    }

    @Test("letters that look the same but are other bytes differ")
    func bytes() { #expect(diff("caf\u{E9}\n", "cafe\u{301}\n").contains("-caf\u{E9}\n+cafe\u{301}\n")) }

    @Test("the fewest lines are shown, whatever the order of edits")
    func fewest() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            func text() -> [String] {
                (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                    ["a", "b", "c"].randomElement(using: &generator) ?? ""
                }
            }
            let (old, new) = (text(), text())
            let shown = diff(old.map { $0 + "\n" }.joined(), new.map { $0 + "\n" }.joined())
                .split(separator: "\n").dropFirst(2)
            let removed = shown.count { $0.hasPrefix("-") }
            let added = shown.count { $0.hasPrefix("+") }
            let difference = new.difference(from: old)
            #expect(removed == difference.removals.count && added == difference.insertions.count, "\(old) \(new)")
            #expect(new == applied(shown.map(String.init), to: old), "\(old) \(new) \(shown)")
        }
    }

    /// What `patch` would make of it.
    private func applied(_ hunks: [String], to old: [String]) -> [String] {
        var (result, next) = ([String](), 0)
        for line in hunks {
            guard !line.hasPrefix("@@") else {
                let numbers = line.split { !$0.isNumber }.compactMap { Int($0) }
                let start = numbers[1] == 0 ? numbers[0] : numbers[0] - 1
                result += old[next..<start]
                next = start
                continue
            }
            if !line.hasPrefix("+") { next += 1 }
            if !line.hasPrefix("-") { result.append(String(line.dropFirst())) }
        }
        return result + old[next...]
    }

    @Test("texts that differ everywhere are shown whole, in bounded time", .timeLimit(.minutes(3)))
    func large() {
        let text = diff(numbered(1...20_000), numbered(30_001...50_000))
        #expect(text.hasPrefix("--- old\n+++ new\n@@ -1,20000 +1,20000 @@\n-line 1\n"))
    }
}
