public import BelfryCore
import Glibc

/// Ends what commands leave behind: processes known by the variables they were started with.
///
/// A process group is not enough: `setsid` and `setpgid` leave it. The environment is inherited by every child that
/// does not replace it, so what carries our markers is ours. What starts its children with an environment of its own
/// *and* in a session of its own (`env -i setsid …`) escapes both; only a container or cgroup would hold it.
public enum OrphanReaper {
    public struct Outcome: Sendable, Hashable {
        /// Processes that were sent SIGKILL.
        public var killed: Int
        /// What still runs after the deadline, e.g. in an uninterruptible system call. Empty: confirmed gone.
        public var survivors: [Int32]
    }

    /// Kills all that runs with `BELFRY_HUB=hub` and, if steps are given, one of them in `BELFRY_STEP`, and the groups
    /// such a process leads; returns when they are gone.
    ///
    /// - Parameter steps: `run_…/step`, as in the environment; nil for any.
    public static func reap(
        hub: String,
        steps: Set<String>? = nil,
        deadline: Duration = Limits.killConfirmTimeout
    ) async -> Outcome {
        let marker = ProcessMarker(hub: hub, steps: steps)
        return await kill(deadline: deadline) { entry in marker.isCarried(by: entry.process) }
    }

    /// Kills everything `isOurs` holds for until nothing of it is left: a process may fork between two looks.
    static func kill(
        deadline: Duration, _ isOurs: (ProcessTable.Entry) -> Bool
    ) async -> Outcome {
        let end = ContinuousClock.now + deadline
        var killed: Set<Int32> = []
        var pause = Duration.milliseconds(1)
        while true {
            let found = ProcessTable.processes().compactMap(ProcessTable.entry)
                .filter { !$0.isZombie && $0.process != getpid() && isOurs($0) }
            guard !found.isEmpty else { return Outcome(killed: killed.count, survivors: []) }
            guard .now < end else { return Outcome(killed: killed.count, survivors: found.map(\.process)) }
            for entry in found {
                Glibc.kill(entry.process, SIGKILL)
                // A leader's group may hold children that changed their environment.
                if entry.processGroup == entry.process { Glibc.kill(-entry.process, SIGKILL) }
                killed.insert(entry.process)
            }
            await uncancelledSleep(pause)
            pause = min(pause * 2, .milliseconds(50))
        }
    }
}

/// Whether a process was started for one of our steps.
struct ProcessMarker: Sendable {
    private let hub: [UInt8]
    private let steps: Set<[UInt8]>?

    init(hub: String, steps: Set<String>?) {
        self.hub = Array("BELFRY_HUB=\(hub)".utf8)
        self.steps = steps.map { Set($0.map { Array("BELFRY_STEP=\($0)".utf8) }) }
    }

    func isCarried(by process: Int32) -> Bool {
        let environment = ProcessTable.environment(of: process)
        guard environment.contains(where: { $0.elementsEqual(hub) }) else { return false }
        guard let steps else { return true }
        return environment.contains { steps.contains(Array($0)) }
    }
}

/// Sleeps also in a cancelled task: to end a process takes its time whoever has lost interest.
func uncancelledSleep(_ duration: Duration) async {
    // Unstructured, because a cancelled task cannot sleep; awaited at once.
    await Task.detached { try? await Task.sleep(for: duration) }.value
}
