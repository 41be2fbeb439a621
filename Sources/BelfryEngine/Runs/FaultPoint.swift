import Glibc
import Synchronization

/// Where a test of crashes has the process die: just before or after the commit of a run's transition.
public final class FaultPoint: Sendable {
    private let left: Mutex<Int>

    /// - Parameter number: counts from 1; odd ones stand before a commit, even ones behind it.
    public init(at number: Int) { left = Mutex(number) }

    func pass() {
        let isHere = left.withLock { left in
            left -= 1
            return left == 0
        }
        if isHere { _ = kill(getpid(), SIGKILL) }
    }
}
