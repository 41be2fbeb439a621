import BelfryCore
import Testing

@testable import belfry

/// What commands make of the hub's answers.
struct AnswersTests {
    @Test("an apply says which keys of what it changes, and counts")
    func applied() {
        let answer: JSONValue = [
            "changes": [
                ["document": "rule/old", "change": "removed", "owner_before": "api", "keys": []],
                ["document": "rule/a", "change": "created", "keys": []],
                ["document": "rule/b", "change": "changed", "owner_before": "api", "keys": ["limits", "when"]],
                [
                    "document": "rule/c", "change": "changed", "owner_before": "file", "keys": [],
                    "diff": "--- rule/c version 1\n+++ rule/c\n@@ -1,1 +1,1 @@\n-a\n+b\n",
                ],
            ], "unchanged": 1,
        ]
        #expect(
            PlanText.of(answer, isDryRun: false) == """
                + rule/a
                ~ rule/b  limits, when
                ~ rule/c  same meaning; from the rules folder
                --- rule/c version 1
                +++ rule/c
                @@ -1,1 +1,1 @@
                -a
                +b
                - rule/old
                applied: 1 created, 2 changed, 1 removed, 1 unchanged

                """)
        #expect(
            PlanText.of(["changes": [], "unchanged": 1], isDryRun: true)
                == "would be applied: 0 created, 0 changed, 1 unchanged\n")
        #expect(PlanText.of(["changes": [], "unchanged": 0], isDryRun: false) == "nothing in it\n")
    }

    @Test("a rule's state is said in plain words, what weighs most first")
    func ruleState() {
        #expect(RuleStateText.of(["enabled": true, "mode": "run"]) == "runs")
        #expect(RuleStateText.of(["enabled": true, "mode": "observe"]) == "observes")
        #expect(
            RuleStateText.of([
                "enabled": false, "mode": "run", "muted_until": "2026-01-02T03:04:05.678Z", "muted_by": "ann",
                "broken": ["since": "2026-01-02T03:00:00.000Z", "reason": "10 runs failed"],
            ])
                == "disabled, muted until 2026-01-02 03:04:05Z by ann, broken since 2026-01-02 03:00:00Z: 10 runs failed"
        )
        let broken: JSONValue = ["broken": ["since": "2026-01-02T03:00:00.000Z", "reason": "10 runs failed"]]
        #expect(RuleStateText.of(broken, isShort: true) == "broken since 2026-01-02 03:00:00Z")
        #expect(RuleStateText.of(["enabled": false, "problem": "no key"]) == "unreadable: no key")
    }

    @Test("a failure of the command line is its message, in logs and notices too")
    func failure() {
        #expect("\(Failure(.usage, "no file in rules"))" == "no file in rules")
    }

    @Test("an audit entry is read in words; digests are left to programs")
    func audit() {
        func text(_ detail: JSONValue) -> String { AuditText.detail(of: ["detail": detail]) }
        #expect(text(["digest": "ab", "owner": "api", "version": 1]) == "version 1, owner api")
        #expect(
            text([
                "digest": "ab", "keys": ["limits", "when"], "owner": "api", "token": "tok_1", "version": 4,
                "version_before": 3,
            ]) == "version 3 → 4: limits, when, owner api")
        #expect(
            text([
                "keys": [], "owner": "api", "owner_before": "file", "restored": 2, "version": 6, "version_before": 5,
            ])
                == "version 5 → 6 as 2: same meaning, taken over from file, owner api")
        #expect(text(["until": "2026-01-02T03:04:05.678Z"]) == "until 2026-01-02T03:04:05.678Z")
        #expect(text(["runs": [], "source": "plant", "status": "filtered"]) == "source plant, status filtered")
    }

    @Test("doctor says what is paused and that the rules folder is broken")
    func status() {
        let findings = HubCheck.findings(ofStatus: [
            "paused": true, "paused_sources": ["plant"],
            "rules_folder": ["path": "/r", "error": "/r/pump.yaml:3: whem: unknown key"],
            "problems": [["title": "rule/tell can't send", "text": "step report: no target"]],
            "store": ["synchronous": 2, "page_size": 16384, "journal_mode": "wal"],
        ])
        let lines = findings.map { "\($0.grade.rawValue) \($0.name) \($0.detail); \($0.mend ?? "")" }
        #expect(
            lines == [
                "warn paused everything: events are stored, nothing starts; belfry resume",
                "warn paused source plant; belfry sources resume plant",
                "fail rules folder /r/pump.yaml:3: whem: unknown key; the hub runs the previous set; ",
                "fail documents rule/tell can't send: step report: no target; ",
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
