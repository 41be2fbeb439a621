package import BelfryCore

extension RunRecord {
    /// Tells the operators that it failed, and of what.
    package func failureNotice(_ error: StoredError?, at now: Timestamp) -> DraftFrame {
        Notice(
            .runFailed, .error, title: "A run of \(rule) failed", text: error?.message ?? "without a reason",
            event: event,
            run: id, rule: rule
        ).frame(at: now)
    }
}

extension RunChange {
    /// The end of a run that does not end by itself: found broken, interrupted, or stopped before it began.
    package static func end(
        _ run: RunRecord, _ state: RunState, _ reason: EndReason, error: StoredError?, by principal: Principal = .hub,
        at now: Timestamp
    ) -> RunChange {
        var members: JSONObject = ["state": .string(state.rawValue), "reason": .string(reason.rawValue)]
        if let error { members["error"] = error.json }
        var change = RunChange(run: run.id, from: [run.state], to: state, reason: reason, error: error)
        if state == .failed { change.frames.append(run.failureNotice(error, at: now)) }
        change.frames += [
            DraftFrame(
                time: now, topic: .runs, run: run.id, rule: run.rule,
                type: state == .failed ? .runError : .runFinished, data: RawJSON(.object(members))
            )
        ]
        change.audit = [
            AuditDraft(
                by: principal, action: "run.\(state.rawValue)", subject: run.id.description,
                detail: ["reason": .string(reason.rawValue)]
            )
        ]
        return change
    }
}
