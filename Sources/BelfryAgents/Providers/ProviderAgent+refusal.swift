import BelfryCore
import BelfryHTTP

extension ProviderAgent {
    /// What reads the body of a response; throws for one that brings no answer, with the provider's own words.
    func answer(in response: HTTPResponse) async throws(ProviderFailure) -> any ProviderAnswer {
        guard (200...203).contains(response.status) else { throw await refusal(response) }
        if let encoding = response.header("Content-Encoding")?.lowercased(), encoding != "identity", !encoding.isEmpty {
            throw ProviderFailure(
                "the provider compressed its answer (\(ProviderMessage.cut(encoding))), which it was not asked to")
        }
        let type = response.header("Content-Type").flatMap { header in
            header.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } }
        }
        if let answer = provider.answer(ofType: type) { return answer }
        let body = try? await response.body.collect(upTo: Limits.errorBodyBytesMax)
        if Task.isCancelled { throw ProviderFailure(.cancelled) }
        if let body, let value = try? JSONValue(parsing: body), value["error"]?.isNull == false {
            throw ProviderFailure(reportedIn: value)
        }
        let words = body.map { ProviderMessage.text(ofBody: $0) } ?? ""
        throw ProviderFailure(
            "the provider answered with \(ProviderMessage.cut(type ?? "no content type")), which is no stream"
                + " (check \(provider.addressKey))\(words.isEmpty ? "" : ": \(words)")")
    }

    private func refusal(_ response: HTTPResponse) async -> ProviderFailure {
        var words = ""
        if let body = try? await response.body.collect(upTo: Limits.errorBodyBytesMax) {
            words = ProviderMessage.text(ofBody: body)
        }
        if Task.isCancelled { return ProviderFailure(.cancelled) }
        let status = response.status
        var advice = ""
        switch status {
        case 204, 205: advice = " (no content)"
        case 300..<400: advice = " (redirects are not followed: correct \(provider.addressKey))"
        case 401, 403: advice = " (check the agent's key)"
        case 404: advice = " (check \(provider.addressKey) and model)"
        default: break
        }
        return ProviderFailure(
            BelfryError(
                status >= 500 ? .agentFailed : .agentRefused,
                "the provider answered \(status)\(advice)\(words.isEmpty ? "" : ": \(words)")",
                details: JSONObject([.init(key: "status", value: .int(status))]),
                retryAfter: response.retryAfter(now: wallClock.now())
            ),
            mayPass: ProviderFailure.mayPass(status: status)
        )
    }
}

extension ProviderFailure {
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
        let advice =
            switch failure.code {
            case .addressNotAllowed:
                "; `outbound.allow_private: true` in the server's configuration allows agents private ones"
            case .deadline: " (the step's timeout)"
            default: ""
            }
        self.init(code, failure.description + advice)
    }
}
