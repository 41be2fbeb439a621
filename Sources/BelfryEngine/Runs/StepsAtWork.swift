import BelfryCore

/// The steps of a run that are at work: each is a ``StepAttempt`` in a task of its own, which reports its end to the run's
/// mailbox, and ends before its time when it is cut.
struct StepsAtWork {
    private var cuts: [Int: AsyncStream<Never>.Continuation] = [:]

    var isEmpty: Bool { cuts.isEmpty }

    /// Begins an attempt.
    mutating func begin(
        _ step: Int, _ preparation: StepPreparation, reportingTo mailbox: RunMailbox,
        in group: inout DiscardingTaskGroup
    ) {
        let (signal, cut) = AsyncStream.makeStream(of: Never.self)
        cuts[step] = cut
        let attempt = StepAttempt(preparation: preparation, step: step, mailbox: mailbox, cut: signal)
        group.addTask { await attempt.perform() }
    }

    /// Tells a step to end; its end comes by the mailbox.
    func cut(_ step: Int) { cuts[step]?.finish() }

    /// A step has reported its end.
    mutating func remove(_ step: Int) { cuts[step] = nil }
}
