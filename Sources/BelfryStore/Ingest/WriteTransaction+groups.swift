import BelfryCore
import Foundation
import GRDB

/// The group's part of an admission: what ``MatchGroup`` decides, done to rows.
extension WriteTransaction {
    /// A match of a rule with `group`, after the gate.
    /// - Parameter start: what a run's beginning depends on.
    func admitToGroup(
        _ match: MatchRequest, _ membership: GroupMembership, _ policy: GroupPolicy, start: RunStart
    ) throws -> AdmittedMatches.Row {
        let time = start.received
        let group = try openGroup(of: match, key: membership.key.bytes, at: time)
        var machine = group?.machine
        let verdict = MatchGroup.take(&machine, policy, at: time)
        if verdict.effect == .cooling {
            return AdmittedMatches.Row(
                match: match, decision: .init(outcome: .cooling, detail: verdict.detail), run: group?.run)
        }
        guard let machine else {
            return AdmittedMatches.Row(match: match, decision: .init(outcome: .grouped), run: nil)
        }
        var counted: StoredGroup
        if let group, !verdict.opens {
            counted = group
            counted.machine = machine
            counted.ruleVersion = match.ruleVersion
        } else {
            guard try group != nil || openGroups(of: match.rule) < Limits.groupsOpenPerRuleMax else {
                let detail = "\(Limits.groupsOpenPerRuleMax) open groups of the rule"
                return AdmittedMatches.Row(match: match, decision: .init(outcome: .limited, detail: detail), run: nil)
            }
            counted = try open(machine, match, membership, event: start.event.id, inPlaceOf: group)
        }
        counted.add(start.event.id, membership)
        if let subject = membership.subject { try remember(subject, in: counted.id) }
        let row: AdmittedMatches.Row
        switch verdict.effect {
        case .starts: row = try begin(&counted, match, start)
        case .joined:
            row = AdmittedMatches.Row(
                match: match, decision: .init(outcome: .joined, detail: verdict.detail), run: counted.run,
                group: counted.id)
        case .held, .cooling:
            row = AdmittedMatches.Row(
                match: match, decision: .init(outcome: .grouped, detail: verdict.detail), run: nil, group: counted.id)
        }
        // A group whose run was refused is over.
        if verdict.effect != .starts || row.run != nil { try store(counted) }
        return row
    }

    /// Makes the group's run, if the limits allow one; else the group is over.
    private func begin(
        _ group: inout StoredGroup, _ match: MatchRequest, _ start: RunStart
    ) throws -> AdmittedMatches.Row {
        var decision = Admission.limit(match, start.facts)
        guard decision.makesRun else {
            try noticeSpentTokens(rule: match.rule, limits: match.limits)
            try close(group, outcome: decision.outcome, detail: decision.detail)
            return AdmittedMatches.Row(match: match, decision: decision, run: nil, group: group.id)
        }
        if group.machine.policy.whileRunning == .restart {
            try eachUnfinishedRun(rule: group.rule, key: group.key) { try stop($0, .replaced) }
        }
        let waitsFor = try lastUnfinishedRun(rule: group.rule, key: group.key)
        if let waitsFor { decision = .init(outcome: .queued, detail: "waits for \(waitsFor.id) of its group") }
        let run = try insertRun(
            event: start.event, match: match, traceparent: start.traceparent, received: start.received,
            after: try start.earlier ?? lastRun(of: match.rule, event: start.event.id),
            place: RunPlace(key: group.key, group: group.id, count: group.machine.count, isHeld: waitsFor != nil))
        group.machine.start(at: start.received)
        group.run = run
        return AdmittedMatches.Row(match: match, decision: decision, run: run, group: group.id)
    }

    // MARK: Time

    /// The open group of a match. Its time may have come before the timer did: what is due of it is done before.
    func openGroup(of match: MatchRequest, key: [UInt8], at time: Timestamp) throws -> StoredGroup? {
        let group = try openGroup(rule: match.rule, key: key)
        guard let group, let due = group.machine.due, due <= time else { return group }
        try fire(group, at: time, match: match)
        return try openGroup(rule: match.rule, key: key)
    }

    /// What is due of an open group.
    /// - Parameter match: what its rule says today; nil: it is gone, or switched off.
    func fire(_ group: StoredGroup, at time: Timestamp, match: MatchRequest?) throws {
        switch group.machine.fire(at: time) {
        case nil: try setDue(of: group)
        case .over?: try close(group, outcome: nil, detail: nil)
        case .belowThreshold(let detail)?: try close(group, outcome: .belowThreshold, detail: detail)
        case .starts?: try beginDue(group, at: time, match: match)
        }
    }

    /// The run of a group that has waited for quiet: about its last event, by the rule that this one has matched.
    private func beginDue(_ stored: StoredGroup, at time: Timestamp, match: MatchRequest?) throws {
        var group = stored
        guard var match else {
            return try close(group, outcome: .paused, detail: "the rule was switched off while its group waited")
        }
        guard let record = try EventRecord.find(group.lastEvent, in: db) else {
            return try close(group, outcome: .paused, detail: "the event it is about is gone")
        }
        match.ruleVersion = group.ruleVersion
        let facts = try admissionFacts(
            match, of: record.event, pause: try pauseState(source: record.event.source), received: time)
        if let gate = Admission.gate(match, facts) {
            return try close(group, outcome: gate.outcome, detail: gate.detail)
        }
        let traceparent = try row("SELECT traceparent FROM events WHERE id = ?", [group.lastEvent.bytes.blob])
        let start = RunStart(
            event: record.event, traceparent: traceparent?.optionalText("traceparent"), received: time, facts: facts)
        let began = try begin(&group, match, start)
        guard let run = began.run else { return }
        try store(group)
        try append(
            AuditDraft(
                by: .hub, action: "group.started", subject: group.id.description,
                detail: [
                    "count": .int(group.machine.count), "rule": .string(group.rule), "run": .string(run.description),
                ]))
        let sequence = record.summary.sequence
        try execute(
            "UPDATE events SET status = ?, runs = runs + 1 WHERE sequence = ?",
            [EventStatus.matched.rawValue, sequence])
        try execute(
            "UPDATE matches SET outcome = ?, run = ?, detail = ? WHERE event = ? AND rule = ? AND match_group = ?",
            [
                began.decision.outcome.rawValue, run.bytes.blob,
                (began.decision.detail ?? "after \(group.machine.count.counted("event")) of its group").blob, sequence,
                group.rule, group.id.bytes.blob,
            ])
    }

    /// A run has ended: its group waits for the rest of its window and cooldown, or is over; the next run of the key may
    /// begin.
    func noteEnd(of run: RunRecord) throws {
        guard let key = run.groupKey else { return }
        if let id = run.group, var group = try openGroup(id), group.run == run.id {
            group.machine.runEnded()
            try closeOrStore(group)
        } else if let id = run.group {
            try leaveSubjects(of: id, rule: run.rule, key: key)
        }
        try execute(
            """
            UPDATE runs SET held = 0 WHERE sequence = (
                SELECT min(sequence) FROM runs INDEXED BY runs_unfinished_of_key
                WHERE rule = ? AND group_key = ? AND ended IS NULL)
            """,
            [run.rule, key.blob])
        if db.changesCount > 0 { hasQueuedRuns = true }
    }

    /// Its run counts as ended.
    func closeOrStore(_ group: StoredGroup) throws {
        if let due = group.machine.due, due <= now {
            try close(group, outcome: nil, detail: nil)
        } else {
            try store(group)
        }
    }
}

/// What a run's beginning depends on, beside its rule.
struct RunStart {
    var event: Event
    var traceparent: String?
    /// What groups, `limits.runs_per_hour` and cooldowns count by.
    var received: Timestamp
    var facts: Admission.Facts
    /// The run that an operator repeats.
    var earlier: WriteTransaction.EarlierRun?
}

/// Where a run stands among others of its rule.
struct RunPlace {
    var key: [UInt8]
    var group: GroupID?
    var count: Int64 = 1
    /// Another run of the group has not ended.
    var isHeld = false
}
