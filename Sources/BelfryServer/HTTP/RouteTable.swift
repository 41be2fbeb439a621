import BelfryCore
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// Who may use a route.
enum Access: Sendable {
    /// Everybody: deliveries authenticate themselves, health checks hold nothing.
    case open
    /// A delivery, which authenticates itself; its dry run is for operators, by POST alone.
    case delivery
    /// A token with this role, or one that includes it.
    case role(Role)
    /// A viewer's token, or a ticket in the address of an event stream.
    case streamViewer
    /// The same of a WebSocket.
    case webSocketViewer
    /// Everybody; who asks is known if it is said.
    case known
    /// A token of any role.
    case anyToken
    /// A publisher's token, or an operator's.
    case publisher
    /// Loopback without a token, anybody else with one.
    case loopbackOrToken

    /// What is asked of one request.
    func asked(of request: RouteRequest) -> Access {
        guard case .delivery = self else { return self }
        return request.isDryRun ? .role(.operator) : .open
    }

    /// Whether a principal of `role` may. Loopback is looked at elsewhere.
    func admits(_ role: Role) -> Bool {
        switch self {
        case .open, .delivery, .known, .anyToken: true
        case .role(let required): role.includes(required)
        case .streamViewer, .webSocketViewer: role.includes(.viewer)
        case .publisher: role == .publisher || role.includes(.operator)
        case .loopbackOrToken: role.includes(.viewer)
        }
    }

    /// What a ticket in the address of this request would open; nil where tickets are good for nothing.
    func opening(of request: RouteRequest) -> StreamTickets.Opening? {
        switch self {
        case .streamViewer: .stream(target: request.streamTarget)
        case .webSocketViewer: .webSocket
        default: nil
        }
    }

    /// - Throws: `forbidden` if the principal's role may not.
    func check(_ principal: Principal) throws(BelfryError) {
        guard !admits(principal.role) else { return }
        throw BelfryError(
            .forbidden, "this needs the role \(needed); the token has the role \(principal.role.rawValue)",
            details: ["needed": .string(needed)]
        )
    }

    /// What a refused caller is told.
    private var needed: String {
        switch self {
        case .open, .delivery, .known, .anyToken: "any"
        case .role(let role): role.rawValue
        case .publisher: Role.publisher.rawValue
        case .loopbackOrToken, .streamViewer, .webSocketViewer: Role.viewer.rawValue
        }
    }
}

/// All routes: a method, a path, who may, and what answers. Whatever is not in here is answered with 404 or 405.
struct RouteTable {
    typealias Handler = @Sendable (RouteRequest) async throws -> Reply

    private let router = Router(context: RouteContext.self)
    private var methods: [String: Set<HTTPRequest.Method>] = [:]
    private let authentication: Authentication
    private let tickets: StreamTickets

    init(authentication: Authentication, tickets: StreamTickets) {
        self.authentication = authentication
        self.tickets = tickets
    }

    /// Adds a route; `GET` answers `HEAD` too, but for streams.
    /// - Parameters:
    ///   - checksScopes: the handler itself holds a scoped token to its topics. Every other route refuses one.
    ///   - isBrief: the handler works for microseconds, if the body is small, and else waits: it stays on the event
    ///     loop of its connection. Every other one leaves it, because the loop's streams would wait for it.
    mutating func add(
        _ method: HTTPRequest.Method, _ path: String, _ access: Access, isStream: Bool = false,
        checksScopes: Bool = false, isBrief: Bool = false, _ handler: @escaping Handler
    ) {
        let handler = isBrief ? Self.leavingIfLarge(handler) : Self.leaving(handler)
        register(method, path, access, checksScopes, handler)
        if method == .get, !isStream { register(.head, path, access, checksScopes, handler) }
    }

    private static func leaving(_ handler: @escaping Handler) -> Handler {
        { request in try await withTaskExecutorPreference(globalConcurrentExecutor) { try await handler(request) } }
    }

    private static func leavingIfLarge(_ handler: @escaping Handler) -> Handler {
        let leaving = leaving(handler)
        return { request in
            // A dry run is explained, which takes longer the more rules there are.
            let isBrief = request.body.readableBytes <= Limits.briefBodyBytesMax && !request.isDryRun
            return try await isBrief ? handler(request) : leaving(request)
        }
    }

    private mutating func register(
        _ method: HTTPRequest.Method, _ path: String, _ access: Access, _ checksScopes: Bool,
        _ handler: @escaping Handler
    ) {
        methods[path, default: []].insert(method)
        let authentication = authentication
        let tickets = tickets
        router.on(RouterPath(path), method: method) { _, context -> Response in
            let exchange = context.exchange
            var request = exchange.request
            for parameter in context.parameters { request.parameters[String(parameter.key)] = String(parameter.value) }
            let asked = access.asked(of: request)
            let shown = request.query["ticket"].flatMap { text in asked.opening(of: request).map { (text, $0) } }
            if let (ticket, opening) = shown {
                try authentication.checkTicketOrigin(of: request.head)
                request.principal = try tickets.holder(of: ticket, for: opening)
            } else {
                request.principal = try Self.principal(for: request, asked, authentication)
            }
            if !checksScopes { try request.principal?.checkUnscoped() }
            var reply = try await handler(request)
            // Now that the request has come to something.
            if let (ticket, opening) = shown { try reply.use(ticket, for: opening, of: tickets) }
            exchange.finish(reply, principal: request.principal)
            return Response(status: .ok)
        }
    }

    private static func principal(
        for request: RouteRequest, _ access: Access, _ authentication: Authentication
    ) throws(BelfryError) -> Principal? {
        if case .open = access { return nil }
        let isReading = request.head.method == .GET || request.head.method == .HEAD
        let changes = !isReading || request.head.isWebSocketUpgrade
        guard let principal = try authentication.principal(of: request.head, changes: changes) else {
            if case .known = access { return nil }
            if case .loopbackOrToken = access, request.peer.isLoopback { return nil }
            throw BelfryError(.unauthorized, "a bearer token is needed: Authorization: Bearer TOKEN")
        }
        try access.check(principal)
        return principal
    }

    /// The finished table, in which every path answers every common method.
    func responder() -> RouterResponder<RouteContext> {
        let common: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
        for (path, known) in methods {
            let allowed = common.filter(known.contains).map(\.rawValue).joined(separator: ", ")
            for method in common where !known.contains(method) {
                router.on(RouterPath(path), method: method) { _, _ -> Response in
                    throw BelfryError(
                        .methodNotAllowed, "this path answers \(allowed)", details: ["allow": .string(allowed)]
                    )
                }
            }
        }
        return router.buildResponder()
    }
}

extension RouteRequest {
    /// What an event stream is of: its path and parameters, without the position, which moves, and the ticket.
    fileprivate var streamTarget: String {
        let moving: Set = ["ticket", "after", "last_event_id"]
        let parameters = query.parameters.filter { !moving.contains($0.name) }.map { "\($0.name)=\($0.value)" }
        return ([Dispatcher.split(head.uri).path] + parameters.sorted()).joined(separator: "\n")
    }
}

extension Reply {
    /// Uses up the ticket that a request was made with, if this opens what the ticket is for.
    /// - Throws: what ``StreamTickets/open(_:for:)`` does.
    fileprivate mutating func use(
        _ ticket: String, for opening: StreamTickets.Opening, of tickets: StreamTickets
    ) throws(BelfryError) {
        switch self {
        case .response: return
        case .webSocket: _ = try tickets.open(ticket, for: opening)
        case .stream(var plan):
            if let session = try tickets.open(ticket, for: opening) { plan.sessions.append(session) }
            self = .stream(plan)
        }
    }
}

extension Principal {
    /// A scoped token must not get by way of a list what its scopes keep from it.
    func checkUnscoped() throws(BelfryError) {
        guard !scopes.isEmpty else { return }
        throw BelfryError(
            .forbidden,
            "the token \(name) has scopes (\(scopes.joined(separator: ", "))), so it reaches only streams of these "
                + "topics, publishing to them, and /v1/me",
            details: ["scopes": .array(scopes.map(JSONValue.string))]
        )
    }
}

/// What the router passes along: the exchange is all that counts, Hummingbird's own request and response are shells.
struct RouteContext: RequestContext {
    struct Source: RequestContextSource {
        let logger: Logger
        let exchange: Exchange
    }

    var coreContext: CoreRequestContextStorage
    let exchange: Exchange

    init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        exchange = source.exchange
    }
}

/// One request and its answer.
final class Exchange: Sendable {
    let request: RouteRequest
    private let outcome = Mutex<(reply: Reply, principal: Principal?)?>(nil)

    init(_ request: RouteRequest) { self.request = request }

    func finish(_ reply: Reply, principal: Principal?) { outcome.withLock { $0 = (reply, principal) } }

    /// Nil if no route has answered.
    var reply: Reply? { outcome.withLock { $0?.reply } }
    var principal: Principal? { outcome.withLock { $0?.principal } }
}
