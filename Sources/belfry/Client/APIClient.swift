import BelfryCore
import BelfryHTTP
import Logging

/// A client of one hub's API: JSON in, JSON out, problem documents as ``Failure``.
struct APIClient: Sendable {
    /// Without a slash at the end.
    let url: String
    private let token: String?
    /// Where a token was looked for in vain.
    private let noTokenAt: String?
    private let http: HTTPClient

    init(url: String, token: String?, noTokenAt: String? = nil) {
        self.noTokenAt = noTokenAt
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.token = token
        var policy = OutboundPolicy(allowsPrivateAddresses: true)
        policy.authorityFile = HubOptions.authorityFile
        if Loopback.isLoopback(url: url) { policy.proxies = .none }
        var logger = Logger(label: "belfry.client")
        logger.logLevel = .error
        http = HTTPClient(policy: policy, logger: logger)
    }

    /// An answer of the API with its status; `body` is null where there is none.
    struct Answer: Sendable {
        var status: Int
        var headers: [(name: String, value: String)]
        var body: JSONValue
    }

    func get(_ path: String, _ query: [(String, String?)] = []) async throws -> JSONValue {
        try await call("GET", path, query).body
    }

    @discardableResult
    func post(_ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
        try await call("POST", path, body: body).body
    }

    /// Calls the API; anything but a 2xx is a ``Failure``.
    func call(
        _ method: String, _ path: String, _ query: [(String, String?)] = [],
        headers: [(name: String, value: String)] = [], body: JSONValue? = nil
    ) async throws -> Answer {
        let headers = headers + (body == nil ? [] : [(name: "Content-Type", value: "application/json")])
        let answer = try await exchange(method, path, query, headers: headers, body: body?.encoded() ?? [])
        guard (200..<300).contains(answer.status) else { throw failure(answer, at: "\(method) \(path)") }
        return answer
    }

    /// Sends a request with headers and a body of the caller's own, and returns whatever the hub answers.
    func exchange(
        _ method: String, _ path: String, _ query: [(String, String?)] = [],
        headers: [(name: String, value: String)] = [], body: [UInt8] = [], isAuthorized: Bool = true
    ) async throws -> Answer {
        var request = request(method, path, query, isAuthorized: isAuthorized)
        request.headers += headers
        request.body = body
        request.deadline = .seconds(60)
        do throws(HTTPFailure) {
            let response = try await http.send(request)
            let bytes = try await response.body.collect(upTo: 64 * 1024 * 1024)
            let json = (try? JSONValue(parsing: bytes)) ?? .string(String(decoding: bytes, as: UTF8.self))
            return Answer(status: response.status, headers: response.headers, body: bytes.isEmpty ? .null : json)
        } catch {
            throw unreachable(error)
        }
    }

    /// Opens an event stream; the caller looks at the status and reads the body as it comes.
    func open(_ path: String, _ query: [(String, String?)], lastEventID: String?) async throws -> HTTPResponse {
        var request = request("GET", path, query, isAuthorized: true)
        request.headers.append((name: "Accept", value: "text/event-stream"))
        if let lastEventID { request.headers.append((name: "Last-Event-ID", value: lastEventID)) }
        // The hub sends a comment every 15 s; three of them missing is a dead connection.
        request.idleTimeout = .seconds(50)
        do throws(HTTPFailure) {
            return try await http.send(request)
        } catch {
            throw unreachable(error)
        }
    }

    private func request(
        _ method: String, _ path: String, _ query: [(String, String?)], isAuthorized: Bool
    ) -> HTTPRequest {
        let pairs = query.compactMap { name, value in value.map { "\(name)=\(PercentEncoding.component($0))" } }
        let suffix = pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
        var request = HTTPRequest(method, url: url + path + suffix)
        request.headers.append((name: "User-Agent", value: "belfry/\(Version.text)"))
        if isAuthorized, let token { request.headers.append((name: "Authorization", value: "Bearer \(token)")) }
        return request
    }

    /// What an answer that is no success means.
    func failure(_ answer: Answer, at request: String) -> Failure {
        Failure(problem: answer, at: request, noTokenAt: noTokenAt)
    }

    private func unreachable(_ failure: HTTPFailure) -> Failure {
        failure.code == .connect
            ? Failure(.unreachable, "nothing listens at \(url); start the hub with belfry serve, or name it with --url")
            : Failure(.unreachable, "no answer from \(url): \(failure.message)\(Self.hint(failure))")
    }

    /// What helps with a hub's own certificate.
    private static func hint(_ failure: HTTPFailure) -> String {
        failure.code == .tls ? "; SSL_CERT_FILE names a file of other issuers" : ""
    }
}
