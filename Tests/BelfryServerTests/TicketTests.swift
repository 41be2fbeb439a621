import BelfryCore
import BelfryEngine
import BelfryStore
import Synchronization
import Testing

@testable import BelfryServer

/// Tickets: what stands in an address opens one stream, and nothing else.
@Suite("tickets", .timeLimit(.minutes(3)))
struct TicketTests {
    private final class Clock: Sendable {
        private let time = Mutex(Timestamp(seconds: 1_800_000_000))
        var wall: WallClock { WallClock { self.time.withLock { $0 } } }
        func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
    }

    private func ticket(_ rig: HubRig, _ wish: String = "", token: String? = nil) async throws -> String {
        let made = try await rig.send("POST", "/v1/tickets", token: token ?? rig.viewer, body: wish)
        #expect(made.status == 201)
        #expect(made.head.contains("cache-control: no-store"))
        return try #require(made.json["ticket"]?.string, "\(made.body)")
    }

    /// Opens a stream by its ticket alone.
    private func open(_ path: String, _ rig: HubRig, headers: String = "") async throws -> RawClient {
        let client = try await RawClient.connect(port: rig.port)
        try await client.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\(headers)\r\n")
        return client
    }

    @Test("a ticket opens one event stream, to which its address comes back")
    func session() async throws {
        try await HubRig.run { rig in
            let made = try await rig.send("POST", "/v1/tickets", token: rig.viewer)
            #expect(made.json["expires_at"]?.string.flatMap { Timestamp($0) } != nil)
            let ticket = try #require(made.json["ticket"]?.string)
            let path = "/v1/stream?topic=custom/a&topic=alerts&ticket=\(ticket)"
            let first = try await open(path, rig)
            try await first.read(until: "SNAPSHOT")
            let cursor = rig.hub.head
            _ = try await rig.hub.publish(custom: "a", data: RawJSON(.int(1)), by: .hub)
            // It takes the place of the one before.
            let again = try await open(path, rig, headers: "Last-Event-ID: \(cursor)\r\n")
            try await again.read(until: #""data":1}"#)
            #expect(await first.readToEnd().contains(#""reason":"replaced""#))
            await again.close()
            let moved = try await open("/v1/stream?topic=alerts&ticket=\(ticket)&topic=custom/a&after=\(cursor)", rig)
            try await moved.read(until: #""data":1}"#)
            await moved.close()
            for other in ["topic=runs", "topic=custom/a", "topic=custom/a&topic=alerts&stream=x"] {
                let answer = try await rig.send("GET", "/v1/stream?\(other)&ticket=\(ticket)")
                #expect(answer.status == 403, "\(other)")
                #expect(!answer.body.contains(ticket) && !answer.head.contains(ticket))
            }
        }
    }

    @Test("a ticket is good for streams alone, whatever else the request brings")
    func streamsAlone() async throws {
        try await HubRig.run { rig in
            let ticket = try await ticket(rig, token: rig.admin)
            for path in ["/v1/runs", "/v1/me", "/v1/streams", "/v1/tokens", "/v1/tickets"] {
                #expect(try await rig.send("GET", "\(path)?ticket=\(ticket)").status != 200, "\(path)")
            }
            #expect(try await rig.send("POST", "/v1/tickets?ticket=\(ticket)").status == 401)
            #expect(try await rig.send("PATCH", "/v1/streams/x?ticket=\(ticket)", body: "{}").status == 401)
            #expect(try await rig.send("POST", "/v1/stream?topic=runs&ticket=\(ticket)").status == 405)
            #expect(try await rig.send("HEAD", "/v1/stream?topic=runs&ticket=\(ticket)").status == 405)
            // A token beside a bad ticket does not help.
            let bad = try await rig.send("GET", "/v1/stream?topic=runs&ticket=zz", token: rig.viewer)
            #expect(bad.status == 401)
            #expect(bad.json["code"] == "unauthorized")
            // None of these has used it up.
            let stream = try await open("/v1/stream?topic=runs&ticket=\(ticket)", rig)
            try await stream.read(until: "SNAPSHOT")
            await stream.close()
        }
    }

    @Test("a WebSocket's ticket works once, and may what its maker may")
    func webSocket() async throws {
        try await HubRig.run { rig in
            let ticket = try await ticket(rig, #"{"for":"websocket"}"#)
            let handshake = WebSocketClient.handshake().replacing("/v1/ws ", with: "/v1/ws?ticket=\(ticket) ")
            let client = WebSocketClient(try await RawClient.connect(port: rig.port))
            try await client.raw.send(handshake)
            try await client.readHead()
            try await client.call("run.stop", #"{"run":"run_01h455vb4pex5vsknk084sn02q"}"#)
            #expect(try await client.answer().answer["error"]?["data"]?["code"] == "forbidden")
            await client.close()
            let again = try await RawClient.connect(port: rig.port)
            try await again.send(handshake)
            #expect(try await again.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 401 "))
            await again.close()
        }
    }

    @Test(
        "a request that is refused uses no ticket up, and does not bind it to what it asked for",
        arguments: [
            ("topic=odd", 400), ("", 400), ("topic=runs&format=text", 400), ("topic=runs&after=x", 400),
            ("topic=run/run_01h455vb4pex5vsknk084sn02q", 404), ("topic=runs&stream=No", 400),
        ])
    func refusedRequest(query: String, status: Int) async throws {
        try await HubRig.run { rig in
            let ticket = try await ticket(rig)
            #expect(try await rig.send("GET", "/v1/stream?\(query)&ticket=\(ticket)").status == status)
            let path = "/v1/runs/run_01h455vb4pex5vsknk084sn02q/stream?ticket=\(ticket)"
            #expect(try await rig.send("GET", path).status == 404)
            let plain = try await rig.send("GET", "/v1/ws?ticket=\(ticket)")
            #expect(plain.status == 426)
            let stream = try await open("/v1/stream?topic=runs&ticket=\(ticket)", rig)
            try await stream.read(until: "SNAPSHOT")
            await stream.close()
        }
    }

    @Test("of several requests at once with a WebSocket's ticket one gets in")
    func race() throws {
        let tickets = StreamTickets(clock: .system, isValid: { _ in true })
        let me = Principal(token: TokenID(at: Timestamp(seconds: 1)), name: "me", role: .viewer)
        let ticket = try tickets.make(for: me, use: nil).ticket.text
        #expect(try tickets.holder(of: ticket, for: .webSocket) == me)
        #expect(try tickets.holder(of: ticket, for: .stream(target: "a")) == me)
        #expect(try tickets.open(ticket, for: .webSocket) == nil)
        #expect(throws: BelfryError.self) { try tickets.open(ticket, for: .webSocket) }
        #expect(throws: BelfryError.self) { try tickets.open(ticket, for: .stream(target: "a")) }
    }

    @Test("it is for what it was made for, and for its topics")
    func narrowed() async throws {
        try await HubRig.run { rig in
            let socket = try await ticket(rig, #"{"for":"websocket"}"#)
            #expect(try await rig.send("GET", "/v1/stream?topic=runs&ticket=\(socket)").status == 401)
            let narrow = try await ticket(rig, #"{"topics":["custom/a"],"for":"stream"}"#)
            #expect(try await rig.send("GET", "/v1/stream?topic=runs&ticket=\(narrow)").status == 403)
            let part = try await rig.hub.createToken(
                name: "part", role: .viewer, scopes: ["custom/*"], by: .hub
            ).secret.text
            let wide = try await rig.send("POST", "/v1/tickets", token: part, body: #"{"topics":["runs"]}"#)
            #expect(wide.status == 403)
            // Its stream, named, is changed by the token behind it to what the ticket may see alone.
            let named = try await ticket(rig, #"{"topics":["custom/a","custom/b"]}"#)
            let stream = try await open("/v1/stream?stream=tab&topic=custom/a&ticket=\(named)", rig)
            try await stream.read(until: "SNAPSHOT")
            func patch(_ topic: String) async throws -> Int {
                try await rig.send("PATCH", "/v1/streams/tab", token: rig.viewer, body: #"{"add":["\#(topic)"]}"#)
                    .status
            }
            #expect(try await patch("custom/b") == 200)
            #expect(try await patch("runs") == 403)
            // Nor does the token get more onto the ticket's connection by a request of its own that comes to nothing.
            let refused = try await rig.send(
                "GET", "/v1/stream?stream=tab&topic=run/run_01h455vb4pex5vsknk084sn02q", token: rig.viewer)
            #expect(refused.status == 404)
            #expect(try await patch("runs") == 403)
            await stream.close()
            for body in [#"{"topics":[]}"#, #"{"for":"all"}"#, #"{"topics":["odd"]}"#, #"{"ttl":3}"#, "[]"] {
                #expect(
                    try await rig.send("POST", "/v1/tickets", token: rig.viewer, body: body).status == 400, "\(body)")
            }
            let publisher = try await rig.hub.createToken(
                name: "pub", role: .publisher, scopes: ["custom/a"], by: .hub
            ).secret.text
            #expect(try await rig.send("POST", "/v1/tickets", token: publisher).status == 403)
            #expect(try await rig.send("POST", "/v1/tickets").status == 401)
        }
    }

    @Test("with the token behind it a ticket ends, and the stream that it opened")
    func revoked() async throws {
        try await HubRig.run { rig in
            let waiting = try await ticket(rig)
            let path = "/v1/stream?topic=custom/a&ticket=\(try await ticket(rig))"
            let stream = try await open(path, rig)
            try await stream.read(until: "SNAPSHOT")
            let token = try #require(rig.hub.tokens().first { $0.name == "eye" })
            try await rig.hub.revokeToken(token.id, by: .hub)
            #expect(await stream.readToEnd().contains(#""reason":"unauthorized""#))
            #expect(try await rig.send("GET", path).status == 401)
            #expect(try await rig.send("GET", "/v1/stream?topic=custom/a&ticket=\(waiting)").status == 401)
        }
    }

    @Test("a page that nobody has named can do nothing with one, and does not use it up")
    func origins() async throws {
        let listed = try #require(WebOrigin("https://dash.example"))
        try await HubRig.run(configure: { $0.allowedOrigins = [listed] }) { rig in
            let path = "/v1/stream?topic=custom/a&ticket=\(try await ticket(rig))"
            let stolen = try await rig.send("GET", path, headers: "Origin: https://evil.example\r\n")
            #expect(stolen.status == 403)
            #expect(!stolen.head.contains("access-control-allow-origin"))
            let stream = try await open(path, rig, headers: "Origin: https://dash.example\r\n")
            let head = try await stream.read(until: "SNAPSHOT")
            #expect(head.contains("access-control-allow-origin: https://dash.example\r\n"))
            #expect(head.contains("vary: origin\r\n"))
            await stream.close()
        }
    }

    @Test("a ticket that was not used within a minute is too old; a stream's lasts ten minutes past its disconnect")
    func expiry() throws {
        let clock = Clock()
        let tickets = StreamTickets(clock: clock.wall, isValid: { _ in true })
        let me = Principal(token: TokenID(at: Timestamp(seconds: 1)), name: "me", role: .viewer)
        let late = try tickets.make(for: me, use: nil)
        let early = try tickets.make(for: me, use: nil)
        clock.advance(by: .seconds(59))
        #expect(try tickets.holder(of: early.ticket.text, for: .stream(target: "a")) == me)
        let session = try #require(try tickets.open(early.ticket.text, for: .stream(target: "a")))
        clock.advance(by: .seconds(1))
        #expect(throws: BelfryError.self) { try tickets.open(late.ticket.text, for: .stream(target: "a")) }
        #expect(throws: BelfryError.self) { try tickets.open(late.ticket.text, for: .webSocket) }
        #expect(throws: BelfryError.self) { try tickets.open(early.ticket.text, for: .webSocket) }
        clock.advance(by: Limits.streamSessionRetention - .seconds(2))
        #expect(try tickets.open(early.ticket.text, for: .stream(target: "a")) === session)
        clock.advance(by: .seconds(1))
        #expect(throws: BelfryError.self) { try tickets.open(early.ticket.text, for: .stream(target: "a")) }
    }

    @Test("tickets are bounded for each token; those that are over make room")
    func bounds() throws {
        let clock = Clock()
        let tickets = StreamTickets(clock: clock.wall, isValid: { _ in true })
        let me = Principal(token: TokenID(at: Timestamp(seconds: 1)), name: "me", role: .viewer)
        let you = Principal(token: TokenID(at: Timestamp(seconds: 2)), name: "you", role: .viewer)
        var last = ""
        for _ in 0..<Limits.ticketsPerTokenMax { last = try tickets.make(for: me, use: .webSocket).ticket.text }
        let refusal = #expect(throws: BelfryError.self) { try tickets.make(for: me, use: nil) }
        #expect(refusal?.code == .tooManyRequests)
        _ = try tickets.make(for: you, use: nil)
        #expect(try tickets.open(last, for: .webSocket) == nil)
        _ = try tickets.make(for: me, use: nil)
        #expect(throws: BelfryError.self) { try tickets.make(for: me, use: nil) }
        clock.advance(by: Limits.ticketLifetime)
        _ = try tickets.make(for: me, use: nil)
    }
}
