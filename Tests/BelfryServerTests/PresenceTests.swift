import BelfryCore
import BelfryEngine
import BelfryStore
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import BelfryServer

/// Who looks at which run.
@Suite("presence", .timeLimit(.minutes(3)))
struct PresenceTests {
    private let runs = (1...3).map { RunID(at: Timestamp(milliseconds: 1), bits: ($0, $0)) }

    private final class Ear: Sendable {
        let heard = Mutex<[JSONValue]>([])

        func hear(_ buffer: ByteBuffer) {
            // Behind a head of two or four bytes.
            var bytes = Array(buffer.readableBytesView)
            bytes.removeFirst(bytes[1] < 126 ? 2 : 4)
            let json = (try? JSONValue(parsing: bytes)) ?? .null
            heard.withLock { $0.append(json) }
        }

        /// What was told since the last time: the runs of each notification.
        func news() -> [JSONValue] {
            heard.withLock { heard in
                defer { heard = [] }
                return heard.map { $0[path: ["params", "runs"]] ?? .null }
            }
        }
    }

    private func item(_ run: RunID, _ operators: [String], viewers: Int) -> JSONValue {
        [
            "run": .string(run.description), "operators": .array(operators.map(JSONValue.string)),
            "viewers": .int(viewers),
        ]
    }

    @Test("changes of a second are told together, once to everybody; who leaves is gone")
    func batches() throws {
        let loop = EmbeddedEventLoop()
        let presence = Presence(loop: loop)
        let ear = Ear()
        let anna = presence.join(.init(name: "anna", isNamed: true), tell: ear.hear)
        let eye = presence.join(.init(name: "eye", isNamed: false), tell: ear.hear)
        for run in runs { presence.watch([run], as: anna) }
        presence.watch([runs[2]], as: eye)
        #expect(ear.news().isEmpty)
        loop.advanceTime(by: .seconds(1))
        let news = ear.news()
        #expect(news.count == 2 && news[0] == news[1])
        let told = try #require(news.first?.array)
        #expect(told.contains(item(runs[2], ["anna"], viewers: 1)))
        #expect(told.contains(item(runs[0], [], viewers: 0)))
        #expect(presence.runs == [item(runs[2], ["anna"], viewers: 1)])

        loop.advanceTime(by: .seconds(60))
        #expect(ear.news().isEmpty, "nobody has moved")
        presence.watch([runs[2]], as: anna)
        loop.advanceTime(by: .seconds(1))
        #expect(ear.news().isEmpty, "nothing has changed")
        presence.leave(anna)
        presence.leave(anna)
        loop.advanceTime(by: .seconds(1))
        #expect(ear.news() == [[item(runs[2], [], viewers: 1)]])
    }

    @Test("one person in two browsers is one; a notification has a bound, and the rest comes with the next")
    func bounds() throws {
        let loop = EmbeddedEventLoop()
        let presence = Presence(loop: loop)
        let ear = Ear()
        let person = Presence.Person(name: "anna", isNamed: true)
        let tickets = (0..<2).map { _ in presence.join(person, tell: { _ in }) }
        for ticket in tickets { presence.watch([runs[0]], as: ticket) }
        #expect(presence.runs == [item(runs[0], ["anna"], viewers: 0)])
        presence.leave(tickets[0])
        #expect(presence.runs == [item(runs[0], ["anna"], viewers: 0)])

        let ticket = presence.join(person, tell: ear.hear)
        loop.advanceTime(by: .seconds(1))
        _ = ear.news()
        let many = (0..<UInt64(Limits.presenceRunsMax) + 20).map {
            RunID(at: Timestamp(milliseconds: 2), bits: ($0, $0))
        }
        presence.watch(Set(many), as: ticket)
        loop.advanceTime(by: .seconds(1))
        #expect(ear.news().map { $0.array?.count } == [Limits.presenceRunsMax])
        loop.advanceTime(by: .seconds(1))
        #expect(ear.news().map { $0.array?.count } == [20])
    }

    @Test("over WebSockets: others hear who came, by the name of the token, and who went with the connection")
    func webSockets() async throws {
        try await HubRig.run { rig in
            let anna = try await rig.hub.createToken(name: "anna", role: .operator, by: .hub).secret.text
            let scoped = try await rig.hub.createToken(
                name: "s", role: .operator, scopes: ["run/*"], expires: nil, by: .hub
            ).secret.text
            let run = runs[0].description
            let watcher = try await WebSocketClient.connect(port: rig.port, token: rig.viewer)
            try await watcher.call("watch", #"{"runs":[]}"#)
            let first = try await watcher.answer().answer
            #expect(first["result"] == ["you": .null, "runs": []], "\(first)")

            let client = try await WebSocketClient.connect(port: rig.port, token: anna)
            try await client.call("watch", #"{"runs":["\#(run)"]}"#)
            let own = try await client.answer().answer
            #expect(own[path: ["result", "you"]] == "anna")
            #expect(own[path: ["result", "runs"]] == [item(runs[0], ["anna"], viewers: 0)])
            let came = try await watcher.next().json
            #expect(came["method"] == "presence")
            #expect(came[path: ["params", "runs"]] == [item(runs[0], ["anna"], viewers: 0)])
            await client.close()
            let went = try await watcher.next().json
            #expect(went[path: ["params", "runs"]] == [item(runs[0], [], viewers: 0)])

            for params in [#"{}"#, #"{"runs":["x"]}"#, #"{"runs":"\#(run)"}"#, #"{"runs":[1]}"#] {
                try await watcher.call("watch", params)
                #expect(try await watcher.answer().answer[path: ["error", "code"]] == .int(-32602), "\(params)")
            }
            let stranger = try await WebSocketClient.connect(port: rig.port, token: scoped)
            try await stranger.call("watch", #"{"runs":["\#(run)"]}"#)
            #expect(try await stranger.answer().answer[path: ["error", "data", "code"]] == "forbidden")
        }
    }
}
