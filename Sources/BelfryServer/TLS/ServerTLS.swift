import BelfryCore
import NIOSSL
import Synchronization

/// What new TLS connections get. It may be replaced at any time; connections that are open keep what they began with.
public final class ServerTLS: Sendable {
    private struct State {
        var identity: TLSIdentity
        var error: String?
    }

    private let state: Mutex<State>

    public init(_ identity: TLSIdentity) { state = Mutex(State(identity: identity)) }

    public var identity: TLSIdentity { state.withLock { $0.identity } }

    public func replace(with identity: TLSIdentity) { state.withLock { $0 = State(identity: identity) } }

    /// Notes why the files could not be read anew: what there is stays, and `/v1/status` says so.
    public func keep(because error: String) { state.withLock { $0.error = error } }

    /// `{not_after, error?}`
    var status: JSONValue {
        state.withLock { state in
            ["not_after": .string(state.identity.notAfter.description), "error": .optional(state.error)]
        }
    }

    /// The handler of a new connection.
    func makeHandler() -> NIOSSLServerHandler { NIOSSLServerHandler(context: identity.context) }
}
