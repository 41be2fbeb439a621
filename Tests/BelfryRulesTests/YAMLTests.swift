import BelfryCore
import BelfryRules
import Testing

@Suite(.timeLimit(.minutes(3)))
struct YAMLTests {
    /// A plain scalar → the JSON it means, seen through the pattern of a rule.
    @Test(
        "scalars are JSON's: what is no JSON literal is text",
        arguments: [
            ("NO", #""NO""#), ("yes", #""yes""#), ("on", #""on""#), ("True", #""True""#), ("true", "true"),
            ("false", "false"),
            ("null", "null"), ("~", #""~""#), ("Null", #""Null""#), ("1:30", #""1:30""#), ("010", #""010""#),
            ("0x1F", #""0x1F""#),
            ("0o7", #""0o7""#), ("1_000", #""1_000""#), ("2026-01-01", #""2026-01-01""#), (".5", #"".5""#),
            ("+1", #""+1""#),
            (".inf", #"".inf""#), ("-1.5e3", "-1.5e3"), ("12345678901234567890", "12345678901234567890"),
            ("\"5\"", #""5""#),
            ("'true'", #""true""#), ("\"null\"", #""null""#), ("1e400", "1e400"), ("-", #""-""#), ("=", #""=""#),
            ("<<", #""<<""#),
        ])
    func scalars(_ yaml: String, _ json: String) throws {
        let rule =
            "rule: r\nwhen:\n  f:\n    - \(yaml == "-" ? "'-'" : yaml)\nrun: {steps: [{step: s, agent: a, prompt: p}]}"
        let canonical = try DocumentLoader.load(rule)[0].canonical.value
        #expect(canonical["when"]?["f"] == .array([try .json(json)]))
    }

    @Test("block texts keep their lines, folded ones do not; a merge key is a key like any other")
    func blocks() throws {
        let text = "agent: a\nkind: echo\ntext: |\n  one & two *three\n  - four\nabout: >\n  a\n  b\n"
        let canonical = try DocumentLoader.load(text)[0].canonical.value
        #expect(canonical["text"]?.string == "one & two *three\n- four\n")
        #expect(canonical["about"]?.string == "a b\n")
        #expect(throws: DocumentErrors.self) { try DocumentLoader.load("agent: a\nkind: echo\n<<: {text: x}") }
    }

    @Test("empty documents are none")
    func empty() throws {
        for text in ["", "\n", "---\n", "# only words\n", "---\n---\n"] {
            #expect(try DocumentLoader.load(text).isEmpty)
        }
    }

    @Test("a billion laughs are refused at once, as values and as keys")
    func billionLaughs() {
        var values = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        var keys = "- &k0 [x, x]\n"
        for level in 1..<60 {
            values +=
                "a\(level): &a\(level) [" + [String](repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
                + "]\n"
            keys += "- &k\(level) {? [*k\(level - 1), *k\(level - 1)] : x}\n"
        }
        for text in [values, keys] {
            let errors = #expect(throws: DocumentErrors.self) { try DocumentLoader.load(text) }
            #expect(errors?.description.contains("not allowed") == true)
        }
    }

    @Test("a byte order mark is no part of the text, in YAML and in JSON that YAML does not read")
    func byteOrderMark() throws {
        let yaml = try DocumentLoader.load(
            "\u{FEFF}rule: r\nwhen: {a: [1]}\nrun: {steps: [{step: s, agent: a, prompt: p}]}\n")
        #expect(yaml[0].name == "r" && yaml[0].text.hasPrefix("rule: r\n"))
        let json = try DocumentLoader.load(
            "\u{FEFF}{\"rule\": \"r\", \"about\": \"\\ud83d\\ude00\", \"when\": {\"a\": [1]},"
                + #""run": {"steps": [{"step": "s", "agent": "a", "prompt": "p"}]}}"#)
        #expect(json[0].canonical.value["about"] == "😀")
    }

    @Test("an anchor that holds itself is refused")
    func cycle() {
        #expect(throws: DocumentErrors.self) { try DocumentLoader.load("a: &a [*a]") }
        #expect(throws: DocumentErrors.self) { try DocumentLoader.load("&a ? *a\n: b") }
    }

    @Test("anchors and aliases are refused wherever they stand")
    func anchors() {
        for text in ["&x a: b", "a: &x b", "a: [&x 1]", "&x {a: b}", "a: &x\n  b: c", "- &x 1\n- *x"] {
            let errors = #expect(throws: DocumentErrors.self) { try DocumentLoader.load(text) }
            #expect(errors?.description.contains("anchors") == true, "\(text)")
        }
    }

    @Test("nesting beyond 64 levels, and far beyond, is refused")
    func depth() {
        for levels in [65, 900, 100_000] {
            let text = "a: " + String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
            #expect(throws: DocumentErrors.self) { try DocumentLoader.load(text) }
        }
        let blocks = (0..<300).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
        #expect(throws: DocumentErrors.self) { try DocumentLoader.load(blocks) }
    }

    @Test("a file of any bytes is answered, never a crash")
    func noise() {
        var generator = SeededGenerator(seed: 11)
        let pieces = [
            "a", ":", " ", "\n", "-", "[", "]", "{", "}", "&a", "*a", "!", "\"", "'", "|", ">", "#", "%", "@", "?", ",",
            "---\n", "\t", "\\", "\r", "é",
        ]
        for _ in 0..<3000 {
            let text = (0..<Int.random(in: 0..<24, using: &generator)).map { _ in
                pieces.randomElement(using: &generator) ?? ""
            }
            .joined()
            _ = try? DocumentLoader.load(text)
        }
    }
}
