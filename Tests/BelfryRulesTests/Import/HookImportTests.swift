import BelfryCore
import Testing

@testable import BelfryRules

/// Hook files of adnanh/webhook become documents, or it is said what does not.
struct HookImportTests {
    // MARK: Senders

    @Test("a signature that must hold is the source's, and its secret a variable")
    func signature() throws {
        let imported = try ImportedHook(
            rule:
                #"{"and": [\#(hmac("sha1", header: "X-Hub-Signature")), \#(value("payload", "ref", "refs/heads/main"))]}"#
        )
        #expect(imported.source.preset == .hmac)
        #expect(imported.source.signature?.header == "X-Hub-Signature")
        #expect(imported.source.signature?.prefix == "sha1=")
        #expect(imported.source.signature?.algorithm == .sha1)
        #expect(imported.source.secrets == [.environment("WEBHOOK_DEPLOY_SECRET", isOptional: false)])
        #expect(imported.result.secrets.map(\.value) == [Secret("hidden-word")])
        #expect(imported.rule.isEnabled && imported.result.isComplete)
        #expect(try imported.matches(data: #"{"ref": "refs/heads/main"}"#))
        #expect(try !imported.matches(data: #"{"ref": "refs/heads/other"}"#))
    }

    @Test("all hash types and their old names", arguments: ["hmac", "hash"], ["sha1", "sha256", "sha512"])
    func hashTypes(_ word: String, _ algorithm: String) throws {
        let rule =
            #"{"match": {"type": "payload-\#(word)-\#(algorithm)", "secret": "hidden", "parameter": \#(header("X-Sig"))}}"#
        let imported = try ImportedHook(rule: rule)
        #expect(imported.source.signature?.algorithm.rawValue == algorithm)
        #expect(imported.source.signature?.prefix == "")
        #expect(imported.result.isComplete)
        #expect(imported.result.findings.contains { $0.reason.contains("without '\(algorithm)=' before it is taken") })
    }

    @Test("secrets that are good at the same time stay so with soft failures, and only the first counts without them")
    func severalSecrets() throws {
        let one = hmac("sha256", header: "X-Sig", secret: "the-first-one")
        let two = hmac("sha256", header: "X-Sig", secret: "the-second-one")
        let rule = #"{"or": [\#(one), \#(two)]}"#
        let soft = try ImportedHook(rule: rule, more: #""trigger-signature-soft-failures": true"#)
        #expect(soft.source.secrets.count == 2)
        #expect(soft.result.secrets.map(\.variable) == ["WEBHOOK_DEPLOY_SECRET", "WEBHOOK_DEPLOY_SECRET_2"])
        let hard = try ImportedHook(rule: rule)
        #expect(hard.result.secrets.map(\.value) == [Secret("the-first-one")])
        #expect(hard.rule.isEnabled && hard.result.findings.contains { $0.reason.contains("only the first signature") })
    }

    @Test("of two kinds of signatures that are as good, the stronger counts")
    func strongest() throws {
        let rule = #"{"or": [\#(hmac("sha1", header: "X-One")), \#(hmac("sha256", header: "X-Two"))]}"#
        let imported = try ImportedHook(rule: rule, more: #""trigger-signature-soft-failures": true"#)
        #expect(imported.source.signature?.header == "X-Two")
        #expect(imported.result.secrets.count == 1)
        #expect(imported.result.findings.contains { $0.reason.contains("X-Two counts") })
    }

    @Test("two signatures that must both hold are more than a source verifies")
    func twoSignatures() throws {
        let rule = #"{"and": [\#(hmac("sha1", header: "X-One")), \#(hmac("sha256", header: "X-Two"))]}"#
        let imported = try ImportedHook(rule: rule)
        #expect(!imported.rule.isEnabled && !imported.result.isComplete)
    }

    @Test("a signature asked for in some cases only leaves the rule disabled")
    func nestedSignature() throws {
        for rule in [
            #"{"or": [\#(hmac("sha1", header: "X-One")), \#(value("header", "X-Event", "ping"))]}"#,
            #"{"not": \#(hmac("sha1", header: "X-One"))}"#,
            hmac("sha1", header: "sig").replacing("header", with: "payload"),
            #"{"match": {"type": "payload-hmac-sha1", "parameter": \#(header("X-One"))}}"#,
            #"{"match": {"type": "scalr-signature", "secret": "hidden-word"}}"#,
        ] {
            let imported = try ImportedHook(rule: rule)
            #expect(!imported.rule.isEnabled && !imported.result.isComplete, "\(rule)")
            #expect(imported.source.preset == .none)
        }
    }

    @Test("a header that must hold a secret is the source's token")
    func token() throws {
        let gitlab = try ImportedHook(rule: value("header", "X-Gitlab-Token", "hidden-word"))
        #expect(gitlab.source.preset == .token && gitlab.source.tokenHeader == "X-Gitlab-Token")
        #expect(gitlab.rule.isEnabled && gitlab.result.isComplete)
        let bearer = try ImportedHook(rule: value("header", "Authorization", "Bearer hidden-word"))
        #expect(bearer.source.tokenHeader == nil)
        #expect(bearer.result.secrets.map(\.value) == [Secret("hidden-word")])
        let basic = try ImportedHook(rule: value("header", "authorization", "Basic aGlkZGVuLXdvcmQ="))
        #expect(basic.source.tokenHeader == "authorization")
        #expect(basic.result.secrets.map(\.value) == [Secret("Basic aGlkZGVuLXdvcmQ=")])
    }

    @Test("a secret in the payload or the query has no equivalent, and is not written")
    func secretElsewhere() throws {
        for rule in [
            value("payload", "token", "hidden-word"), value("url", "token", "hidden-word"),
            #"{"not": \#(value("header", "X-Api-Key", "hidden-word"))}"#,
        ] {
            let imported = try ImportedHook(rule: rule)
            #expect(!imported.rule.isEnabled && !imported.result.isComplete)
        }
    }

    @Test("no secret stands in a document, a script, a finding or the configuration")
    func noSecrets() throws {
        let rule = """
            {"and": [\(hmac("sha1", header: "X-One")), \(value("header", "X-Token", "hidden-word")),
            \(value("payload", "password", "hidden-word")),
            {"match": {"type": "scalr-signature", "secret": "hidden-word"}}]}
            """
        let imported = try ImportedHook(
            rule: rule,
            more: #"""
                "command-working-directory": "/",
                "pass-environment-to-command": [{"source": "string", "envname": "DB_PASSWORD", "name": "hidden-word"}]
                """#)
        let all =
            ([imported.converted.text, imported.converted.script ?? ""]
                + imported.result.findings.map { "\($0)" } + [imported.result.configuration(scriptFolder: "/s") ?? ""])
        for text in all { #expect(!text.contains("hidden-word")) }
    }

    @Test("a secret that also stands where it would be written leaves the hook out")
    func revealed() throws {
        let file = try hooksFile(
            hmac("sha1", header: "X-One"),
            more: #""pass-arguments-to-command": [{"source": "string", "name": "--key=hidden-word"}]"#)
        let result = try HookImport([("hooks.json", file)])
        #expect(result.hooks.isEmpty && result.secrets.isEmpty && !result.isComplete)
    }

    @Test("a hook that verifies nothing becomes a source for this machine alone, and says so")
    func unverified() throws {
        let imported = try ImportedHook(rule: value("payload", "a", "b"))
        #expect(imported.source.preset == .none && imported.rule.isEnabled && imported.result.isComplete)
        #expect(imported.result.findings.contains { $0.reason.contains("this machine only") })
    }

    @Test("where a rule can hold for more than the hook all the same, the report says so")
    func saidDifferences() throws {
        let reasons = { (rule: String) in try ImportedHook(rule: rule).result.findings.map(\.reason) }
        let payload = try reasons(value("payload", "a.b", "x"))
        #expect(payload.contains { $0.contains("look into lists") } && payload.contains { $0.contains("content type") })
        let event = value("header", "X-Event", "push")
        #expect(try reasons(#"{"not": \#(event)}"#).contains { $0.contains("stands there twice") })
        #expect(try !reasons(event).contains { $0.contains("stands there twice") })
        let end = event.replacing(#""value", "value": "push""#, with: #""regex", "regex": "h$""#)
        #expect(try reasons(end).contains { $0.contains("stands there twice") })
    }

    @Test("a rule with too many combinations is disabled, not cut", .timeLimit(.minutes(3)), arguments: [6, 9, 200])
    func tooMany(_ count: Int) throws {
        let either = (0..<count).map { index in
            #"{"or": [\#(value("payload", "a\(index)", "x")), \#(value("payload", "b\(index)", "x"))]}"#
        }
        let imported = try ImportedHook(rule: #"{"and": [\#(either.joined(separator: ", "))]}"#)
        #expect(imported.rule.isEnabled == (count == 6))
        #expect(imported.rule.isEnabled || imported.result.findings.contains { $0.reason.contains("combinations") })
    }

    // MARK: Commands

    @Test("arguments become templates, and headers among them are kept")
    func arguments() throws {
        let imported = try ImportedHook(
            rule: nil,
            more: #"""
                "pass-arguments-to-command": [
                  {"source": "payload", "name": "commits.0.author.e-mail"}, {"source": "string", "name": "--all"},
                  {"source": "header", "name": "X-Event"}, {"source": "entire-payload"},
                  {"source": "request", "name": "remote-addr"}, {"source": "payload", "name": "a key.of \"us\""}]
                """#)
        #expect(imported.result.isComplete)
        #expect(imported.source.keepHeaders == ["x-event"])
        #expect(
            imported.command == [
                "deploy", "{{data.commits[0].author.e-mail}}", "--all", "{{event.headers.x-event}}", "{{data}}",
                "{{event.remote}}", #"{{data["a key"]["of \"us\""]}}"#,
            ])
    }

    @Test(
        "what no template can name leaves the rule disabled",
        arguments: [
            #"{"source": "url", "name": "q"}"#, #"{"source": "entire-headers"}"#, #"{"source": "entire-query"}"#,
            #"{"source": "header", "name": "X-Api-Key"}"#, #"{"source": "context", "name": "x"}"#,
            #"{"source": "string", "name": "{{data}}"}"#,
        ])
    func unavailableArguments(_ parameter: String) throws {
        // A file with `{{` is refused as a whole; written with an escape it is a text.
        let escaped = parameter.replacing("{{", with: "{\\u007b")
        let imported = try ImportedHook(rule: nil, more: #""pass-arguments-to-command": [\#(escaped)]"#)
        #expect(!imported.rule.isEnabled && !imported.result.isComplete)
    }

    @Test("environment and working directory become a script that gives them")
    func script() throws {
        let imported = try ImportedHook(
            rule: nil,
            more: #"""
                "command-working-directory": "/srv/it's here",
                "pass-environment-to-command": [
                  {"source": "payload", "name": "head.id"}, {"source": "string", "envname": "MODE", "name": "fast"}],
                "pass-arguments-to-command": [{"source": "string", "name": "now"}]
                """#)
        #expect(imported.result.isComplete)
        #expect(imported.command == ["deploy", "HOOK_head.id={{data.head.id}}", "MODE=fast", "now"])
        let script = try #require(imported.converted.script)
        #expect(script.contains(#"cd -- '/srv/it'\''here'"#) == false)
        #expect(script.contains(#"cd -- '/srv/it'\''s here'"#))
        #expect(script.contains(#"exec env 'HOOK_head.id='"$v1" 'MODE='"$v2" '/bin/deploy' "$@" </dev/null"#))
        #expect(
            imported.result.configuration(scriptFolder: "/etc/belfry/commands")?.contains(
                "deploy: /etc/belfry/commands/deploy.sh") == true)
    }

    @Test("files and JSON inside of text are left out, and the rule is disabled")
    func notConverted() throws {
        for more in [
            #""pass-file-to-command": [{"source": "payload", "name": "x", "base64decode": true}]"#,
            #""parse-parameters-as-json": [{"source": "payload", "name": "payload"}]"#,
            #""http-methods": ["GET"]"#,
        ] {
            let imported = try ImportedHook(rule: nil, more: more)
            #expect(!imported.rule.isEnabled && !imported.result.isComplete, "\(more)")
            #expect(imported.result.findings.contains { $0.kind == .disables }, "\(more)")
            #expect(imported.result.hooks[0].text.contains("\n# left out, so the rule is disabled: "), "\(more)")
        }
    }

    @Test("a program without an absolute path is left to the operator")
    func relativeProgram() throws {
        let file = #"[{"id": "deploy", "execute-command": "deploy.sh"}]"#
        let result = try HookImport([("hooks.json", file)])
        #expect(!result.isComplete && result.hooks.count == 1)
        #expect(result.configuration(scriptFolder: "/s")?.contains("# deploy: /absolute/path/of/deploy.sh") == true)
    }

    // MARK: Answers

    @Test("answers become the source's, what cannot is reported and takes nothing away")
    func answers() throws {
        let imported = try ImportedHook(
            rule: nil,
            more: #"""
                "response-message": "thanks\n", "success-http-response-code": 201, "http-methods": ["post "],
                "response-headers": [{"name": "content-type", "value": "text/html"}]
                """#)
        #expect(imported.result.isComplete && imported.rule.isEnabled)
        #expect(imported.source.respond?.status == 201)
        #expect(imported.source.respond?.body == "thanks\n")
        #expect(imported.source.respond?.contentType == "text/html")
        for more in [
            #""success-http-response-code": 302"#, #""include-command-output-in-response": true"#,
            #""trigger-rule-mismatch-http-response-code": 400"#, #""http-methods": ["POST", "GET"]"#,
            #""response-headers": [{"name": "X-A", "value": "b"}]"#, #""keep-file-environment": true"#,
            #""incoming-payload-content-type": "application/json""#,
        ] {
            let imported = try ImportedHook(rule: nil, more: more)
            #expect(imported.rule.isEnabled && !imported.result.isComplete, "\(more)")
        }
    }

    // MARK: Files

    @Test("ids become names, and no two hooks get one")
    func names() throws {
        let file = """
            [{"id": "Sendgrid/Dir", "execute-command": "/bin/a"}, {"id": "sendgrid-dir", "execute-command": "/bin/a"},
             {"id": "x", "execute-command": "/bin/a"}, {"id": "x", "execute-command": "/bin/b"}]
            """
        let result = try HookImport([("hooks.json", file)])
        #expect(result.hooks.map(\.name) == ["sendgrid-dir", "x"])
        #expect(result.findings.filter(\.isLeftOut).map(\.hook) == ["sendgrid-dir", "x"])
        let named = try HookImport([("hooks.json", file)], names: ["Sendgrid/Dir": "mails"])
        #expect(named.hooks.map(\.name) == ["mails", "sendgrid-dir", "x"])
        // Of one variable for two secrets each would be good for both.
        let alike = #"[{"id": "a-b", "execute-command": "/a"}, {"id": "a.b", "execute-command": "/a"}]"#
        #expect(try HookImport([("hooks.json", alike)]).hooks.map(\.name) == ["a-b"])
    }

    @Test("YAML is read as webhook reads it, or refused")
    func yaml() throws {
        let file = """
            - id: deploy
              Execute-Command: /bin/true
              trigger-rule:
                match: { type: value, value: 42, parameter: { source: payload, name: num } }
            """
        let result = try HookImport([("hooks.yaml", file)])
        #expect(result.isComplete && result.hooks[0].text.contains(#"data.num: ["42", 42]"#))
        for text in ["yes", "010", "1.10", "0x1F", "2026-01-02"] {
            let errors = #expect(throws: DocumentErrors.self) {
                try HookImport([("hooks.yaml", file.replacing("42", with: text))])
            }
            #expect(errors?.diagnostics.first?.line == 4)
        }
    }

    @Test(
        "what holds no hooks is refused with the line",
        arguments: [
            "{}", "id: x", "[1]", "[{}]", #"[{"id": "x"}]"#, "- &a 1\n- *a", "[",
            #"[{"id": "x", "execute-command": "/a", "trigger-rule": {"and": {}}}]"#,
            #"[{"id": "x", "execute-command": "/a", "trigger-rule": [1]}]"#,
        ])
    func unreadable(_ text: String) {
        #expect(throws: DocumentErrors.self) { try HookImport([("hooks.json", text)]) }
    }

    @Test("a Go template is refused, with how to render it")
    func template() {
        let text = "[\n" + #"{"id": "x", "execute-command": "/a", "response-message": "{{ getenv "X" | js }}"}]"#
        let errors = #expect(throws: DocumentErrors.self) { try HookImport([("hooks.json.tmpl", text)]) }
        #expect(errors?.diagnostics.first?.line == 2)
        #expect(errors?.description.contains("getenv") == true)
    }

    @Test("nothing in a hook can break out of its place in the documents")
    func hostileTexts() throws {
        for text in ["a\nrule: x", "a\u{2028}rule: x", "\u{85}---\nsource: y", "\"}]", "{{data", "a: b # c", "\\", "'"]
        {
            // As they stand they would be line ends of the file.
            let quoted = JSONValue.string(text).text.replacing("{{", with: "{\\u007b")
                .replacing("\u{85}", with: "\\u0085").replacing("\u{2028}", with: "\\u2028")
            let file = """
                [{"id": \(quoted), "execute-command": "/bin/a", "response-message": \(quoted),
                "command-working-directory": \(quoted),
                "trigger-rule": {"or": [{"match": {"type": "value", "value": \(quoted),
                "parameter": {"source": "payload", "name": \(quoted)}}},
                {"not": {"match": {"type": "value", "value": \(quoted),
                "parameter": {"source": "header", "name": "X-Event"}}}}]}}]
                """
            let result = try HookImport([("hooks\n.json", file)], names: [text: "deploy"])
            let converted = try #require(result.hooks.first)
            let documents = try DocumentLoader.load([("deploy.yaml", converted.text)])
            #expect(documents.map(\.name) == ["deploy", "deploy"])
            guard case .source(let source) = documents[0].content, case .rule(let rule) = documents[1].content else {
                Issue.record("no source and rule")
                return
            }
            #expect(source.respond?.body.hasSameBytes(as: text) == true)
            if !text.contains(".") {
                var event: JSONValue = ["source": "deploy", "headers": ["x-event": .string(text)]]
                #expect(!rule.pattern.matches(event))
                event = [
                    "source": "deploy", "headers": ["x-event": .string(text)], "data": .object([text: .string(text)]),
                ]
                #expect(rule.pattern.matches(event))
            }
        }
    }
}

// MARK: - Parts of hook files

/// A hook `deploy` and what became of it.
struct ImportedHook {
    var result: HookImport
    var converted: ConvertedHook
    var source: SourceDefinition
    var rule: RuleDefinition

    init(rule: String?, more: String = "") throws {
        result = try HookImport([("hooks.json", try hooksFile(rule, more: more))])
        converted = try #require(result.hooks.first, "\(result.findings)")
        let documents = try DocumentLoader.load([("deploy.yaml", converted.text)])
        guard documents.count == 2, case .source(let source) = documents[0].content,
            case .rule(let rule) = documents[1].content
        else { throw NotTwoDocuments() }
        self.source = source
        self.rule = rule
        #expect(converted.isEnabled == rule.isEnabled)
        #expect(rule.isEnabled || !result.isComplete)
    }

    struct NotTwoDocuments: Error {}

    var command: [String] {
        if case .command(let templates)? = rule.steps.first?.action { templates.map(\.text) } else { [] }
    }

    func matches(data: String, headers: JSONObject = JSONObject(), remote: String = "127.0.0.1") throws -> Bool {
        rule.pattern.matches([
            "source": "deploy", "type": "webhook", "remote": .string(remote), "headers": .object(headers),
            "data": try JSONValue(parsing: data),
        ])
    }
}

func hooksFile(_ rule: String?, more: String = "") throws -> String {
    let members = [
        #""id": "deploy", "execute-command": "/bin/deploy""#, rule.map { #""trigger-rule": \#($0)"# } ?? "", more,
    ]
    return "[{" + members.filter { !$0.isEmpty }.joined(separator: ", ") + "}]"
}

func header(_ name: String) -> String { #"{"source": "header", "name": "\#(name)"}"# }

func value(_ source: String, _ name: String, _ value: String) -> String {
    #"{"match": {"type": "value", "value": "\#(value)", "parameter": {"source": "\#(source)", "name": "\#(name)"}}}"#
}

func hmac(_ algorithm: String, header name: String, secret: String = "hidden-word") -> String {
    #"{"match": {"type": "payload-hmac-\#(algorithm)", "secret": "\#(secret)", "parameter": \#(header(name))}}"#
}
