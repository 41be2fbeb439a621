import ArgumentParser
import BelfryCore
import Testing

@testable import belfry

struct RunTimelineTests {
    private static let run: JSONValue = [
        "approvals": [
            [
                "id": "apr_2", "step": "confirm", "message": "Shut\u{1B}[2J down?", "schema": ["type": "object"],
                "decision": .null,
            ],
            ["id": "apr_1", "step": "confirm", "message": "old", "decision": "void", "decided_by": "hub"],
        ],
        "steps": [
            [
                "name": "diagnose", "kind": "agent", "state": "succeeded", "attempt": 2, "output": "worn\nbearing",
                "started": "2026-01-01T00:00:00.000Z", "ended": "2026-01-01T00:00:01.500Z",
                "usage": ["input_tokens": 12, "output_tokens": .null],
            ],
            [
                "name": "confirm", "kind": "approve", "state": "waiting", "attempt": 1,
                "started": "2026-01-01T00:00:02.000Z", "due": "2026-01-01T00:15:02.000Z",
            ],
            ["name": "report", "kind": "send", "state": "pending", "attempt": 0],
        ],
    ]

    @Test("each step is a line with its facts; a question stands with the commands that answer it")
    func lines() {
        let now = Timestamp("2026-01-01T00:00:12.000Z")
        #expect(
            RunTimeline(run: Self.run, now: now).lines == [
                "", "✓ diagnose  agent    succeeded  attempt 2, 1.5 s, 12 tokens in, - out", "  worn", "  bearing",
                "", "● confirm   approve  waiting until 2026-01-01 00:15:02Z  10.0 s", "  Shut\u{FFFD}[2J down?",
                "  belfry approvals approve apr_2 --value JSON", "  belfry approvals deny apr_2 --reason TEXT",
                "", "· report    send     pending",
            ])
    }

    @Test("what an agent has said before it asks stands above the question")
    func said() {
        let call: JSONValue = ["toolCallName": "restart", "state": "asked", "at": 9, "arguments": "{}"]
        let run: JSONValue = [
            "approvals": [["id": "apr_1", "step": "mend", "message": "Restart?", "decision": .null]],
            "steps": [
                [
                    "name": "mend", "kind": "agent", "state": "waiting", "attempt": 1,
                    "said": ["text": "It\nis hot", "calls": [call]],
                ]
            ],
        ]
        #expect(
            RunTimeline(run: run).lines.dropFirst(2).prefix(4) == [
                "  It", "  is hot", "  → restart {} (asked)", "  Restart?",
            ])
    }

    @Test("a message says what its target has answered, each time")
    func attempts() {
        let run: JSONValue = [
            "steps": [
                [
                    "name": "report", "kind": "send", "state": "succeeded", "attempt": 3, "http_status": 202,
                    "attempts": [
                        ["attempt": 1, "ended": "2026-01-01T00:00:00.000Z", "problem": "ops: no connection"],
                        [
                            "attempt": 2, "ended": "2026-01-01T00:00:05.000Z", "http_status": 503,
                            "problem": "busy\u{1B}",
                        ],
                        ["attempt": 3, "ended": "2026-01-01T00:05:05.000Z", "http_status": 202],
                    ],
                ]
            ]
        ]
        #expect(
            RunTimeline(run: run).lines == [
                "", "✓ report  send     succeeded  attempt 3, HTTP 202",
                "  attempt 1 2026-01-01 00:00:00Z: ops: no connection",
                "  attempt 2 2026-01-01 00:00:05Z: HTTP 503: busy\u{FFFD}",
            ])
    }

    @Test("a step that waited for an event names it")
    func event() {
        let run: JSONValue = [
            "steps": [["name": "merged", "kind": "wait", "state": "succeeded", "attempt": 1, "event": "evt_1"]]
        ]
        let lines = RunTimeline(run: run, now: Timestamp("2026-01-01T00:00:12.000Z")).lines
        #expect(lines.contains("  event: evt_1"))
    }

    @Test("what frames say of waiting is one line")
    func waits() {
        let due: JSONValue = "2026-01-01T00:15:02.000Z"
        #expect(
            WaitText.line(["step": "confirm", "state": "waiting", "for": "approval", "due": due])
                == "confirm waits for a decision until 2026-01-01 00:15:02Z")
        #expect(
            WaitText.line([
                "step": "ask", "for": "retry", "attempt": 1, "due": due, "error": ["message": "no answer"],
            ]) == "ask waits for attempt 2 until 2026-01-01 00:15:02Z: no answer")
        #expect(
            WaitText.decision(["step": "confirm", "decision": "deny", "by": "anna", "reason": "no"])
                == "confirm denied by anna: no")
        #expect(
            WaitText.decision(["step": "confirm", "decision": "deny", "by": "hub", "reason": "expired"])
                == "confirm expired")
    }

    @Test("an adjustment is the body that the API takes")
    func adjustment() throws {
        let command = try RunsAdjust.parse([
            "run_x", "--param", "limit=5", "--param", "tone=terse", "--param", "old=null", "--prompt", "a.b=say = this",
            "--prompt", "c=null", "--agent", "a.b.temperature=0.2", "--restart",
        ])
        #expect(
            JSONValue.object(try command.body()) == [
                "params": ["limit": 5, "tone": "terse", "old": .null],
                "steps": [
                    "a.b": ["prompt": "say = this", "agent": ["temperature": .double(0.2)]], "c": ["prompt": .null],
                ], "restart": true,
            ])
        for bad in [["--param", "x"], ["--prompt", "=x"], ["--agent", "temperature=1"]] {
            #expect(throws: Failure.self) { try RunsAdjust.parse(["run_x"] + bad).body() }
        }
    }
}
