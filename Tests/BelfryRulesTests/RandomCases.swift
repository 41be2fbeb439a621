import BelfryCore
import BelfryRules

/// Random patterns and events that often meet, the same at every run. Events are made as text, because a tree can't show
/// keys that are repeated or written with escapes.
struct RandomCases {
    var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &generator)]
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

    private static let texts = [
        "", "a", "b", "ab", "abc", "abcabc", "ABC", "aXb", "ab/cd", "é", "É", "ß", "a\"b", "tab\t", "10.0.0.1",
        "10.0.0.7",
        "010.0.0.1", "::1", "0:0::1", "::ffff:a00:1", "10.1.2.3", "10.0.0", "😀", "abcdefghijklmnop",
        "zzabcdefghijklmnop",
        "12", "null", "*", "a*b", "k\u{212A}", "I", "ı",
    ]
    private static let numbers = [
        "0", "-0", "1", "1.0", "1e0", "10e-1", "2", "3", "-1", "0.1", "0.10", "100", "1e2", "12345678901234567890",
        "1e400",
        "9007199254740993", "3.14159265358979", "3.141592653589793238", "-2.5", "1E+2", "0.000001",
    ]

    // MARK: Events

    /// A key, now and then with dots.
    private mutating func key() -> String { pick(["a", "a", "b", "b", "c", "c", "a.b", "b.a", "a-b", "", "d"]) }

    private mutating func quoted(_ text: String) -> String {
        guard chance(15), let first = text.unicodeScalars.first, first.value < 0x80 else {
            return JSONValue.string(text).text
        }
        let rest = JSONValue.string(String(String.UnicodeScalarView(text.unicodeScalars.dropFirst()))).text.dropFirst()
        let digits = String(first.value, radix: 16)
        return "\"\\u" + String(repeating: "0", count: 4 - digits.count) + digits + rest
    }

    private mutating func space() -> String { chance(3) ? pick([" ", "\n ", "\t"]) : "" }

    private mutating func value(_ depth: Int, _ isPlain: Bool) -> String {
        switch Int.random(in: 0..<(depth == 0 ? 5 : 11), using: &generator) {
        case 0: return pick(["null", "true", "false"])
        case 1, 2: return pick(Self.numbers)
        case 3, 4: return quoted(pick(Self.texts))
        case 5, 6, 7: return object(depth - 1, isPlain)
        default:
            let count = Int.random(in: 0...3, using: &generator)
            return "[" + (0..<count).map { _ in space() + value(depth - 1, isPlain) + space() }.joined(separator: ",")
                + "]"
        }
    }

    private mutating func object(_ depth: Int, _ isPlain: Bool) -> String {
        var keys = (0..<Int.random(in: 0...4, using: &generator)).map { _ in key() }
        if isPlain { keys = Array(Set(keys.filter { !$0.contains(".") })).sorted() }
        let members = keys.map { space() + quoted($0) + space() + ":" + space() + value(depth, isPlain) }
        return "{" + members.joined(separator: ",") + space() + "}"
    }

    /// An object; half of the time without repeated and dotted keys.
    mutating func event(depth: Int = 4) -> String { object(depth, chance(50)) }

    // MARK: Patterns

    private mutating func text() -> JSONValue { .string(pick(Self.texts)) }
    private mutating func number() -> String {
        pick(["0", "1", "1.0", "2", "-1", "0.1", "100", "1e2", "3.14159265358979"])
    }

    private mutating func wildcard() -> JSONValue {
        .string(
            (0..<Int.random(in: 1...4, using: &generator)).map { _ in pick(["a", "b", "ab", "c", "", "/"]) }.joined(
                separator: "*"))
    }

    private mutating func test() throws -> JSONValue {
        switch Int.random(in: 0..<18, using: &generator) {
        case 0: return .null
        case 1: return .bool(chance(50))
        case 2, 3: return try JSONValue(parsing: pick(Self.numbers))
        case 4, 5: return text()
        case 6: return ["prefix": text()]
        case 7: return ["suffix": text()]
        case 8: return ["equals-ignore-case": text()]
        case 9: return ["prefix": ["equals-ignore-case": text()]]
        case 10: return ["suffix": ["equals-ignore-case": text()]]
        case 11, 12: return ["wildcard": wildcard()]
        case 13: return ["cidr": .string(pick(["10.0.0.0/24", "10.0.0.0/8", "0.0.0.0/0", "::/64", "10.0.0.4/30"]))]
        case 14: return ["exists": .bool(chance(50))]
        case 15:
            let sign = pick(["=", "<", "<=", ">", ">="])
            if chance(30) { return try JSONValue(parsing: #"{"numeric":[">",-1,"<=",\#(pick(["1", "2", "100"]))]}"#) }
            return try JSONValue(parsing: #"{"numeric":["\#(sign)",\#(number())]}"#)
        case 16: return ["anything-but": chance(50) ? text() : try JSONValue(parsing: "[\(number()),\(number())]")]
        default:
            let name = pick(["prefix", "suffix", "equals-ignore-case", "wildcard"])
            return [
                "anything-but": .object([name: name == "wildcard" ? wildcard() : .string(pick(["a", "ab", "ABC"]))])
            ]
        }
    }

    private mutating func list() throws -> JSONValue {
        .array(try (0..<pick([1, 1, 1, 2, 3])).map { _ in try test() })
    }

    private mutating func fields(_ depth: Int) throws -> JSONValue {
        var object = JSONObject()
        for _ in 0..<pick([1, 1, 2, 2, 3]) {
            object[pick(["a", "b", "c", "a.b", "b.a", "a-b", "d", ""])] =
                depth > 0 && chance(40) ? try fields(depth - 1) : try list()
        }
        if chance(12) { object["$or"] = [try fields(0), try fields(max(0, depth - 1))] }
        return .object(object)
    }

    /// What the parser refuses (`**`, empty texts) is made anew.
    mutating func pattern() throws -> (json: JSONValue, pattern: EventPattern) {
        while true {
            let json = try fields(2)
            if let pattern = try? EventPattern(json: json) { return (json, pattern) }
        }
    }
}

extension Rule {
    /// A rule for tests of matching.
    init(_ name: String, _ pattern: EventPattern, resolve: EventPattern? = nil, isEnabled: Bool = true) throws {
        let step = StepDefinition(name: "s", action: .command([try Template(parsing: "x")]))
        var definition = RuleDefinition(name: name, pattern: pattern, steps: [step])
        definition.isEnabled = isEnabled
        definition.resolve = resolve.map { ResolveSettings(pattern: $0, by: []) }
        self.init(definition: definition, version: 1)
    }
}
