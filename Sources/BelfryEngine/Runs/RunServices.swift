import BelfryAgents
import BelfryCore
import BelfryHTTP
import BelfryStore
import Logging

/// What runs need of the rest of the hub.
struct RunServices: Sendable {
    let store: Store
    let registry: Registry
    let mailboxes: RunMailboxes
    let http: HTTPClient
    let commands: CommandRunner
    let sends: Sends
    let configuration: HubConfiguration
    let logger: Logger

    /// Signs ``DecisionLinks``.
    var decisionKey: [UInt8] { store.key(for: DecisionLinks.purpose) }

    var now: Timestamp { configuration.clock.now() }

    /// Commits a change, and waits for room if the disk is full: what has happened must be told.
    ///
    /// Throws what can't be mended by waiting, and `cancelled` at shutdown.
    /// - Parameter isPatient: else it fails at once.
    @discardableResult
    func commit(
        _ change: RunChange, orIfSpent ending: RunChange? = nil, isPatient: Bool = true
    ) async throws(BelfryError) -> RunRecord {
        configuration.faultPoint?.pass()
        defer { configuration.faultPoint?.pass() }
        guard isPatient else { return try await store.commit(change, orIfSpent: ending) }
        return try await patiently { () throws(BelfryError) in try await store.commit(change, orIfSpent: ending) }
    }

    /// A stored event; nil if it is gone.
    func event(_ id: EventID) async throws(BelfryError) -> Event? {
        do throws(BelfryError) {
            return try await store.event(id).event
        } catch  where error.code == .notFound {
            return nil
        }
    }

    /// Does something with the store, again and again while it fails of what may pass.
    func patiently<Value: Sendable>(
        _ body: () async throws(BelfryError) -> Value
    ) async throws(BelfryError) -> Value {
        while true {
            do throws(BelfryError) {
                return try await body()
            } catch  where error.mayPass {
                logger.warning("a run waits for the store", metadata: ["error": "\(error)"])
                try await pause()
            }
        }
    }

    private func pause() async throws(BelfryError) {
        do {
            try await ContinuousClock().sleep(for: Limits.storeRetryInterval)
        } catch {
            throw .hubIsStopping
        }
    }
}

extension BelfryError {
    static let hubIsStopping = BelfryError(.cancelled, "the hub is stopping")

    /// Whether the same call may succeed later without anybody changing it.
    fileprivate var mayPass: Bool { [.storageFull, .storageFailed, .overloaded].contains(code) }
}
