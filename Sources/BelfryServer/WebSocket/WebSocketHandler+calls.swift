import BelfryCore
import BelfryEngine
import NIOCore

/// What a connection was asked and has not answered.
struct WebSocketCalls {
    /// One message and its answers so far. Only calls with an id are answered.
    final class Exchange {
        let isBatch: Bool
        var answers: [RawJSON] = []
        /// Calls of the message that are not done.
        var left: Int

        init(_ message: JSONRPCMessage) {
            isBatch = message.isBatch
            left = message.calls.count
        }
    }

    struct Call {
        let command: WebSocketCommand
        let id: JSONValue?
        let exchange: Exchange
    }

    var underWay = 0
    var rate = CallRate()
    /// Changes of topics are done one after the other, in the order they were asked for.
    var topicChanges = CircularBuffer<Call>()
    var isChangingTopics = false
    var isDraining = false
}

extension WebSocketHandler {
    /// Takes a text message: begins what it asks for, answers what cannot be begun.
    func receive(_ text: ByteBuffer) {
        if let token = principal.token, !shard.fanout.isValid(token) { return close(.unauthorized) }
        let message = JSONRPCMessage(parsing: text.readableBytesView)
        let exchange = WebSocketCalls.Exchange(message)
        for call in message.calls {
            do {
                if let fault = faultOfRate() {
                    finish(exchange, call.answeredID.map { JSONRPCAnswer.fault(fault, id: $0) })
                    continue
                }
                guard isOpen else { return }
                try begin(call.get(), exchange)
            } catch {
                finish(exchange, JSONRPCAnswer.fault(error.fault, id: error.id))
            }
        }
    }

    /// Why the next call comes too early, if it does. One that comes far too often closes the connection.
    private func faultOfRate() -> JSONRPCFault? {
        switch calls.rate.take(at: shard.loop.now) {
        case .allowed: return nil
        case .abuse:
            close(.tooManyCalls, "far too many calls")
            return nil
        case .wait(let time):
            let milliseconds = max(1, time.milliseconds)
            return JSONRPCFault(
                BelfryError(
                    .tooManyRequests,
                    "a connection may call \(Limits.webSocketCallsPerSecond) times a second; "
                        + "wait \(milliseconds) ms",
                    details: ["retry_after_ms": .int(milliseconds)], retryAfter: time
                ))
        }
    }

    private func begin(_ call: JSONRPCCall, _ exchange: WebSocketCalls.Exchange) throws(JSONRPCFailure) {
        let command: WebSocketCommand
        do throws(JSONRPCFault) {
            command = try WebSocketCommand(call)
            guard !calls.isDraining else { throw Self.stopping }
        } catch {
            guard let id = call.id else { return finish(exchange, nil) }
            throw JSONRPCFailure(id: id, fault: error)
        }
        calls.underWay += 1
        let call = WebSocketCalls.Call(command: command, id: call.id, exchange: exchange)
        switch command {
        case .subscribe, .unsubscribe:
            calls.topicChanges.append(call)
            changeTopics()
        case .operate, .watch, .ping: perform(call)
        }
    }

    private static var stopping: JSONRPCFault { JSONRPCFault(BelfryError(.shuttingDown, "the server is stopping")) }

    /// Refuses changes of topics that have not begun: they may wait for a client that takes nothing.
    func refuseWaitingCalls() {
        while let call = calls.topicChanges.popFirst() {
            calls.underWay -= 1
            finish(call.exchange, call.id.map { JSONRPCAnswer.fault(Self.stopping, id: $0) })
        }
    }

    /// Begins the next change of topics. What it brings waits for no client that takes nothing.
    func changeTopics() {
        guard isOpen, !calls.isChangingTopics, subscriber.isWritable, let call = calls.topicChanges.popFirst() else {
            return
        }
        calls.isChangingTopics = true
        perform(call)
    }

    private func perform(_ call: WebSocketCalls.Call) {
        let loop = shard.loop
        let handler = NIOLoopBound((self, call), eventLoop: loop)
        service.begin(call.command, for: principal) { result in
            loop.execute {
                let (handler, call) = handler.value
                handler.performed(call, result)
            }
        }
    }

    private func performed(_ call: WebSocketCalls.Call, _ result: Result<WebSocketMethods.Outcome, BelfryError>) {
        calls.underWay -= 1
        guard isOpen else { return }
        let answer: Result<JSONObject, BelfryError>
        switch result {
        case .success(.answer(let object)): answer = .success(object)
        case .success(.subscribe(let plan)): answer = subscribe(plan)
        case .success(.unsubscribe(let topics)):
            shard.remove(topics, from: subscriber)
            answer = .success(["topics": topicNames])
        case .success(.watch(let runs, let person)): answer = .success(watch(runs, as: person))
        case .failure(let error): answer = .failure(error)
        }
        switch call.command {
        case .subscribe, .unsubscribe: calls.isChangingTopics = false
        case .operate, .watch, .ping: break
        }
        finish(
            call.exchange,
            call.id.map { id in
                switch answer {
                case .success(let object): JSONRPCAnswer.result(object, id: id)
                case .failure(let error): JSONRPCAnswer.fault(JSONRPCFault(error), id: id)
                }
            }
        )
        subscriber.flush()
        shard.watch(subscriber)
        changeTopics()
        closeIfDrained()
        resume()
    }

    /// The snapshot or gap is written before the answer: who has the answer has all that came before its position.
    private func subscribe(_ plan: StreamPlan) -> Result<JSONObject, BelfryError> {
        let fresh = plan.topics.filter { !subscriber.topics.topics.contains($0) }
        guard subscriber.topics.topics.count + fresh.count <= Limits.topicsPerSubscriptionMax else {
            return .failure(
                BelfryError(.conflict, "a connection has at most \(Limits.topicsPerSubscriptionMax) topics")
            )
        }
        guard subscriber.topics.windowCount + plan.topics.count <= Limits.topicChangesMax else {
            return .failure(
                BelfryError(
                    .overloaded, "the topics were changed too often while this connection was catching up",
                    retryAfter: .seconds(1)
                )
            )
        }
        let preamble = EncodedFrames(plan.preamble, framing: .webSocket)
        subscriber.write(preamble.slice(0..<plan.preamble.count))
        shard.add(plan.topics, after: plan.after, to: subscriber)
        return .success(["topics": topicNames, "position": .int(plan.after)])
    }

    /// The answer has who is where at this moment, and who the others see here.
    private func watch(_ runs: Set<RunID>, as person: Presence.Person) -> JSONObject {
        let ticket =
            presenceTicket
            ?? service.presence.join(person) {
                [loop = shard.loop, handler = NIOLoopBound(self, eventLoop: shard.loop)] in
                let notification = $0
                loop.execute { handler.value.hear(notification) }
            }
        presenceTicket = ticket
        service.presence.watch(runs, as: ticket)
        return ["you": person.isNamed ? .string(person.name) : .null, "runs": service.presence.runs]
    }

    /// Somebody came or went. Who takes nothing at the moment gets all of it later.
    private func hear(_ notification: ByteBuffer) {
        guard isOpen else { return }
        guard subscriber.isWritable else { return hasMissedPresence = true }
        subscriber.write(notification)
        subscriber.flush()
        shard.watch(subscriber)
    }

    /// Goes on when the client takes something again.
    func tellMissedPresence() {
        guard hasMissedPresence, isOpen, subscriber.isWritable else { return }
        hasMissedPresence = false
        hear(service.presence.notification)
    }

    func leavePresence() {
        if let ticket = presenceTicket { service.presence.leave(ticket) }
        presenceTicket = nil
    }

    private var topicNames: JSONValue { .array(subscriber.topics.topics.map { .string($0.description) }) }

    /// A call is done. With the last one of its message the answer goes out, if there is any.
    private func finish(_ exchange: WebSocketCalls.Exchange, _ answer: RawJSON?) {
        if let answer { exchange.answers.append(answer) }
        exchange.left -= 1
        guard exchange.left == 0, !exchange.answers.isEmpty else { return }
        let json = exchange.isBatch ? JSONRPCAnswer.batch(exchange.answers) : exchange.answers[0]
        subscriber.write(WebSocketEncoder.frame(.text, json.bytes))
    }
}
