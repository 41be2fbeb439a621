import BelfryCore
import Testing

@testable import BelfryRules

/// What is wrong with steps is said with where it stands and how it is mended.
struct StepDiagnosticTests {
    /// One step → the diagnostic behind `t.yaml:5: run.steps[0]`.
    static let ofOneStep: [(String, String)] = [
        ("{ step: x }", ": a step has exactly one of agent, command, approve, send, wait"),
        ("{ step: x, wait: 1m, approve: y }", ": a step has exactly one of agent, command, approve, send, wait"),
        ("{ step: x, wiat: 1m }", ".wiat: unknown key; did you mean 'wait'?"),
        // Keys of other kinds.
        ("{ step: x, approve: y, prompt: z }", ".prompt: belongs to agent steps, and this one's kind is approve"),
        ("{ step: x, command: [x], prompt: z }", ".prompt: a command has no prompt"),
        (
            "{ step: x, command: [x], output: { schema: { type: object } } }",
            ".output: what a command prints is text; a schema belongs to agent steps"
        ),
        ("{ step: x, approve: y, timeout: 5m }", ".timeout: a request is open for as long as expires says"),
        ("{ step: x, wait: 5m, timeout: 5m }", ".timeout: a wait says its own time: wait: 10m, or within"),
        ("{ step: x, wait: 5m, expires: 5m }", ".expires: a wait says its own time"),
        (
            "{ step: x, send: { to: t, body: 1 }, retry: 3 }",
            ".retry: a message is tried again by a schedule of its own"
        ),
        ("{ step: x, approve: y, retry: 3 }", ".retry: only agent and command steps are tried again"),
        ("{ step: x, approve: y, default: z }", ".default: nothing supplies a decision; otherwise says"),
        ("{ step: x, wait: 1m, on_deny: stop }", ".on_deny: belongs to approve steps"),
        ("{ step: x, agent: a, prompt: p, value: { schema: {} } }", ".value: belongs to approve steps"),
        // Retry.
        ("{ step: x, command: [x], retry: 0 }", ".retry: must be from 1 to 10"),
        ("{ step: x, command: [x], retry: often }", ".retry: expected a whole number, found text"),
        ("{ step: x, command: [x], retry: { pause: 5s } }", ".retry.times: is missing"),
        ("{ step: x, command: [x], retry: { times: 2, pause: 2h } }", ".retry.pause: must be from 1s to 1h"),
        ("{ step: x, command: [x], retry: { time: 2 } }", ".retry.time: unknown key; did you mean 'times'?"),
        // Defaults.
        ("{ step: x, command: [x], default: 5 }", ".default: expected text, as the step's output is, found a number"),
        ("{ step: x, command: [x], default: '{{evnt}}' }", ".default: {{evnt}}: unknown root 'evnt'"),
        (
            "{ step: x, agent: a, prompt: p, output: { schema: { type: object, required: [k] } }, default: {} }",
            ".default"
        ),
        // Schemas.
        ("{ step: x, agent: a, prompt: p, output: { type: object } }", ".output.type: unknown key; known here: schema"),
        ("{ step: x, agent: a, prompt: p, output: {} }", ".output.schema: is missing: a JSON Schema"),
        ("{ step: x, agent: a, prompt: p, output: { schema: true } }", ".output.schema: expected a JSON Schema"),
        ("{ step: x, agent: a, prompt: p, output: { schema: { type: objekt } } }", ".output.schema"),
        ("{ step: x, agent: a, prompt: p, output: { schema: { propertys: {} } } }", ".output.schema.propertys: "),
        // Tools.
        ("{ step: x, command: [x], tools: [] }", ".tools: belongs to agent steps"),
        ("{ step: x, agent: a, prompt: p, tools: [] }", ".tools: from 1 to 32 tools"),
        ("{ step: x, agent: a, prompt: p, turns: 3 }", ".turns: without tools the agent is asked once"),
        (
            "{ step: x, agent: a, prompt: p, tools: [{ tool: t, about: b }] }",
            ".tools[0]: a tool has exactly one of command, http, emit"
        ),
        (
            "{ step: x, agent: a, prompt: p, tools: [{ tool: 'a b', about: b, command: [c] }] }",
            ".tools[0].tool: 'a b' is not a name"
        ),
        ("{ step: x, agent: a, prompt: p, tools: [{ tool: t, command: [c] }] }", ".tools[0].about: is missing"),
        (
            "{ step: x, agent: a, prompt: p, tools: [{ tool: t, about: b, command: ['{{input.x}}'] }] }",
            ".tools[0].command: begins with the name of a command"
        ),
        (
            "{ step: x, agent: a, prompt: p, tools: [{ tool: t, about: b, command: [c, '{{input.x}}'] }] }",
            ".tools[0].command: 'input' has no 'x'"
        ),
        (
            "{ step: x, agent: a, prompt: p, tools: [{ tool: t, about: b, command: [c], input: { schema: { type: string } } }] }",
            ".tools[0].input.schema: must say type: object at the top"
        ),
        (
            "{ step: x, agent: a, prompt: p, tools: [{ tool: t, about: b, http: { to: o } }] }",
            ".tools[0].http: has exactly one of query (a GET) and body (a POST)"
        ),
        (
            "{ step: x, agent: a, prompt: p, tools: [{ tool: t, about: b, http: { to: 'http://x', body: 1 } }] }",
            ".tools[0].http.to: must be a name of the server's `targets:` table"
        ),
        (
            "{ step: x, agent: a, prompt: p, tools: [{ tool: t, about: b, emit: { type: '{{input.x}}' } }] }",
            ".tools[0].emit.type: is no template: a model does not choose"
        ),
        (
            "{ step: x, agent: a, prompt: p, tools: [{ tool: t, about: b, emit: { type: t }, approve: false, expires: 5m }] }",
            ".tools[0].expires: nobody is asked before this tool is called"
        ),
        (
            "{ step: x, agent: a, prompt: '{{input.x}}' }",
            ".prompt: {{input.x}}: unknown root 'input'"
        ),
        // Approvals.
        ("{ step: x, approve: '' }", ".approve: must not be empty"),
        ("{ step: x, approve: '{{#if}}' }", ".approve: {{#if}}: '#' has no meaning here"),
        (
            "{ step: x, approve: y, value: { schema: { type: string } } }",
            ".value.schema: must say type: object at the top"
        ),
        ("{ step: x, approve: y, expires: 31d }", ".expires: must be from 1s to 30d"),
        ("{ step: x, approve: y, expires: 900 }", ".expires: must be a duration with its unit"),
        (
            "{ step: x, approve: y, otherwise: aprove }",
            ".otherwise: must be one of deny, approve; did you mean 'approve'?"
        ),
        ("{ step: x, approve: y, on_deny: skip }", ".on_deny: must be one of stop, continue"),
        // Messages.
        ("{ step: x, send: ops }", ".send: expected a mapping, found text"),
        ("{ step: x, send: { body: 1 } }", ".send.to: is missing"),
        ("{ step: x, send: { to: ops } }", ".send.body: is missing"),
        (
            "{ step: x, send: { to: 'https://x', body: 1 } }",
            ".send.to: must be a name of the server's `targets:` table"
        ),
        (
            "{ step: x, send: { to: '{{data.x}}', body: 1 } }",
            ".send.to: must be a name of the server's `targets:` table"
        ),
        ("{ step: x, send: { to: ops, body: { a: [1, '{{evnt}}'] } } }", ".send.body.a[1]: {{evnt}}: unknown root"),
        (
            "{ step: x, send: { to: ops, body: '{{links.y}}' } }",
            ".send.body: 'links.y': no step of this name asks anything"
        ),
        ("{ step: x, agent: a, prompt: '{{links.x}}' }", ".prompt: {{links.x}}: unknown root 'links'"),
        ("{ step: x, send: { to: ops, body: { '{{data.x}}': 1 } } }", ".send.body.{{data.x}}: a key is no template"),
        ("{ step: x, send: { to: ops, body: 1, url: y } }", ".send.url: unknown key; known here: to, type, body"),
        // Waits.
        ("{ step: x, wait: 10 }", ".wait: expected a duration (10m) or { for: PATTERN, within: 1h }, found a number"),
        ("{ step: x, wait: soon }", ".wait: must be a duration with its unit"),
        ("{ step: x, wait: 31d }", ".wait: must be from 100ms to 30d"),
        ("{ step: x, wait: { within: 1h } }", ".wait.for: is missing: an event pattern"),
        ("{ step: x, wait: { for: { a: 1 } } }", ".wait.for.a: "),
        ("{ step: x, wait: { for: { a: [1] }, look_back: 2h } }", ".wait.look_back: must be from 1s to 1h"),
        ("{ step: x, wait: { for: { a: [1] }, within: 31d } }", ".wait.within: must be from 100ms to 30d"),
        (
            "{ step: x, wait: { for: { a: [1] }, by: [dta.x] } }",
            ".wait.by: 'dta.x': an event has no 'dta'; did you mean 'data'?"
        ),
        ("{ step: x, wait: { for: { a: [1] }, by: [id, id] } }", ".wait.by: 'id' stands twice"),
        ("{ step: x, wait: { for: { a: [1] }, by: data.x } }", ".wait.by: expected a list of texts, found text"),
        (
            "{ step: x, wait: { for: { a: [1] }, by: { data.x: dat.x } } }",
            ".wait.by.data.x: 'dat.x': an event has no 'dat'"
        ),
        ("{ step: x, wait: { for: { a: [1] }, by: { steps.y.output: id } } }", ".wait.by.steps.y.output: "),
        (
            "{ step: x, wait: { for: { a: [1] }, by: { data.x: steps.y.output } } }",
            ".wait.by.data.x: 'steps.y' is no earlier"
        ),
        (
            "{ step: x, wait: { for: { a: [1] }, by: { data.x: 5 } } }",
            ".wait.by.data.x: expected a place, as text, found a number"
        ),
        // Groups.
        ("{ parallel: x }", ".parallel: must be a list of at least two steps"),
        ("{ parallel: [ { step: x, wait: 1m } ] }", ".parallel: a group has at least two steps"),
        ("{ parallel: [], step: x }", ".step: a parallel group has no keys of its own"),
        (
            "{ parallel: [ { step: x, wait: 1m }, { parallel: [] } ] }",
            ".parallel[1]: a parallel group stands in steps, not in another group"
        ),
        (
            "{ parallel: [ { step: x, wait: 1m }, { step: x, wait: 1m } ] }",
            ".parallel[1].step: the name 'x' stands twice"
        ),
        (
            "{ parallel: [ { step: x, wait: 1m }, { step: y, command: [c, '{{steps.x.state}}'] } ] }",
            ".parallel[1].command: 'steps.x' is a step of the same parallel group, which may not have ended"
        ),
        (
            "{ parallel: [ { step: x, command: [c], if: { steps: { y: { state: [failed] } } } }, { step: y, wait: 1m } ] }",
            ".parallel[0].if.steps.y.state: 'steps.y' is a step of the same parallel group"
        ),
        ("5", ": expected a mapping, found a number"),
    ]

    @Test("of a step", arguments: ofOneStep)
    func oneStep(_ step: String, _ expected: String) {
        let said = DocumentLoader.faults(run: "  steps:\n    - \(step)")
        #expect(said.contains { $0.hasPrefix("t.yaml:5: run.steps[0]\(expected)") }, "\(said)")
    }

    /// A second step about the first → the diagnostic.
    static let ofReferences: [(String, String, String?)] = [
        ("{ step: x, agent: a, prompt: p }", "{{steps.x.output}} {{steps.x.state}}", nil),
        ("{ step: x, agent: a, prompt: p }", "{{steps.x.outptu}}", "'steps.x' has no 'outptu'; did you mean 'output'?"),
        (
            "{ step: x, agent: a, prompt: p }", "{{steps.x.output.k}}",
            "'steps.x.output' is text; its fields are known with output: { schema: … } in that step"
        ),
        ("{ step: x, command: [c] }", "{{steps.x.output.k}}", "'steps.x.output' is text; nothing lies below it"),
        ("{ step: x, agent: a, prompt: p, output: { schema: { type: object } } }", "{{steps.x.output.anything}}", nil),
        (
            "{ step: x, agent: a, prompt: p, output: { schema: { properties: { kind: { type: string } } } } }",
            "{{steps.x.output.kin}}", "'steps.x.output' has no 'kin'; did you mean 'kind'?"
        ),
        (
            "{ step: x, agent: a, prompt: p, output: { schema: { properties: { kind: { type: string } } } } }",
            "{{steps.x.output.kind.x}}", "by its schema 'steps.x.output.kind' is string, no object"
        ),
        (
            "{ step: x, agent: a, prompt: p, output: { schema: { properties: { l: { type: array, items: { type: [array, 'null'] } } } } } }",
            "{{steps.x.output.l[0][1]}} {{steps.x.output.l.k}}", "by its schema 'steps.x.output.l' is array, no object"
        ),
        (
            "{ step: x, agent: a, prompt: p, output: { schema: { properties: { k: {} }, additionalProperties: true } } }",
            "{{steps.x.output.else.where}}", nil
        ),
        (
            "{ step: x, agent: a, prompt: p, output: { schema: { anyOf: [ {} ], properties: {} } } }",
            "{{steps.x.output.k}}", nil
        ),
        ("{ step: x, approve: y }", "{{steps.x.decision}} {{steps.x.by}}", nil),
        (
            "{ step: x, approve: y }", "{{steps.x.output}}",
            "'steps.x' has no 'output'; of this approve step there are state, decision, by"
        ),
        (
            "{ step: x, approve: y }", "{{steps.x.value.k}}",
            "'steps.x' has no value; say which in that step: value: { schema: … }"
        ),
        (
            "{ step: x, approve: y, value: { schema: { type: object, properties: { n: {} } } } }",
            "{{steps.x.value.m}}",
            "'steps.x.value' has no 'm'; did you mean 'n'?"
        ),
        ("{ step: x, send: { to: t, body: 1 } }", "{{steps.x.output}}", nil),
        ("{ step: x, wait: 1m }", "{{steps.x.state}}", nil),
        ("{ step: x, wait: 1m }", "{{steps.x.event}}", "'steps.x' has no 'event'; of this wait step there are state"),
        ("{ step: x, wait: { for: { source: [s] } } }", "{{steps.x.event.data.k}}", nil),
        (
            "{ step: x, wait: { for: { source: [s] } } }", "{{steps.x.output}}",
            "'steps.x' has no 'output'; of this wait step"
        ),
        ("{ step: x, wait: { for: { source: [s] } }, default: { k: 1 } }", "{{steps.x.output.k}}", nil),
        ("{ step: x, wait: 1m }", "{{params.p}} {{params}}", nil),
        ("{ step: x, wait: 1m }", "{{params.q}}", "there is no param 'q'; did you mean 'p'?"),
        ("{ step: x, wait: 1m }", "{{params.p.k}}", "by its schema 'params.p' is integer, no object"),
        ("{ step: x, wait: 1m }", "{{steps.y.output}}", "'steps.y' is no earlier step; steps before this one: x"),
    ]

    @Test("of what a template asks for, wherever it stands", arguments: ofReferences)
    func references(_ first: String, _ template: String, _ expected: String?) {
        for (step, path) in [
            ("agent: a, prompt: '\(template)'", "prompt"), ("command: [c, '\(template)']", "command"),
            ("approve: '\(template)'", "approve"), ("send: { to: t, body: { k: '\(template)' } }", "send.body.k"),
            ("send: { to: t, type: '\(template)', body: 1 }", "send.type"),
            ("command: [c], default: '\(template)'", "default"),
        ] {
            let said = DocumentLoader.faults(
                run:
                    "  params: { p: { type: integer, default: 1 } }\n  steps:\n    - \(first)\n    - { step: z, \(step) }"
            )
            guard let expected else {
                #expect(said.isEmpty, "\(said)")
                continue
            }
            #expect(said.contains { $0.hasPrefix("t.yaml:7: run.steps[1].\(path): \(expected)") }, "\(said)")
        }
    }

    @Test("an if is held against the same: fields of results and params")
    func conditions() {
        func said(_ condition: String) -> [String] {
            DocumentLoader.faults(
                run: """
                      params: { tone: { enum: [a, b], default: a } }
                      steps:
                        - { step: look.up, agent: a, prompt: p, output: { schema: { properties: { kind: {} } } } }
                        - { step: z, command: [c], if: \(condition) }
                    """)
        }
        #expect(
            said("{ steps: { look.up: { output: { kind: [x] }, state: [skipped] } }, params: { tone: [a] } }") == [])
        #expect(
            said("{ steps.look.up.output.kin: [x] }").contains { $0.contains("has no 'kin'; did you mean 'kind'?") })
        #expect(said("{ steps: { look.up: { outptu: [x] } } }").contains { $0.contains("has no 'outptu'") })
        #expect(
            said("{ params: { tnoe: [a] } }").contains { $0.contains("there is no param 'tnoe'; did you mean 'tone'?") }
        )
    }

    @Test("params: a name, a schema, a default that satisfies it")
    func params() {
        for (params, expected) in [
            ("[]", "run.params: expected a mapping of names to schemas, found a list"),
            ("{ x: 5 }", "run.params.x: expected a JSON Schema (a mapping), found a number"),
            ("{ x: { type: integer } }", "run.params.x: has no default: what it is until an operator adjusts it"),
            ("{ x: { type: integer, default: a } }", "run.params.x.default: "),
            ("{ x: { enum: [a, b], default: c } }", "run.params.x.default: "),
            ("{ x: { properties: { k: { type: string } }, default: { k: 1 } } }", "run.params.x.default.k: "),
            ("{ x: { tipe: integer, default: 1 } }", "run.params.x.tipe: "),
            ("{ a.b: { default: 1 } }", "run.params.a.b: 'a.b' is not a name"),
            ("{ '': { default: 1 } }", "run.params.: '' is not a name"),
        ] {
            let said = DocumentLoader.faults(run: "  params: \(params)\n  steps:\n    - { step: x, wait: 1m }")
            #expect(said.contains { $0.hasPrefix("t.yaml:4: \(expected)") }, "\(params): \(said)")
        }
        let many = (0...Limits.paramsPerRuleMax).map { "p\($0): { default: 1 }" }.joined(separator: ", ")
        let said = DocumentLoader.faults(run: "  params: { \(many) }\n  steps:\n    - { step: x, wait: 1m }")
        #expect(said == ["t.yaml:4: run.params: at most 32 params"])
    }

    @Test("the server's settings refuse what it does not have; unknown, they refuse nothing")
    func server() {
        let run =
            "  steps:\n    - { step: x, approve: y, otherwise: approve }\n    - { step: z, send: { to: opps, body: 1 } }"
        #expect(DocumentLoader.faults(run: run) == [])
        let none = ServerSettings(targets: ["ops"], allowsOtherwiseApprove: false)
        let said = DocumentLoader.faults(run: run, server: none)
        #expect(said.count == 2, "\(said)")
        #expect(
            said.first?.hasPrefix("t.yaml:5: run.steps[0].otherwise: this server does not let silence approve") == true)
        #expect(
            said.last
                == "t.yaml:6: run.steps[1].send.to: there is no target 'opps' in the server's `targets:`, which has ops; did you mean 'ops'?"
        )
        let empty = DocumentLoader.faults(run: run, server: ServerSettings(targets: []))
        #expect(
            empty == [
                "t.yaml:6: run.steps[1].send.to: there is no target 'opps' in the server's `targets:`, which is empty"
            ])
        #expect(
            DocumentLoader.faults(run: run, server: ServerSettings(targets: ["opps"], allowsOtherwiseApprove: true))
                == [])
    }
}
