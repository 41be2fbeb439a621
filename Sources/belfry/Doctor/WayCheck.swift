import BelfryCore
import BelfryHTTP
import NIOCore
import Synchronization

/// What lies between here and a hub: opens streams through it, and asks the hub what arrived there.
struct WayCheck: Sendable {
    let client: APIClient
    let address: HubAddress
    let token: String
    /// For how long quiet connections are watched.
    let idle: Duration

    /// Throws a ``Failure`` if the URL or the token will not do.
    init(_ hub: HubOptions, idle: Duration) throws {
        guard let address = HubAddress(hub.baseURL) else {
            throw Failure(.usage, "\(hub.baseURL) is no hub's address; it begins with http:// or https://")
        }
        (client, self.address, token, self.idle) = (try hub.client(), address, try hub.foundToken(), idle)
    }

    func findings() async -> [Finding] {
        async let arrived = probe()
        async let stream = watchStream()
        async let socket = watchSocket()
        let (probe, server) = await arrived
        let sighting = await stream
        return await probe + sighting.findings(server, idle: idle) + socket.findings(server, idle: idle)
    }

    // MARK: What arrives

    private func probe() async -> ([Finding], ProxyFault.Server?) {
        let origin = "\(address.isTLS ? "https" : "http")://\(address.authority)"
        guard
            let answer = try? await client.exchange(
                "GET", "/v1/probe", headers: [(name: "Last-Event-ID", value: "7"), (name: "Origin", value: origin)])
        else { return ([], nil) }
        let server = ProxyFault.Server(answer.headers)
        return (Self.findings(answer, origin: origin, server), server)
    }

    /// - Parameter answer: to a request with a token, `Last-Event-ID: 7` and this `Origin`.
    static func findings(_ answer: APIClient.Answer, origin: String, _ server: ProxyFault.Server?) -> [Finding] {
        if answer.status == 401, answer.body["detail"]?.string?.hasPrefix("a bearer token is needed") == true {
            return [
                Finding(
                    .fail, "token", "it does not arrive: Authorization is taken away",
                    mend: ProxyFault.noAuthorization.mend(server))
            ]
        }
        guard answer.status == 200 else { return [] }
        var findings: [Finding] = []
        if answer.body["last_event_id"]?.string != "7" {
            findings.append(
                Finding(
                    .fail, "resume", "Last-Event-ID is taken away: streams that are cut begin anew",
                    mend: ProxyFault.noLastEventID.mend(server)))
        }
        if answer.body["origin"]?.string == "refused" {
            let host = answer.body.cell("host")
            findings.append(
                Finding(
                    .fail, "host", "the hub is asked for as \(host), so it refuses pages of \(origin)",
                    mend: ProxyFault.otherHost.mend(server) + "; or public_url: \(origin) in the hub's configuration"))
        }
        if server != nil, answer.body["forwarded"]?.bool == false {
            findings.append(
                Finding(
                    .warn, "peer", "no X-Forwarded-For: every request seems to come from the proxy's machine",
                    mend: ProxyFault.noForwardedFor.mend(server)))
        }
        return findings.isEmpty ? [Finding(.ok, "headers", "arrive as they were sent")] : findings
    }

    // MARK: An event stream

    /// A snapshot comes at once, then nothing but keep-alives, unless a run changes.
    private func watchStream() async -> StreamSighting {
        let watch = StreamWatch()
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await watch.follow(client) }
            tasks.addTask { await watch.wait(idle, client) }
            await tasks.next()
            tasks.cancelAll()
        }
        return watch.sighting
    }

    // MARK: A WebSocket

    private func watchSocket() async -> SocketSighting {
        do {
            let connection = try await HubConnection.open(address, token: token)
            let start = ContinuousClock.now
            return try await withThrowingTaskGroup(of: SocketSighting.self) { tasks in
                tasks.addTask {
                    try? await connection.messages.executeThenClose { messages, _ in for try await _ in messages {} }
                    return .cut(after: .now - start)
                }
                tasks.addTask {
                    try await Task.sleep(for: idle)
                    return .open
                }
                defer { tasks.cancelAll() }
                return try await tasks.next() ?? .open
            }
        } catch let refusal as HubConnection.Refusal {
            return .refused(refusal.status)
        } catch {
            return .unreachable
        }
    }
}

/// Watches one event stream.
private final class StreamWatch: Sendable {
    private struct State {
        var sighting = StreamSighting()
        /// When bytes came last.
        var last = ContinuousClock.now

        mutating func note(at now: ContinuousClock.Instant, since start: ContinuousClock.Instant) {
            last = now
            if sighting.first == nil { sighting.first = now - start } else { sighting.hasKeepAlive = true }
        }
    }

    private static let topic = "custom/belfry-doctor"
    private let start = ContinuousClock.now
    private let state = Mutex(State())

    var sighting: StreamSighting { state.withLock { $0.sighting } }

    /// Reads the stream to its end.
    func follow(_ client: APIClient) async {
        guard let response = try? await client.open("/v1/stream", [("topic", Self.topic)], lastEventID: nil) else {
            return
        }
        state.withLock { $0.sighting.status = response.status }
        guard response.status == 200 else { return }
        do {
            for try await _ in response.body { state.withLock { $0.note(at: .now, since: start) } }
        } catch {
            // A cut is an end like any other.
        }
        guard !Task.isCancelled else { return }
        state.withLock { state in state.sighting.end = state.sighting.first.map { .now - start - $0 } }
    }

    /// Waits for its beginning, sees whether a frame comes, and then waits so long.
    func wait(_ idle: Duration, _ client: APIClient) async {
        guard await comes({ $0.first != nil }) else { return }
        let published = ContinuousClock.now
        let answer = try? await client.exchange(
            "POST", "/v1/topics/\(Self.topic)", headers: [(name: "Content-Type", value: "application/json")],
            body: Array(#"{"probe":true}"#.utf8))
        if answer?.status == 202 {
            state.withLock { $0.sighting.hasPublished = true }
            _ = await comes { _ in state.withLock { $0.last > published } }
            state.withLock { state in
                state.sighting.frame = state.last > published ? state.last - published : nil
                state.sighting.hasKeepAlive = false
            }
        }
        try? await Task.sleep(for: idle)
    }

    /// Whether something is seen soon enough.
    private func comes(_ isSeen: (StreamSighting) -> Bool) async -> Bool {
        let late = ContinuousClock.now + StreamSighting.promptness
        while !isSeen(sighting) {
            guard ContinuousClock.now < late, !Task.isCancelled else { return false }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return true
    }
}

/// What was seen of a WebSocket on which nothing is said.
enum SocketSighting: Sendable, Equatable {
    case open
    case cut(after: Duration)
    /// A status instead of the upgrade.
    case refused(Int)
    case unreachable

    func findings(_ server: ProxyFault.Server?, idle: Duration) -> [Finding] {
        switch self {
        case .open:
            [Finding(.ok, "WebSocket", idle > .zero ? "lives for \(idle.components.seconds) s" : "opens")]
        case .cut(let lifetime):
            [
                Finding(
                    .fail, "WebSocket", "cut after \(lifetime.components.seconds) s",
                    mend: ProxyFault.cutsQuiet.mend(server))
            ]
        // Of the token more is said elsewhere.
        case .refused(401), .refused(403): []
        case .refused(let status):
            [
                Finding(
                    .fail, "WebSocket", "the upgrade does not arrive (answered with \(status))",
                    mend: ProxyFault.noUpgrade.mend(server))
            ]
        case .unreachable:
            [Finding(.fail, "WebSocket", "no answer", mend: ProxyFault.noUpgrade.mend(server))]
        }
    }
}
