import BelfryCore
import BelfryHTTP

/// What one provider speaks over HTTP: how it is asked, and what reads its answer. Everything else (attempts, pauses,
/// limits, the socket) is ``ProviderAgent``'s.
protocol Provider: Sendable {
    /// The document's key for the provider's address: what a person corrects when a request leads nowhere.
    var addressKey: String { get }

    /// The request without its timeouts.
    /// - Throws: What the provider can't be asked.
    func httpRequest(for request: AgentRequest) throws(BelfryError) -> HTTPRequest

    /// What reads an answer of this content type (lower case, without parameters); nil for one that is no answer.
    func answer(ofType contentType: String?) -> (any ProviderAnswer)?

    /// The request that ends a task of the provider; nil where closing the socket ends the work.
    func stopRequest(task: String, of request: AgentRequest) -> HTTPRequest?
}

extension Provider {
    var addressKey: String { "base_url" }

    /// For event streams: also servers that give no content type, or no fitting one.
    static func isEventStream(_ contentType: String?) -> Bool {
        [nil, "text/event-stream", "text/plain", "application/octet-stream"].contains(contentType)
    }

    func stopRequest(task: String, of request: AgentRequest) -> HTTPRequest? { nil }
}

/// Reads the body of a provider's answer: pure, from pieces cut anywhere.
protocol ProviderAnswer: Sendable {
    /// Whether it is complete: what follows is not read.
    var isDone: Bool { get }
    /// The provider's name for the work, while that goes on even if the socket is closed.
    var runningTask: String? { get }

    /// Takes the next piece and appends what it completes, also what stands before an error in it.
    mutating func read(_ bytes: [UInt8], into items: inout [AgentOutput]) throws(ProviderFailure)

    /// The body has ended before ``isDone``: appends what is left, or says that the answer is not whole.
    mutating func finish(into items: inout [AgentOutput]) throws(ProviderFailure)
}

extension ProviderAnswer {
    var runningTask: String? { nil }
}

/// An error, and whether another try may help (WIRE conventions, section 2).
struct ProviderFailure: Error {
    var error: BelfryError
    var mayPass = false

    init(_ message: String, mayPass: Bool = false) { self.init(.agentFailed, message, mayPass: mayPass) }

    init(_ code: BelfryError.Code, _ message: String, mayPass: Bool = false) {
        self.init(BelfryError(code, message), mayPass: mayPass)
    }

    init(_ error: BelfryError, mayPass: Bool = false) {
        self.error = error
        self.mayPass = mayPass
    }

    /// 408, 409, 425, 429, and all from 500 on.
    static func mayPass(status: Int) -> Bool { [408, 409, 425, 429].contains(status) || status >= 500 }

    /// An error that a provider reports inside an answer: `{"error": {"type", "code", "message"}}` and its relatives.
    init(reportedIn value: JSONValue) {
        let passing = [
            "overloaded_error", "rate_limit_error", "rate_limit_exceeded", "timeout_error", "api_error", "server_error",
        ]
        let error = value["error"] ?? value
        let facts = [error["type"], error["code"], error["status"], value["status"], value["code"]].compactMap(\.self)
        let status = facts.lazy.compactMap { $0.number?.int64 ?? $0.string.flatMap { Int64($0) } }.first
        self.init(
            .agentFailed, "the provider broke off: \(ProviderMessage.text(of: value))",
            mayPass: status.map { Self.mayPass(status: Int(clamping: $0)) }
                ?? facts.contains { $0.string.map(passing.contains) == true }
        )
    }

    static let endedEarly = ProviderFailure("the provider's stream ended early, before its last event", mayPass: true)
}
