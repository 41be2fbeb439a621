import BelfryCore
import BelfryRules
import CMalloc
import Glibc

/// Measures a rule set: what it costs to make, to keep, and to ask.
struct MatchMeter {
    /// For each event: at least this long before it counts, and in each of ``rounds``.
    var warmUp = Duration.milliseconds(60)
    var round = Duration.milliseconds(120)
    /// The fastest counts: what is slower was disturbed by others.
    var rounds = 5

    /// An event as it stands, with a word that names it.
    struct Event: Sendable {
        var name: String
        var bytes: [UInt8]
    }

    /// A set with what it cost.
    struct Compiled {
        var rules: RuleSet
        /// Reading the patterns out of their JSON.
        var parsing: Duration
        /// From patterns to a set that can be asked.
        var compiling: Duration
        /// What the set keeps of the heap, the rules and their names included, by malloc's own account.
        var heapBytes: Int
    }

    /// What one event costs.
    struct Cost {
        var event: String
        var bytes: Int
        /// Time of this thread on a processor, the event's text parsed each time.
        var cpuMicroseconds: Double
        var matches: Int
    }

    static func compile(_ patterns: [RawJSON]) throws(Failure) -> Compiled {
        let heap = Int(belfry_heap_bytes_in_use())
        let start = ContinuousClock.now
        var rules: [Rule] = []
        rules.reserveCapacity(patterns.count)
        for (index, pattern) in patterns.enumerated() {
            do {
                rules.append(Rule("r\(index)", try EventPattern(json: pattern.value)))
            } catch {
                throw Failure(.usage, "pattern \(index + 1): \(error)")
            }
        }
        let parsed = ContinuousClock.now
        let set = RuleSet(version: 1, rules: rules)
        let compiled = ContinuousClock.now
        rules = []
        return Compiled(
            rules: set, parsing: parsed - start, compiling: compiled - parsed,
            heapBytes: max(0, Int(belfry_heap_bytes_in_use()) - heap))
    }

    func cost(of event: Event, _ rules: RuleSet) -> Cost {
        _ = repeated(event, rules, for: warmUp)
        var best = Double.infinity
        var matches = 0
        for _ in 0..<rounds {
            let round = repeated(event, rules, for: round)
            best = min(best, round.cpuMicroseconds)
            matches = round.matches
        }
        return Cost(event: event.name, bytes: event.bytes.count, cpuMicroseconds: best, matches: matches)
    }

    private func repeated(
        _ event: Event, _ rules: RuleSet, for time: Duration
    ) -> (cpuMicroseconds: Double, matches: Int) {
        // Trusted means that nobody has looked at it: matching checks the text as it walks it, each time.
        let json = RawJSON(trusted: event.bytes)
        let start = Self.threadTime()
        var count = 0, matches = 0, step = 1
        while true {
            for _ in 0..<step { matches = rules.matches(json: json).count }
            count += step
            let spent = Self.threadTime() - start
            if spent >= time { return (Double(spent.nanoseconds) / 1000 / Double(count), matches) }
            // Looking at the clock must not count: after each look, as often again, at most a thousand times.
            step = min(count, 1000)
        }
    }

    private static func threadTime() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
