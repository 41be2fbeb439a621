import BelfryCore
import Testing

@testable import BelfryRules

/// What is legal and most often not meant.
struct StepWarningTests {
    private func warnings(_ steps: String, limits: String = "{}") throws -> [String] {
        let text = "rule: r\nwhen: { source: [s] }\nlimits: \(limits)\nrun:\n  steps:\n\(steps)\n"
        return try DocumentLoader.load(text)[0].warnings
    }

    @Test("a decision that stands before nothing, or that changes nothing")
    func decisions() throws {
        let last = try warnings("    - { step: x, wait: 1m }\n    - { step: ask, approve: y }")
        #expect(last == ["rule r, step ask: it is the last one, so the decision stands before nothing"])
        #expect(try warnings("    - { step: ask, approve: y }\n    - { step: x, command: [c] }") == [])
        let ignored = "    - { step: ask, approve: y, on_deny: continue }\n    - { step: x, command: [c] }"
        #expect(try warnings(ignored).first?.contains("a denial changes nothing (on_deny: continue)") == true)
        let asked =
            "    - { step: ask, approve: y, on_deny: continue }\n    - { step: x, command: [c], if: { steps: { ask: { decision: [approve] } } } }"
        #expect(try warnings(asked) == [])
        let told =
            "    - { step: ask, approve: y, on_deny: continue }\n    - { step: x, command: [c, '{{steps.ask.decision}}'] }"
        #expect(try warnings(told) == [])
    }

    @Test("silence that approves, and a run that is over before it has waited")
    func times() throws {
        let silent = "    - { step: ask, approve: y, otherwise: approve }\n    - { step: x, command: [c] }"
        #expect(try warnings(silent).first?.contains("silence approves (otherwise: approve)") == true)
        #expect(
            try warnings("    - { step: x, wait: 1h }", limits: "{ run_time: 30m }")
                == ["rule r, step x: the run has ended before it has waited (limits.run_time)"])
        #expect(try warnings("    - { step: x, wait: 1h }", limits: "{ run_time: 2h }") == [])
    }

    @Test("a wait for a field that no event has; commands behind agents are what rules are for")
    func fields() throws {
        let said = try warnings(
            "    - { step: x, wait: { for: { celsius: [1] } } }\n    - parallel:\n        - { step: y, wait: { for: { dta: { x: [1] } } } }\n        - { step: z, wait: 1m }"
        )
        #expect(said.count == 2)
        #expect(said[0].hasPrefix("rule r: run.steps[0].wait.for: no event has a field 'celsius'"), "\(said)")
        #expect(
            said[1] == "rule r: run.steps[1].parallel[0].wait.for: no event has a field 'dta'; did you mean 'data'?")
        #expect(
            try warnings(
                "    - { step: x, agent: a, prompt: p }\n    - { step: y, command: [c, '{{steps.x.output}}'] }") == [])
    }

    @Test("where no server is known, the targets that one must have are told")
    func assumptions() throws {
        let text = """
            rule: r
            when: { source: [s] }
            run:
              steps:
                - step: look
                  agent: a
                  prompt: x
                  tools: [{ tool: ask, about: b, http: { to: plant, query: {} }, input: { schema: { type: object } } }]
                - { step: tell, send: { to: slack, body: 1 } }
            """
        let documents = try DocumentLoader.load([("r.yaml", text)], knownAgents: nil)
        #expect(
            documents[0].assumptions
                == [("look", "plant"), ("tell", "slack")].map {
                    "rule r, step \($0): the server's `targets:` must have \($1), which is not looked at here"
                })
    }
}
