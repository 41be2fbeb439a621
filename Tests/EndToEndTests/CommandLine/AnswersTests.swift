import BelfryCore
import Testing

@testable import belfry

/// What commands make of the hub's answers.
struct AnswersTests {
    @Test("an apply counts what it did")
    func applied() {
        let answer: JSONValue = [
            "created": ["rule/a", "rule/b"], "changed": [], "removed": [], "unchanged": 1, "warnings": [],
        ]
        #expect(
            RulesApply.table(answer, isDryRun: false)
                == "+ rule/a\n+ rule/b\napplied: 2 created, 0 changed, 1 unchanged\n")
        #expect(
            RulesApply.table(answer, isDryRun: true).hasSuffix("would be applied: 2 created, 0 changed, 1 unchanged\n"))
        #expect(
            RulesApply.table(["created": [], "changed": [], "removed": [], "unchanged": 0], isDryRun: false)
                == "nothing in it\n")
    }

    @Test("doctor says what is paused and that the rules folder is broken")
    func status() {
        let findings = HubCheck.findings(ofStatus: [
            "paused": true, "paused_sources": ["plant"],
            "rules_folder": ["path": "/r", "error": "/r/pump.yaml:3: whem: unknown key"],
            "store": ["synchronous": 2, "page_size": 16384, "journal_mode": "wal"],
        ])
        let lines = findings.map { "\($0.grade.rawValue) \($0.name) \($0.detail); \($0.mend ?? "")" }
        #expect(
            lines == [
                "warn paused everything: events are stored, nothing starts; belfry resume",
                "warn paused source plant; belfry sources resume plant",
                "fail rules folder /r/pump.yaml:3: whem: unknown key; the hub runs the previous set; ",
                "ok durability synchronous 2, page_size 16384, journal_mode wal; ",
            ])
        let well = HubCheck.findings(ofStatus: [
            "paused": false, "paused_sources": [], "rules_folder": .null, "store": ["synchronous": 1],
        ])
        #expect(well.map(\.grade) == [.fail])
    }

    @Test("a problem names its source, and has one remedy")
    func problems() {
        let item: JSONValue = ["name": "plant", "status": "secret_unavailable", "problem": "X is not set; set it"]
        let finding = HubCheck.problem(of: item, named: "sources")
        #expect(finding?.detail == "plant: X is not set; set it")
        #expect(finding?.mend == nil)
        let bare: JSONValue = ["name": "plant", "status": "secret_unavailable", "problem": "the file f is missing"]
        #expect(HubCheck.problem(of: bare, named: "sources")?.mend != nil)
        #expect(HubCheck.problem(of: ["name": "plant", "status": "ready"], named: "sources") == nil)
    }
}
