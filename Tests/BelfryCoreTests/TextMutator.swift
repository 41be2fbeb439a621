import BelfryCore

/// Spoils JSON text: bytes and words changed, left out, doubled, moved, cut, two documents joined.
struct TextMutator {
    var generator: SeededGenerator

    private static let words = [
        "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "\\ud83d", "\\ude00", "\\\"", "\\\\", "true", "false", "null",
        "0",
        "-", ".", "e", "E+", "1e5", "-0", "01", " ", "\n", "\t", "\r", "\u{0}", "\u{1F}", "\u{7F}", "\u{80}",
        "\u{FEFF}",
        "é", "€", "😀", "[[", "]]", "{\"a\":", "\"a\":1,", ",,", "//", "'", "a", "nul", "Infinity", "\u{A0}", "\u{C}",
    ].map { Array($0.utf8) }

    mutating func mutated(_ text: [UInt8], with other: [UInt8]) -> [UInt8] {
        var text = text
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let place = Int.random(in: 0...text.count, using: &generator)
            let end = min(text.count, place + Int.random(in: 0...8, using: &generator))
            switch Int.random(in: 0..<9, using: &generator) {
            case 0: text.insert(contentsOf: Self.words.randomElement(using: &generator) ?? [], at: place)
            case 1: text.replaceSubrange(place..<end, with: Self.words.randomElement(using: &generator) ?? [])
            case 2: text.removeSubrange(place..<end)
            case 3: text.insert(contentsOf: text[place..<end], at: place)
            case 4 where place < text.count: text[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 5 where place < text.count: text[place] = UInt8.random(in: 0...255, using: &generator)
            case 6: text.removeSubrange(place...)
            case 7 where !text.isEmpty:
                text.swapAt(min(place, text.count - 1), Int.random(in: 0..<text.count, using: &generator))
            default: text.replaceSubrange(place..., with: other.suffix(other.count - min(other.count, place)))
            }
        }
        return text
    }
}
