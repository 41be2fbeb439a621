/// The name that an author may have meant.
package enum NearestName {
    /// The candidate with the fewest edits from `name`; nil if even that one is too far to be a typing error.
    package static func of(_ name: String, among candidates: [String]) -> String? {
        let word = Array(name.lowercased().utf8.prefix(64))
        let editsMax = max(1, word.count / 3)
        var nearest: (name: String, edits: Int)?
        for candidate in candidates where abs(candidate.utf8.count - word.count) <= editsMax {
            let edits = editDistance(word, Array(candidate.lowercased().utf8))
            if edits <= editsMax, edits < nearest?.edits ?? .max { nearest = (candidate, edits) }
        }
        return nearest?.name
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other
    /// (optimal string alignment).
    private static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                var edits = min(previous[column + 1], current[column]) + 1
                edits = min(edits, previous[column] + (left[row] == right[column] ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    edits = min(edits, beforePrevious[column - 1] + 1)
                }
                current.append(edits)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[right.count]
    }
}
