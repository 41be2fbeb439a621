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
    private let services: RunServices
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

    private func work(through interrupted: [InterruptedRun]) async {
        await withDiscardingTaskGroup { group in
            for run in interrupted {
                start(run, in: &group)
            }
            wake.yield()
            for await _ in wakes {
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
                for claim in claimed {
                    start(InterruptedRun(run: claim.run, event: claim.event, steps: []), in: &group)
                }
                if claimed.isEmpty { return }
            } catch {
                services.logger.error("runs could not be claimed", metadata: ["error": "\(error)"])
                try? await ContinuousClock().sleep(for: Limits.storeRetryInterval)
                wakeUp()
                return
            }
        }
    }

    private func start(_ run: InterruptedRun, in group: inout DiscardingTaskGroup) {
        let mailbox = services.mailboxes.open(run.run.id)
        group.addTask {
            await perform(run, mailbox: mailbox)
            services.mailboxes.remove(run.run.id)
            let state = try? await services.store.run(run.run.id).state
            for case .command(let command) in mailbox.close() {
                command.answer(.rejected, reason: state.map { "already \($0.rawValue)" } ?? "the hub is stopping")
            }
            wakeUp()
        }
    }

    private func perform(_ run: InterruptedRun, mailbox: RunMailbox) async {
        do throws(BelfryError) {
            let rule = try await services.patiently { () throws(BelfryError) in
                try await services.registry.rule(named: run.run.rule, version: run.run.ruleVersion)
            }
            var event = run.event
            if event == nil {
                event = try await services.patiently { () throws(BelfryError) in
                    try await services.store.event(run.run.event).event
                }
            }
            guard let event else { throw BelfryError(.notFound, "event \(run.run.event) is gone") }
            var execution = RunExecution(
                run: run.run, event: event, rule: rule, steps: run.steps, services: services, mailbox: mailbox
            )
            await execution.perform()
        } catch {
            await fail(run.run, error)
        }
    }

    /// A run whose rule can't be read any more ends; it must not stay `running`.
    private func fail(_ run: RunRecord, _ error: BelfryError) async {
        services.logger.error("a run can't begin", metadata: ["run.id": "\(run.id)", "error": "\(error)"])
        var change = RunChange.end(run, .failed, .error, error: StoredError(error), at: services.now)
        change.limits = services.registry.limits(ofRule: run.rule) ?? change.limits
        _ = try? await services.commit(change)
    }
}
