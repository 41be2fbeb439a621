package import BelfryCore

/// One group of a rule's matches: when they start a run, and what later ones do. Pure: it decides, its owner performs.
///
/// ```
/// opened ─▶ collecting ─ nth event, or its time ─▶ started(run) ─ run ends ─▶ started(ended) ─ window, cooldown over ─▶ over
///               └ the window ends below the threshold ─▶ over
/// ```
///
/// Before each event, and whenever ``due`` has come, its owner asks ``fire(at:)``; then ``take(_:_:at:)`` decides about the
/// event. Times are those at which events were received.
package struct MatchGroup: Sendable, Hashable {
    package enum Phase: Sendable, Hashable {
        case collecting
        /// `at`: when its run was made.
        case started(at: Timestamp, hasEnded: Bool)
    }

    /// What an event does.
    package struct Verdict: Sendable, Hashable {
        package enum Effect: Sendable, Hashable {
            /// `grouped`: it counts; the group waits, or its run was made before.
            case held
            /// It counts, and the group's run is to be made now. The owner calls ``MatchGroup/start(at:)``, or drops the
            /// group where a limit refuses the run.
            case starts
            /// `joined`: it counts to the run that is at work.
            case joined
            /// `cooling`: it does not count.
            case cooling
        }

        package var effect: Effect
        /// Why, for a person.
        package var detail: String?
        /// The event is the first of a new group; the one before, if there was one, is over.
        package var opens = false
    }

    /// What the time brings.
    package enum Fired: Sendable, Hashable {
        /// The run is to be made now, about the last event.
        case starts
        /// The window has ended with fewer events than the threshold asks for.
        case belowThreshold(detail: String)
        /// Nothing of it is left to wait for.
        case over
    }

    package private(set) var policy: GroupPolicy
    package private(set) var phase: Phase
    /// The first event.
    package private(set) var opened: Timestamp
    package private(set) var last: Timestamp
    package private(set) var count: Int64

    /// A group as it was stored.
    package init(policy: GroupPolicy, phase: Phase, opened: Timestamp, last: Timestamp, count: Int64) {
        self.policy = policy
        self.phase = phase
        self.opened = opened
        self.last = last
        self.count = count
    }

    // MARK: Events

    /// Decides about an event. A new group takes the place of one that is over.
    package static func take(_ group: inout MatchGroup?, _ policy: GroupPolicy, at time: Timestamp) -> Verdict {
        if let verdict = group?.take(policy, at: time) { return verdict }
        var opened = MatchGroup(policy: policy, phase: .collecting, opened: time, last: time, count: 0)
        var verdict = opened.collect(at: time)
        verdict.opens = true
        group = opened
        return verdict
    }

    /// - Returns: nil if the event belongs to another group than this one.
    private mutating func take(_ policy: GroupPolicy, at time: Timestamp) -> Verdict? {
        self.policy = policy
        switch phase {
        case .collecting:
            return collect(at: time)
        case .started(_, hasEnded: false):
            switch policy.whileRunning {
            case .join:
                add(time)
                return Verdict(effect: .joined, detail: "event \(count) of the run's group")
            case .ignore:
                return Verdict(
                    effect: .cooling, detail: "a run of this group is at work (group.while_running: ignore)")
            case .queue, .restart:
                return cooling(at: time)
            }
        case .started(_, hasEnded: true):
            if let end = windowEnd, time < end {
                add(time)
                return Verdict(
                    effect: .held, detail: "the run of this window was made before; the next window begins at \(end)")
            }
            return cooling(at: time)
        }
    }

    private mutating func collect(at time: Timestamp) -> Verdict {
        add(time)
        if let threshold = policy.threshold, policy.within != nil {
            return Verdict(effect: count >= threshold ? .starts : .held, detail: "event \(progress(threshold))")
        }
        guard policy.debounce != nil, let due else { return Verdict(effect: .starts) }
        return Verdict(effect: .held, detail: "the run is made at \(due) if no event of the group comes before")
    }

    private mutating func add(_ time: Timestamp) {
        count += 1
        last = max(last, time)
    }

    private func cooling(at time: Timestamp) -> Verdict? {
        guard let end = cooldownEnd, time < end else { return nil }
        return Verdict(effect: .cooling, detail: "group.cooldown until \(end)")
    }

    private func progress(_ threshold: Int) -> String {
        "\(count) of \(threshold)" + (policy.within.map { " within \($0.shorthand)" } ?? "")
    }

    // MARK: The run

    /// Its run was made.
    package mutating func start(at time: Timestamp) { phase = .started(at: time, hasEnded: false) }

    package mutating func runEnded() {
        if case .started(let time, _) = phase { phase = .started(at: time, hasEnded: true) }
    }

    package var isCollecting: Bool { phase == .collecting }

    // MARK: Time

    /// When ``fire(at:)`` has something to say; nil while only an event, or the end of its run, can change anything.
    package var due: Timestamp? {
        switch phase {
        case .collecting:
            if policy.threshold != nil, let within = policy.within { return opened + within }
            guard let debounce = policy.debounce else { return opened }
            let quiet = last + debounce
            return policy.within.map { min(quiet, opened + $0) } ?? quiet
        case .started(_, hasEnded: false):
            return nil
        case .started(let time, hasEnded: true):
            return [windowEnd, cooldownEnd].compactMap { $0 }.max() ?? time
        }
    }

    /// - Returns: nil if nothing is due at `time`.
    package func fire(at time: Timestamp) -> Fired? {
        guard let due, due <= time else { return nil }
        guard phase == .collecting else { return .over }
        guard let threshold = policy.threshold, policy.within != nil else { return .starts }
        return .belowThreshold(detail: "only \(progress(threshold))")
    }

    /// Until then the run that was made stands for all events of the window. What a debounce has waited for is no
    /// window: it ends with the run's beginning.
    private var windowEnd: Timestamp? { policy.debounce == nil ? policy.within.map { opened + $0 } : nil }

    private var cooldownEnd: Timestamp? {
        guard case .started(let time, _) = phase else { return nil }
        return policy.cooldown.map { time + $0 }
    }
}
