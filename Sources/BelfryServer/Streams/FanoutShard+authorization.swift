import BelfryCore
import BelfryEngine

extension FanoutShard {
    /// Closes the streams whose token is no longer good. Each token is asked for once, however many streams it opened.
    func closeUnauthorized() {
        let revoked = Set(tokens.keys.filter { !fanout.isValid($0) })
        guard !revoked.isEmpty else { return }
        // Gathered first: closing takes a stream out of the index.
        var unauthorized: [Subscriber] = []
        index.forEach { subscriber in
            if let token = subscriber.token, revoked.contains(token) { unauthorized.append(subscriber) }
        }
        for subscriber in unauthorized { close(subscriber, .unauthorized) }
    }
}
