import BelfryCore
import Testing

struct TopicTests {
    private let run = RunID(at: Timestamp(milliseconds: 1), bits: (1, 1))

    private func frame(_ topic: Topic, run: RunID? = nil, rule: String? = nil, source: String? = nil) -> DraftFrame {
        DraftFrame(
            time: Timestamp(milliseconds: 0), topic: topic, run: run, rule: rule, source: source, type: .custom,
            data: .null)
    }

    @Test("every topic reads its own text")
    func roundTrip() {
        let all: [Topic] = [
            .run(run), .everyRun, .runs, .rule("a.b"), .source("s-1"), .approvals, .rules, .alerts, .custom("x_y"),
        ]
        for topic in all { #expect(Topic(topic.description) == topic) }
    }

    @Test(
        "other texts are no topic",
        arguments: [
            "", "run", "run/", "run/x", "rule/", "rule/A", "rule/a/b", "custom/../x", "Runs", "runs/", "*", "rule/*",
            "source/é",
        ])
    func refused(text: String) {
        #expect(Topic(text) == nil)
    }

    @Test("a topic covers what it says and nothing else")
    func covers() {
        let token = frame(.run(run), run: run, rule: "r")
        let life = frame(.runs, run: run, rule: "r")
        let event = frame(.source("s"), source: "s")
        let other = frame(.alerts)
        func check(_ topic: Topic, _ expected: [Bool], line: SourceLocation = #_sourceLocation) {
            #expect([token, life, event, other].map(topic.covers) == expected, sourceLocation: line)
        }
        check(.run(run), [true, true, false, false])
        check(.run(RunID(at: Timestamp(milliseconds: 2), bits: (1, 1))), [false, false, false, false])
        check(.everyRun, [true, true, false, false])
        check(.runs, [false, true, false, false])
        check(.rule("r"), [false, true, false, false])
        check(.rule("q"), [false, false, false, false])
        check(.source("s"), [false, false, true, false])
        check(.source("t"), [false, false, false, false])
        check(.alerts, [false, false, false, true])
        check(.rules, [false, false, false, false])
    }

    @Test("names are safe in URLs, topics and file names")
    func names() {
        for name in ["a", "0", "a-b_c.d", String(repeating: "x", count: 64)] { #expect(Name.isValid(name)) }
        for name in ["", "-a", ".a", "_a", "A", "a b", "a/b", "é", "a\u{0}", String(repeating: "x", count: 65)] {
            #expect(!Name.isValid(name))
        }
    }
}
