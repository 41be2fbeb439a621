import BelfryCore
import CCurl
import Glibc

/// What the loop's thread does with its multi handle. Not Sendable, on purpose.
final class TransferWorker {
    private let multi: UnsafeMutableRawPointer
    private let policy: OutboundPolicy
    private var active: [ObjectIdentifier: EasyTransfer] = [:]
    private var byHandle: [UnsafeMutableRawPointer: ObjectIdentifier] = [:]
    /// No timeout is due before this. Progress only moves timeouts back, so it needs no update for it.
    private var nextDue: ContinuousClock.Instant?

    init(multi: UnsafeMutableRawPointer, policy: OutboundPolicy) {
        self.multi = multi
        self.policy = policy
    }

    func perform(_ command: TransferLoop.Command) {
        switch command {
        case .start(let transfer): start(transfer)
        case .cancel(let transfer): remove(ObjectIdentifier(transfer), .failure(.cancelled))
        case .resume(let transfer):
            guard let easy = active[ObjectIdentifier(transfer)] else { return }
            easy.resume()
            note(due: easy.due(now: .now))
        }
    }

    /// Moves the transfers on, ends those that are done or overdue, and waits for the next thing to happen.
    ///
    /// libcurl looks at each of its sockets at every step. Many streams would have it look for every token of every one,
    /// so it rests in between, the longer the more there are.
    func step() {
        var running: Int32 = 0
        curl_multi_perform(multi, &running)
        endFinished()
        endOverdue()
        let wait = nextDue.map { max(.zero, $0 - .now) } ?? .seconds(60)
        // Rounded up, so that it does not spin through the last millisecond.
        curl_multi_poll(multi, nil, 0, Int32(min(wait.milliseconds + 1, 60_000)), nil)
        let rest = min(Limits.transferRestMicroseconds * active.count, Limits.transferRestMicrosecondsMax)
        if rest > 0 { usleep(UInt32(rest)) }
    }

    func endAll() {
        for identifier in Array(active.keys) { remove(identifier, .failure(.clientClosed)) }
    }

    private func start(_ transfer: Transfer) {
        guard let easy = EasyTransfer(transfer, policy: policy, now: .now),
            curl_multi_add_handle(multi, easy.easy) == CURLM_OK
        else {
            transfer.end(.failure(HTTPFailure(.clientClosed, "libcurl has no room for another request")))
            return
        }
        active[ObjectIdentifier(transfer)] = easy
        byHandle[easy.easy] = ObjectIdentifier(transfer)
        note(due: easy.due(now: .now))
    }

    private func endFinished() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = belfry_curl_message_easy(message),
                let identifier = byHandle[handle], let easy = active[identifier]
            else { continue }
            remove(identifier, easy.outcome(belfry_curl_message_result(message)))
        }
    }

    private func endOverdue() {
        guard let due = nextDue, due <= .now else { return }
        let now = ContinuousClock.now
        for (identifier, easy) in active {
            if let failure = easy.overdue(now: now) { remove(identifier, .failure(failure)) }
        }
        nextDue = active.values.compactMap { $0.due(now: now) }.min()
    }

    private func note(due: ContinuousClock.Instant?) {
        guard let due else { return }
        nextDue = min(nextDue ?? due, due)
    }

    /// Takes the transfer from libcurl, which closes the socket of an unfinished one, and only then tells its caller.
    private func remove(_ identifier: ObjectIdentifier, _ result: Result<Void, HTTPFailure>) {
        guard let easy = active.removeValue(forKey: identifier) else { return }
        byHandle[easy.easy] = nil
        curl_multi_remove_handle(multi, easy.easy)
        let transfer = easy.transfer
        transfer.end(result)
    }
}
