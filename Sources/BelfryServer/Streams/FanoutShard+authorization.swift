import BelfryCore
import BelfryEngine

extension FanoutShard {
    /// Closes the streams whose token is no longer good. Each token is asked for once, however many streams it opened.
    func closeUnauthorized() {
        var verdicts: [TokenID: Bool] = [:]
        // Gathered first: closing takes a stream out of the index.
        var unauthorized: [Subscriber] = []
        index.forEach { subscriber in
            guard let token = subscriber.token else { return }
            let isValid = verdicts[token] ?? fanout.isValid(token)
            verdicts[token] = isValid
            if !isValid { unauthorized.append(subscriber) }
        }
        for subscriber in unauthorized { close(subscriber, .unauthorized) }
    }
}
