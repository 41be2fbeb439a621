import BelfryCore

/// The difference of two texts by lines, in the form of `diff -u`.
package enum UnifiedDiff {
    private static let contextLines = 3

    /// Empty if the texts are the same. Lines are compared byte by byte.
    /// - Parameters:
    ///   - oldLabel: what the first line calls the old text.
    ///   - newLabel: what the second line calls the new one.
    package static func text(_ old: String, _ new: String, oldLabel: String, newLabel: String) -> String {
        let (old, new) = (lines(of: old), lines(of: new))
        let edits = Self.edits(from: old, to: new)
        guard edits.contains(where: { $0.kind != .kept }) else { return "" }
        return "--- \(oldLabel)\n+++ \(newLabel)\n" + hunks(of: edits).joined()
    }

    /// Each with its line feed; a last line without one says so, as `diff` does.
    private static func lines(of text: String) -> [[UInt8]] {
        var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { Array($0) + [UInt8(ascii: "\n")] }
        if lines.last == [UInt8(ascii: "\n")] {
            lines.removeLast()
        } else if let last = lines.popLast() {
            lines.append(last + Array("\\ No newline at end of file\n".utf8))
        }
        return lines
    }

    // MARK: Edits

    private struct Edit {
        enum Kind: String { case kept = " ", removed = "-", added = "+" }

        var kind: Kind
        var line: [UInt8]
    }

    private static func edits(from old: [[UInt8]], to new: [[UInt8]]) -> [Edit] {
        let start = zip(old, new).prefix { $0 == $1 }.count
        let end = zip(old[start...].reversed(), new[start...].reversed()).prefix { $0 == $1 }.count
        let (oldMiddle, newMiddle) = (old[start..<(old.count - end)], new[start..<(new.count - end)])
        return old[..<start].map { Edit(kind: .kept, line: $0) }
            + shortest(from: Array(oldMiddle), to: Array(newMiddle))
            + old[(old.count - end)...].map { Edit(kind: .kept, line: $0) }
    }

    /// The fewest edits (E. Myers, "An O(ND) difference algorithm"); of texts that differ in more than
    /// ``Limits/diffEditsMax`` lines everything, so that time and memory stay bounded.
    private static func shortest(from old: [[UInt8]], to new: [[UInt8]]) -> [Edit] {
        let everything = old.map { Edit(kind: .removed, line: $0) } + new.map { Edit(kind: .added, line: $0) }
        guard !old.isEmpty, !new.isEmpty else { return everything }
        // Lines as numbers: they are compared often.
        var numbers: [[UInt8]: Int] = [:]
        func number(_ line: [UInt8]) -> Int {
            if let known = numbers[line] { return known }
            numbers[line] = numbers.count
            return numbers.count - 1
        }
        guard let trace = trace(from: old.map(number), to: new.map(number)) else { return everything }
        var edits: [Edit] = []
        var (x, y) = (old.count, new.count)
        for (distance, reached) in trace.enumerated().reversed() {
            let isAdded = stepsDown(x - y, distance, reached)
            let diagonal = x - y + (isAdded ? 1 : -1)
            let startX = distance == 0 ? 0 : reached[diagonal + distance]
            let startY = distance == 0 ? 0 : startX - diagonal
            while x > startX, y > startY {
                edits.append(Edit(kind: .kept, line: old[x - 1]))
                (x, y) = (x - 1, y - 1)
            }
            guard distance > 0 else { break }
            edits.append(isAdded ? Edit(kind: .added, line: new[y - 1]) : Edit(kind: .removed, line: old[x - 1]))
            (x, y) = (startX, startY)
        }
        return edits.reversed()
    }

    /// How far each diagonal had come before the n-th edit, up to the one that reaches the end; nil if there are too many.
    /// Row n holds the diagonals -n…n at 0…2n.
    private static func trace(from old: [Int], to new: [Int]) -> [[Int]]? {
        var trace: [[Int]] = []
        var reached = [0]
        for distance in 0...min(old.count + new.count, Limits.diffEditsMax) {
            trace.append(reached)
            var next = [Int](repeating: 0, count: 2 * distance + 3)
            for diagonal in stride(from: -distance, through: distance, by: 2) {
                var x = 0
                if distance > 0 {
                    x =
                        stepsDown(diagonal, distance, reached)
                        ? reached[diagonal + 1 + distance] : reached[diagonal - 1 + distance] + 1
                }
                while x < old.count, x - diagonal < new.count, old[x] == new[x - diagonal] { x += 1 }
                if x >= old.count, x - diagonal >= new.count { return trace }
                next[diagonal + distance + 1] = x
            }
            reached = next
        }
        return nil
    }

    /// Whether the way to a diagonal comes from the one above it, by a line that is added.
    private static func stepsDown(_ diagonal: Int, _ distance: Int, _ reached: [Int]) -> Bool {
        if diagonal == -distance { return true }
        if diagonal == distance { return false }
        return reached[diagonal - 1 + distance] < reached[diagonal + 1 + distance]
    }

    // MARK: Text

    private static func hunks(of edits: [Edit]) -> [String] {
        let changed = edits.indices.filter { edits[$0].kind != .kept }
        var ranges: [Range<Int>] = []
        for index in changed {
            let range = max(0, index - contextLines)..<min(edits.count, index + contextLines + 1)
            if let last = ranges.last, last.upperBound >= range.lowerBound {
                ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
            } else {
                ranges.append(range)
            }
        }
        var (oldLine, newLine, next) = (1, 1, 0)
        return ranges.map { range in
            for edit in edits[next..<range.lowerBound] where edit.kind == .kept {
                (oldLine, newLine) = (oldLine + 1, newLine + 1)
            }
            next = range.upperBound
            let oldCount = edits[range].count { $0.kind != .added }
            let newCount = edits[range].count { $0.kind != .removed }
            defer { (oldLine, newLine) = (oldLine + oldCount, newLine + newCount) }
            // An empty side stands behind the line before it.
            let oldPlace = "\(oldCount == 0 ? oldLine - 1 : oldLine),\(oldCount)"
            let newPlace = "\(newCount == 0 ? newLine - 1 : newLine),\(newCount)"
            let body = edits[range].map { $0.kind.rawValue + String(decoding: $0.line, as: UTF8.self) }.joined()
            return "@@ -\(oldPlace) +\(newPlace) @@\n" + body
        }
    }
}
