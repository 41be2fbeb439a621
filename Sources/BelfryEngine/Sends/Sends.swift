import BelfryCore
import BelfryHTTP
import BelfrySources
import BelfryStore
import Logging

/// Posts messages to the targets of the server's configuration, signed as Standard Webhooks. It remembers nothing: when an attempt
/// is made again is in the step's row, which targets are gone in the store.
struct Sends: Sendable {
    let targets: [String: SendTarget]
    private let secrets: SecretResolver
    private let store: Store
    private let clock: WallClock
    private let logger: Logger
    /// Of one attempt.
    private let timeout: Duration
    /// Where a target must be public, and where it need not be. A pool each: a pooled connection is not checked again.
    private let publicClient: HTTPClient?
    private let privateClient: HTTPClient?

    init(
        _ configuration: HubConfiguration, store: Store, timeout: Duration = Limits.sendTimeout, logger: Logger
    ) {
        self.timeout = timeout
        targets = configuration.targets
        secrets = configuration.secrets.allowing(configuration.targets.values.flatMap(\.references))
        self.store = store
        clock = configuration.clock
        self.logger = logger
        func client(_ policy: OutboundPolicy) -> HTTPClient? {
            let isNeeded = configuration.targets.values.contains {
                $0.allowsPrivateAddresses == policy.allowsPrivateAddresses
            }
            return isNeeded ? HTTPClient(policy: policy, logger: logger) : nil
        }
        publicClient = client(.publicOnly)
        privateClient = client(OutboundPolicy(allowsPrivateAddresses: true))
    }

    func close() {
        publicClient?.close()
        privateClient?.close()
    }

    /// Makes one attempt. Cancelled: when the socket is closed.
    func perform(_ work: SendWork) async -> SendOutcome {
        guard let target = targets[work.target] else { return .failed(unknown(work.target)) }
        do throws(BelfryError) {
            if let disabled = try await store.disabledTarget(work.target) {
                throw BelfryError(
                    .targetDisabled,
                    "the target \(work.target) is disabled since \(disabled.since): \(disabled.reason); "
                        + "`belfry targets enable \(work.target)` lets it get messages again")
            }
            let message = try SendMessage(
                work, to: target, secrets: secrets, timeout: min(timeout, work.timeout), now: clock.now())
            return try await exchange(message, work, target)
        } catch {
            switch error.code {
            // What the operator or time mends.
            case .secretUnavailable, .storageFull, .storageFailed, .overloaded: return again(work, error)
            default: return .failed(error)
            }
        }
    }

    private func exchange(
        _ message: SendMessage, _ work: SendWork, _ target: SendTarget
    ) async throws(BelfryError) -> SendOutcome {
        guard let client = target.allowsPrivateAddresses ? privateClient : publicClient else {
            throw BelfryError(.sendFailed, "the hub is stopping")
        }
        let response: HTTPResponse
        do throws(HTTPFailure) {
            response = try await client.send(message.request)
        } catch {
            return outcome(of: error, work)
        }
        let answer = await beginning(of: response.body, bytesMax: work.answerBytesMax)
        let excerpt = message.withoutSecrets(answer, bytesMax: work.answerBytesMax)
        if Task.isCancelled, !(200...299).contains(response.status) { throw .cut }
        return await outcome(of: response, excerpt, work)
    }

    /// What is there of a body until it ends, or as much as is taken.
    private func beginning(of body: HTTPBody, bytesMax: Int) async -> [UInt8] {
        var bytes: [UInt8] = []
        var pieces = body.makeAsyncIterator()
        // An answer whose body breaks off is an answer: its status says what became of the message.
        while bytes.count < bytesMax, let piece = try? await pieces.next() { bytes += piece }
        await body.cancel()
        return Array(bytes.prefix(bytesMax))
    }

    // MARK: - What came of it

    private func outcome(of failure: HTTPFailure, _ work: SendWork) -> SendOutcome {
        switch failure.code {
        case .cancelled, .clientClosed: return .failed(.cut)
        case .addressNotAllowed:
            return .failed(
                BelfryError(
                    .addressNotAllowed,
                    "\(failure.message); `allow_private: true` of the target \(work.target) in the server's configuration "
                        + "allows it"))
        case .invalidRequest:
            return .failed(BelfryError(.sendFailed, "nothing can be sent to \(work.target): \(failure.message)"))
        default: return again(work, BelfryError(.sendFailed, "\(work.target): \(failure)"))
        }
    }

    private func outcome(of response: HTTPResponse, _ excerpt: String, _ work: SendWork) async -> SendOutcome {
        let status = response.status
        let said = excerpt.plain(bytesMax: Limits.errorTextBytesMax)
        let answered = "\(work.target) answered \(status)" + (said.isEmpty ? "" : ": \(said)")
        func refusal(_ code: BelfryError.Code, _ message: String) -> BelfryError {
            BelfryError(code, message, details: SendAttempt.details(status: status, answer: said))
        }
        switch status {
        case 200...299: return .delivered(status: status, excerpt: excerpt)
        case 300...399:
            return .failed(
                refusal(
                    .sendFailed,
                    "\(work.target) answered \(status), a redirect, and none is followed: correct the target's url"))
        // A message that nobody wants any more; what a tool has asked for may just not be there.
        case 410 where !work.isBare:
            await disable(work.target, because: answered)
            return .failed(
                refusal(
                    .targetDisabled,
                    "\(answered); it is disabled now, until `belfry targets enable \(work.target)`"))
        case 408, 409, 425, 429, 500...599:
            return again(
                work, refusal(.sendFailed, answered), retryAfter: response.retryAfter(now: clock.now()))
        default: return .failed(refusal(.sendFailed, answered))
        }
    }

    private func again(_ work: SendWork, _ error: BelfryError, retryAfter: Duration? = nil) -> SendOutcome {
        let due = SendSchedule.next(
            after: work.attempt, at: clock.now(), retryAfter: retryAfter, jitter: .random(in: -1...1))
        if let due { return .again(at: due, error: error) }
        return .failed(
            BelfryError(
                error.code, "\(error.message) (attempt \(work.attempt) of \(Limits.sendAttemptsMax))",
                details: error.details))
    }

    private func disable(_ name: String, because reason: String) async {
        do {
            try await store.disableTarget(name, reason: reason)
            logger.error("a target is gone", metadata: ["target": "\(name)"])
        } catch {
            // The next message hears 410 as well.
            logger.error("a target that is gone can't be noted", metadata: ["target": "\(name)", "error": "\(error)"])
        }
    }

    func unknown(_ name: String) -> BelfryError {
        let nearest = NearestName.of(name, among: targets.keys.sorted())
        let hint = nearest.map { "did you mean '\($0)'?" } ?? "add it under targets: and start the hub again"
        return BelfryError(.unknownTarget, "the server's configuration has no target \(name); \(hint)")
    }

    /// Why nothing can be sent to a target; nil if its secrets are there.
    func problem(of target: SendTarget) -> String? {
        let probe = SendWork(
            target: "", body: Array("{}".utf8), webhookID: "msg_probe", type: "", created: clock.now(), hops: 0,
            attempt: 1)
        do throws(BelfryError) {
            _ = try SendMessage(probe, to: target, secrets: secrets, timeout: timeout, now: clock.now())
            return nil
        } catch {
            return error.message
        }
    }
}

extension BelfryError {
    fileprivate static let cut = BelfryError(.cancelled, "the send was cut")
}
