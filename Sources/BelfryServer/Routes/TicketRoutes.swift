import BelfryCore
import HTTPTypes

/// `POST /v1/tickets`: what opens a stream where no header can be sent.
struct TicketRoutes {
    let tickets: StreamTickets

    func add(to table: inout RouteTable) {
        table.add(.post, "/v1/tickets", .role(.viewer), checksScopes: true, make)
    }

    /// `{topics?, for?: stream|websocket}` → `{ticket, expires_at}`
    private func make(_ request: RouteRequest) async throws -> Reply {
        let body = try request.optionalJSON().members(of: ["topics", "for"])
        var principal = try request.caller()
        if let topics = try body.topics("topics") {
            guard !topics.isEmpty else { throw BelfryError(.malformed, "topics must name at least one topic") }
            for topic in topics { try principal.checkSubscribe(to: topic) }
            principal.scopes = topics.map(\.description)
        }
        var use: StreamTickets.Use?
        if let text = body["for"] {
            guard let known = text.string.flatMap(StreamTickets.Use.init) else {
                throw BelfryError(.malformed, "for must be stream or websocket")
            }
            use = known
        }
        let (ticket, expires) = try tickets.make(for: principal, use: use)
        return .json(["ticket": .string(ticket.text), "expires_at": .string(expires.description)], status: 201)
    }
}
