import BelfryCore
import BelfryEngine
import BelfryStore
import ServiceLifecycle
import Testing

@testable import BelfryServer

/// Streams of a real hub: positions, snapshots, gaps and ends.
@Suite("stream routes", .timeLimit(.minutes(3)))
struct StreamRouteTests {
    /// The `id:` and `data:` lines of a stream.
    private func lines(_ text: String) -> [Substring] {
        guard let head = text.firstRange(of: "\r\n\r\n"), let body = unchunked(text[head.upperBound...]) else {
            return []
        }
        return body.split(separator: "\n").filter { $0.hasPrefix("id:") || $0.hasPrefix("data:") }.map { Substring($0) }
    }

    @Test("what cannot be a stream is refused before the headers")
    func refusals() async throws {
        try await HubRig.run { rig in
            let cases: [(String, Int)] = [
                ("/v1/stream", 400), ("/v1/stream?topic=odd", 400), ("/v1/stream?topic=runs&after=x", 400),
                ("/v1/stream?topic=runs&format=agui", 400), ("/v1/stream?topic=runs&after=-1", 400),
                ("/v1/runs/run_01h455vb4pex5vsknk084sn02q/stream", 404),
                ("/v1/stream?topic=run/run_01h455vb4pex5vsknk084sn02q", 404),
                ("/v1/stream?topic=runs&topic=run/run_01h455vb4pex5vsknk084sn02q&after=0", 404),
                ("/v1/stream?" + (0...100).map { "topic=custom/\($0)" }.joined(separator: "&"), 400),
            ]
            for (path, status) in cases {
                let answer = try await rig.send("GET", path, token: rig.viewer)
                #expect(answer.status == status, "\(path.prefix(60))")
                #expect(answer.json["code"]?.string != nil)
            }
            #expect(try await rig.send("GET", "/v1/stream?topic=runs").status == 401)
        }
    }

    @Test("a run's stream from the start, cut after any block and resumed, gives the same lines")
    func resume() async throws {
        try await HubRig.run { rig in
            let run = try await rig.startRun()
            let live = try await rig.open("/v1/runs/\(run)/stream?after=0")
            let whole = lines(await live.readToEnd())
            #expect(whole.count > 8)
            #expect(whole.last?.contains("RUN_") == true)
            for cut in stride(from: 2, to: whole.count, by: 2) {
                let id = String(whole[cut - 2].dropFirst(4))
                let rest = try await rig.open("/v1/runs/\(run)/stream?after=0", headers: "Last-Event-ID: \(id)\r\n")
                #expect(lines(await rest.readToEnd()) == Array(whole[cut...]))
            }
            let last = whole.last { $0.hasPrefix("id: ") }?.dropFirst(4) ?? ""
            let end = try await rig.send("GET", "/v1/runs/\(run)/stream?last_event_id=\(last)", token: rig.viewer)
            #expect(end.status == 204)
            let past = try await rig.send(
                "GET", "/v1/runs/\(run)/stream", token: rig.viewer, headers: "Last-Event-ID: \(rig.hub.head)\r\n"
            )
            #expect(past.status == 204)
            // What is beyond the log has not been here.
            let beyond = lines(
                await (try rig.open("/v1/runs/\(run)/stream?after=\(rig.hub.head + 100)")).readToEnd())
            #expect(beyond.first?.contains("GAP") == true && beyond.last?.contains("SNAPSHOT") == true)
        }
    }

    @Test("a late viewer's snapshot holds the text so far, and its id is where it goes on")
    func snapshot() async throws {
        try await HubRig.run { rig in
            let run = try await rig.startRun(5)
            try await rig.waitForEnd(of: run)
            let late = try await rig.open("/v1/runs/\(run)/stream")
            let seen = lines(await late.readToEnd())
            #expect(seen.count == 2)
            #expect(seen.first == "id: \(rig.hub.head)")
            #expect(seen.last?.contains("reading 5 has come in and is fine") == true)
            #expect(seen.last?.contains("\"SNAPSHOT\"") == true)
        }
    }

    @Test(
        "garbage in Last-Event-ID and positions beyond the head get a GAP and the state so far, then what comes",
        arguments: ["banana", "-5", "99999999999999999999", "1e3"])
    func gap(id: String) async throws {
        try await HubRig.run { rig in
            let stream = try await rig.open("/v1/stream?topic=custom/c", headers: "Last-Event-ID: \(id)\r\n")
            try await stream.read(until: "\"GAP\"")
            try await stream.read(until: #""data":{"from":null,"to":\#(rig.hub.head),"topics":["custom/c"]}}"#)
            try await stream.read(until: "\"SNAPSHOT\"")
            _ = try await rig.hub.publish(custom: "c", data: RawJSON(["n": 1]), by: .hub)
            try await stream.read(until: "id: \(rig.hub.head)\n")
            await stream.close()
            let beyond = try await rig.open("/v1/stream?topic=custom/c&after=\(rig.hub.head + 100)")
            try await beyond.read(until: #""from":\#(rig.hub.head + 100),"to":\#(rig.hub.head)"#)
            await beyond.close()
        }
    }

    @Test("the header wins over the query")
    func precedence() async throws {
        try await HubRig.run { rig in
            for number in 1...3 { _ = try await rig.hub.publish(custom: "c", data: RawJSON(.int(number)), by: .hub) }
            let head = rig.hub.head
            let stream = try await rig.open(
                "/v1/stream?topic=custom/c&after=0&last_event_id=0", headers: "Last-Event-ID: \(head - 1)\r\n"
            )
            let text = try await stream.read(until: "id: \(head)\n")
            #expect(text.ranges(of: "\nid: ").count + text.ranges(of: "\r\nid: ").count == 1)
            await stream.close()
            // A header without a value says nothing.
            let empty = try await rig.open(
                "/v1/stream?topic=custom/c&last_event_id=\(head - 1)", headers: "Last-Event-ID: \r\n")
            #expect(try await !empty.read(until: "id: \(head)\n").contains("SNAPSHOT"))
            await empty.close()
        }
    }

    @Test("streams end with the token that opened them, of topics and of a run")
    func revokedToken() async throws {
        try await HubRig.run { rig in
            let slow = """
                agent: slow
                kind: echo
                words_per_second: 1
                ---
                rule: slow
                when: { source: [plant], data: { slow: [true] } }
                run: { steps: [ { step: say, agent: slow, prompt: "one two three four five six seven eight nine" } ] }
                """
            _ = try await rig.hub.applyDocuments([(path: "slow.yaml", text: slow)], by: .hub)
            let delivery = try await rig.send("POST", "/hooks/plant", body: #"{"slow":true}"#)
            let run = try #require(delivery.json["runs"]?.array?.first?.string)
            let ending = [
                try await rig.open("/v1/stream?topic=custom/c"), try await rig.open("/v1/runs/\(run)/stream"),
            ]
            let other = try await rig.open("/v1/stream?topic=custom/c", token: rig.admin)
            for stream in ending + [other] { try await stream.read(until: "SNAPSHOT") }
            let token = try #require(rig.hub.tokens().first { $0.name == "eye" })
            #expect(rig.hub.isValid(token: token.id))
            try await rig.hub.revokeToken(token.id, by: .hub)
            #expect(!rig.hub.isValid(token: token.id))
            for stream in ending { #expect(await stream.readToEnd().contains(#""reason":"unauthorized""#)) }
            _ = try await rig.hub.publish(custom: "c", data: RawJSON(["n": 1]), by: .hub)
            try await other.read(until: #""data":{"n":1}"#)
            await other.close()
            _ = try await rig.send("POST", "/v1/runs/\(run)/stop", token: rig.admin)
        }
    }

    @Test("when the server stops, streams get their farewell while readiness already says no")
    func drain() async throws {
        try await HubRig.run { rig in
            let stream = try await rig.open("/v1/stream?topic=alerts")
            try await stream.read(until: "SNAPSHOT")
            await rig.group.triggerGracefulShutdown()
            let text = await stream.readToEnd()
            #expect(text.contains("\"CLOSING\""))
            #expect(text.hasSuffix("0\r\n\r\n"))
            #expect(rig.hub.readiness != .ready)
        }
    }

    @Test("what does not end by itself is cut when the drain timeout is over")
    func drainIsBounded() async throws {
        try await HubRig.run(configure: { $0.drainTimeout = .milliseconds(200) }) { rig in
            let stuck = try await RawClient.connect(port: rig.port)
            try await stuck.send("POST /hooks/plant HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
            _ = try await rig.send("GET", "/healthz")
            await rig.group.triggerGracefulShutdown()
            #expect(await stuck.readToEnd() == "")
        }
    }

    @Test("past the connection cap a client waits until another goes")
    func connectionCap() async throws {
        try await HubRig.run(configure: { $0.connectionsMax = 1 }) { rig in
            let first = try await rig.open("/v1/stream?topic=alerts")
            try await first.read(until: "SNAPSHOT")
            let second = try await rig.open("/v1/stream?topic=alerts")
            _ = try await rig.hub.publish(custom: "c", data: .null, by: .hub)
            #expect(second.received.isEmpty)
            await first.close()
            try await second.read(until: "SNAPSHOT")
            await second.close()
        }
    }
}
