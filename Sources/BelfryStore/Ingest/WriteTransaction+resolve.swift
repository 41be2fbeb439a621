import BelfryCore
import Foundation
import GRDB

/// Matches of a rule's `resolve`.
extension WriteTransaction {
    /// Ends what the rule's matches of the same key have begun, as its `on_resolved` says.
    func resolve(_ match: MatchRequest, by event: Event, received: Timestamp) throws -> AdmittedMatches.Row {
        func row(_ detail: String, run: RunID? = nil, group: GroupID? = nil) -> AdmittedMatches.Row {
            AdmittedMatches.Row(
                match: match, decision: .init(outcome: .resolved, detail: detail), run: run, group: group)
        }
        guard let membership = match.group else { return row("nothing was open") }
        let group = try openGroup(of: match, key: membership.key.bytes, at: received)
        let last = try lastUnfinishedRun(rule: match.rule, key: membership.key.bytes)
        if let holder = group?.id ?? last?.group {
            if let subject = membership.subject {
                try forget(subject, in: holder)
                let firing = try subjects(of: holder)
                if firing > 0 {
                    let run = group.map(\.run) ?? last?.id
                    return row("\(firing.counted("alert")) of the group still firing", run: run, group: group?.id)
                }
            }
            try forgetSubjects(in: holder)
        }
        var told: [String] = []
        if let open = group, open.machine.isCollecting {
            try close(open, outcome: .resolved, detail: "resolved by \(event.id) before a run was made")
            told.append("\(open.machine.count.counted("event")) waited and started nothing")
        }
        var runs = 0
        try eachUnfinishedRun(rule: match.rule, key: membership.key.bytes) { run in
            let what = try tell(run, match, by: event)
            runs += 1
            if runs <= Limits.resolvedRunsTold { told.append(what) }
        }
        if runs > Limits.resolvedRunsTold { told.append("and \((runs - Limits.resolvedRunsTold).counted("more run"))") }
        if match.onResolved == .stop, var open = try openGroup(rule: match.rule, key: membership.key.bytes) {
            // Told to stop, its run holds nobody back but the next run.
            open.machine.runEnded()
            try closeOrStore(open)
        }
        let detail = told.isEmpty ? "nothing was open" : told.joined(separator: "; ")
        return row(detail, run: last?.id, group: group?.id)
    }

    /// - Returns: what was done to the run, for a person.
    private func tell(_ run: RunRecord, _ match: MatchRequest, by event: Event) throws -> String {
        switch match.onResolved {
        case .ignore: return "\(run.id) goes on (on_resolved: ignore)"
        case .notify:
            let notice = Notice(
                .resolved, .info, title: "\(run.rule) is resolved",
                text: "\(event.type) from \(event.source); run \(run.id) goes on", event: event.id, run: run.id,
                rule: run.rule)
            try append(notice.frame(at: now))
            return "\(run.id) goes on, its operators were told (on_resolved: notify)"
        case .stop:
            try stop(run, .resolved)
            return run.state == .queued ? "\(run.id) was stopped" : "\(run.id) was told to stop"
        }
    }

    // MARK: Runs of a key

    /// In the order they were made, however many there are.
    func eachUnfinishedRun(rule: String, key: [UInt8], _ body: (RunRecord) throws -> Void) throws {
        let sql = """
            SELECT \(RunRecord.columns) FROM runs INDEXED BY runs_unfinished_of_key
            WHERE rule = ? AND group_key = ? AND ended IS NULL AND sequence > ? ORDER BY sequence LIMIT ?
            """
        var last: Int64? = 0
        while let after = last {
            let page = try rows(sql, [rule, key.blob, after, Limits.pageRowsMax])
            for row in page { try body(RunRecord(row)) }
            last = page.last?.int("sequence")
        }
    }

    func lastUnfinishedRun(rule: String, key: [UInt8]) throws -> RunRecord? {
        let sql = """
            SELECT \(RunRecord.columns) FROM runs INDEXED BY runs_unfinished_of_key
            WHERE rule = ? AND group_key = ? AND ended IS NULL ORDER BY sequence DESC LIMIT 1
            """
        return try row(sql, [rule, key.blob]).map { try RunRecord($0) }
    }

    /// The hub's own word: a queued run ends here, one at work is told when this is committed.
    func stop(_ run: RunRecord, _ reason: EndReason) throws {
        switch run.state {
        case .queued:
            _ = try commit(RunChange.end(run, .stopped, reason, error: nil, at: now))
        case .running, .waiting:
            guard run.stopReason == nil else { return }
            try execute("UPDATE runs SET stop_reason = ? WHERE sequence = ?", [reason.rawValue, run.sequence])
            try append(
                DraftFrame(
                    time: now, topic: .runs, run: run.id, rule: run.rule, type: .runState,
                    data: RawJSON(["state": .string(run.state.rawValue), "stop_reason": .string(reason.rawValue)])))
            try append(
                AuditDraft(
                    by: .hub, action: "run.stop", subject: run.id.description,
                    detail: ["reason": .string(reason.rawValue)]))
            stops.append(RunStop(run: run.id, reason: reason))
        case .stopping, .succeeded, .failed, .expired, .stopped:
            break
        }
    }
}
