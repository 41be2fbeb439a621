import BelfryCore
import NIOCore
import NIOPosix
import NIOSSL

/// Follows topics over the hub's WebSocket for ever: one connection after the other, each frame once and in order.
struct Listener {
    let hub: String
    let address: HubAddress
    let token: String
    let sink: FrameSink
    var state: ListenStateMachine

    /// Runs until it is cancelled; throws a ``Failure`` if there is no use in going on.
    mutating func run() async throws {
        while !Task.isCancelled {
            let loss = try await connect()
            if Task.isCancelled { return }
            let (pause, line) = try state.lost(loss, random: .random(in: 0...1))
            if let line { Terminal.complain(line) }
            try await Task.sleep(for: pause)
        }
    }

    /// One connection to its end.
    private mutating func connect() async throws -> ListenStateMachine.Loss {
        let connection: HubConnection
        do {
            connection = try await HubConnection.open(address, token: token)
        } catch let refusal as HubConnection.Refusal {
            return .refused(failure(of: refusal), status: refusal.status)
        } catch {
            return .unreachable(unreachable(error))
        }
        let begin = ContinuousClock.now
        var end = CloseCode.words(nil, reason: "")
        do {
            end = try await follow(connection)
        } catch is SilentConnection {
            end = "nothing was heard of the hub for \(Limits.clientSilenceMax.components.seconds) s"
        } catch let failure as Failure {
            throw failure
        } catch is CancellationError {
        } catch {
            // What the network says of a cut helps nobody; what a bad message says does.
            if !(error is IOError), !(error is ChannelError) { end = "the connection to the hub failed: \(error)" }
        }
        return .closed(end, lifetime: begin.duration(to: .now))
    }

    private mutating func follow(_ connection: HubConnection) async throws -> String {
        var state = state
        defer { self.state = state }
        return try await connection.messages.executeThenClose { messages, outbound in
            let (request, line) = state.opened()
            if let line { Terminal.complain(line) }
            try await outbound.write(HubConnection.frame(request))
            for try await message in messages {
                switch message {
                case .closed(let code, let reason): return CloseCode.words(code, reason: reason)
                case .text(let bytes):
                    let message = try state.received(Array(bytes.readableBytesView))
                    if case .unavailable(let words) = message { return words }
                    try await take(message, &state)
                }
                // The program for a frame was ended with us: the frame comes again next time.
                if Task.isCancelled { break }
            }
            return CloseCode.words(nil, reason: "")
        }
    }

    private func take(_ message: ListenStateMachine.Message, _ state: inout ListenStateMachine) async throws {
        switch message {
        case .nothing, .unavailable: return
        case .positioned: break
        case .gap(let frame): sink.gap(frame)
        case .frame(let frame):
            try await sink.take(frame)
            if Task.isCancelled { return }
            state.handled(frame)
        }
        if let position = state.position { try sink.keep(position) }
    }

    private func failure(of refusal: HubConnection.Refusal) -> Failure {
        let body = (try? JSONValue(parsing: refusal.body)) ?? .null
        if body["code"] == nil, [400, 404, 426].contains(refusal.status) {
            return Failure(
                .negative,
                "\(hub) takes no WebSocket (status \(refusal.status)); is it a hub, and does the proxy before it pass "
                    + "upgrades on (ops/nginx/belfry.conf)?")
        }
        let answer = APIClient.Answer(status: refusal.status, headers: [], body: body)
        return Failure(problem: answer, at: "GET \(address.path)")
    }

    private func unreachable(_ error: any Error) -> String {
        switch error {
        case is NIOConnectionError: return "nothing listens at \(hub)"
        case let error as NIOSSLError: return "no TLS connection to \(hub): \(error)"
        default: return "no answer from \(hub)"
        }
    }
}
