import BelfryCore
import BelfryEngine
import BelfryStore
import Synchronization
import Testing

@testable import BelfryServer

/// Streams whose topics change, of a real hub.
@Suite("named streams", .timeLimit(.minutes(3)))
struct NamedStreamTests {
    private func publish(_ name: String, _ number: Int, _ rig: HubRig) async throws {
        _ = try await rig.hub.publish(custom: name, data: RawJSON(.int(number)), by: .hub)
    }

    private func patch(_ body: String, _ rig: HubRig, name: String = "tab", token: String? = nil) async throws
        -> HubRig.Answer
    {
        try await rig.send("PATCH", "/v1/streams/\(name)", token: token ?? rig.viewer, body: body)
    }

    /// The ids and the frames of a stream, in the order in which they came: what is left of the chunks and the head is
    /// no line of these.
    private func lines(_ client: RawClient) -> (ids: [Int64], frames: [String]) {
        let lines = client.text.split(whereSeparator: \.isNewline)
        let frames = lines.filter { $0.hasPrefix("data: ") }.compactMap { line -> String? in
            guard let json = try? JSONValue(parsing: line.dropFirst(6).utf8) else { return nil }
            let topic = json["topic"]?.string ?? ""
            return json["type"]?.string == "CUSTOM" ? "\(topic.dropFirst(7))\(json["data"]?.text ?? "")" : nil
        }
        return (lines.filter { $0.hasPrefix("id: ") }.compactMap { Int64($0.dropFirst(4)) }, frames)
    }

    @Test("topics are added and taken away while it is open, live from then on")
    func changes() async throws {
        try await HubRig.run { rig in
            try await publish("b", 0, rig)
            let stream = try await rig.open("/v1/stream?stream=tab&topic=custom/a")
            try await stream.read(until: "SNAPSHOT")
            let added = try await patch(#"{"add":["custom/b","custom/b"]}"#, rig)
            #expect(added.status == 200)
            #expect(added.json["topics"] == ["custom/a", "custom/b"])
            #expect(added.json["stream"] == "tab")
            #expect(added.json["connected"] == true)
            #expect(added.json["position"]?.number?.int64 == rig.hub.head)
            for (name, number) in [("a", 1), ("b", 2), ("c", 3)] { try await publish(name, number, rig) }
            #expect(
                try await patch(#"{"topics":["custom/b","custom/c"]}"#, rig).json["topics"] == ["custom/b", "custom/c"])
            for (name, number) in [("a", 4), ("b", 5), ("c", 6)] { try await publish(name, number, rig) }
            #expect(try await patch(#"{"topics":[]}"#, rig).json["topics"] == [])
            try await publish("c", 7, rig)
            _ = try await patch(#"{"add":["custom/a"]}"#, rig)
            try await publish("a", 8, rig)
            try await stream.read(until: #""data":8}"#)
            let (ids, frames) = lines(stream)
            #expect(frames == ["a1", "b2", "b5", "c6", "a8"])
            #expect(ids == ids.sorted())
            await stream.close()
        }
    }

    @Test("with after, the history of an added topic comes first, without ids, and nothing twice")
    func history() async throws {
        try await HubRig.run { rig in
            let begin = rig.hub.head
            for number in 1...4 { try await publish(number % 2 == 0 ? "a" : "b", number, rig) }
            let stream = try await rig.open("/v1/stream?stream=tab&topic=custom/a&after=\(begin)")
            try await stream.read(until: #""data":4}"#)
            _ = try await patch(#"{"add":["custom/b"],"after":\#(begin + 1)}"#, rig)
            try await publish("b", 5, rig)
            try await stream.read(until: #""data":5}"#)
            #expect(lines(stream).frames == ["a2", "a4", "b3", "b5"])
            #expect(lines(stream).ids == [begin + 2, begin + 4, begin + 5])
            // Taken away and added in one: it begins anew.
            _ = try await patch(#"{"remove":["custom/b"],"add":["custom/b"],"after":0}"#, rig)
            try await publish("a", 6, rig)
            try await stream.read(until: #""data":6}"#)
            #expect(lines(stream).frames == ["a2", "a4", "b3", "b5", "b1", "b3", "b5", "a6"])
            #expect(lines(stream).ids.last == begin + 6)
            #expect(lines(stream).ids == lines(stream).ids.sorted())
            await stream.close()
        }
    }

    @Test("a reconnect goes on with the changed topics from its cursor; another set of topics begins anew")
    func reconnect() async throws {
        try await HubRig.run { rig in
            let path = "/v1/stream?stream=tab&topic=custom/a"
            let first = try await rig.open(path)
            try await first.read(until: "SNAPSHOT")
            _ = try await patch(#"{"add":["custom/b"]}"#, rig)
            try await publish("b", 1, rig)
            try await first.read(until: #""data":1}"#)
            let cursor = try #require(lines(first).ids.last)
            await first.close()
            while try await rig.send("GET", "/v1/streams", token: rig.viewer).json["items"]?.array?.first?["connected"]
                != false
            {}
            for number in 2...3 { try await publish(number == 2 ? "a" : "b", number, rig) }
            // Also while nobody is there.
            let away = try await patch(#"{"add":["custom/c"],"after":\#(cursor)}"#, rig)
            #expect(away.json["connected"] == false)
            #expect(away.json["expires_at"]?.string != nil)
            for path in [path, "/v1/stream?stream=tab"] {
                let again = try await rig.open(path, headers: "Last-Event-ID: \(cursor)\r\n")
                try await publish("c", 4, rig)
                try await again.read(until: #""data":4}"#)
                #expect(lines(again).frames.prefix(3) == ["a2", "b3", "c4"])
                await again.close()
            }
            let other = try await rig.open("/v1/stream?stream=tab&topic=custom/d&after=\(cursor)")
            try await publish("a", 5, rig)
            try await publish("d", 6, rig)
            try await other.read(until: #""data":6}"#)
            #expect(lines(other).frames == ["d6"])
            await other.close()
        }
    }

    @Test("one that begins without topics says at once where it stands, and misses nothing")
    func withoutTopics() async throws {
        try await HubRig.run { rig in
            let stream = try await rig.open("/v1/stream?stream=tab")
            try await stream.read(until: "id: \(rig.hub.head)\n\n")
            let cursor = rig.hub.head
            await stream.close()
            _ = try await patch(#"{"topics":["custom/a"]}"#, rig)
            try await publish("a", 1, rig)
            let again = try await rig.open("/v1/stream?stream=tab", headers: "Last-Event-ID: \(cursor)\r\n")
            try await again.read(until: #""data":1}"#)
            await again.close()
        }
    }

    @Test("a second connection takes it over; the first is told, and waits before it comes again")
    func takeover() async throws {
        try await HubRig.run { rig in
            let path = "/v1/stream?stream=tab&topic=custom/a"
            let first = try await rig.open(path)
            try await first.read(until: "SNAPSHOT")
            let other = try await rig.open(path, token: rig.admin)
            try await other.read(until: "SNAPSHOT")
            let second = try await rig.open(path)
            try await second.read(until: "SNAPSHOT")
            let end = await first.readToEnd()
            #expect(end.contains("retry: 60000\n"))
            #expect(end.contains(#""type":"CLOSING","data":{"reason":"replaced","retry_ms":60000}}"#))
            _ = try await patch(#"{"add":["custom/b"]}"#, rig)
            try await publish("b", 1, rig)
            try await publish("a", 2, rig)
            try await second.read(until: #""data":2}"#)
            try await other.read(until: #""data":2}"#)
            #expect(lines(second).frames == ["b1", "a2"])
            // The name is somebody else's there.
            #expect(lines(other).frames == ["a2"])
            await second.close()
            await other.close()
        }
    }

    @Test("what is no change, not one's own, or not allowed is refused")
    func refusals() async throws {
        try await HubRig.run { rig in
            #expect(try await patch(#"{"topics":["alerts"]}"#, rig).status == 404)
            let stream = try await rig.open("/v1/stream?stream=tab&topic=custom/a")
            try await stream.read(until: "SNAPSHOT")
            #expect(try await patch(#"{"topics":["alerts"]}"#, rig, token: rig.admin).status == 404)
            #expect(try await rig.send("GET", "/v1/streams", token: rig.admin).json["items"] == [])
            let many = (0...100).map { #""custom/\#($0)""# }.joined(separator: ",")
            let cases: [(String, Int)] = [
                ("{}", 400), ("[]", 400), ("{", 400), (#"{"topics":["odd"]}"#, 400), (#"{"topics":"alerts"}"#, 400),
                (#"{"topics":[],"add":[]}"#, 400), (#"{"add":["alerts"],"after":-1}"#, 400),
                (#"{"add":["alerts"],"after":99999}"#, 400), (#"{"add":["alerts"],"nope":1}"#, 400),
                (#"{"add":["run/run_01h455vb4pex5vsknk084sn02q"]}"#, 404), (#"{"topics":[\#(many)]}"#, 400),
            ]
            for (body, status) in cases {
                #expect(try await patch(body, rig).status == status, "\(body.prefix(60))")
            }
            let most = (0..<100).map { #""custom/\#($0)""# }.joined(separator: ",")
            #expect(try await patch(#"{"add":[\#(most)]}"#, rig).status == 409)
            let list = try await rig.send("GET", "/v1/streams", token: rig.viewer).json["items"]
            #expect(list?.array?.first?["topics"] == ["custom/a"])
            #expect(try await rig.send("GET", "/v1/stream?stream=No&topic=alerts", token: rig.viewer).status == 400)
            #expect(try await rig.send("PATCH", "/v1/streams/tab", body: "{}").status == 401)
            await stream.close()
        }
    }

    @Test("a scoped token changes its stream to topics of its scopes alone")
    func scopes() async throws {
        try await HubRig.run { rig in
            let made = try await rig.hub.createToken(
                name: "part", role: .viewer, scopes: ["custom/*"], by: .hub
            ).secret.text
            let stream = try await rig.open("/v1/stream?stream=tab&topic=custom/a", token: made)
            try await stream.read(until: "SNAPSHOT")
            #expect(try await patch(#"{"add":["custom/b"]}"#, rig, token: made).status == 200)
            #expect(try await patch(#"{"add":["alerts"]}"#, rig, token: made).status == 403)
            await stream.close()
        }
    }

    @Test("streams are bounded for each token, and forgotten ten minutes after their last disconnect")
    func bounds() throws {
        let time = Mutex(Timestamp(seconds: 1_800_000_000))
        let streams = NamedStreams(clock: WallClock { time.withLock { $0 } })
        let me = Principal(token: TokenID(at: Timestamp(seconds: 1)), name: "me", role: .viewer)
        let you = Principal(token: TokenID(at: Timestamp(seconds: 2)), name: "you", role: .viewer)
        for number in 0..<Limits.namedStreamsPerTokenMax {
            _ = try streams.open("s\(number)", topics: [.alerts], by: me)
        }
        #expect(throws: BelfryError.self) { try streams.open("more", topics: [.alerts], by: me) }
        _ = try streams.open("s0", topics: [.runs], by: me)
        _ = try streams.open("more", topics: [.alerts], by: you)
        #expect(streams.all(of: you).map(\.name) == ["more"])
        #expect(try streams.find("s0", of: me).topics == [.runs])
        time.withLock { $0 = $0 + Limits.streamSessionRetention }
        #expect(throws: BelfryError.self) { try streams.find("s0", of: me) }
        #expect(streams.all(of: me).isEmpty)
        _ = try streams.open("more", topics: [.alerts], by: me)
        #expect(streams.all(of: me).map(\.name) == ["more"])
    }

    @Test("until a later id has arrived, the history of an added topic comes again")
    func historyAgain() throws {
        let clock = WallClock { Timestamp(seconds: 1_800_000_000) }
        let viewer = Principal(token: nil, name: "me", role: .viewer)
        let stream = NamedStream(name: "tab", topics: [.runs], opener: viewer, clock: clock)
        try stream.change(.edit(add: [.alerts], remove: []), after: 3, head: 20)
        #expect(stream.topicsToBegin(after: 20) == [.runs])
        #expect(stream.topicsToBegin(after: 21) == [.runs, .alerts])
        #expect(stream.topicsToBegin(after: 20) == [.runs])
        // A client that has nothing gets the state so far of all.
        #expect(stream.topicsToBegin(after: nil) == [.runs, .alerts])
        // Another client that comes back does not have it for that.
        #expect(stream.topicsToBegin(after: 20) == [.runs])
    }

    @Test("the order of its topics in the address makes a stream no other")
    func orderOfTopics() throws {
        let viewer = Principal(token: nil, name: "me", role: .viewer)
        let stream = NamedStream(name: "tab", topics: [.runs, .rules], opener: viewer, clock: .system)
        try stream.change(.edit(add: [.alerts], remove: [.rules]), after: 3, head: 20)
        try stream.reopen(topics: [.rules, .runs], by: viewer)
        #expect(stream.topics == [.runs, .alerts])
        try stream.reopen(topics: [.runs], by: viewer)
        #expect(stream.topics == [.runs])
    }
}
