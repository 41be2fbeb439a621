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

    /// What a ticket is shown for.
    enum Opening {
        /// - Parameter target: what the stream is: a ticket that has opened one opens no other.
        case stream(target: String)
        case webSocket

        fileprivate var use: Use {
            switch self {
            case .stream: .stream
            case .webSocket: .webSocket
            }
        }
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

    /// Who asks with this ticket. That does not use it up: the request may still come to nothing.
    /// - Throws: `unauthorized`; `forbidden` for another stream than its own.
    func holder(of text: String, for opening: Opening) throws(BelfryError) -> Principal {
        let ticket = state.withLock { $0.tickets[Self.digest(text)] }
        return try check(ticket, for: opening).principal
    }

    /// Opens what a ticket was shown for. A WebSocket's works no more after that; one of an event stream stands for this
    /// stream.
    /// - Returns: what lets the client come back to its event stream.
    /// - Throws: as ``holder(of:for:)``; also if another request was faster.
    func open(_ text: String, for opening: Opening) throws(BelfryError) -> StreamSession? {
        let digest = Self.digest(text)
        return try state.withLock { state throws(BelfryError) in
            var ticket = try check(state.tickets[digest], for: opening)
            guard case .stream(let target) = opening else {
                state.remove(digest)
                return nil
            }
            if let opened = ticket.opened { return opened.session }
            let session = StreamSession(clock: clock)
            ticket.opened = (target, session)
            state.tickets[digest] = ticket
            return session
        }
    }

    private func check(_ ticket: Ticket?, for opening: Opening) throws(BelfryError) -> Ticket {
        guard let ticket, !ticket.isOver(at: clock.now()), ticket.use == nil || ticket.use == opening.use,
            ticket.principal.token.map(isValid) ?? true
        else { throw Self.refusal }
        switch (opening, ticket.opened) {
        case (_, nil): return ticket
        case (.webSocket, _?): throw Self.refusal
        case (.stream(let target), let opened?):
            guard opened.target.hasSameBytes(as: target) else {
                throw BelfryError(.forbidden, "this ticket has opened another stream; each stream needs one of its own")
            }
            return ticket
        }
    }

    private static func digest(_ text: String) -> [UInt8] { Digest.sha256(Array(text.utf8)) }

    private static let refusal = BelfryError(
        .unauthorized,
        "the ticket is unknown, was used, or is too old; POST /v1/tickets makes another"
    )
}
