import BelfryCore
import Testing

@testable import belfry

struct BacktestTextTests {
    private static let answer: JSONValue = [
        "id": "bkt_x", "state": "done", "rule": "hot", "from": "2026-11-22T08:00:00.000Z",
        "to": "2026-11-23T08:00:00.000Z", "source": "plant", "run_takes_ms": 30_000,
        "result": [
            "events": 1200, "matches": 96, "resolving": 1, "runs": 15, "runs_queued": 3,
            "outcomes": ["started": 12, "queued": 3, "joined": 80, "resolved": 1],
            "by_type": [
                "count": 1, "is_exact": true,
                "top": [["source": "plant", "type": "sensor.reading", "events": 1200, "matches": 96, "runs": 0]],
                "others": ["events": 0, "matches": 0, "runs": 0],
            ],
            "times": [
                "unit": "hour", "rows": [],
                "most": ["from": "2026-11-22T14:00:00.000Z", "matches": 30, "runs": 6],
            ],
            "groups": [
                "count": 3, "is_exact": true,
                "top": [["by": ["pump-7", .null], "events": 0, "matches": 90, "runs": 14]],
                "others": ["events": 0, "matches": 5, "runs": 1],
            ],
            "examples": [
                [
                    "event": "evt_01h455vb4pex5vsknk084sn02q", "received": "2026-11-22T08:01:00.000Z",
                    "source": "plant", "type": "sensor.reading", "subject": "pump-7", "outcome": "started",
                ]
            ],
            "near_misses": [
                "count": 80,
                "by_clause": [["clause": #"data.celsius: numeric [">",90]"#, "events": 80]], "examples": [],
            ],
            "stored": [
                "matches": 40, "runs": 12, "outcomes": ["started": 12, "joined": 28], "both": 40,
                "only_draft": ["count": 56, "examples": ["evt_01h455vb4pex5vsknk084sn02q"]],
                "only_stored": ["count": 0, "examples": []],
            ],
            "notes": [],
        ],
    ]

    @Test("a result reads well at 80 columns")
    func golden() {
        let text = BacktestText.of(Self.answer, width: 80)
        #expect(
            text == """
                hot, 2026-11-22 08:00:00Z to 2026-11-23 08:00:00Z
                1200 events of plant, 96 matches, 1 of them resolving, 15 runs
                  outcomes: 12 started, 3 queued, 80 joined, 1 resolved

                Events that could match
                SOURCE  TYPE            EVENTS  MATCHES
                plant   sensor.reading  1200    96

                Groups: 3
                BY            MATCHES  RUNS
                pump-7, null  90       14
                others: 5 matches, 1 runs

                Runs
                  most in an hour: 6 runs, from 2026-11-22 14:00:00Z
                  3 would have to wait, if each takes 30s

                Nearly: 80 events failed by one clause alone
                  80  data.celsius: numeric [">",90]

                The stored rule: 40 matches, 12 runs
                  outcomes: 12 started, 28 joined
                  both match 40, the draft alone 56, the stored rule alone 0
                    the draft alone: evt_01h455vb4pex5vsknk084sn02q

                First matches
                RECEIVED              TYPE      SUBJECT  OUTCOME  EVENT
                2026-11-22 08:01:00Z  sensor.…  pump-7   started  evt_01h455vb4pex5vsknk084sn02q

                """)
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 84 })
    }

    @Test("the bar tells how far it is, and that nothing is known yet")
    func progress() {
        #expect(BacktestWatch.line(["scanned": 0, "total": 0]) == "looking for the events")
        #expect(
            BacktestWatch.line(["scanned": 400, "total": 1000])
                == "[############                  ]  40 %  400 of 1000 events")
        #expect(BacktestWatch.line(["scanned": 1000, "total": 1000]).contains("] 100 %"))
    }

    @Test("a day is its beginning; other times need a zone")
    func times() {
        #expect(RulesBacktest.time("2026-03-01")?.description == "2026-03-01T00:00:00.000Z")
        #expect(RulesBacktest.time("2026-03-01T12:00:00+01:00")?.description == "2026-03-01T11:00:00.000Z")
        #expect(RulesBacktest.time("yesterday") == nil)
    }
}
