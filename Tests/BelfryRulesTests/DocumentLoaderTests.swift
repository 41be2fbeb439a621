import BelfryCore
import BelfryRules
import Testing

extension DocumentLoader {
    /// One file's documents.
    static func load(_ text: String, agents: Set<String> = ["a"]) throws(DocumentErrors) -> [Document] {
        try load([("t.yaml", text)], knownAgents: agents)
    }
}

struct DocumentLoaderTests {
    static let rule = "rule: r\nwhen: {source: [x]}\nrun: {steps: [{step: s, agent: a, prompt: hi}]}\n"

    /// What is wrong → the diagnostic, whole.
    static let diagnostics: [(String, String)] = [
        ("rule: r\nwhem: {}", "t.yaml:2: whem: unknown key; did you mean 'when'?"),
        ("source: s\npreset: none\nzzz: 1", "t.yaml:3: zzz: unknown key; known here: source, about, preset"),
        (
            "source: s\npreset: githb\nsecret: generate",
            "t.yaml:2: preset: must be one of github, gitlab, stripe, slack, standard-webhooks, svix, grafana, alertmanager, cloudevents, sensor, hmac, token, none; did you mean 'github'?"
        ),
        ("source: Not A Name\npreset: none", "t.yaml:1: source: 'Not A Name' is not a name"),
        ("source: 5\npreset: none", "t.yaml:1: source: expected text (put it in quotes), found a number"),
        ("source:\npreset: none", "t.yaml:1: source: expected text, found nothing"),
        ("source: s", "t.yaml:1: preset: is missing"),
        (
            "source: s\npreset: github",
            "t.yaml:1: secret: is missing: preset github verifies deliveries; write secret: generate"
        ),
        ("source: s\npreset: github\nsecrets: []", "t.yaml:3: secrets: must not be empty"),
        (
            "source: s\npreset: none\nsecret: generate",
            "t.yaml:3: secret: preset none verifies nothing and takes no secret"
        ),
        ("source: s\npreset: github\nsecret: hunter2", "t.yaml:3: secret: must be generate, env:NAME"),
        (
            "source: s\npreset: github\nsecret: generate\nsecrets: [env:A]",
            "t.yaml:4: secrets: write either secret or secrets"
        ),
        ("source: s\npreset: github\nsecrets: [env:A, env:A]", "t.yaml:3: secrets: 'env:A' stands twice"),
        ("source: s\npreset: hmac\nsecret: generate", "t.yaml:1: signature: is missing: preset hmac needs"),
        ("source: s\npreset: hmac\nsecret: generate\nsignature: {prefix: x}", "t.yaml:4: signature.header: is missing"),
        (
            "source: s\npreset: hmac\nsecret: generate\nsignature: {header: \"a b\"}",
            "t.yaml:4: signature.header: 'a b' is not the name of a header"
        ),
        (
            "source: s\npreset: hmac\nsecret: generate\nsignature: {header: X, content: \"{id}\"}",
            "t.yaml:4: signature.content: must contain {body}"
        ),
        (
            "source: s\npreset: hmac\nsecret: generate\nsignature: {header: X, content: \"{timestamp}.{body}\"}",
            "t.yaml:4: signature.content: contains {timestamp}, so timestamp: HEADER must say"
        ),
        (
            "source: s\npreset: hmac\nsecret: generate\nsignature: {header: X, timestamp: T}",
            "t.yaml:4: signature.timestamp: is not signed"
        ),
        (
            "source: s\npreset: hmac\nsecret: generate\nsignature: {header: X, algorithm: md5}",
            "t.yaml:4: signature.algorithm: must be one of sha1, sha256, sha512"
        ),
        (
            "source: s\npreset: github\nsecret: generate\nsignature: {header: X}",
            "t.yaml:4: signature: preset github has a signature of its own"
        ),
        ("source: s\npreset: github\nsecret: generate\ntolerance: 5m", "t.yaml:4: tolerance: has no effect"),
        ("source: s\npreset: grafana\nsecret: generate\ntolerance: 5m", "t.yaml:4: tolerance: has no effect"),
        (
            "source: s\npreset: grafana\nsecret: generate\nsignature: {prefix: x}",
            "t.yaml:4: signature.prefix: unknown key; known here: header, timestamp"
        ),
        (
            "source: s\npreset: gitlab\nsecret: generate\ntoken_header: X",
            "t.yaml:4: token_header: has no meaning for preset gitlab, only for token, sensor, cloudevents"
        ),
        (
            "source: s\npreset: standard-webhooks\nsecret: generate\ntolerance: 300",
            "t.yaml:4: tolerance: must be a duration with its unit"
        ),
        (
            "source: s\npreset: standard-webhooks\nsecret: generate\ntolerance: 7d",
            "t.yaml:4: tolerance: must be from 1s to 1h"
        ),
        ("source: s\npreset: none\nbody_max: 1GiB", "t.yaml:3: body_max: must be a number of bytes"),
        (
            "source: s\npreset: none\nkeep_headers: [Authorization]",
            "t.yaml:3: keep_headers: 'Authorization' carries a credential"
        ),
        ("source: s\npreset: none\nkeep_headers: x", "t.yaml:3: keep_headers: expected a list of texts, found text"),
        (
            "source: s\npreset: none\nidentity: id",
            "t.yaml:3: identity: 'id' is no place: write header.NAME or body.path"
        ),
        (
            "source: s\npreset: github\nsecret: generate\nidentity: body.id",
            "t.yaml:4: identity: has no meaning for preset github, only for hmac, token, none"
        ),
        ("source: s\npreset: none\ntoken_header: X", "t.yaml:3: token_header: has no meaning for preset none"),
        ("source: s\npreset: none\ndedupe: {key: body}", "t.yaml:3: dedupe.window: is missing"),
        ("source: s\npreset: none\ndedupe: {window: 5m}", "t.yaml:3: dedupe.window: has no effect without key: body"),
        ("source: s\npreset: none\ndedupe: {}", "t.yaml:3: dedupe: needs key: body or also: body"),
        ("source: s\npreset: none\nretired: \"yes\"", "t.yaml:3: retired: expected true or false, found text"),
        ("agent: a", "t.yaml:1: kind: is missing"),
        ("agent: a\nkind: echo\nmodel: x", "t.yaml:3: model: belongs to kind openai, anthropic, not to echo"),
        ("agent: a\nkind: echo\ntext: \"{{#if x}}\"", "t.yaml:3: text: {{#if x}}: '#' has no meaning here"),
        ("agent: a\nkind: echo\nwords_per_second: 0", "t.yaml:3: words_per_second: must be from 0.1 to"),
        ("agent: a\nkind: openai\nmodel: m", "t.yaml:1: base_url: is missing"),
        ("agent: a\nkind: openai\nmodel: m\nbase_url: ftp://x", "t.yaml:4: base_url: must be a URL"),
        (
            "agent: a\nkind: openai\nmodel: m\nbase_url: https://x/v1/chat/completions",
            "t.yaml:4: base_url: ends before /chat/completions"
        ),
        (
            "agent: a\nkind: openai\nmodel: m\nbase_url: \"https://{{event.id}}/\"",
            "t.yaml:4: base_url: must not be a template"
        ),
        ("agent: a\nkind: openai\nmodel: m\nbase_url: https://u:p@x/", "t.yaml:4: base_url: must not hold a user"),
        (
            "agent: a\nkind: openai\nmodel: m\nbase_url: https://x\nkey: sk-123",
            "t.yaml:5: key: must be env:NAME or file:PATH"
        ),
        (
            "agent: a\nkind: openai\nmodel: m\nbase_url: https://x\nmax_tokens: 1.5",
            "t.yaml:5: max_tokens: expected a whole number"
        ),
        ("agent: a\nkind: command", "t.yaml:1: command: is missing"),
        ("agent: a\nkind: command\ncommand: [/bin/sh]", "t.yaml:3: command: begins with the name of a command"),
        ("agent: a\nkind: command\ncommand: [x, 5]", "t.yaml:3: command[1]: expected text (in quotes), found a number"),
        ("agent: a\nkind: echo\nidle_timeout: 0s", "t.yaml:3: idle_timeout: must be from 100ms to 1d"),
        ("agent: a\nkind: echo\nretries: 11", "t.yaml:3: retries: must be from 0 to 10"),
        ("rule: r\nrun: {steps: [{step: s, agent: a, prompt: p}]}", "t.yaml:1: when: is missing"),
        ("rule: r\nwhen: {x: [1]}", "t.yaml:1: run: is missing"),
        ("rule: r\nwhen: {x: [1]}\nrun: {steps: []}", "t.yaml:3: run.steps: must be a list of at least one step"),
        (
            "rule: r\nwhen:\n  data:\n    celsius: [{numerik: 5}]\nrun: {steps: [{step: s, agent: a, prompt: p}]}",
            "t.yaml:4: when.data.celsius[0]: unknown operator 'numerik'; did you mean 'numeric'?"
        ),
        (rule + "mode: watch", "t.yaml:4: mode: must be one of run, observe"),
        (rule + "enabled: NO", "t.yaml:4: enabled: expected true or false, found text"),
        (rule + "limits: {concurrency: 0}", "t.yaml:4: limits.concurrency: must be from 1 to 256"),
        (rule + "limits: {per_hour: 5}", "t.yaml:4: limits.per_hour: unknown key"),
        (
            "rule: r\nwhen: {x: [1]}\nrun:\n  steps:\n    - {step: s, agent: a}",
            "t.yaml:5: run.steps[0].prompt: is missing"
        ),
        (
            "rule: r\nwhen: {x: [1]}\nrun:\n  steps:\n    - {step: s}",
            "t.yaml:5: run.steps[0]: a step has exactly one of agent, command, approve, send, wait"
        ),
        (
            "rule: r\nwhen: {x: [1]}\nrun:\n  steps:\n    - {step: s, command: [x], prompt: p}",
            "t.yaml:5: run.steps[0].prompt: a command has no prompt"
        ),
        (
            "rule: r\nwhen: {x: [1]}\nrun:\n  steps:\n    - {step: s, command: [x]}\n    - {step: s, command: [x]}",
            "t.yaml:6: run.steps[1].step: the name 's' stands twice"
        ),
        (
            "rule: r\nwhen: {x: [1]}\nrun:\n  steps:\n    - {step: s, agent: a, prompt: \"{{evnt.id}}\"}",
            "t.yaml:5: run.steps[0].prompt: {{evnt.id}}: unknown root 'evnt'; did you mean 'event'?"
        ),
        (
            "rule: r\nwhen: {x: [1]}\nrun:\n  steps:\n    - {step: s, agent: a, prompt: \"{{steps.t.output}}\"}",
            "t.yaml:5: run.steps[0].prompt: 'steps.t' is no earlier step; this is the first step"
        ),
        (
            "rule: r\nwhen: {x: [1]}\nrun:\n  steps:\n    - {step: s, agent: b, prompt: p}",
            "t.yaml:5: run.steps[0].agent: there is no agent 'b'"
        ),
        (
            "rule: r\nwhen: {x: [1]}\nrun:\n  steps:\n    - {step: s, command: [x], timeout: 2d}",
            "t.yaml:5: run.steps[0].timeout: must be from 100ms to 1d"
        ),
        (rule + "---\n" + rule, "t.yaml:5: rule: the rule 'r' is already at t.yaml:1"),
        ("hello", "t.yaml:1: expected a mapping with source:, agent: or rule:, found text"),
        ("name: x", "t.yaml:1: a document has exactly one of source: NAME, agent: NAME and rule: NAME"),
        ("a: 1\na: 2", "t.yaml:1: the key 'a' stands twice"),
        (
            "a: [1",
            "t.yaml:2: not valid YAML: did not find expected ',' or ']'; text with [ ] { } or , in it needs quotes there"
        ),
        ("source: !!str s", "t.yaml:1: source: the tag tag:yaml.org,2002:str is not allowed"),
        ("source: &x s\npreset: *x", "t.yaml:1: source: anchors (&name) and aliases (*name) are not allowed"),
        ("? [a]\n: b", "t.yaml:1: a key must be text"),
        (#"{"rule": "r", "when": {"x": [1]}, "run": {}, "run": {}}"#, "t.yaml:1: run: the key stands twice"),
        ("a: \u{0}", "t.yaml:1: not valid YAML: control characters are not allowed"),
    ]

    @Test("what is wrong is said with file, line and path", arguments: diagnostics)
    func diagnostic(_ text: String, _ expected: String) throws {
        let errors = try #require(throws: DocumentErrors.self) { try DocumentLoader.load(text) }
        #expect(errors.diagnostics.contains { $0.description.hasPrefix(expected) }, "\(errors)")
    }

    @Test("a secret or key written into a document is not repeated")
    func secretsAreNotRepeated() {
        for text in [
            "source: s\npreset: token\nsecret: hunter2",
            "agent: a\nkind: openai\nmodel: m\nbase_url: https://x\nkey: hunter2",
        ] {
            let errors = #expect(throws: DocumentErrors.self) { try DocumentLoader.load(text) }
            #expect(errors?.description.contains("hunter2") == false)
        }
    }

    @Test("all diagnostics of all files come at once, in order, and nothing is loaded")
    func allAtOnce() throws {
        let errors = try #require(throws: DocumentErrors.self) {
            try DocumentLoader.load([
                ("b.yaml", "source: s\npreset: none\nx: 1\n---\nagent: q\nkind: echo\nretries: x\ntext: \"{{\""),
                ("a.yaml", "[1"),
                ("c.yaml", Self.rule),
            ])
        }
        #expect(
            errors.diagnostics.map { "\($0.file):\($0.line)" } == [
                "b.yaml:3", "b.yaml:7", "b.yaml:8", "a.yaml:2", "c.yaml:3",
            ],
            "\(errors)")
    }

    @Test("every key is read")
    func everyKey() throws {
        let text = """
            source: s
            about: A.
            preset: hmac
            secrets: [env:A?, file:/x, generate]
            body_max: 64KiB
            tolerance: 2m
            keep_headers: [X-Kind]
            signature: {header: X-Sig, prefix: "v1=", algorithm: sha512, encoding: base64, content: "{id}.{timestamp}.{body}", timestamp: X-T, id: X-I}
            identity: [header.X-I, body.id]
            type: body.type
            subject: body.a.b
            dedupe: {key: body, window: 10m, also: body}
            retired: true
            ---
            agent: a
            kind: openai
            base_url: https://api.openai.com/v1
            model: m
            key: env:K
            system: Be brief.
            temperature: 0.5
            max_tokens: 100
            connect_timeout: 1s
            first_byte_timeout: 2s
            idle_timeout: 3s
            retries: 0
            output_max: 1000
            ---
            rule: r
            about: R.
            enabled: false
            mode: observe
            when: {source: [s]}
            limits: {concurrency: 1, runs_per_hour: 5, tokens_per_day: 2000, max_wait: 10m, failures: 0}
            notify: true
            run:
              steps:
                - {step: one, agent: a, prompt: "{{event}}", timeout: 1m}
                - {step: two, command: [x, "--", "{{steps.one.output}}"]}
            """
        let documents = try DocumentLoader.load(text, agents: [])
        #expect(documents.map(\.kind) == [.source, .agent, .rule])
        guard case .source(let source) = documents[0].content, case .agent(let agent) = documents[1].content,
            case .rule(let rule) = documents[2].content, case .openai(let openai) = agent.kind
        else {
            Issue.record("other kinds")
            return
        }
        #expect(source.secrets.map(\.description) == ["env:A?", "file:/x", "generate"])
        #expect(source.bodyBytesMax == 65536 && source.tolerance == .seconds(120) && source.keepHeaders == ["x-kind"])
        #expect(source.signature?.algorithm == .sha512 && source.signature?.encoding == .base64)
        #expect(source.signature?.timestampHeader == "X-T" && source.signature?.idHeader == "X-I")
        #expect(
            source.identity == ["header.X-I", "body.id"] && source.typePath == "body.type"
                && source.subjectPath == "body.a.b")
        #expect(source.bodyDedupeWindow == .seconds(600) && source.refusesSameBody && source.isRetired)
        #expect(
            agent.connectTimeout == .seconds(1) && agent.firstByteTimeout == .seconds(2)
                && agent.idleTimeout == .seconds(3))
        #expect(agent.retriesMax == 0 && agent.outputBytesMax == 1000)
        #expect(
            openai.key == .environment("K", isOptional: false) && openai.temperature == 0.5 && openai.tokensMax == 100)
        #expect(
            !rule.isEnabled && rule.observesOnly && rule.notify && rule.limits.concurrency == 1
                && rule.limits.runsPerHour == 5)
        #expect(
            rule.limits.tokensPerDay == 2000 && rule.limits.maxWait == .seconds(600) && rule.limits.failures == 0)
        #expect(rule.steps.map(\.name) == ["one", "two"] && rule.steps[0].timeout == .seconds(60))
        #expect(rule.steps[1].timeout == Limits.stepTimeoutDefault)
    }

    @Test("a document's text is its own part of the file, with its comments")
    func ownText() throws {
        let first = "# about s\nsource: s # here\npreset: none\n"
        let file = "# the file\n---\n\n\(first)\n---\r\n\(Self.rule)...\n"
        let documents = try DocumentLoader.load(file)
        #expect(documents.map(\.text) == [first, Self.rule + "...\n"])
    }

    @Test("what is stored does not change with comments, order and layout, and reads back the same")
    func canonical() throws {
        let one = try DocumentLoader.load(Self.rule)[0]
        let other = try DocumentLoader.load(
            "# x\nrun:\n  steps:\n  - prompt: 'hi'\n    step: s\n    agent: a\n\"when\": {source: [x]}\nrule: r")[0]
        let json = try DocumentLoader.load(other.canonical.text)[0]
        #expect(one.canonical == other.canonical && json.canonical == one.canonical)
        let stored = try DocumentLoader.load(stored: one.canonical, kind: .rule, text: one.text)
        #expect(stored.canonical == one.canonical && stored.name == "r" && stored.text == one.text)
        #expect(throws: DocumentErrors.self) { try DocumentLoader.load(stored: one.canonical, kind: .agent, text: "") }
        #expect(throws: DocumentErrors.self) {
            try DocumentLoader.load(stored: RawJSON(trusted: [0x7B]), kind: .rule, text: "")
        }
    }

    @Test("what only JSON means is read as JSON")
    func jsonEscapes() throws {
        let text = #"{"agent": "a", "kind": "echo", "text": "\ud83d\ude00"}"#
        guard case .agent(let agent) = try DocumentLoader.load(text)[0].content, case .echo(let echo) = agent.kind
        else {
            Issue.record("no agent")
            return
        }
        #expect(echo.text == "😀")
    }

    @Test("thousands of stored rules are read in moments", .timeLimit(.minutes(3)))
    func many() throws {
        let rule = try DocumentLoader.load(Self.rule)[0]
        for _ in 0..<2000 { _ = try DocumentLoader.load(stored: rule.canonical, kind: .rule, text: rule.text) }
    }

    @Test("an agent that is not there is said together with the other mistakes of the same document")
    func unknownAgentBesideOtherMistakes() {
        let text = """
            agent: oncall
            kind: eco
            ---
            rule: r
            wehn: {}
            when: { source: [lab] }
            run: { steps: [ { step: a, agent: oncal, prompt: x }, { step: b, agent: oncall, prompt: x } ] }
            """
        let errors = #expect(throws: DocumentErrors.self) { try DocumentLoader.load([(path: "f.yaml", text: text)]) }
        let messages = errors?.diagnostics.map(\.description) ?? []
        #expect(messages.count == 3, "\(messages)")
        #expect(messages.contains { $0.contains("there is no agent 'oncal'; did you mean 'oncall'?") })
    }
}
