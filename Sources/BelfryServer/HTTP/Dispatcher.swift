import BelfryCore
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// Takes a complete request to its route and whatever comes of it to an answer: also errors and unknown paths. One log
/// line and one count per request.
struct Dispatcher: Sendable {
    let responder: RouterResponder<RouteContext>
    let metrics: RequestMetrics
    let clock: WallClock
    var crossOrigin = CrossOrigin(origins: OriginPolicy())
    let logger: Logger

    func respond(to inbound: InboundRequest, peerAddress: SocketAddress?) async -> Reply {
        let started = ContinuousClock.now
        let (path, query) = Self.split(inbound.head.uri)
        let request = RouteRequest(
            id: Self.newID(), head: inbound.head, body: inbound.body,
            peer: Peer(peerAddress, headers: inbound.head.headers), query: Query(query), received: clock.now()
        )
        let exchange = Exchange(request)
        let context = RouteContext(source: RouteContext.Source(logger: logger, exchange: exchange))
        var reply: Reply
        if let answer = crossOrigin.preflight(inbound.head, path: path) {
            reply = .response(answer)
        } else {
            reply = await answer(request, path: path, exchange, context)
            reply.add(crossOrigin.headers(inbound.head, path: path))
        }
        record(
            request, path: path, route: context.endpointPath, reply, principal: exchange.principal,
            duration: ContinuousClock.now - started
        )
        return reply
    }

    private func answer(
        _ request: RouteRequest, path: String, _ exchange: Exchange, _ context: RouteContext
    ) async -> Reply {
        let method = HTTPRequest.Method(request.head.method.rawValue) ?? .get
        let shell = Request(
            head: HTTPRequest(method: method, scheme: nil, authority: nil, path: path),
            body: RequestBody(buffer: ByteBuffer())
        )
        do {
            _ = try await responder.respond(to: shell, context: context)
            return exchange.reply ?? problem(BelfryError(.notFound, "there is nothing at this path"), request)
        } catch let error as BelfryError {
            return problem(error, request)
        } catch is CancellationError {
            return problem(BelfryError(.shuttingDown, "the server is stopping"), request)
        } catch {
            logger.error(
                "a request failed unexpectedly",
                metadata: ["request.id": "\(request.id)", "http.route": "\(path)", "error": "\(error)"]
            )
            return problem(BelfryError(.internal, "something went wrong here; the log has more under this id"), request)
        }
    }

    private func problem(_ error: BelfryError, _ request: RouteRequest) -> Reply {
        // Nobody has to act on a server that stops or sheds load.
        if Problem(error).status >= 500, ![.shuttingDown, .overloaded].contains(error.code) {
            logger.error(
                "a request failed",
                metadata: [
                    "request.id": "\(request.id)", "error.code": "\(error.code.rawValue)", "error": "\(error.message)",
                ]
            )
        }
        var reply = Problem(error, requestID: request.id).response
        if let allowed = error.details["allow"]?.string { reply.headers.append(("allow", allowed)) }
        return .response(reply)
    }

    /// A request that never became complete.
    func refused(_ error: BelfryError, head: HTTPRequestHead?) {
        let status = Problem(error).status
        metrics.count(route: "none", status: status, duration: .zero)
        logger.info(
            "request refused",
            metadata: [
                "http.method": "\(head?.method.rawValue ?? "-")",
                "http.path": "\(head.map { Self.split($0.uri).path } ?? "-")",
                "http.status": "\(status)", "error.code": "\(error.code.rawValue)",
            ]
        )
    }

    private func record(
        _ request: RouteRequest, path: String, route: String?, _ reply: Reply, principal: Principal?, duration: Duration
    ) {
        let status: Int
        var isStream = false
        switch reply {
        case .response(let response): status = response.status
        case .stream:
            status = 200
            isStream = true
        case .webSocket:
            status = 101
            isStream = true
        }
        // Unknown paths must not become labels.
        let known = route.map { $0 == "NotFound" ? "none" : $0 } ?? "none"
        metrics.count(route: known, status: status, duration: isStream ? .zero : duration)
        guard logger.logLevel <= .info else { return }
        var metadata: Logger.Metadata = [
            "http.method": "\(request.head.method.rawValue)", "http.path": "\(path)", "http.status": "\(status)",
            "http.duration_ms": "\(duration.milliseconds)", "net.peer": "\(request.peer.address)",
            "request.id": "\(request.id)",
        ]
        if let principal { metadata["principal"] = "\(principal.name)" }
        if let trace = request.headers.first(name: "traceparent"), TraceParent.isValid(trace) {
            metadata["trace.parent"] = "\(trace)"
        }
        logger.info(isStream ? "stream opened" : "request", metadata: metadata)
    }

    /// Path and query of a target, also of one in absolute form (RFC 9112, section 3.2.2).
    static func split(_ target: String) -> (path: String, query: Substring) {
        var rest = target[...]
        if rest.utf8.first != UInt8(ascii: "/"), let scheme = rest.firstRange(of: "://") {
            let authority = rest[scheme.upperBound...]
            rest = authority.firstIndex(where: { $0 == "/" || $0 == "?" }).map { authority[$0...] } ?? "/"
        }
        // By bytes: what stands behind a mark never makes another character of it.
        if let fragment = rest.utf8.firstIndex(of: UInt8(ascii: "#")) { rest = rest[..<fragment] }
        guard let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) else { return (String(rest), "") }
        return (mark == rest.startIndex ? "/" : String(rest[..<mark]), rest[rest.utf8.index(after: mark)...])
    }

    private static func newID() -> String { String(UInt64.random(in: 0...(.max)), radix: 36) }
}

/// W3C Trace Context, version 00: `00-{32 hex}-{16 hex}-{2 hex}`, neither id all zero.
enum TraceParent {
    static func isValid(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        func isHex(_ part: Substring, _ count: Int) -> Bool {
            part.utf8.count == count
                && part.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        }
        return parts.count == 4 && parts[0] == "00" && isHex(parts[1], 32) && isHex(parts[2], 16) && isHex(parts[3], 2)
            && parts[1].contains { $0 != "0" } && parts[2].contains { $0 != "0" }
    }
}
