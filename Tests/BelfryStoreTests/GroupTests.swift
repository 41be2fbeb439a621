import BelfryCore
import Foundation
import GRDB
import Testing

@testable import BelfryStore

/// What becomes of the matches of a group, in rows, with a clock that the test moves.
@Suite(.timeLimit(.minutes(3))) struct GroupTests {
    /// Accepts one event of a sensor and says what became of its match.
    private func accept(
        _ fixture: borrowing Fixture, _ policy: GroupPolicy, sensor: String = "pump-7", celsius: Int = 95
    ) async throws -> (event: EventID, outcome: Outcome?, run: RunID?) {
        let event = fixture.event(data: #"{"sensor": "\#(sensor)", "celsius": \#(celsius)}"#)
        let accepted = try await fixture.accept(event, matching: [.grouped(policy, event)])
        return (accepted.event, accepted.outcomes.first?.outcome, accepted.runs.first)
    }

    private func told(_ fixture: borrowing Fixture, _ event: EventID) async throws -> [String] {
        try await fixture.store.matches(of: event).map { match in
            "\(match.outcome.rawValue)\(match.run == nil ? "" : " with run"): \(match.detail ?? "")"
        }
    }

    private func fire(_ fixture: borrowing Fixture) async throws -> Int {
        try await fixture.store.fireTimers { .rule($0) }
    }

    @Test("with a threshold the nth event starts one run for all, and the matches before it tell of it")
    func threshold() async throws {
        let fixture = try Fixture()
        let policy = GroupPolicy.with(within: 60, threshold: 3)
        let first = try await accept(fixture, policy, celsius: 91)
        #expect(first.outcome == .grouped)
        #expect(try await accept(fixture, policy, sensor: "pump-8").outcome == .grouped)
        fixture.clock.advance(by: .seconds(10))
        #expect(try await accept(fixture, policy, celsius: 99).outcome == .grouped)
        let third = try await accept(fixture, policy, celsius: 97)
        let run = try #require(third.run)
        #expect(third.outcome == .started)
        let match = try #require(try await fixture.store.matches(of: first.event).first)
        #expect(match.outcome == .grouped && match.run == run && match.group?.count == 3)
        let group = try await fixture.store.group(try #require(match.group?.id))
        #expect(group.summary.values.bytes == Array(#"["pump-7"]"#.utf8))
        #expect(
            group.least.value["celsius"]?.number?.int64 == 91 && group.greatest.value["celsius"]?.number?.int64 == 99)
        #expect(group.sample.count == 3 && group.lastEvent == third.event)
        #expect(try await fixture.store.run(run).group == group.summary.id)
        #expect(try await fixture.store.event(first.event).summary.groups.map(\.count) == [3])
        #expect(try await fixture.store.runs().items.count == 1)
        await fixture.store.close()
    }

    @Test("templates see the events of a sample without long data")
    func samples() async throws {
        let fixture = try Fixture()
        let long = "\"" + String(repeating: "x", count: Limits.groupSampleDataMax) + "\""
        let events = [fixture.event(data: "7"), fixture.event(data: long)]
        for event in events { try await fixture.accept(event) }
        let samples = try await fixture.store.samples(of: [events[1].id, EventID(at: fixture.clock.now), events[0].id])
        #expect(samples.map(\.id) == [events[1].id, events[0].id])
        #expect(samples.map(\.data?.text) == [nil, "7"])
        #expect(events.map { EventSample($0).data?.text } == ["7", nil])
        await fixture.store.close()
    }

    @Test("a window that ends below the threshold says so on every event in it")
    func belowThreshold() async throws {
        let fixture = try Fixture()
        let policy = GroupPolicy.with(within: 60, threshold: 3)
        let events = [try await accept(fixture, policy), try await accept(fixture, policy)]
        fixture.clock.advance(by: .seconds(59))
        #expect(try await fire(fixture) == 0)
        fixture.clock.advance(by: .seconds(1))
        #expect(try await fire(fixture) == 1)
        for event in events {
            #expect(try await told(fixture, event.event) == ["below_threshold: only 2 of 3 within 1m"])
        }
        #expect(try await fixture.store.openGroups(of: "r").items.isEmpty)
        #expect(try await fixture.store.audit(after: 0).last?.action == "group.below_threshold")
        #expect(try await fixture.store.nextTimer() == nil)
        await fixture.store.close()
    }

    @Test("a debounce waits for quiet; its run is about the last event")
    func debounce() async throws {
        let fixture = try Fixture()
        let policy = GroupPolicy.with(within: 60, debounce: 10)
        let first = try await accept(fixture, policy)
        fixture.clock.advance(by: .seconds(9))
        let last = try await accept(fixture, policy)
        fixture.clock.advance(by: .seconds(9))
        #expect(try await fire(fixture) == 0)
        fixture.clock.advance(by: .seconds(1))
        #expect(try await fire(fixture) == 1)
        #expect(fixture.recorder.all.last?.hasQueuedRuns == true)
        let run = try #require(try await fixture.store.runs().items.first)
        #expect(run.event == last.event)
        #expect(try await told(fixture, last.event) == ["started with run: after 2 events of its group"])
        #expect(try await told(fixture, first.event).first?.hasPrefix("grouped with run") == true)
        #expect(try await fixture.store.event(last.event).summary.status == .matched)
        #expect(try await fixture.store.event(last.event).summary.runs == [run.id])
        await fixture.store.close()
    }

    @Test("an event that comes after the time, but before the timer, finds what was due done")
    func overdue() async throws {
        let fixture = try Fixture()
        let first = try await accept(fixture, .with(within: 60, debounce: 10))
        fixture.clock.advance(by: .seconds(30))
        let late = try await accept(fixture, .with(within: 60, debounce: 10))
        #expect(late.outcome == .joined)
        #expect(try await fixture.store.runs().items.map(\.event) == [first.event])
        await fixture.store.close()
    }

    @Test("while a run is at work", arguments: GroupPolicy.WhileRunning.allCases)
    func whileRunning(_ kind: GroupPolicy.WhileRunning) async throws {
        let fixture = try Fixture()
        let policy = GroupPolicy.with(whileRunning: kind)
        let first = try #require(try await accept(fixture, policy).run)
        _ = try await fixture.store.claimRuns(max: 9, concurrency: { _ in nil })
        let second = try await accept(fixture, policy)
        let match = try #require(try await fixture.store.matches(of: second.event).first)
        switch kind {
        case .join: #expect(match.outcome == .joined && match.run == first && match.group?.count == 2)
        case .ignore: #expect(match.outcome == .cooling && match.run == first && match.group == nil)
        case .queue, .restart:
            #expect(match.outcome == .queued && match.detail == "waits for \(first) of its group")
            #expect(
                try await fixture.store.claimRuns(max: 9, concurrency: { _ in nil }).isEmpty, "never two of a group")
            let stops = fixture.recorder.all.flatMap(\.stops)
            #expect(stops == (kind == .restart ? [RunStop(run: first, reason: .replaced)] : []))
            #expect(try await fixture.store.run(first).stopReason == (kind == .restart ? .replaced : nil))
            let third = try await accept(fixture, policy)
            try await fixture.store.commit(RunChange(run: first, from: [.running], to: .stopped, reason: .replaced))
            let next = try await fixture.store.claimRuns(max: 9, concurrency: { _ in nil })
            #expect(next.map(\.run.event) == [kind == .restart ? third.event : second.event])
        }
        await fixture.store.close()
    }

    @Test("the cooldown holds the next run back, over the end of the run and of the process")
    func cooldown() async throws {
        let fixture = try Fixture()
        let policy = GroupPolicy.with(cooldown: 60)
        let run = try #require(try await accept(fixture, policy).run)
        try await fixture.store.commit(RunChange(run: run, from: [.queued], to: .stopped))
        fixture.clock.advance(by: .seconds(59))
        #expect(try await accept(fixture, policy).outcome == .cooling)
        let again = try await fixture.reopen()
        #expect(try await again.openGroups(of: "r").items.map(\.due) == [fixture.clock.now + .seconds(1)])
        fixture.clock.advance(by: .seconds(1))
        #expect(try await again.fireTimers { .rule($0) } == 1)
        #expect(try await again.openGroups(of: "r").items.isEmpty)
        await again.close()
    }

    @Test("a limit that refuses the run closes the group, and its matches say so")
    func limited() async throws {
        let fixture = try Fixture()
        let event = fixture.event()
        var match = MatchRequest.grouped(.with(within: 60, threshold: 2), event)
        match.limits.runsPerHour = 0
        let first = try await fixture.accept(event, matching: [match])
        let second = try await fixture.accept(fixture.event(), matching: [match])
        #expect(second.outcomes.first?.outcome == .limited && second.runs.isEmpty)
        #expect(try await told(fixture, first.event) == ["limited: limits.runs_per_hour: 0 runs in the last hour"])
        #expect(try await fixture.store.openGroups(of: "r").items.isEmpty)
        await fixture.store.close()
    }

    @Test("a debounce that ends while everything is paused, or after its rule was switched off, starts nothing")
    func pausedMeanwhile() async throws {
        let fixture = try Fixture()
        let policy = GroupPolicy.with(within: 60, debounce: 10)
        let paused = try await accept(fixture, policy)
        try await fixture.store.setAllPaused(true, by: .hub)
        fixture.clock.advance(by: .seconds(10))
        #expect(try await fire(fixture) == 1)
        #expect(try await told(fixture, paused.event) == ["paused: everything is paused (belfry resume)"])
        try await fixture.store.setAllPaused(false, by: .hub)
        let gone = try await accept(fixture, policy)
        fixture.clock.advance(by: .seconds(10))
        #expect(try await fixture.store.fireTimers { _ in nil } == 1)
        #expect(try await told(fixture, gone.event) == ["paused: the rule was switched off while its group waited"])
        await fixture.store.close()
    }

    @Test("a repeated delivery of an event that a group has counted is a duplicate")
    func duplicate() async throws {
        let fixture = try Fixture()
        let event = fixture.event("k")
        let match = MatchRequest.grouped(.with(within: 60, threshold: 9), event)
        try await fixture.accept(event, matching: [match])
        #expect(try await fixture.accept(fixture.event("k"), matching: [match]).status == .duplicate)
        #expect(try await fixture.store.openGroups(of: "r").items.map(\.count) == [1])
        await fixture.store.close()
    }

    @Test("a group's row does not grow with its events, nor with what they hold")
    func bounded() async throws {
        let fixture = try Fixture()
        let policy = GroupPolicy.with(within: 3600, threshold: 1_000_000)
        var length: Int?
        for batch in 0..<20 {
            let items = (0..<100).map { index in
                let wide = (0..<40).map { #""k\#(batch)-\#(index)-\#($0)": \#($0)"# }.joined(separator: ",")
                let event = fixture.event(data: #"{"sensor": "a", "deep": {"a": {"b": {"c": {"d": 1}}}}, \#(wide)}"#)
                return AcceptedDelivery.Item(event: event, matches: [.grouped(policy, event)])
            }
            _ = try await fixture.store.accept(fixture.delivery(items))
            let now = try fixture.number("SELECT length(state) + length(policy) FROM match_groups")
            if batch > 0 { #expect(now == length) }
            length = now
        }
        #expect(try #require(length) < 4000)
        #expect(try fixture.number("SELECT count FROM match_groups") == 2000)
        #expect(try fixture.number("SELECT count(*) FROM match_groups") == 1)
        #expect(try fixture.number("SELECT count(*) FROM timers") == 1)
        await fixture.store.close()
    }

    @Test("a payload that never repeats its value opens no more than 10,000 groups")
    func openGroupsMax() async throws {
        let fixture = try Fixture()
        let policy = GroupPolicy.with(within: 60, threshold: 2)
        try fixture.sql("INSERT INTO open_groups (rule, count) VALUES ('r', \(Limits.groupsOpenPerRuleMax - 1))")
        #expect(try await accept(fixture, policy, sensor: "a").outcome == .grouped)
        let refused = try await accept(fixture, policy, sensor: "b")
        #expect(try await told(fixture, refused.event) == ["limited: 10000 open groups of the rule"])
        #expect(try await accept(fixture, policy, sensor: "a").outcome == .started, "what is open goes on")
        fixture.clock.advance(by: .seconds(60))
        let run = try #require(try await fixture.store.runs().items.first)
        try await fixture.store.commit(RunChange(run: run.id, from: [.queued], to: .stopped))
        #expect(try await accept(fixture, policy, sensor: "b").outcome == .grouped)
        await fixture.store.close()
    }

    @Test("a key over a kibibyte is kept by its digest and shown cut")
    func longKey() {
        let long = GroupKey([.string(String(repeating: "x", count: 2000))])
        #expect(long.bytes.count == 71 && long.values.bytes.count < 1040)
        #expect(long != GroupKey([.string(String(repeating: "x", count: 2001))]))
        #expect(GroupKey([nil, 1]).bytes == Array("[null,1]".utf8))
    }

    @Test("numbers are one group however they are written, as in patterns; texts, null and true are others")
    func numbersInKey() throws {
        func key(_ text: String) throws -> GroupKey {
            GroupKey([try JSONValue(parsing: Array(#"{"by": [\#(text)]}"#.utf8))["by"] ?? .null])
        }
        let spellings = [
            ["1", "1.0", "1e0", "0.1E+1", "10e-1"], ["0", "-0", "0.000", "0e99"], ["-21.5", "-2.15e1"],
            ["12345678901234567890123", "12345678901234567890123.0"], ["1e400", "10e399"],
            [#"{"a": 1}"#, #"{"a": 1.0}"#],
        ]
        for same in spellings {
            let keys = Set(try same.map { try key($0).bytes })
            #expect(keys.count == 1, "\(same)")
        }
        let others =
            spellings.map { $0[0] } + [
                #""1""#, "true", "null", "[]", "[1]", "{}", "12345678901234567890124", "1e401", "1e99999999999",
                "1e-400",
                "-1",
            ]
        let keys = Set(try others.map { try key($0).bytes })
        #expect(keys.count == others.count)
        #expect(GroupKey([.number(JSONNumber(7)), "a"]).bytes == Array(#"[7,"a"]"#.utf8))
    }

    @Test("least and greatest are told apart to the last digit, and beyond what a double holds")
    func exactNumbers() throws {
        func numbers(_ text: String) throws -> GroupNumbers {
            GroupNumbers(of: try JSONValue(parsing: Array(#"{"n": \#(text)}"#.utf8)))
        }
        for (low, high) in [
            ("9007199254740992", "9007199254740993"), ("1", "1e400"), ("1e400", "1e401"), ("-1e401", "-1e400"),
            ("-1e400", "5"), ("0.1", "0.10000000000000000001"), ("-2", "-1.5"), ("-1", "0"), ("-0.5", "1e-400"),
        ] {
            for (first, second) in [(low, high), (high, low)] {
                var (least, greatest) = (try numbers(first), try numbers(first))
                least.merge(try numbers(second), keepsGreater: false)
                greatest.merge(try numbers(second), keepsGreater: true)
                #expect(least.members["n"]?.number?.text == low)
                #expect(greatest.members["n"]?.number?.text == high)
            }
        }
    }

    @Test("a run of a group that queues costs the same however many wait, and a resolve ends them all")
    func longQueue() async throws {
        let fixture = try Fixture()
        let policy = GroupPolicy.with(whileRunning: .queue)
        let count = Limits.pageRowsMax + 5
        for start in stride(from: 0, to: count, by: 201) {
            let items = (start..<min(start + 201, count)).map { _ in
                let event = fixture.event(data: #"{"sensor": "a"}"#)
                var match = MatchRequest.grouped(policy, event)
                match.limits.runsPerHour = 1_000_000
                return AcceptedDelivery.Item(event: event, matches: [match])
            }
            _ = try await fixture.store.accept(fixture.delivery(items))
        }
        let runs = try await fixture.store.runs(max: 2).items
        let detail = try await fixture.store.matches(of: runs[0].event).first?.detail
        #expect(detail == "waits for \(runs[1].id) of its group")
        let event = fixture.event(data: #"{"sensor": "a"}"#)
        var match = MatchRequest.grouped(nil, event)
        (match.resolves, match.onResolved) = (true, .stop)
        let resolved = try await fixture.accept(event, matching: [match])
        #expect(try fixture.number("SELECT count(*) FROM runs WHERE ended IS NULL") == 0)
        let told = try #require(try await fixture.store.matches(of: resolved.event).first?.detail)
        #expect(told.hasSuffix("; and \(count - 3) more runs") && told.utf8.count < 200, "\(told)")
        await fixture.store.close()
    }

    @Test("no more than 64 timers fire in one transaction")
    func firedMax() async throws {
        let fixture = try Fixture()
        for index in 0..<70 {
            _ = try await accept(fixture, .with(within: 60, threshold: 2), sensor: "s\(index)")
        }
        fixture.clock.advance(by: .seconds(60))
        #expect(try await [fire(fixture), fire(fixture), fire(fixture)] == [64, 6, 0])
        #expect(try fixture.number("SELECT count FROM open_groups") == 0)
        await fixture.store.close()
    }
}

extension MatchRequest {
    /// A match of rule `r`, grouped by the sensor of its event.
    static func grouped(_ policy: GroupPolicy?, _ event: Event, subject: String? = nil) -> MatchRequest {
        var match = MatchRequest.rule("r", concurrency: 99, runsPerHour: 999)
        let data = event.data.value
        var membership = GroupMembership(key: GroupKey([data["sensor"] ?? .null]), policy: policy, subject: subject)
        membership.numbers = RawJSON(.object(GroupNumbers(of: data).members))
        match.group = membership
        return match
    }
}
