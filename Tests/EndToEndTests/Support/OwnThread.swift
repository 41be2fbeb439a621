import Foundation

/// Runs a blocking call on a thread of its own: the few cooperative threads stay free for the other tests.
func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
            continuation.resume(with: Swift.Result { try body() })
        }
    }
}

/// Asks until the answer is not nil, every 10 ms; throws ``Timeout`` when `deadline` has passed.
func eventually<Value>(
    within deadline: Duration = .seconds(10), _ what: String, _ ask: () async throws -> Value?
) async throws -> Value {
    let end = ContinuousClock.now + deadline
    while true {
        if let value = try await ask() { return value }
        guard ContinuousClock.now < end else { throw Timeout(what: what) }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// Something that should have happened has not.
struct Timeout: Error, CustomStringConvertible {
    var what: String
    var description: String { "in vain waited for: \(what)" }
}
