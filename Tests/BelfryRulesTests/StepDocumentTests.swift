import BelfryCore
import Foundation
import Testing

@testable import BelfryRules

extension DocumentLoader {
    /// The rule `r` with this `run` (indented by four).
    static func rule(
        run: String, agents: Set<String>? = ["a"], server: ServerSettings = ServerSettings()
    ) throws(DocumentErrors) -> RuleDefinition? {
        let text = "rule: r\nwhen: { source: [s] }\nrun:\n\(run)\n"
        let documents = try DocumentLoader.load([("t.yaml", text)], knownAgents: agents, server: server)
        guard case .rule(let rule)? = documents.first?.content else { return nil }
        return rule
    }

    static func faults(run: String, server: ServerSettings = ServerSettings()) -> [String] {
        do throws(DocumentErrors) {
            _ = try rule(run: run, server: server)
            return []
        } catch {
            return error.diagnostics.map(\.description)
        }
    }
}

/// Documents of rules with steps of every kind.
struct StepDocumentTests {
    @Test("tools are granted with what they may do; those with effects ask unless the rule says otherwise")
    func tools() throws {
        let rule = try DocumentLoader.rule(
            run: """
                    steps:
                      - step: x
                        agent: a
                        prompt: p
                        turns: 4
                        tokens: 5000
                        tools:
                          - { tool: state, about: s, http: { to: api, query: { pump: "{{input.pump}}", of: "{{data.site}}" } }, input: { schema: { type: object, properties: { pump: { type: string } } } } }
                          - { tool: set, about: s, http: { to: api, body: { n: "{{input.n}}" } }, input: { schema: { type: object } }, expires: 5m }
                          - { tool: run, about: s, command: [go, "--", "{{input.n}}"], input: { schema: { type: object } }, approve: false }
                          - { tool: raise, about: s, emit: { type: pump.alarm } }
                          - { tool: careful, about: s, http: { to: api, query: {} }, approve: true }
                """)
        guard case .agent(let step)? = rule?.steps.first?.action else { throw CancellationError() }
        #expect(step.turns == 4 && step.tokensMax == 5000)
        #expect(step.tools.map(\.name) == ["state", "set", "run", "raise", "careful"])
        #expect(step.tools.map(\.asks) == [false, true, false, true, true])
        #expect(step.tools.map(\.action.hasEffects) == [false, true, true, true, false])
        #expect(step.tools[1].expires == .seconds(300) && step.tools[3].expires == Limits.approvalLifetimeDefault)
        #expect(rule?.steps.first?.asksFor(root: "data") == true)
        #expect(!step.tools[3].input.faults(in: ["more": 1]).isEmpty, "without a schema a tool takes no arguments")
    }

    static let everything = """
        params:
          tone: { enum: [terse, full], default: terse }
          limit: { type: integer, minimum: 1, default: 5 }
        steps:
          - step: diagnose
            agent: a
            prompt: "{{params.tone}} {{event}}"
            output: { schema: { type: object, properties: { severity: { enum: [low, high] }, why: { type: string } } } }
            retry: { times: 2, pause: 10s }
            default: { severity: low, why: "{{data.x}}" }
          - parallel:
              - { step: look, command: [look], retry: 3, default: "nothing", if: { params: { limit: [5] } } }
              - { step: tell, send: { to: ops, body: { text: "{{steps.diagnose.output.why}}" } }, timeout: 1m }
          - step: confirm
            approve: "Shut down {{data.sensor}}? {{steps.look.output}}"
            value: { schema: { type: object, properties: { minutes: { type: integer } } } }
            expires: 15m
            otherwise: deny
            on_deny: continue
          - step: ci
            if: { steps: { confirm: { decision: [approve], value: { minutes: [{ numeric: [">", 1] }] } } } }
            wait:
              for: { source: [ci], type: [build.done] }
              by: { data.pr: data.number, subject: steps.diagnose.output.why }
              within: 1h
              look_back: 10m
            default: { ok: false }
          - { step: rest, wait: 10m }
          - { step: report, send: { to: ops, type: "x.{{source}}", body: ["{{steps.ci.event.data.ok}}", "{{steps.confirm.by}}"] } }
        """

    @Test("every key of every kind is read")
    func everyKey() throws {
        let rule = try #require(try DocumentLoader.rule(run: Self.everything.indented))
        #expect(rule.params.map(\.name) == ["tone", "limit"] && rule.params.map(\.defaultValue) == ["terse", 5])
        #expect(rule.steps.map(\.name) == ["diagnose", "look", "tell", "confirm", "ci", "rest", "report"])
        #expect(rule.steps.map(\.kind) == [.agent, .command, .send, .approve, .wait, .wait, .send])
        #expect(rule.steps.map(\.stage) == [0, 1, 1, 2, 3, 4, 5])
        #expect(rule.steps[0].retry == RetryPolicy(times: 2, pause: .seconds(10)))
        #expect(rule.steps[1].retry == RetryPolicy(times: 3, pause: .seconds(5)))
        #expect(rule.steps[2].timeout == .seconds(60) && rule.steps[1].timeout == Limits.stepTimeoutDefault)
        #expect(rule.steps.map { $0.defaultOutput != nil } == [true, true, false, false, true, false, false])
        guard case .agent(let agent) = rule.steps[0].action, case .approve(let approve) = rule.steps[3].action,
            case .send(let tell) = rule.steps[2].action, case .send(let report) = rule.steps[6].action,
            case .wait(.duration(let rest)) = rule.steps[5].action
        else {
            Issue.record("other kinds")
            return
        }
        #expect(agent.schema?.json["type"] == "object" && approve.schema?.json["type"] == "object")
        #expect(approve.expires == .seconds(900) && approve.otherwise == .deny && approve.onDeny == .continue)
        #expect(approve.message.text == "Shut down {{data.sensor}}? {{steps.look.output}}")
        #expect(tell.target == "ops" && tell.type == nil && report.type?.text == "x.{{source}}")
        #expect(rest == .seconds(600))
        let wait = try #require(rule.steps[4].eventWait)
        #expect(wait.within == .seconds(3600) && wait.lookBack == .seconds(600))
        #expect(wait.by.map(\.later.text) == ["data.pr", "subject"])
        #expect(wait.by.map(\.own.text) == ["data.number", "steps.diagnose.output.why"])
    }

    @Test("what is not said has a default that lets nothing through")
    func defaults() throws {
        let rule = try #require(
            try DocumentLoader.rule(
                run: """
                        steps:
                          - { step: ask, approve: "Go on?" }
                          - { step: ci, wait: { for: { source: [ci] } } }
                    """))
        guard case .approve(let approve) = rule.steps[0].action, let wait = rule.steps[1].eventWait else {
            Issue.record("other kinds")
            return
        }
        #expect(approve.expires == .seconds(86400) && approve.otherwise == .deny && approve.onDeny == .stop)
        #expect(approve.schema == nil && wait.by.isEmpty && wait.within == .seconds(86400) && wait.lookBack == nil)
        #expect(rule.params.isEmpty && rule.steps.allSatisfy { $0.retry == nil && $0.defaultOutput == nil })
        #expect(rule.limits.runTime == nil)
    }

    @Test("what is stored reads back as the same rule")
    func canonical() throws {
        let text = "rule: r\nwhen: { source: [s] }\nlimits: { run_time: 2h }\nrun:\n\(Self.everything.indented)\n"
        let written = try DocumentLoader.load(text)[0]
        let stored = try DocumentLoader.load(stored: written.canonical, kind: .rule, text: "")
        #expect(stored.canonical == written.canonical)
        guard case .rule(let one) = written.content, case .rule(let other) = stored.content else { return }
        #expect(one.limits.runTime == .seconds(7200) && one.told == other.told)
        #expect(one.told.count > 500)
    }

    @Test(
        "the templates of a step that ask for the group are known, wherever they stand",
        arguments: [
            "{ step: x, agent: a, prompt: '{{group}}' }", "{ step: x, command: [x, '{{group.count}}'] }",
            "{ step: x, command: [x], if: { group: { count: [1] } } }",
            "{ step: x, command: [x], default: '{{group}}' }",
            "{ step: x, approve: '{{group.count}} times?' }", "{ step: x, send: { to: t, body: [1, ['{{group}}']] } }",
            "{ step: x, send: { to: t, type: 'a.{{group.count}}', body: 1 } }",
            "{ step: x, wait: { for: { source: [s] }, by: { data.n: group.count } } }",
        ])
    func asksForGroup(_ step: String) throws {
        let rule = try #require(try DocumentLoader.rule(run: "  steps:\n    - \(step)"))
        #expect(rule.steps[0].asksFor(root: "group") && !rule.steps[0].asksFor(root: "rule"))
    }

    @Test("the example of the reference is valid")
    func reference() throws {
        let page = try String(
            contentsOf: URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Rules/README.md"),
            encoding: .utf8)
        let section = try #require(page.split(separator: "\n### Steps\n").dropFirst().first)
        let example = section.split(separator: "\n", omittingEmptySubsequences: false)
            .drop { !$0.hasPrefix("    params:") }.prefix { $0.hasPrefix("    ") }.joined(separator: "\n")
        let rule = try #require(try DocumentLoader.rule(run: example, agents: ["oncall"]))
        #expect(Set(rule.steps.map(\.kind)) == Set(StepDefinition.Kind.allCases))
        #expect(rule.steps.map(\.stage) == [0, 1, 1, 2, 3, 4])
    }
}

extension String {
    var indented: String { split(separator: "\n").map { "  " + $0 }.joined(separator: "\n") }
}

extension RuleDefinition {
    /// All that its steps say, in one form.
    var told: String {
        let event: JSONValue = [
            "source": "ci", "data": ["x": 1], "steps": ["a": ["output": "x"]], "params": ["tone": 1],
        ]
        return
            (params.map { "\($0.name) \($0.schema.json.canonicalText) \($0.defaultValue.canonicalText)" }.sorted()
            + steps.map { step in
                let action =
                    switch step.action {
                    case .agent(let agent):
                        "\(agent.agent) \(agent.prompt) \(agent.schema?.json.canonicalText ?? "-")"
                    case .command(let templates): "\(templates)"
                    case .approve(let approve):
                        "\(approve.message) \(approve.schema?.json.canonicalText ?? "-") \(approve.expires) \(approve.otherwise) \(approve.onDeny)"
                    case .send(let send): "\(send.target) \(send.type?.text ?? "-") \(send.body.told)"
                    case .wait(.duration(let duration)): "\(duration)"
                    case .wait(.event(let wait)):
                        "\(wait.pattern.explain(event).json.canonicalText) \(wait.within) \(wait.lookBack ?? .zero) "
                            + wait.by.map { "\($0.later.text)=\($0.own.text)" }.sorted().joined(separator: ",")
                    }
                let condition = step.condition?.explain(event).json.canonicalText ?? "-"
                return
                    "\(step.name) \(step.kind) \(action) if \(condition) \(step.timeout) \(step.retry.map { "\($0)" } ?? "-") "
                    + "\(step.defaultOutput?.told ?? "-") \(step.stage)"
            }).joined(separator: "\n")
    }
}

extension JSONObject {
    fileprivate var canonicalText: String { JSONValue.object(self).canonicalText }
}

extension JSONValue {
    var canonicalText: String { String(decoding: canonicalEncoded(), as: UTF8.self) }
}

extension TemplateValue {
    fileprivate var told: String { Self.json(root).canonicalText }

    private static func json(_ part: Part) -> JSONValue {
        switch part {
        case .fixed(let value): value
        case .text(let template): .string(template.text)
        case .list(let parts): .array(parts.map(json))
        case .object(let members):
            .object(JSONObject(members.map { JSONObject.Member(key: $0.key, value: json($0.part)) }))
        }
    }
}
