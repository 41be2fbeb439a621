import Testing

@testable import BelfryRules

/// Regular expressions become tests only where these say exactly the same.
struct HookRegexTests {
    @Test(
        "what is equal, a beginning, an end or a part is read so",
        arguments: [
            ("^refs/heads/main$", [FieldTest.equals("refs/heads/main")]),
            ("^refs/heads/", [.prefix("refs/heads/")]),
            ("^refs/tags/.*", [.prefix("refs/tags/")]),
            (#"\.gz$"#, [.suffix(".gz")]),
            (".*[.]gz$", [.suffix(".gz")]),
            ("ok", [.wildcard(["", "ok", ""], staysInLine: false)]),
            (".*ok.*?", [.wildcard(["", "ok", ""], staysInLine: false)]),
            ("^a.*b$", [.wildcard(["a", "b"], staysInLine: true)]),
            ("(?s)^a.*b$", [.wildcard(["a", "b"], staysInLine: false)]),
            ("^a.*", [.prefix("a")]),
            ("^a.*$", [.wildcard(["a", ""], staysInLine: true)]),
            ("^.*b", [.wildcard(["", "b", ""], staysInLine: true)]),
            ("a.*b", [.wildcard(["", "a", "b", ""], staysInLine: true)]),
            ("^(main|dev)$", [.equals("main"), .equals("dev")]),
            ("^re(?:l|d)/(a|b)", [.prefix("rel/a"), .prefix("rel/b"), .prefix("red/a"), .prefix("red/b")]),
            ("^a|b$", [.prefix("a"), .suffix("b")]),
            ("", [.present]), (".*", [.present]), ("^", [.present]), ("$", [.present]), ("^.*", [.present]),
            ("^.*$", [.wildcard(["", ""], staysInLine: true)]),
            ("^$", [.equals("")]),
            (".+", [.notEmpty]), ("^.+$", [.notEmpty]),
        ])
    func exact(_ text: String, _ tests: [FieldTest]) throws {
        #expect(try HookRegex.tests(of: text) == tests)
    }

    @Test(
        "everything else is refused",
        arguments: [
            "*", "a+", "a?", "a{2}", "a*", "(a|b)*", "[ab]", "[^a]", #"\d"#, #"a\"#, ".", "a.b", "(?i)a", "(?P<x>a)",
            "a^b", "a$b", "(",
            ")", "(a", "a)", "^*", "a.+", #"\bx"#, "[]]", "x{", "(a|b|c|d)(a|b|c|d)(a|b|c|d)(a|b|c|d)", ".\u{301}",
        ])
    func refused(_ text: String) {
        #expect(throws: HookRegex.Refusal.self) { try HookRegex.tests(of: text) }
    }
}
