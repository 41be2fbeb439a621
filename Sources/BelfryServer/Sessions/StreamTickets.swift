import BelfryCore
import BelfryCrypto
import Synchronization

/// Tickets: what a browser puts into the address of a stream, where it can send no `Authorization`. Each opens one
/// stream, not for long, and nothing else. In memory alone, by digest.
///
/// The ticket of an event stream then stands for that stream, so that EventSource can come back to the same address:
/// until some time after its last disconnect, with one connection at a time.
final class StreamTickets: Sendable {
    /// What a ticket opens.
    enum Use: String, Sendable, CaseIterable {
        case stream
        case webSocket = "websocket"
    }

    private struct Ticket {
        let principal: Principal
        /// Nil: whichever comes first.
        let use: Use?
        /// Of the event stream that it has opened.
        var opened: (target: String, session: StreamSession)?
        let expires: Timestamp

        func isOver(at now: Timestamp) -> Bool { opened?.session.isOver(at: now) ?? (expires <= now) }
    }

    private struct State {
        var tickets: [[UInt8]: Ticket] = [:]
        var counts: [TokenID?: Int] = [:]

        mutating func remove(_ digest: [UInt8]) {
            guard let ticket = tickets.removeValue(forKey: digest) else { return }
            let owner = ticket.principal.token
            counts[owner, default: 1] -= 1
            if counts[owner] == 0 { counts[owner] = nil }
        }

        func isFull(for owner: TokenID?) -> Bool {
            tickets.count >= Limits.ticketsMax || counts[owner, default: 0] >= Limits.ticketsPerTokenMax
        }
    }

    private let clock: WallClock
    private let isValid: @Sendable (TokenID) -> Bool
    private let state = Mutex(State())

    /// - Parameter isValid: whether the token behind a ticket is still good.
    init(clock: WallClock, isValid: @escaping @Sendable (TokenID) -> Bool) {
        self.clock = clock
        self.isValid = isValid
    }

    /// A new ticket, which may what the principal may.
    /// - Throws: `too_many_requests` if too many are there.
    func make(for principal: Principal, use: Use?) throws(BelfryError) -> (ticket: Secret, expires: Timestamp) {
        let ticket = Secret(Hex.encode(Random.bytes(32)))
        let now = clock.now()
        let expires = now + Limits.ticketLifetime
        try state.withLock { state throws(BelfryError) in
            if state.isFull(for: principal.token) {
                for (digest, ticket) in state.tickets where ticket.isOver(at: now) { state.remove(digest) }
            }
            guard !state.isFull(for: principal.token) else {
                throw BelfryError(
                    .tooManyRequests, "too many tickets wait to be used or have a stream",
                    retryAfter: Limits.ticketLifetime)
            }
            state.tickets[Digest.sha256(ticket.bytes)] = Ticket(principal: principal, use: use, expires: expires)
            state.counts[principal.token, default: 0] += 1
        }
        return (ticket, expires)
    }

    /// Who opens a WebSocket with this ticket. It works no more.
    /// - Throws: `unauthorized`.
    func take(_ text: String) throws(BelfryError) -> Principal {
        let digest = Digest.sha256(Array(text.utf8))
        let now = clock.now()
        let ticket: Ticket? = state.withLock { state in
            guard let ticket = state.tickets[digest], ticket.opened == nil else { return nil }
            state.remove(digest)
            return ticket
        }
        guard let ticket, !ticket.isOver(at: now), ticket.use != .stream else { throw Self.refusal }
        return try checked(ticket)
    }

    /// Who opens an event stream with this ticket, or comes back to it.
    /// - Parameter target: what the stream is: a ticket that has opened one opens no other.
    /// - Throws: `unauthorized`; `forbidden` for another stream than its own.
    func open(_ text: String, target: String) throws(BelfryError) -> (Principal, StreamSession) {
        let digest = Digest.sha256(Array(text.utf8))
        let now = clock.now()
        let (ticket, opened) = try state.withLock {
            state throws(BelfryError) -> (Ticket, (target: String, session: StreamSession)) in
            guard var ticket = state.tickets[digest] else { throw Self.refusal }
            guard !ticket.isOver(at: now), ticket.use != .webSocket else {
                state.remove(digest)
                throw Self.refusal
            }
            let opened = ticket.opened ?? (target, StreamSession(clock: clock))
            ticket.opened = opened
            state.tickets[digest] = ticket
            return (ticket, opened)
        }
        let principal = try checked(ticket)
        guard opened.target.hasSameBytes(as: target) else {
            throw BelfryError(.forbidden, "this ticket has opened another stream; each stream needs one of its own")
        }
        return (principal, opened.session)
    }

    private func checked(_ ticket: Ticket) throws(BelfryError) -> Principal {
        guard ticket.principal.token.map(isValid) ?? true else { throw Self.refusal }
        return ticket.principal
    }

    private static let refusal = BelfryError(
        .unauthorized,
        "the ticket is unknown, was used, or is too old; POST /v1/tickets makes another"
    )
}
