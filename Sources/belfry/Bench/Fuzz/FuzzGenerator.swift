import BelfryCore
import BelfryRules

/// Makes cases that are hard on a matcher: few names and values, so that they meet often; keys with dots and duplicate
/// keys, arrays in arrays, one number or address in many spellings, escapes, case beyond ASCII.
struct FuzzGenerator {
    var generator: SeededGenerator

    /// The same case for the same seed.
    static func makeCase(seed: UInt64) -> FuzzCase {
        var generator = FuzzGenerator(generator: SeededGenerator(seed: seed))
        let event = SpelledJSON.object(generator.members(depth: 4))
        var leaves: [Leaf] = []
        Self.collect(event, [], &leaves)
        let patterns = (0..<generator.int(1...8)).map { _ in generator.pattern(leaves) }
        return FuzzCase(patterns: patterns, event: event)
    }

    // MARK: Chance

    mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

    /// True once in so many times.
    mutating func once(in count: Int) -> Bool { int(1...count) == 1 }

    mutating func any<Element>(_ elements: [Element]) -> Element { elements[int(0...elements.count - 1)] }

    // MARK: Words

    static let names = [
        "a", "b", "c", "d", "a", "b", "c", "a.b", "b.c", "a.b.c", "a-b", "a b", "", "k.", ".k", "\u{E9}", "e\u{301}",
        "\"",
        "A", "$", "*", "\\", "a\u{0}b", "\u{10400}",
    ]
    static let texts =
        [
            "", "a", "b", "ab", "aa", "aab", "abc", "abcabc", "A", "aB", "ABC", "\u{DF}", "SS", "ss", "\u{E9}",
            "e\u{301}",
            "\u{130}", "i\u{307}", "\u{131}", "\u{212A}", "k", "K", "\u{17F}", "S", "\u{10400}", "\u{10428}",
            "\u{1F600}",
            "\u{FB01}", "\u{3A3}", "\u{3C2}", "\u{3C3}", "10.0.0.256", "1::2::3", "a*b", "a\\b", "*", "\\*", "\u{0}",
            "\u{7F}", "\u{2028}", "5", "1", "1.0", "true", "null", "/",
            "a/b/c", "\u{FFFD}", "\u{FFFF}", String(repeating: "ab", count: 150),
            String(repeating: "a", count: 70) + "b",
        ] + addresses
    static let addresses = [
        "10.0.0.1", "010.0.0.001", "10.0.0.255", "10.1.2.3", "255.255.255.255", "::1", "0:0:0:0:0:0:0:1", "2001:db8::1",
        "2001:DB8:0:0::1", "::ffff:a00:1", "::FFFF:0A00:0001", "::",
    ]
    static let numbers = [
        "0", "-0", "0.0", "0e5", "1", "1.0", "1e0", "10e-1", "0.1e1", "1E+0", "100", "1e2", "1E+2", "0.1", "1e-1",
        "0.10",
        "5", "5.0", "-5", "-5.0e0", "90", "90.5", "9.05e1", "0.30000000000000004", "0.3", "9007199254740992",
        "9007199254740993", "9007199254740993.0", "12345678901234567890", "12345678901234567891", "1e400", "1E400",
        "-1e400", "1e-400", "5e-324", "4e-324", "1.7976931348623157e308", "1.7976931348623159e308", "1e2147483648",
        "123456789012345678", "2.2250738585072014e-308",
    ]

    /// Those that `numeric` and `anything-but` take.
    static let comparableNumbers = numbers.filter { number in
        (try? EventPattern(json: JSONValue(parsing: #"{"a": [{"anything-but": \#(number)}]}"#))) != nil
    }

    // MARK: Events

    /// A scalar of the event with the keys that lead to it.
    struct Leaf {
        var keys: [String]
        var spelled: String
    }

    private mutating func members(depth: Int) -> [SpelledJSON.Member] {
        var members = (0..<int(depth == 4 ? 1...6 : 0...4)).map { _ in
            SpelledJSON.Member(key: string(any(Self.names)), value: value(depth: depth - 1))
        }
        if let twice = members.first, once(in: 6) {
            members.append(.init(key: twice.key, value: value(depth: depth - 1)))
        }
        return members
    }

    private mutating func value(depth: Int) -> SpelledJSON {
        switch int(0...(depth > 0 ? 9 : 5)) {
        case 0, 1, 2: return .scalar(string(any(Self.texts)))
        case 3: return .scalar(any(Self.numbers))
        case 4: return .scalar(any(["true", "false", "null"]))
        case 5: return once(in: 2) ? .scalar(any(Self.numbers)) : once(in: 2) ? .array([]) : .object([])
        case 6, 7: return .object(members(depth: depth - 1))
        default: return .array((0..<int(0...4)).map { _ in value(depth: depth - 1) })
        }
    }

    /// A string's text in JSON, some of it in escapes. Half a surrogate pair reads as U+FFFD.
    mutating func string(_ text: String) -> String {
        if text == "\u{FFFD}", once(in: 2) { return any([#""\ud800""#, #""\uDFFF""#]) }
        let rate = any([0, 0, 0, 2, 8])
        return SpelledJSON.spell(text) { rate > 0 && once(in: rate) }
    }

    private static func collect(_ value: SpelledJSON, _ keys: [String], _ leaves: inout [Leaf]) {
        switch value {
        case .scalar(let spelled): leaves.append(Leaf(keys: keys, spelled: spelled))
        case .array(let elements): for element in elements { collect(element, keys, &leaves) }
        case .object(let members):
            for member in members {
                let key = (try? JSONValue(parsing: member.key))?.string ?? ""
                collect(member.value, keys + [key], &leaves)
            }
        }
    }
}
