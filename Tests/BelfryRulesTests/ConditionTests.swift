import BelfryCore
import Testing

@testable import BelfryRules

/// `if:` on steps.
@Suite struct ConditionTests {
    private func load(_ steps: String) throws(DocumentErrors) -> [StepDefinition] {
        let documents = try DocumentLoader.load(
            [
                (
                    path: "r.yaml",
                    text: """
                    rule: r
                    when: { source: [s] }
                    run:
                      steps:
                    \(steps)
                    """
                )
            ], knownAgents: ["a"])
        guard case .rule(let rule)? = documents.first?.content else { return [] }
        return rule.steps
    }

    private func faults(_ steps: String) -> [String] {
        do throws(DocumentErrors) {
            _ = try load(steps)
            return []
        } catch {
            return error.diagnostics.map(\.description)
        }
    }

    @Test("a pattern on what templates see; names of steps may hold dots")
    func parses() throws {
        let steps = try load(
            """
                - { step: look.up, agent: a, prompt: x }
                - step: fix
                  if: { steps: { look.up: { state: [succeeded], output: [ { wildcard: "*urgent*" } ] } } }
                  command: [x]
                - { step: tell, if: { $or: [ { data.celsius: [1] }, { run.attempt: [2] } ] }, command: [x] }
            """)
        #expect(steps.map { $0.condition == nil } == [true, false, false])
        let context: JSONValue = ["steps": ["look.up": ["state": "succeeded", "output": "an urgent case"]]]
        #expect(steps[1].condition?.matches(context) == true)
        #expect(steps[1].condition?.matches(["steps": ["look.up": ["state": "skipped"]]]) == false)
        #expect(steps[2].condition?.matches(["run": ["attempt": 2]]) == true)
    }

    @Test("all that is wrong is said at once, with its line and the keys that lead there")
    func diagnostics() {
        let said = faults(
            """
                - step: one
                  if:
                    evnt: { data: { x: [1] } }
                    event: { data: { x: [ { numerik: [1] } ] } }
                    steps: { two: { state: [succeeded] } }
                  agent: a
                  prompt: x
                - step: two
                  if: [ 1 ]
                  command: [x]
                - step: three
                  if: { $or: [ { steps.on.output: [x] }, { sorce: [x] } ] }
                  command: [x]
            """)
        #expect(
            said == [
                "r.yaml:7: run.steps[0].if.evnt: unknown root 'evnt'; did you mean 'event'?",
                "r.yaml:8: run.steps[0].if.event.data.x[0]: unknown operator 'numerik'; did you mean 'numeric'?",
                "r.yaml:9: run.steps[0].if.steps.two.state: 'steps.two' is no earlier step; this is the first step",
                "r.yaml:13: run.steps[1].if: a pattern is a mapping of fields; { source: [plant] }",
                "r.yaml:16: run.steps[2].if.$or[0].steps.on.output: "
                    + "'steps.on' is no earlier step; steps before this one: one, two",
                "r.yaml:16: run.steps[2].if.$or[1].sorce: unknown root 'sorce'; did you mean 'source'?",
            ])
    }
}
