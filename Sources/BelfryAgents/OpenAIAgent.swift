import BelfryCore
import BelfryHTTP

/// A model behind an OpenAI-compatible `POST {base}/chat/completions` (OpenAI, vLLM, Ollama, llama.cpp, LiteLLM,
/// OpenRouter, …), streamed.
struct OpenAIAgent: Agent {
    let definition: AgentDefinition
    let settings: AgentDefinition.OpenAISettings
    let key: Secret?
    let http: HTTPClient
    let clock: any Clock<Duration>
    var wallClock = WallClock.system
    /// From 0 up to 1; the random half of a pause.
    var random: @Sendable () -> Double = { Double.random(in: 0..<1) }

    func run(_ request: AgentRequest, emit: (AgentOutput) async throws -> Void) async throws(BelfryError) {
        let began = ContinuousClock.now
        var retries = 0
        while true {
            let left = request.timeout.map { max(.milliseconds(1), $0 - (.now - began)) }
            var hasText = false
            let failure: Failure
            do {
                try await attempt(request, deadline: left) { output in
                    if case .text = output { hasText = true }
                    try await emit(output)
                }
                return
            } catch {
                failure = error
            }
            // After the first token viewers have seen text: another try would be a new attempt of the step.
            guard failure.mayPass, !hasText, retries < definition.retriesMax else { throw failure.error }
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

    /// An error, and whether another try may help (WIRE conventions, section 2).
    struct Failure: Error {
        var error: BelfryError
        var mayPass = false
    }

    /// Doubles from ``Limits/retryPauseFirst``, half of it random, so that runs that failed together do not return
    /// together. What the provider asks for is a lower bound.
    private func pause(before retry: Int, asked: Duration?) -> Duration {
        let full = min(Limits.retryPauseFirst * (1 << min(retry, 16)), Limits.retryPauseMax)
        return max(full / 2 + full / 2 * random(), asked ?? .zero)
    }

    // MARK: One attempt

    private func attempt(
        _ request: AgentRequest, deadline: Duration?, emit: (AgentOutput) async throws -> Void
    ) async throws(Failure) {
        let response: HTTPResponse
        do {
            response = try await http.send(httpRequest(for: request, deadline: deadline))
        } catch {
            throw Failure(http: error)
        }
        do throws(Failure) {
            guard response.status == 200 else { throw await refusal(response) }
            try await read(response.body, emit: emit)
            await response.body.cancel()
        } catch {
            // Nothing that is thrown leaves a socket behind.
            await response.body.cancel()
            throw error
        }
    }

    private func read(_ body: HTTPBody, emit: (AgentOutput) async throws -> Void) async throws(Failure) {
        var stream = OpenAIStream()
        var textBytes = 0
        var pieces = body.makeAsyncIterator()
        while !stream.isDone {
            let piece: [UInt8]?
            do throws(HTTPFailure) { piece = try await pieces.next() } catch { throw Failure(http: error) }
            guard let piece else { break }
            var items: [OpenAIStream.Item] = []
            var failure: BelfryError?
            do throws(BelfryError) { try stream.read(piece, into: &items) } catch { failure = error }
            for item in items {
                if case .text(let text) = item { textBytes += text.utf8.count }
                guard textBytes <= definition.outputBytesMax else {
                    throw Failure(error: .outputTooLarge(definition.outputBytesMax))
                }
                do {
                    try await emit(item.output)
                } catch {
                    throw Failure(error: BelfryError(fromEmit: error))
                }
            }
            if let failure { throw Failure(error: failure) }
        }
        guard stream.isDone else {
            throw Failure(
                error: BelfryError(.agentFailed, "the provider's stream ended early, before [DONE]"), mayPass: true)
        }
    }

    /// Turns an answer that is no stream into an error, with the provider's own words.
    private func refusal(_ response: HTTPResponse) async -> Failure {
        var words = ""
        if let body = try? await response.body.collect(upTo: Limits.errorBodyBytesMax) {
            words = ProviderMessage.text(ofBody: body)
        }
        if Task.isCancelled { return Failure(error: .cancelled) }
        let status = response.status
        let mayPass = [408, 409, 425, 429].contains(status) || status >= 500
        var advice = ""
        switch status {
        case 300..<400: advice = " (redirects are not followed: correct base_url)"
        case 401, 403: advice = " (check the agent's key)"
        case 404: advice = " (check base_url and model)"
        default: break
        }
        return Failure(
            error: BelfryError(
                status >= 500 ? .agentFailed : .agentRefused,
                "the provider answered \(status)\(advice)\(words.isEmpty ? "" : ": \(words)")",
                details: JSONObject([.init(key: "status", value: .int(status))]),
                retryAfter: response.retryAfter(now: wallClock.now())
            ),
            mayPass: mayPass
        )
    }

    // MARK: The request

    private func httpRequest(for request: AgentRequest, deadline: Duration?) -> HTTPRequest {
        var base = settings.baseURL
        while base.hasSuffix("/") { base.removeLast() }
        var http = HTTPRequest("POST", url: base + "/chat/completions", body: body(for: request))
        http.headers = [("Content-Type", "application/json"), ("Accept", "text/event-stream")]
        if let key { http.headers.append(("Authorization", "Bearer \(key.text)")) }
        http.connectTimeout = definition.connectTimeout
        http.firstByteTimeout = definition.firstByteTimeout
        http.idleTimeout = definition.idleTimeout
        http.deadline = deadline
        return http
    }

    private func body(for request: AgentRequest) -> [UInt8] {
        var messages: [JSONValue] = []
        if let system = settings.system { messages.append(["role": "system", "content": .string(system)]) }
        messages.append(["role": "user", "content": .string(request.prompt)])
        var body: JSONObject = JSONObject()
        body["model"] = .string(settings.model)
        body["messages"] = .array(messages)
        body["stream"] = true
        body["stream_options"] = ["include_usage": true]
        body["temperature"] = settings.temperature.map { .double($0) }
        body["max_tokens"] = settings.tokensMax.map { .int($0) }
        return JSONValue.object(body).encoded()
    }
}

extension OpenAIStream.Item {
    fileprivate var output: AgentOutput {
        switch self {
        case .text(let text): .text(text)
        case .usage(let usage): .usage(usage)
        }
    }
}

extension OpenAIAgent.Failure {
    init(http failure: HTTPFailure) {
        error = BelfryError(http: failure)
        mayPass = [.resolve, .connect, .connectTimeout, .tls, .proxy, .firstByteTimeout, .idleTimeout, .connectionLost]
            .contains(failure.code)
    }
}

extension BelfryError {
    /// An outbound failure as a step shows it.
    init(http failure: HTTPFailure) {
        let code: Code =
            switch failure.code {
            case .resolve, .connect, .tls, .proxy: .agentUnreachable
            case .connectTimeout, .firstByteTimeout, .idleTimeout, .deadline: .agentTimeout
            case .addressNotAllowed: .addressNotAllowed
            case .cancelled: .cancelled
            case .tooLarge: .outputTooLarge
            default: .agentFailed
            }
        self.init(code, failure.description)
    }
}
