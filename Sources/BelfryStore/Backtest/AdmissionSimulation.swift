package import BelfryCore

/// What the matches of one rule would come to: groups, limits and resolving as in an admission, over rows in memory,
/// with runs that are taken to last a given time. Nothing is stored or started.
///
/// Events are handed in in the order they were stored; what the time brings between them (a window that ends, a run
/// that ends) is done first. Pauses, mutes, the breaker, the loop guard and the limits on tokens are left out: they are
/// about the hub of that day, not about the rule.
package struct AdmissionSimulation: Sendable {
    /// A run that would have been made.
    package struct Run: Sendable {
        package var at: Timestamp
        /// The values of the group it is for; nil for a rule without groups.
        package var group: RawJSON?
    }

    /// What became of the matches so far. A group that is over without a run gives all of its matches its outcome.
    package private(set) var outcomes: [Outcome: Int] = [:]
    /// Runs that were made since the owner took them last.
    package var made: [Run] = []
    /// Runs that had to wait behind others, of those made.
    package private(set) var runsQueued = 0
    /// Runs that waited longer than `limits.max_wait`, of those made.
    package private(set) var runsExpired = 0
    /// So many waited that further ones are no longer followed: they count as made, and are taken to be over at once.
    package private(set) var isOverfull = false

    private let takes: Duration
    /// The last one: what the time brings goes by its rule.
    private var match: MatchRequest?
    private var groups: [[UInt8]: Group] = [:]
    /// Alerts that fire, of a key with an open group or a run that has not ended.
    private var subjects: [[UInt8]: Set<String>] = [:]
    private var runs = SimulatedRuns()
    private var due = DueTimes<Due>()

    private struct Group {
        var machine: MatchGroup
        var values: RawJSON
        /// Matches that wait for what becomes of the group.
        var held = 0
        var run: Int?
        /// The time that ``due`` holds for it.
        var scheduled: Timestamp?
    }

    private enum Due: Sendable {
        case group([UInt8])
        case runEnd(Int)
        /// `limits.max_wait` of a run.
        case waitEnd(Int)
    }

    /// - Parameter takes: how long a run works, from when it has a place.
    package init(runTakes takes: Duration) { self.takes = takes }

    // MARK: Events

    /// Decides about a match.
    /// - Returns: its outcome as of now; that of a `grouped` one may still change.
    @discardableResult
    package mutating func admit(_ match: MatchRequest, at time: Timestamp) -> Outcome {
        advance(to: time)
        self.match = match
        let outcome: Outcome
        if match.resolves {
            outcome = resolve(match, at: time)
        } else if let membership = match.group, let policy = membership.policy {
            outcome = admit(match, to: membership, policy, at: time)
        } else {
            outcome = begin(match, Place(key: match.group?.key.bytes), at: time).outcome
        }
        outcomes[outcome, default: 0] += 1
        return outcome
    }

    private mutating func admit(
        _ match: MatchRequest, to membership: GroupMembership, _ policy: GroupPolicy, at time: Timestamp
    ) -> Outcome {
        let key = membership.key.bytes
        var machine = groups[key]?.machine
        let verdict = MatchGroup.take(&machine, policy, at: time)
        guard verdict.effect != .cooling, let machine else { return .cooling }
        if groups[key] == nil, groups.count >= Limits.groupsOpenPerRuleMax { return .limited }
        var group = groups[key] ?? Group(machine: machine, values: membership.key.values)
        if verdict.opens { group = Group(machine: machine, values: group.values) }
        group.machine = machine
        if let subject = membership.subject, (subjects[key]?.count ?? 0) < Limits.groupSubjectsMax {
            subjects[key, default: []].insert(subject)
        }
        switch verdict.effect {
        case .starts:
            let outcome = start(&group, match, key, at: time)
            if outcome == .limited {
                close(key, group, .limited)
            } else {
                store(group, key)
            }
            return outcome
        case .joined:
            store(group, key)
            return .joined
        case .held, .cooling:
            group.held += 1
            store(group, key)
            return .grouped
        }
    }

    private mutating func start(
        _ group: inout Group, _ match: MatchRequest, _ key: [UInt8], at time: Timestamp
    ) -> Outcome {
        let place = Place(key: key, values: group.values, whileRunning: group.machine.policy.whileRunning)
        let began = begin(match, place, at: time)
        if began.outcome != .limited {
            group.machine.start(at: time)
            group.run = began.run
            if began.run == nil { group.machine.runEnded() }
        }
        return began.outcome
    }

    /// Where a run stands among others of its rule.
    private struct Place {
        var key: [UInt8]?
        var values: RawJSON?
        /// Nil for a rule without `group`: its runs wait for none of their key.
        var whileRunning: GroupPolicy.WhileRunning?
    }

    /// Makes a run, if the limits allow one.
    private mutating func begin(
        _ match: MatchRequest, _ place: Place, at time: Timestamp
    ) -> (outcome: Outcome, run: Int?) {
        var outcome = Admission.limit(match, runs.facts(match.limits, at: time)).outcome
        guard outcome == .started || outcome == .queued else { return (outcome, nil) }
        // What is replaced: a run that waits is over at once, one at work is told, and the next waits for its end.
        let replaced = place.whileRunning == .restart ? place.key.map { runs.unfinished(of: $0) } ?? [] : []
        for run in replaced where !runs.isWorking(run) { end(run, at: time) }
        let isHeld = place.whileRunning != nil && place.key.map { !runs.unfinished(of: $0).isEmpty } ?? false
        if isHeld { outcome = .queued }
        made.append(Run(at: time, group: place.values))
        if outcome == .queued { runsQueued += 1 }
        guard let run = runs.make(key: place.key, isHeld: isHeld, at: time) else {
            isOverfull = true
            for run in replaced { end(run, at: time) }
            return (outcome, nil)
        }
        for run in replaced { end(run, at: time) }
        claim(at: time)
        if let maxWait = match.limits.maxWait, runs.isWaiting(run) { due.add(.waitEnd(run), at: time + maxWait) }
        return (outcome, run)
    }

    private mutating func claim(at time: Timestamp) {
        for run in runs.claim(match?.limits.concurrency ?? 0) { due.add(.runEnd(run), at: time + takes) }
    }

    // MARK: Resolving

    private mutating func resolve(_ match: MatchRequest, at time: Timestamp) -> Outcome {
        guard let membership = match.group else { return .resolved }
        let key = membership.key.bytes
        if let subject = membership.subject {
            subjects[key]?.remove(subject)
            if subjects[key]?.isEmpty == false { return .resolved }
        }
        subjects[key] = nil
        if let group = groups[key], group.machine.isCollecting { close(key, group, .resolved) }
        if match.onResolved == .stop {
            for run in runs.unfinished(of: key) { end(run, at: time) }
        }
        return .resolved
    }

    // MARK: Time

    /// Does what is due up to `time`.
    package mutating func advance(to time: Timestamp) {
        while let next = due.next(upTo: time) {
            switch next.element {
            case .runEnd(let run): end(run, at: next.time)
            case .waitEnd(let run):
                guard runs.isWaiting(run) else { continue }
                runsExpired += 1
                end(run, at: next.time)
            case .group(let key): fire(key, at: next.time)
            }
        }
    }

    private mutating func fire(_ key: [UInt8], at time: Timestamp) {
        guard var group = groups[key], group.scheduled == time else { return }
        group.scheduled = nil
        switch group.machine.fire(at: time) {
        case nil: store(group, key)
        case .over?: close(key, group, nil)
        case .belowThreshold?: close(key, group, .belowThreshold)
        case .starts?:
            guard let match else { return }
            let outcome = start(&group, match, key, at: time)
            guard outcome != .limited else { return close(key, group, .limited) }
            // The run is about the last event, which started it.
            group.held -= 1
            outcomes[.grouped, default: 0] -= 1
            outcomes[outcome, default: 0] += 1
            store(group, key)
        }
    }

    private mutating func end(_ run: Int, at time: Timestamp) {
        guard let key = runs.end(run) else { return claim(at: time) }
        if var group = groups[key], group.run == run {
            group.machine.runEnded()
            if let due = group.machine.due, due <= time { close(key, group, nil) } else { store(group, key) }
        }
        forgetSubjectsIfOver(key)
        claim(at: time)
    }

    // MARK: Groups

    private mutating func store(_ stored: Group, _ key: [UInt8]) {
        var group = stored
        // One entry a group: what comes later than the entry is looked at when that has come.
        if let due = group.machine.due, group.scheduled.map({ due < $0 }) ?? true {
            group.scheduled = due
            self.due.add(.group(key), at: due)
        }
        groups[key] = group
    }

    /// - Parameter outcome: what becomes of the matches that waited; nil: what they had.
    private mutating func close(_ key: [UInt8], _ group: Group, _ outcome: Outcome?) {
        groups[key] = nil
        forgetSubjectsIfOver(key)
        guard let outcome, group.held > 0 else { return }
        outcomes[.grouped, default: 0] -= group.held
        outcomes[outcome, default: 0] += group.held
    }

    private mutating func forgetSubjectsIfOver(_ key: [UInt8]) {
        if groups[key] == nil, runs.unfinished(of: key).isEmpty { subjects[key] = nil }
    }
}
