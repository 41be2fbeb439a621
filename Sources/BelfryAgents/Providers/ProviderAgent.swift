import BelfryCore
import BelfryHTTP

/// An agent behind an HTTP provider: asks, tries again what may pass, and reads the answer as it comes.
struct ProviderAgent: Agent {
    let provider: any Provider
    let definition: AgentDefinition
    /// What no error may show.
    let secrets: [Secret]
    let http: HTTPClient
    let clock: any Clock<Duration>
    var wallClock = WallClock.system
    var answerBytesMax = Limits.answerBytesMax
    /// From 0 up to 1; the random half of a pause.
    var random: @Sendable () -> Double = { Double.random(in: 0..<1) }

    func run(_ request: AgentRequest, emit: (AgentOutput) async throws -> Void) async throws(BelfryError) {
        do throws(BelfryError) {
            try await exchange(request, try provider.httpRequest(for: request), emit: emit)
        } catch {
            throw error.hiding(secrets)
        }
    }

    private func exchange(
        _ request: AgentRequest, _ message: HTTPRequest, emit: (AgentOutput) async throws -> Void
    ) async throws(BelfryError) {
        var message = message
        message.connectTimeout = definition.connectTimeout
        message.firstByteTimeout = definition.firstByteTimeout
        message.idleTimeout = definition.idleTimeout
        let began = ContinuousClock.now
        var retries = 0
        while true {
            let left = request.timeout.map { max(.milliseconds(1), $0 - (.now - began)) }
            message.deadline = left
            var hasOutput = false
            let failure: ProviderFailure
            do {
                try await attempt(request, message) { output in
                    if output.isSeen { hasOutput = true }
                    try await emit(output)
                }
                return
            } catch {
                failure = error
            }
            // After the first token viewers have seen text: another try would be a new attempt of the step.
            guard failure.mayPass, !hasOutput, retries < definition.retriesMax else { throw failure.error }
            let pause = pause(before: retries, asked: failure.error.retryAfter)
            guard pause <= min(Limits.retryAfterMax, left ?? .seconds(Int64.max)) else { throw failure.error }
            do {
                try await clock.sleep(for: pause)
            } catch {
                throw .cancelled
            }
            retries += 1
        }
    }

    /// What the provider asks for is a lower bound.
    private func pause(before retry: Int, asked: Duration?) -> Duration {
        max(Limits.retryPauseFirst.doubled(retry, max: Limits.retryPauseMax, random: random()), asked ?? .zero)
    }

    /// What is told beside an answer that is taken, and may lack its end.
    static let cutAnswer =
        "the model has stopped in the midst of its answer: its tokens or its context are used up (max_tokens)"

    // MARK: One attempt

    private func attempt(
        _ request: AgentRequest, _ message: HTTPRequest, emit: (AgentOutput) async throws -> Void
    ) async throws(ProviderFailure) {
        let response: HTTPResponse
        do {
            response = try await http.send(message)
        } catch {
            throw ProviderFailure(http: error)
        }
        var answer: (any ProviderAnswer)?
        do throws(ProviderFailure) {
            var reader = try await self.answer(in: response)
            defer { answer = reader }
            try await read(response.body, with: &reader, emit: emit)
        } catch {
            // Nothing that is thrown leaves a socket behind.
            await response.body.cancel()
            if let task = answer?.runningTask { try await stop(task, request, after: error) }
            throw error
        }
        await response.body.cancel()
    }

    private func read(
        _ body: HTTPBody, with answer: inout any ProviderAnswer, emit: (AgentOutput) async throws -> Void
    ) async throws(ProviderFailure) {
        var bytes = (all: 0, content: 0)
        var pieces = body.makeAsyncIterator()
        while !answer.isDone {
            let piece: [UInt8]?
            do throws(HTTPFailure) { piece = try await pieces.next() } catch { throw ProviderFailure(http: error) }
            bytes.all += piece?.count ?? 0
            var items: [AgentOutput] = []
            var failure: ProviderFailure?
            do throws(ProviderFailure) {
                if let piece { try answer.read(piece, into: &items) } else { try answer.finish(into: &items) }
            } catch {
                failure = error
            }
            for item in items {
                bytes.content += item.contentBytes
                guard bytes.content <= definition.outputBytesMax else {
                    throw ProviderFailure(.outputTooLarge(definition.outputBytesMax))
                }
                do {
                    try await emit(item)
                    if item == .finished(.length) { try await emit(.log(Self.cutAnswer)) }
                } catch {
                    throw ProviderFailure(BelfryError(fromEmit: error))
                }
            }
            if let failure { throw failure }
            if piece == nil { return }
            guard bytes.all <= answerBytesMax else {
                throw ProviderFailure(.outputTooLarge, "the answer is longer than \(answerBytesMax) bytes")
            }
        }
    }

    /// Ends the provider's own work, which the closed socket leaves running, also when this task is cancelled.
    /// - Throws: `stop_unconfirmed` where a stop was asked for and the provider does not say that it did so.
    private func stop(
        _ task: String, _ request: AgentRequest, after failure: ProviderFailure
    ) async throws(ProviderFailure) {
        guard let message = provider.stopRequest(task: task, of: request) else { return }
        let problem: String
        do throws(HTTPFailure) {
            let status = try await http.deliver(message, within: Limits.remoteStopTimeout)
            // 404: there is no such task any more.
            if (200..<300).contains(status) || status == 404 { return }
            problem = "it answered \(status)"
        } catch {
            problem = error.description
        }
        guard failure.error.code == .cancelled else { return }
        throw ProviderFailure(
            .stopUnconfirmed,
            "the socket is closed, but the provider did not confirm that its task \(task) is stopped (\(problem)); look there"
        )
    }
}

extension AgentOutput {
    /// Whether viewers see it: then the answer has begun.
    fileprivate var isSeen: Bool {
        switch self {
        case .text, .toolCallStarted, .toolCallArguments, .toolCallEnded: true
        case .usage, .finished, .started, .log: false
        }
    }

    /// What counts against the agent's `output_max`.
    fileprivate var contentBytes: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .toolCallStarted(let id, let name): id.utf8.count + name.utf8.count
        case .toolCallArguments(_, let delta): delta.utf8.count
        case .toolCallEnded, .usage, .finished, .started, .log: 0
        }
    }
}
