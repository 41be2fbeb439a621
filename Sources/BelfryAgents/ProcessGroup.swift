import BelfryCore
import Glibc

/// The group (and session) of a command, from its leader's start until nothing of it is left.
struct ProcessGroup: Sendable {
    /// The leader's process id is its group's and its session's.
    let leader: Int32

    /// Whether the leader has ended. It must not have been waited for yet.
    var hasLeaderEnded: Bool {
        var info = siginfo_t()
        // WNOWAIT leaves the leader a zombie, and so its id its own, until swift-subprocess reads its end.
        let result = waitid(P_PID, id_t(leader), &info, WEXITED | WNOHANG | WNOWAIT)
        return result != 0 || siginfoProcess(info) == leader
    }

    /// Whether a member besides zombies is left.
    var hasMembers: Bool {
        guard kill(-leader, 0) == 0 || errno == EPERM else { return false }
        return ProcessTable.processes().compactMap(ProcessTable.entry).contains {
            $0.processGroup == leader && !$0.isZombie
        }
    }

    func send(_ signal: Int32) { _ = kill(-leader, signal) }

    /// SIGTERM, then, when the grace is over or the group is empty, SIGKILL.
    func terminate(grace: Duration) async {
        send(SIGTERM)
        let end = ContinuousClock.now + grace
        var pause = Duration.milliseconds(2)
        while .now < end, hasMembers {
            await uncancelledSleep(min(pause, end - .now))
            pause = min(pause * 2, .milliseconds(50))
        }
        send(SIGKILL)
    }
}

private func siginfoProcess(_ info: siginfo_t) -> Int32 {
    info._sifields._sigchld.si_pid
}
