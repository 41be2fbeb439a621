import BelfryCore

/// Makes JSON values of every kind.
struct RandomDocument {
    var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func value(depth: Int = 4) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &generator) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &generator))
        case 2: return .int(Int64.random(in: -1_000_000...1_000_000, using: &generator))
        case 3: return .double(Double.random(in: -1e9...1e9, using: &generator))
        case 4, 5: return .string(string())
        case 6: return .array((0..<Int.random(in: 0..<5, using: &generator)).map { _ in value(depth: depth - 1) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0..<5, using: &generator) { object[string()] = value(depth: depth - 1) }
            return .object(object)
        }
    }

    private mutating func string() -> String {
        let alphabet = Array("abcdefghij 0123456789\"\\/\n\t\u{0}\u{7F}é€😀\u{2028}ß".unicodeScalars)
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<20, using: &generator) {
            text.append(alphabet.randomElement(using: &generator) ?? "x")
        }
        return String(text)
    }
}
