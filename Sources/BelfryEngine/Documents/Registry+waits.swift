import BelfryCore
import BelfryRules
import BelfryStore
import Logging
import Synchronization

/// What steps of runs wait for. A run keeps the version of its rule, so the set of rules holds the waits of each version at
/// which runs wait, whatever has become of the rule since.
///
/// That a version is in the set before a wait is stored is not all: an event may have been matched before, and be stored
/// behind it. So each snapshot has a generation, a wait is stored with one that holds its version, and the store has what was
/// matched with an earlier one matched again (``BelfryError/asksForRematch``).
extension Registry {
    /// The waits of one version.
    struct HeldWaits: Sendable {
        var definition: RuleDefinition
        /// Waits that are about to be stored.
        var beginning: Int
        /// Counts those that were to be and those that were stored: while it stands still, what the store says holds.
        var changes = 0
    }

    /// Has a wait begin: from here on events are held against it.
    func holding<Value>(
        _ version: RuleVersion, _ rule: RuleDefinition,
        _ begin: (_ generation: Int) async throws(BelfryError) -> Value
    ) async throws(BelfryError) -> Value {
        let generation = hold(version, rule, beginning: 1)
        defer {
            state.withLock { state in
                state.waits[version]?.beginning -= 1
                state.waits[version]?.changes += 1
            }
        }
        return try await begin(generation)
    }

    /// Holds what the store says is waited for: at the start, before anything comes.
    func holdStoredWaits() async throws(BelfryError) {
        for version in try await store.versionsWithWaits() {
            do throws(BelfryError) {
                let rule = try await rule(named: version.rule, version: version.version)
                _ = hold(version, rule, beginning: 0)
            } catch {
                logger.error(
                    "a version of a rule can't be read; nothing resumes its runs",
                    metadata: ["rule.name": "\(version.rule)", "error": "\(error)"])
            }
        }
    }

    /// - Returns: the generation of a snapshot that holds the version's waits; later ones do too.
    private func hold(_ version: RuleVersion, _ rule: RuleDefinition, beginning: Int) -> Int {
        while true {
            let seen = state.withLock { state in
                let isHeld = state.waits[version] != nil
                state.waits[version]?.beginning += beginning
                state.waits[version]?.changes += 1
                return (reloads: state.reloads, snapshot: state.snapshot, isHeld)
            }
            if seen.2 { return seen.snapshot.generation }
            var next = seen.snapshot
            next.generation += 1
            if !next.isCurrent(version) {
                next.ruleSet = next.ruleSet.applying(
                    version: next.ruleSet.version, changed: [Rule(waitsOf: rule, version: version.version)], removed: []
                )
            }
            let isShown = state.withLock { state in
                guard state.reloads == seen.reloads else { return false }
                state.reloads += 1
                state.snapshot = next
                state.waits[version] = HeldWaits(definition: rule, beginning: beginning)
                return true
            }
            if isShown { return next.generation }
        }
    }

    /// Lets go of the versions at which nobody waits any more, but for those of today's rules.
    func releaseWaits() async {
        let idle = state.withLock { state in
            state.waits.filter { $0.value.beginning == 0 && !state.snapshot.isCurrent($0.key) }
        }
        for (version, held) in idle {
            // What can't be read now is asked again after the next change.
            guard let hasWaits = try? await store.hasWaits(version), !hasWaits else { continue }
            release(version, held)
        }
    }

    /// - Parameter held: as it was when nobody waited.
    private func release(_ version: RuleVersion, _ held: HeldWaits) {
        let name = Rule(waitsOf: held.definition, version: version.version).name
        while true {
            let (reloads, ruleSet, now) = state.withLock { ($0.reloads, $0.snapshot.ruleSet, $0.waits[version]) }
            guard let now, now.beginning == 0, now.changes == held.changes else { return }
            let next = ruleSet.applying(version: ruleSet.version, changed: [], removed: [name])
            let isDone = state.withLock { state in
                guard state.reloads == reloads else { return false }
                guard state.waits[version]?.changes == held.changes else { return true }
                state.reloads += 1
                state.snapshot.ruleSet = next
                state.waits[version] = nil
                return true
            }
            if isDone { return }
        }
    }
}

extension Registry.Snapshot {
    /// Whether the version is the one of a rule that may match today: then that holds its waits.
    func isCurrent(_ version: RuleVersion) -> Bool {
        ruleSet.rule(named: version.rule)?.version == version.version
    }
}

extension [RuleVersion: Registry.HeldWaits] {
    /// The rules that hold the waits beside today's.
    /// - Parameter names: of these rules alone; nil: of all.
    /// - Returns: `removed`: names of those that today's rules make needless.
    func rules(of names: Set<String>?, beside current: [Rule]) -> (changed: [Rule], removed: [String]) {
        if isEmpty { return ([], []) }
        let versions = [String: Int64](current.map { ($0.name, $0.version) }, uniquingKeysWith: { $1 })
        var (changed, removed): ([Rule], [String]) = ([], [])
        for (version, held) in self where names?.contains(version.rule) ?? true {
            let rule = Rule(waitsOf: held.definition, version: version.version)
            if versions[version.rule] == version.version { removed.append(rule.name) } else { changed.append(rule) }
        }
        return (changed, removed)
    }
}
