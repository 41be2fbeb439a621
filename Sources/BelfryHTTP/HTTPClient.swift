public import Logging

/// Outbound HTTP/1.1 over libcurl: one thread, one connection pool and one policy per client. It follows no redirect,
/// keeps no cookie, reads no `.netrc`, and asks for no compression.
///
/// The thread ends with ``close()`` or when the client and the bodies of its responses are gone.
public final class HTTPClient: Sendable {
    public let policy: OutboundPolicy
    let loop: TransferLoop
    private let proxies: ProxyTable

    public init(policy: OutboundPolicy, logger: Logger) {
        self.policy = policy
        proxies = ProxyTable(policy.proxies)
        loop = TransferLoop(policy: policy, logger: logger)
    }

    deinit { loop.close() }

    /// Ends everything under way with `.clientClosed`.
    public func close() { loop.close() }

    /// Sends a request and returns when the head of the response is there, whatever its status.
    ///
    /// When the task is cancelled, `send` throws `.cancelled` after the socket is closed.
    public func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
        if Task.isCancelled { throw .cancelled }
        let transfer = try start(request)
        let head = await withTaskCancellationHandler {
            await transfer.waitForHead()
        } onCancel: {
            loop.submit(.cancel(transfer))
        }
        let body = HTTPBody(transfer, client: self)
        if Task.isCancelled {
            await body.cancel()
            throw .cancelled
        }
        guard let head else { throw transfer.failure ?? .clientClosed }
        return HTTPResponse(status: head.status, headers: head.headers, body: body)
    }

    /// Sends a request and returns the status of the response; its body is not read. It does so although the task is
    /// cancelled: for what must still be said when work was taken back.
    public func deliver(_ request: HTTPRequest, within deadline: Duration) async throws(HTTPFailure) -> Int {
        var request = request
        request.deadline = deadline
        let transfer = try start(request)
        guard let head = await transfer.waitForHead() else { throw transfer.failure ?? .clientClosed }
        await HTTPBody(transfer, client: self).cancel()
        return head.status
    }

    private func start(_ request: HTTPRequest) throws(HTTPFailure) -> Transfer {
        let target = try HTTPTarget(parsing: request.url)
        try request.checkForm()
        let proxy = proxies.proxy(for: target)
        if proxy != nil { try target.checkBehindProxy(policy) }
        let transfer = Transfer(request, target: target, proxy: proxy)
        guard loop.submit(.start(transfer)) else { throw .clientClosed }
        return transfer
    }
}
