import BelfryCore
import Synchronization

/// The bytes of all bodies that are being received or answered. Bounded: each connection's own bound is no bound on
/// what many of them hold together.
final class RequestBodies: Sendable {
    private let held = Atomic<Int>(0)
    private let bytesMax: Int

    init(bytesMax: Int = Limits.requestBodiesBytesMax) { self.bytesMax = bytesMax }

    /// What is held now.
    var bytes: Int { held.load(ordering: .relaxed) }

    /// Takes room for some bytes, to be given back.
    /// - Throws: `overloaded` if there is none.
    func take(_ bytes: Int) throws(BelfryError) {
        guard held.add(bytes, ordering: .relaxed).newValue > bytesMax else { return }
        giveBack(bytes)
        throw BelfryError(.overloaded, "too many large requests at the same time", retryAfter: .seconds(1))
    }

    func giveBack(_ bytes: Int) { held.subtract(bytes, ordering: .relaxed) }
}
