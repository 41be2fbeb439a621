import BelfryCore

/// Runs of one rule that are made, wait for a place, work and end, without doing anything.
struct SimulatedRuns: Sendable {
    private struct Run {
        var key: [UInt8]?
        var isWorking = false
        /// Waits for another run of its key.
        var isHeld: Bool
    }

    private var unfinished: [Int: Run] = [:]
    /// Unfinished ones of a key, in the order they were made.
    private var byKey: [[UInt8]: [Int]] = [:]
    /// What may be claimed, oldest first; holds ones that have ended meanwhile.
    private var waiting: [Int] = []
    private var waitingStart = 0
    private var working = 0
    private var count = 0
    /// When the runs of the last hour were made.
    private var hour: [Timestamp] = []
    private var hourStart = 0

    /// What an admission reads of the store.
    mutating func facts(_ limits: RuleLimits, at time: Timestamp) -> Admission.Facts {
        while hourStart < hour.count, hour[hourStart] <= time - .seconds(3600) { hourStart += 1 }
        if hourStart > 1024, hourStart * 2 > hour.count {
            hour.removeFirst(hourStart)
            hourStart = 0
        }
        var facts = Admission.Facts()
        facts.unfinishedRuns = unfinished.count
        facts.isHourFull = hour.count - hourStart >= limits.runsPerHour
        return facts
    }

    func isWorking(_ run: Int) -> Bool { unfinished[run]?.isWorking ?? false }

    func isWaiting(_ run: Int) -> Bool { unfinished[run].map { !$0.isWorking } ?? false }

    func unfinished(of key: [UInt8]) -> [Int] { byKey[key] ?? [] }

    /// - Returns: nil if too many are unfinished to follow one more.
    mutating func make(key: [UInt8]?, isHeld: Bool, at time: Timestamp) -> Int? {
        hour.append(time)
        guard unfinished.count < Limits.backtestRunsMax else { return nil }
        count += 1
        unfinished[count] = Run(key: key, isHeld: isHeld)
        if let key { byKey[key, default: []].append(count) }
        if !isHeld { waiting.append(count) }
        return count
    }

    /// Those that have a place now.
    mutating func claim(_ concurrency: Int) -> [Int] {
        var claimed: [Int] = []
        while working < concurrency, waitingStart < waiting.count {
            let run = waiting[waitingStart]
            waitingStart += 1
            guard unfinished[run] != nil else { continue }
            unfinished[run]?.isWorking = true
            working += 1
            claimed.append(run)
        }
        if waitingStart > 1024, waitingStart * 2 > waiting.count {
            waiting.removeFirst(waitingStart)
            waitingStart = 0
        }
        return claimed
    }

    /// Ends a run, and lets the next one of its key go on.
    /// - Returns: its key.
    mutating func end(_ id: Int) -> [UInt8]? {
        guard let run = unfinished.removeValue(forKey: id) else { return nil }
        if run.isWorking { working -= 1 }
        guard let key = run.key else { return nil }
        byKey[key]?.removeAll { $0 == id }
        guard let next = byKey[key]?.first else {
            byKey[key] = nil
            return key
        }
        if unfinished[next]?.isHeld == true {
            unfinished[next]?.isHeld = false
            // Older than what was made meanwhile.
            let place = waiting[waitingStart...].firstIndex { $0 > next } ?? waiting.endIndex
            waiting.insert(next, at: place)
        }
        return key
    }
}
