import BelfryCore
import BelfryStore
import Logging
public import ServiceLifecycle
import Synchronization

/// Does what the rows say is due: sleeps until the next timer, or until a commit sets an earlier one.
///
/// What was due while the hub was down fires at its start. Each transaction takes a bounded number, so that deliveries
/// come in between.
public final class Timers: Service {
    private let store: Store
    private let rule: @Sendable (_ name: String) -> MatchRequest?
    private let clock: WallClock
    private let logger: Logger
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    /// When it looks next; nil: only when it is woken.
    private let nextLook = Mutex<Timestamp?>(nil)

    init(
        store: Store, rule: @escaping @Sendable (_ name: String) -> MatchRequest?, clock: WallClock, logger: Logger
    ) {
        self.store = store
        self.rule = rule
        self.clock = clock
        self.logger = logger
        (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// A timer was set to this moment. Never blocks.
    func note(_ due: Timestamp) {
        if nextLook.withLock({ $0.map { due < $0 } ?? true }) { wake.yield() }
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await withDiscardingTaskGroup { group in
                wake.yield()
                for await _ in wakes {
                    guard let due = await fireAll() else { continue }
                    sleep(until: due, in: &group)
                }
                group.cancelAll()
            }
        }
    }

    /// Fires what is due. - Returns: when there is more to do; nil: nothing is set.
    private func fireAll() async -> Timestamp? {
        do throws(BelfryError) {
            while !Task.isCancelled {
                guard let due = try await store.nextTimer() else { return nil }
                guard due <= clock.now() else { return due }
                try await store.fireTimers(rule: rule)
            }
            return nil
        } catch {
            logger.error("timers could not fire", metadata: ["error": "\(error)"])
            return clock.now() + Limits.storeRetryInterval
        }
    }

    /// Looks again then. The wall clock may be set while the sleep's ticks on: a long one is looked after.
    private func sleep(until due: Timestamp, in group: inout DiscardingTaskGroup) {
        let now = clock.now()
        let end = min(due, now + Limits.timerLookInterval)
        let isEarliest = nextLook.withLock { next in
            if let next, next > now, next <= end { return false }
            next = end
            return true
        }
        guard isEarliest else { return }
        group.addTask { [self] in
            guard (try? await ContinuousClock().sleep(for: end - now)) != nil else { return }
            nextLook.withLock { if $0 == end { $0 = nil } }
            wake.yield()
        }
    }
}
