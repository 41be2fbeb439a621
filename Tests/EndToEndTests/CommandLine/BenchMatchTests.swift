import BelfryCore
import BelfryRules
import Testing

@testable import belfry

/// `belfry bench match`: what it reads and writes. What it measures is no test's matter.
@Suite(.timeLimit(.minutes(2)))
struct BenchMatchTests {
    @Test("patterns and events of files are held against each other, and each event is accounted for")
    func files() async throws {
        let folder = try TemporaryFolder()
        let rules = try folder.write(
            """
            {"event": ["push"], "payload": {"ref": [{"prefix": "refs/"}]}}
            {"payload": {"id": [{"numeric": [">", 5]}]}}

            """, to: "rules.jsonl")
        let events = try folder.write(
            """
            {"event": "push", "payload": {"ref": "refs/heads/main", "id": 6}}
            {"event": "issues", "payload": {"id": 5}}
            {"payload": null}
            """, to: "events.jsonl")
        let ran = try await CommandResult.of(
            ["bench", "match", "--rules", rules, "--events", events, "--output", "json"], in: folder)
        #expect(ran.code == 0, "\(ran)")
        #expect(ran.json["rules"] == 2)
        #expect(ran.json["compile_s"]?.number != nil && ran.json["bytes_per_rule"]?.number != nil)
        let costs = ran.json["events"]?.array ?? []
        #expect(costs.map { $0["event"] } == ["push", "issues", "line 3"])
        #expect(costs.map { $0["matches"] } == [2, 0, 0])
        #expect(costs.map { $0["bytes"] } == [65, 41, 17])
        #expect(costs.allSatisfy { ($0["cpu_us_per_event"]?.number?.double ?? 0) > 0 })
    }

    @Test("without files, rules and events are made up, and some of them meet")
    func made() async throws {
        let ran = try await CommandResult.of(["bench", "match", "--counts", "10"], in: TemporaryFolder())
        #expect(ran.code == 0, "\(ran)")
        #expect(ran.output.contains("10 rules: compiled in"))
        let rules = try SampleRules.patterns(1000).enumerated().map { Rule("r\($0)", try EventPattern(json: $1.value)) }
        let set = RuleSet(version: 1, rules: rules)
        let counts = try SampleEvents.all.map { set.matches(try JSONValue(parsing: $0.bytes)).count }
        #expect(counts == [1, 3, 3, 0])
    }

    @Test("hostile shapes are measured one by one")
    func hostile() async throws {
        let ran = try await CommandResult.of(
            ["bench", "match", "--hostile", "--counts", "10", "--output", "json"], in: TemporaryFolder())
        #expect(ran.code == 0, "\(ran)")
        let events = ran.json.array?.map { $0["events"]?.array?.first }
        #expect(events?.map { $0?["event"] } == ["excluded", "elements", "ranges", "halves"])
        #expect(events?.allSatisfy { $0?["matches"] == 0 } == true)
    }

    @Test("a line that is no JSON, or no pattern, is named")
    func refused() async throws {
        let folder = try TemporaryFolder()
        let event = try folder.write("{}\n", to: "events.jsonl")
        for (text, expected) in [
            ("{\"a\": [1]}\n{\"a\": [1}\n", "rules.jsonl:2: not valid JSON"),
            ("{\"a\": [1]}\n{\"a\": []}\n", "pattern 2: a: an empty list matches nothing"), ("", "nothing to measure"),
        ] {
            let rules = try folder.write(text, to: "rules.jsonl")
            let ran = try await CommandResult.of(["bench", "match", "--rules", rules, "--events", event], in: folder)
            #expect(ran.code == 2 && ran.errors.contains(expected), "\(ran)")
        }
    }
}
