import BelfryCore
import Testing

@testable import BelfryStore

/// When the matches of a group start a run, as tables: a letter is an event, its second stands before it.
@Suite struct MatchGroupTests {
    /// Plays events and ends of runs at their seconds, and writes down what becomes of each.
    private func play(
        _ policy: GroupPolicy, _ moments: [(second: Int64, what: String)]
    ) -> [String] {
        var line = GroupLine(policy: policy)
        for moment in moments {
            line.advance(to: moment.second * 1000)
            if moment.what == "event" { line.event() } else { line.endRun() }
        }
        line.advance(to: 1_000_000)
        return line.said
    }

    private func events(_ seconds: Int64...) -> [(second: Int64, what: String)] { seconds.map { ($0, "event") } }

    @Test("without threshold and debounce the first event starts the run")
    func first() {
        #expect(play(.with(within: 60), events(0, 1, 59)) == ["0: starts", "1: joined", "59: joined"])
        let ended = play(.with(within: 60), [(0, "event"), (5, "end"), (10, "event"), (59, "event"), (60, "event")])
        #expect(ended == ["0: starts", "5: ended", "10: held", "59: held", "60: starts"])
        let plain = play(.with(), [(0, "event"), (5, "end"), (5, "event")])
        #expect(plain == ["0: starts", "5: ended", "5: starts"], "without a window a group is as long as its run")
    }

    @Test("with a threshold the nth event of the window starts the run at once")
    func threshold() {
        #expect(
            play(.with(within: 60, threshold: 3), events(0, 10, 59)) == ["0: held", "10: held", "59: starts"])
        #expect(
            play(.with(within: 60, threshold: 3), events(0, 10, 60, 61))
                == ["0: held", "10: held", "60: below_threshold", "60: held", "61: held", "120: below_threshold"],
            "windows tumble from the first event"
        )
        let again = play(
            .with(within: 60, threshold: 2), [(0, "event"), (1, "event"), (2, "end"), (30, "event"), (61, "event")])
        #expect(again == ["0: held", "1: starts", "2: ended", "30: held", "61: held", "121: below_threshold"])
    }

    @Test("with a debounce the run starts after the quiet time, at the latest when the window ends")
    func debounce() {
        #expect(play(.with(within: 60, debounce: 10), events(0)) == ["0: held", "10: starts"])
        #expect(
            play(.with(within: 60, debounce: 10), events(0, 9, 18)) == ["0: held", "9: held", "18: held", "28: starts"])
        #expect(
            play(.with(within: 20, debounce: 10), events(0, 9, 18)) == ["0: held", "9: held", "18: held", "20: starts"])
        let after = play(.with(within: 60, debounce: 10), [(0, "event"), (12, "end"), (15, "event")])
        #expect(after == ["0: held", "10: starts", "12: ended", "15: held", "25: starts"], "the window ended at 10")
    }

    @Test("while a run is at work: join counts, ignore does not, queue and restart begin another group")
    func whileRunning() {
        func outcomes(_ kind: GroupPolicy.WhileRunning) -> [String] {
            play(.with(whileRunning: kind), events(0, 1))
        }
        #expect(outcomes(.join) == ["0: starts", "1: joined"])
        #expect(outcomes(.ignore) == ["0: starts", "1: cooling"])
        #expect(outcomes(.queue) == ["0: starts", "1: starts"])
        #expect(outcomes(.restart) == ["0: starts", "1: starts"])
        let collecting = play(.with(within: 60, threshold: 2, whileRunning: .queue), events(0, 1, 2, 3))
        #expect(collecting == ["0: held", "1: starts", "2: held", "3: starts"])
    }

    @Test("the cooldown counts from the run's beginning; a join is still a join")
    func cooldown() {
        let policy = GroupPolicy.with(cooldown: 30)
        let moments: [(second: Int64, what: String)] = [
            (0, "event"), (5, "event"), (10, "end"), (11, "event"), (29, "event"), (30, "event"),
        ]
        #expect(
            play(policy, moments)
                == ["0: starts", "5: joined", "10: ended", "11: cooling", "29: cooling", "30: starts"])
        #expect(
            play(.with(cooldown: 30, whileRunning: .restart), events(0, 5, 31))
                == ["0: starts", "5: cooling", "31: starts"])
    }

    @Test("a policy that changes under an open group holds for it")
    func changed() {
        var group: MatchGroup?
        _ = MatchGroup.take(&group, .with(within: 60, threshold: 9), at: Timestamp(seconds: 0))
        let verdict = MatchGroup.take(&group, .with(within: 60, threshold: 2), at: Timestamp(seconds: 1))
        #expect(verdict.effect == .starts && !verdict.opens && group?.count == 2)
        group = nil
        _ = MatchGroup.take(&group, .with(within: 60, threshold: 9), at: Timestamp(seconds: 0))
        #expect(MatchGroup.take(&group, .with(), at: Timestamp(seconds: 1)).effect == .starts)
    }

    @Test("what a person is told")
    func details() {
        var group: MatchGroup?
        let first = MatchGroup.take(&group, .with(within: 60, threshold: 5), at: Timestamp(seconds: 0))
        #expect(first.detail == "event 1 of 5 within 1m")
        #expect(group?.fire(at: Timestamp(seconds: 60)) == .belowThreshold(detail: "only 1 of 5 within 1m"))
        #expect(group?.fire(at: Timestamp(seconds: 59)) == nil)
    }

    @Test("random events and policies: as a clock that ticks says", arguments: 0..<40)
    func property(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<25 {
            let policy = GroupPolicy.random(using: &random)
            var line = GroupLine(policy: policy)
            var model = TickingGroup(policy: policy)
            var runEnd: Int64?
            var moment: Int64 = 0
            for _ in 0..<60 {
                moment += Int64.random(in: 0...9, using: &random) * (Bool.random(using: &random) ? 1 : 4)
                while let end = runEnd, end <= moment {
                    line.advance(to: end)
                    model.advance(to: end)
                    line.endRun()
                    model.endRun()
                    runEnd = nil
                    line.advance(to: moment)
                    model.advance(to: moment)
                    if line.isRunning { runEnd = max(moment, end) + Int64.random(in: 1...40, using: &random) }
                }
                line.advance(to: moment)
                model.advance(to: moment)
                line.event()
                model.event()
                if line.isRunning, runEnd == nil { runEnd = moment + Int64.random(in: 1...40, using: &random) }
            }
            #expect(line.said == model.said, "\(policy)")
            #expect(line.group?.count ?? 0 == model.count, "\(policy)")
            guard line.said == model.said else { return }
        }
    }
}

/// The groups of one key, driven as the store does it.
private struct GroupLine {
    let policy: GroupPolicy
    var group: MatchGroup?
    var said: [String] = []
    private var moment: Int64 = 0

    init(policy: GroupPolicy) { self.policy = policy }

    private var now: Timestamp { Timestamp(milliseconds: moment) }

    var isRunning: Bool {
        if case .started(_, hasEnded: false) = group?.phase { true } else { false }
    }

    mutating func advance(to end: Int64) {
        while let due = group?.due, due.milliseconds <= end {
            moment = max(moment, due.milliseconds)
            let now = now
            switch group?.fire(at: now) {
            case .starts?:
                note("starts")
                group?.start(at: now)
            case .belowThreshold?:
                note("below_threshold")
                group = nil
            case .over?: group = nil
            case nil: return
            }
        }
        moment = end
    }

    mutating func event() {
        let now = now
        let verdict = MatchGroup.take(&group, policy, at: now)
        note("\(verdict.effect)")
        if verdict.effect == .starts { group?.start(at: now) }
    }

    mutating func endRun() {
        group?.runEnded()
        note("ended")
    }

    private mutating func note(_ what: String) {
        said.append("\(moment % 1000 == 0 ? moment / 1000 : moment): \(what)")
    }
}

/// The same, told by a clock that ticks through every millisecond and looks at all there is: what the machine is to say.
private struct TickingGroup {
    let policy: GroupPolicy
    var said: [String] = []
    private var now: Int64 = 0
    private var counted: [Int64] = []
    private var begun: Int64?
    private var isRunning = false
    private var isOpen = false

    init(policy: GroupPolicy) { self.policy = policy }

    var count: Int64 { isOpen ? Int64(counted.count) : 0 }

    private var within: Int64? { policy.within?.milliseconds }
    private func age(_ of: Int64?) -> Int64 { of.map { now - $0 } ?? .max }
    private var isInWindow: Bool { policy.debounce == nil && (within.map { age(counted.first) < $0 } ?? false) }
    private var isCool: Bool { policy.cooldown.map { age(begun) >= $0.milliseconds } ?? true }

    mutating func advance(to end: Int64) {
        look()
        while now < end {
            now += 1
            look()
        }
    }

    private mutating func look() {
        guard isOpen, !isRunning else { return }
        if begun != nil {
            if !isInWindow, isCool { isOpen = false }
        } else if policy.threshold != nil {
            guard age(counted.first) >= within ?? 0 else { return }
            note("below_threshold")
            isOpen = false
        } else if let debounce = policy.debounce,
            age(counted.last) >= debounce.milliseconds || age(counted.first) >= within ?? .max
        {
            begin()
        }
    }

    private mutating func begin() {
        note("starts")
        begun = now
        isRunning = true
    }

    mutating func event() {
        if isRunning {
            if policy.whileRunning == .join {
                counted.append(now)
                return note("joined")
            }
            if policy.whileRunning == .ignore || !isCool { return note("cooling") }
            (isOpen, isRunning) = (false, false)
        }
        if isOpen, begun != nil {
            guard isInWindow else { return note("cooling") }
            counted.append(now)
            return note("held")
        }
        if !isOpen { (isOpen, counted, begun) = (true, [], nil) }
        counted.append(now)
        let waits = policy.threshold.map { counted.count < $0 } ?? (policy.debounce != nil)
        if waits { note("held") } else { begin() }
    }

    mutating func endRun() {
        isRunning = false
        note("ended")
    }

    private mutating func note(_ what: String) {
        said.append("\(now % 1000 == 0 ? now / 1000 : now): \(what)")
    }
}

extension GroupPolicy {
    static func with(
        within: Int64? = nil, threshold: Int? = nil, debounce: Int64? = nil, cooldown: Int64? = nil,
        whileRunning: WhileRunning = .join
    ) -> GroupPolicy {
        var policy = GroupPolicy()
        policy.within = within.map { .seconds($0) }
        policy.threshold = threshold
        policy.debounce = debounce.map { .seconds($0) }
        policy.cooldown = cooldown.map { .seconds($0) }
        policy.whileRunning = whileRunning
        return policy
    }

    fileprivate static func random(using random: inout SeededGenerator) -> GroupPolicy {
        var policy = GroupPolicy()
        func duration(_ range: ClosedRange<Int64>) -> Duration {
            .milliseconds(Int64.random(in: range, using: &random))
        }
        switch Int.random(in: 0...3, using: &random) {
        case 0: break
        case 1: policy.within = duration(5...60)
        case 2:
            policy.within = duration(5...60)
            policy.threshold = .random(in: 1...5, using: &random)
        default:
            policy.within = duration(20...60)
            policy.debounce = duration(1...20)
        }
        if Bool.random(using: &random) { policy.cooldown = duration(1...80) }
        policy.whileRunning = .allCases.randomElement(using: &random) ?? .join
        return policy
    }
}
