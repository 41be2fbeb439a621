import BelfryCore
import BelfryRules
import Testing

/// Every operator with an event it matches and one it does not.
struct PatternOperatorTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var list: String
        var matching: [String]
        var other: [String]
        var testDescription: String { list }

        init(_ list: String, _ matching: [String], not other: [String]) {
            self.list = list
            self.matching = matching
            self.other = other
        }
    }

    /// Each value stands as `{"f": VALUE}`; `-` is the event without the field.
    static let rows: [Row] = [
        Row(#"["a"]"#, [#""a""#, #"["b", "a"]"#], not: [#""A""#, #""""#, "null", "-", #"{"a": "a"}"#]),
        Row("[true]", ["true", "[false, true]"], not: ["false", #""true""#, "1", "-"]),
        Row("[null]", ["null"], not: ["0", #""""#, "-", "[]"]),
        Row("[1]", ["1", "1.0", "1e0", "10e-1"], not: [#""1""#, "2", "1.0000001"]),
        Row("[12345678901234567890123]", ["12345678901234567890123"], not: ["12345678901234567890124"]),
        Row("[-0]", ["0", "0.00", "-0e9"], not: ["1"]),
        Row(#"["10.0.0.1"]"#, [#""10.0.0.1""#, #""010.0.0.001""#, #""::ffff:a00:1""#], not: [#""10.0.0.2""#]),
        Row(#"["2001:DB8::1"]"#, [#""2001:db8:0:0:0:0:0:1""#], not: [#""2001:db8::2""#, #""2001:db8::1::""#]),
        Row(#"["\u00e9"]"#, [#""\u00e9""#], not: [#""e\u0301""#]),
        Row(#"[{"exactly": "10.0.0.1"}]"#, [#""10.0.0.1""#], not: [#""010.0.0.1""#]),
        Row(#"[{"prefix": "ab"}]"#, [#""ab""#, #""abc""#], not: [#""a""#, #""xab""#, "5"]),
        Row(#"[{"prefix": ""}]"#, [#""""#, #""x""#], not: ["5", "null", "-"]),
        Row(#"[{"suffix": "yz"}]"#, [#""yz""#, #""xyz""#], not: [#""yzx""#, #""z""#]),
        Row(#"[{"equals-ignore-case": "Straße"}]"#, [#""STRAßE""#, #""straSSe""#], not: [#""strasse""#]),
        Row(#"[{"equals-ignore-case": "𐐀x"}]"#, [#""𐐨X""#], not: [#""??x""#]),
        Row(#"[{"prefix": {"equals-ignore-case": "EventB"}}]"#, [#""eVENTbRIDGE""#], not: [#""event""#]),
        Row(#"[{"suffix": {"equals-ignore-case": ".PNG"}}]"#, [#""a.png""#], not: [#""a.pn""#, #""png""#]),
        Row(#"[{"wildcard": "a*b*c"}]"#, [#""abc""#, #""a--b--bc""#], not: [#""ab""#, #""acb""#]),
        Row(#"[{"wildcard": "*"}]"#, [#""""#, #""x""#], not: ["1", "true", "-"]),
        Row(#"[{"wildcard": "a\\*b"}]"#, [#""a*b""#], not: [#""axb""#]),
        Row(#"[{"wildcard": "ab*ab"}]"#, [#""abab""#, #""abxab""#], not: [#""ab""#, #""aba""#]),
        Row(
            #"[{"anything-but": "a"}]"#, [#""b""#, "1", "null", #"["a", "b"]"#], not: [#""a""#, "-", "[]", #"["a"]"#]),
        Row(#"[{"anything-but": ["a", "b"]}]"#, [#""c""#], not: [#""a""#, #""b""#]),
        Row(#"[{"anything-but": 5}]"#, ["6", #""5""#], not: ["5", "5.0", "-"]),
        Row(#"[{"anything-but": [1, 2]}]"#, ["3"], not: ["1", "2.0"]),
        Row(#"[{"anything-but": {"prefix": "a"}}]"#, [#""b""#, "1"], not: [#""ab""#, "-"]),
        Row(#"[{"anything-but": {"suffix": ["a", "b"]}}]"#, [#""bc""#], not: [#""xb""#]),
        Row(#"[{"anything-but": {"equals-ignore-case": "ab"}}]"#, [#""abc""#], not: [#""AB""#]),
        Row(#"[{"anything-but": {"wildcard": ["*/x", "y*"]}}]"#, [#""z""#], not: [#""a/x""#, #""yy""#]),
        Row(#"[{"numeric": [">", 90]}]"#, ["90.000001", "1e3"], not: ["90", #""91""#, "1e400", "-"]),
        Row(#"[{"numeric": [">=", -1, "<", 0.5]}]"#, ["-1", "0", "0.49"], not: ["0.5", "-1.1"]),
        Row(#"[{"numeric": ["=", 301.8]}]"#, ["3.018e2"], not: ["301.80001"]),
        Row(#"[{"numeric": ["<=", 5]}]"#, ["5", "-9"], not: ["5.01"]),
        Row(#"[{"exists": true}]"#, ["1", "null", #"["a"]"#, #"[{}, 1]"#], not: ["-", "{}", "[]", #"{"b": 1}"#]),
        Row(#"[{"exists": false}]"#, ["-", "{}", "[]", #"{"b": 1}"#], not: ["1", "null"]),
        Row(
            #"[{"cidr": "10.1.2.3/8"}]"#, [#""10.0.0.0""#, #""10.255.255.255""#], not: [#""11.0.0.0""#, #""x""#, "10"]),
        Row(#"[{"cidr": "2001:db8::/33"}]"#, [#""2001:db8:7fff::1""#], not: [#""2001:db8:8000::1""#, #""10.0.0.1""#]),
        Row(#"[{"cidr": "0.0.0.0/0"}]"#, [#""255.1.2.3""#], not: [#""::1""#]),
        Row(#"["x", {"exists": false}]"#, [#""x""#, "-"], not: [#""y""#]),
    ]

    @Test("an operator matches what it should and nothing else", arguments: rows)
    func operators(_ row: Row) throws {
        let pattern = try EventPattern(json: .json(#"{"f": \#(row.list)}"#))
        for (values, verdict) in [(row.matching, true), (row.other, false)] {
            for value in values {
                let event = try JSONValue.json(value == "-" ? #"{"g": 1}"# : #"{"f": \#(value)}"#)
                #expect(pattern.matches(event) == verdict, "\(row.list) on \(value)")
                #expect(pattern.explain(event).matched == verdict)
                #expect(pattern.explain(event).failures.isEmpty == verdict)
            }
        }
    }

    /// Whole patterns and events, with event-ruler's verdict.
    static let structures: [(String, String, Bool)] = [
        (#"{"a.b": [1]}"#, #"{"a": {"b": 1}}"#, true),
        (#"{"a": {"b": [1]}}"#, #"{"a.b": 1}"#, true),
        (#"{"a": {"b.c": [1]}}"#, #"{"a.b": {"c": [1, 2]}}"#, true),
        (#"{"x": {"a": [1], "b": [2]}}"#, #"{"x": [{"a": 1}, {"b": 2}]}"#, false),
        (#"{"x": {"a": [1], "b": [2]}}"#, #"{"x": [{"a": 1}, {"a": 1, "b": 2}]}"#, true),
        (#"{"x": {"a": [1], "b": [2]}}"#, #"{"x": [[{"a": 1}], [{"b": 2}]]}"#, false),
        (#"{"x": {"a": [1], "b": [2]}}"#, #"{"x": [{"a": [1], "b": [1, 2]}]}"#, true),
        (#"{"x": {"a": [1]}, "y": {"b": [2]}}"#, #"{"x": [{"a": 1}, {}], "y": [{}, {"b": 2}]}"#, true),
        (
            #"{"x": {"y": {"a": [1], "b": [2]}, "c": [3]}}"#, #"{"x": [{"c": 3, "y": [{"a": 1}, {"a": 1, "b": 2}]}]}"#,
            true
        ),
        (#"{"x": {"y": {"a": [1]}, "c": [3]}}"#, #"{"x": [{"c": 3}, {"y": [{"a": 1}]}]}"#, false),
        (#"{"x": {"a": [1], "b": [{"exists": false}]}}"#, #"{"x": [{"a": 1}, {"a": 2, "b": 2}]}"#, true),
        (#"{"x": {"a": [1], "b": [{"exists": false}]}}"#, #"{"x": [{"a": 1, "b": 2}]}"#, false),
        // The pattern leaves the array x for x-1 and comes back to it.
        (#"{"x": {"a": [1]}, "x-1": [5], "x.b": [2]}"#, #"{"x": [{"a": 1}, {"b": 2}], "x-1": 5}"#, false),
        (#"{"x": {"a": [1]}, "x-1": [5], "x.b": [2]}"#, #"{"x": [{"a": 1, "b": 2}], "x-1": 5}"#, true),
        (#"{"x": [1], "x-1": {"b": [5]}, "x.a": [2]}"#, #"{"x": [[1, {"a": 2}]], "x-1": [{"b": 5}]}"#, true),
        (#"{"x": [1], "x-1": {"b": [5]}, "x.a": [2]}"#, #"{"x": [[1], [{"a": 2}]], "x-1": [{"b": 5}]}"#, false),
        (#"{"a.b": {"c": [1], "d": [2]}}"#, #"{"a.b": [{"c": 1}, {"d": 2}], "a": {"b": []}}"#, false),
        // Two arrays with one path: no common element ties them.
        (#"{"a.b": {"c": [1], "d": [2]}}"#, #"{"a.b": [{"c": 1}], "a": {"b": [{"d": 2}]}}"#, true),
        (#"{"$or": [{"a": [1]}, {"b": [2]}]}"#, #"{"b": 2}"#, true),
        (#"{"$or": [{"a": [1]}, {"b": [2]}]}"#, #"{"a": 2, "b": 1}"#, false),
        (#"{"c": [3], "$or": [{"a": [1]}, {"b": [2]}]}"#, #"{"a": 1}"#, false),
        (#"{"d": {"$or": [{"a": [1]}, {"$or": [{"b": [2]}, {"c": [3]}]}]}}"#, #"{"d": {"c": 3}}"#, true),
        // A path that stands twice counts as the later one says.
        (#"{"a": [1], "$or": [{"a": [2]}, {"b": [1]}]}"#, #"{"a": 2}"#, true),
        (#"{"$or": [{"a": [2]}, {"b": [1]}], "a": [3]}"#, #"{"a": 2}"#, false),
        (#"{"a": [1], "a": [2]}"#, #"{"a": 2}"#, true),
        (#"{"a": [1]}"#, #"{"a": 1, "a": 2}"#, false),
        (#"{"a": [1]}"#, "[]", false),
        (#"{"a": [{"exists": false}]}"#, "{}", true),
    ]

    @Test("arrays, dots, $or and duplicates mean what event-ruler says", arguments: structures)
    func structure(_ pattern: String, _ event: String, _ verdict: Bool) throws {
        let compiled = try EventPattern(json: .json(pattern))
        #expect(compiled.matches(try .json(event)) == verdict)
        #expect(compiled.explain(try .json(event)).matched == verdict)
    }

    static let refused: [(String, path: String, reason: String)] = [
        ("[]", "", "mapping of fields"), ("{}", "", "without fields"), (#"{"a": {}}"#, "a", "without fields"),
        (#"{"a": []}"#, "a", "empty list"), (#"{"a": "b"}"#, "a", "list of values"),
        (#"{"a": [[1]]}"#, "a[0]", "list inside"),
        (#"{"a": [1, {"prefx": "b"}]}"#, "a[1]", "did you mean 'prefix'"),
        (#"{"a": [{"EXISTS": true}]}"#, "a[0]", "'exists'"),
        (#"{"a": [{}]}"#, "a[0]", "exactly one key"),
        (#"{"a": [{"prefix": "a", "suffix": "b"}]}"#, "a[0]", "exactly one key"),
        (#"{"a": [{"prefix": 1}]}"#, "a[0]", "must be text"),
        (#"{"a": [{"prefix": {"suffix": "a"}}]}"#, "a[0]", "equals-ignore-case"),
        (#"{"a": [{"suffix": ["a"]}]}"#, "a[0]", "must be text"), (#"{"a": [{"wildcard": "a**"}]}"#, "a[0]", "'**'"),
        (#"{"a": [{"wildcard": "a\\b"}]}"#, "a[0]", "may only stand before"),
        (#"{"a": [{"wildcard": "a\\"}]}"#, "a[0]", "may only stand"),
        (#"{"a": [{"exists": "yes"}]}"#, "a[0]", "true or false"),
        (#"{"a": [{"cidr": "10.0.0.0/32"}]}"#, "a[0]", "less than 32"),
        (#"{"a": [{"cidr": "::/128"}]}"#, "a[0]", "less than 128"),
        (#"{"a": [{"cidr": "10.0.0.0"}]}"#, "a[0]", "block"),
        (#"{"a": [{"cidr": "10.0.0.0/+8"}]}"#, "a[0]", "whole number"),
        (#"{"a": [{"cidr": "10.0.0.0/8/"}]}"#, "a[0]", "block"),
        (#"{"a": [{"numeric": 5}]}"#, "a[0]", "must be a list"),
        (#"{"a": [{"numeric": []}]}"#, "a[0]", "without a comparison"),
        (#"{"a": [{"numeric": [">"]}]}"#, "a[0]", "needs a number"),
        (#"{"a": [{"numeric": [">", "1"]}]}"#, "a[0]", "needs a number"),
        (#"{"a": [{"numeric": [5, 1]}]}"#, "a[0]", "expected a comparison"),
        (#"{"a": [{"numeric": ["!=", 1]}]}"#, "a[0]", "unknown comparison"),
        (#"{"a": [{"numeric": ["<", 1, ">", 0]}]}"#, "a[0]", "nothing may follow"),
        (#"{"a": [{"numeric": [">", 1, ">", 2]}]}"#, "a[0]", "only one"),
        (#"{"a": [{"numeric": [">=", 1, "<=", 1]}]}"#, "a[0]", "less than the upper"),
        (#"{"a": [{"numeric": ["=", 2e422]}]}"#, "a[0]", "double holds"),
        (#"{"a": [{"anything-but": []}]}"#, "a[0]", "empty list"),
        (#"{"a": [{"anything-but": [1, "a"]}]}"#, "a[0]", "both text and numbers"),
        (#"{"a": [{"anything-but": [null]}]}"#, "a[0]", "null in a list"),
        (#"{"a": [{"anything-but": true}]}"#, "a[0]", "does not take true; it takes text, a number"),
        (#"{"a": [{"anything-but": {"cidr": "a"}}]}"#, "a[0]", "does not take"),
        (#"{"a": [{"anything-but": {"prefix": ""}}]}"#, "a[0]", "exclude all"),
        (#"{"a": [{"anything-but": {"suffix": []}}]}"#, "a[0]", "empty list"),
        (#"{"$or": {"a": [1]}}"#, "$or", "at least two"),
        (#"{"d": {"$or": [{"a": [1]}]}}"#, "d.$or", "at least two"),
        (#"{"$or": [{"a": [1]}, 5]}"#, "$or[1]", "must be a mapping"),
        (#"{"$or": [{"numeric": [1]}, {"a": [1]}]}"#, "$or[0].numeric", "operator's name"),
    ]

    @Test("an invalid pattern is refused with its path and a reason", arguments: refused)
    func refusal(_ text: String, path: String, reason: String) throws {
        let error = try #require(throws: PatternError.self) { try EventPattern(json: .json(text)) }
        #expect(error.path == path)
        #expect(error.message.contains(reason), "\(error.message)")
        #expect(error.hint?.isEmpty == false, "\(error.message)")
    }

    @Test("every fault of a pattern is named, not only the first")
    func allFaults() throws {
        let node = DocumentNode(try .json(#"{"a": [{"x": 1}], "b": 5, "c": [{"exists": 1}]}"#))
        let errors = try #require(throws: PatternErrors.self) { try EventPattern(parsing: node) }
        #expect(errors.errors.map(\.path) == ["a[0]", "b", "c[0]"])
    }
}
