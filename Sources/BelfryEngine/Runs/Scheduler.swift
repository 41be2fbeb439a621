import BelfryAgents
import BelfryCore
import BelfryStore
import Logging
public import ServiceLifecycle
import Synchronization

/// Claims queued runs, as many as there is room for, and lets them work; on SIGTERM it claims no more and waits for
/// those at work for ``Limits/runDrainTimeout``.
///
/// It pulls at its own pace: a burst of deliveries is rows in a table until there is room.
public struct Scheduler: Service {
    let services: RunServices
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    init(services: RunServices) {
        self.services = services
        (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Something may be there to claim. Never blocks.
    func wakeUp() { wake.yield() }

    public func run() async throws {
        let interrupted = try await Recovery(services: services).interruptedRuns()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await work(through: interrupted) }
            group.addTask {
                guard (try? await gracefulShutdown()) != nil else { return }
                wake.finish()
                let loader = RunLoader(services: services)
                for (run, mailbox) in services.mailboxes.close() { loader.letGo(run, mailbox, because: .hubIsStopping) }
                let count = services.mailboxes.count
                if count > 0 {
                    services.logger.notice(
                        "stopping: runs at work get time to end",
                        metadata: ["count": "\(count)", "limit": "\(Limits.runDrainTimeout)"]
                    )
                }
                try? await ContinuousClock().sleep(for: Limits.runDrainTimeout)
            }
            // Either all runs have ended after the last wake-up, or the time to drain is over.
            await group.next()
            group.cancelAll()
        }
    }

    private func work(through interrupted: [RunID]) async {
        await withDiscardingTaskGroup { group in
            for run in interrupted { start(run, isRecovered: true, in: &group) }
            wake.yield()
            for await _ in wakes {
                let most = services.configuration.runsRunningMax
                for (run, mailbox) in services.mailboxes.takeToLoad(max: most) { start(run, mailbox, in: &group) }
                await claim(in: &group)
            }
        }
    }

    private func claim(in group: inout DiscardingTaskGroup) async {
        while !Task.isCancelled {
            let room = services.configuration.runsRunningMax - services.mailboxes.count
            guard room > 0 else { return }
            do throws(BelfryError) {
                let claimed = try await services.store.claimRuns(
                    max: min(room, Limits.runsClaimedMax),
                    concurrency: { [registry = services.registry] in registry.concurrency(of: $0) }
                )
                for claim in claimed { start(claim.run.id, claim, in: &group) }
                if claimed.isEmpty { return }
            } catch {
                services.logger.error("runs could not be claimed", metadata: ["error": "\(error)"])
                try? await ContinuousClock().sleep(for: Limits.storeRetryInterval)
                wakeUp()
                return
            }
        }
    }

    private func start(
        _ run: RunID, _ claim: ClaimedRun? = nil, isRecovered: Bool = false, in group: inout DiscardingTaskGroup
    ) {
        switch services.mailboxes.open(run) {
        case .new(let mailbox): start(run, mailbox, claim, isRecovered: isRecovered, in: &group)
        case .existing(let mailbox):
            // A command has brought it into memory while it was queued; if it leaves in this very moment, it comes again.
            guard let claim, !mailbox.post(.claimed(claim.run)) else { return }
            start(run, claim, in: &group)
        }
    }

    private func start(
        _ run: RunID, _ mailbox: RunMailbox, _ claim: ClaimedRun? = nil, isRecovered: Bool = false,
        in group: inout DiscardingTaskGroup
    ) {
        group.addTask {
            await RunLoader(services: services).perform(run, mailbox, known: claim, isRecovered: isRecovered)
            wakeUp()
        }
    }
}
