import BelfryCore
import BelfryEngine
import Foundation
import Testing

@testable import BelfryServer

/// A named stream whose topics are changed, whose connections are cut, and which two clients take from each other, at
/// random.
@Suite("named streams at random", .timeLimit(.minutes(2)))
struct NamedStreamSimulation {
    /// A client as it should be: it knows what it has, and where it goes on.
    private struct Client {
        var seen: Set<Int64> = []
        var cursor: Int64

        /// Takes the whole blocks that a connection has brought.
        mutating func take(_ connection: RawClient) {
            let blocks = connection.text.components(separatedBy: "\n\n").dropLast()
            var ids: [Int64] = []
            for line in blocks.flatMap({ $0.split(whereSeparator: \.isNewline) }) {
                if line.hasPrefix("id: "), let id = Int64(line.dropFirst(4)) { ids.append(id) }
                guard line.hasPrefix("data: "), let json = try? JSONValue(parsing: line.dropFirst(6).utf8),
                    json["type"] == "CUSTOM", let position = json["position"]?.number?.int64
                else { continue }
                seen.insert(position)
            }
            #expect(ids == ids.sorted(), "ids never go back")
            #expect(ids.allSatisfy { $0 >= cursor })
            cursor = max(cursor, ids.last ?? cursor)
        }
    }

    @Test(
        "each client that drops what it has already gets all of the topics, whatever is changed, cut and taken over",
        arguments: 1...8)
    func everythingArrives(seed: UInt64) async throws {
        try await HubRig.run { rig in
            var random = SeededGenerator(seed: seed)
            let names = ["a", "b", "c", "d"]
            var log: [(position: Int64, name: String)] = []
            var clients = [Client(cursor: rig.hub.head), Client(cursor: rig.hub.head)]
            var current = 0
            // Each topic, and from where it is wanted.
            var wanted = ["a": rig.hub.head]

            func open() async throws -> RawClient {
                let connection = try await rig.open(
                    "/v1/stream?stream=tab&topic=custom/a", headers: "Last-Event-ID: \(clients[current].cursor)\r\n")
                try await connection.read(until: "retry: ")
                return connection
            }
            func publish(_ name: String) async throws {
                let position = try await rig.hub.publish(custom: name, data: .null, by: .hub)
                log.append((position, name))
            }
            /// Begins a topic anew, somewhere in the log.
            func readd(_ name: String) async throws {
                let after = Int64.random(in: 0...rig.hub.head, using: &random)
                let topic: JSONValue = .string("custom/\(name)")
                wanted[name] = try await change(["remove": [topic], "add": [topic], "after": .int(after)])
            }
            /// Publishes something that the client waits for, if it has the topic.
            func follow(_ name: String, _ connection: RawClient) async throws {
                try await publish(name)
                guard wanted[name] != nil, let last = log.last else { return }
                try await connection.read(until: "\"position\":\(last.position),")
            }
            func change(_ body: JSONObject) async throws -> Int64 {
                let answer = try await rig.send(
                    "PATCH", "/v1/streams/tab", token: rig.viewer, body: RawJSON(.object(body)).text)
                return try #require(answer.json["position"]?.number?.int64, "\(answer.body)")
            }

            var connection = try await open()
            for _ in 0..<60 {
                let name = names.randomElement(using: &random) ?? "a"
                switch Int.random(in: 0..<10, using: &random) {
                case 0...4: try await publish(name)
                case 5 where wanted[name] == nil:
                    wanted[name] = try await change(["add": [.string("custom/\(name)")]])
                case 5, 6: try await readd(name)
                case 7:
                    _ = try await change(["remove": [.string("custom/\(name)")]])
                    wanted[name] = nil
                case 8: try await follow(name, connection)
                default:
                    if Bool.random(using: &random) {
                        // It has all, and is cut before it has read any of the history that it asks for.
                        try await follow(name, connection)
                        try await readd(names.randomElement(using: &random) ?? "a")
                    }
                    let (former, reader) = (connection, current)
                    current = Int.random(in: clients.indices, using: &random)
                    if current != reader, Bool.random(using: &random) {
                        connection = try await open()
                        // It is told at the end that another has taken over.
                        _ = await former.readToEnd()
                        clients[reader].take(former)
                    } else {
                        clients[reader].take(former)
                        // Sometimes the new connection comes before the old one has gone.
                        if Bool.random(using: &random) { await former.close() }
                        connection = try await open()
                    }
                    await former.close()
                }
            }
            if wanted["a"] == nil { wanted["a"] = try await change(["add": ["custom/a"]]) }
            clients[current].take(connection)
            await connection.close()
            for index in clients.indices {
                current = index
                connection = try await open()
                try await publish("a")
                try await connection.read(until: "\"position\":\(rig.hub.head),")
                clients[index].take(connection)
                await connection.close()
                let missed = log.filter { frame in
                    wanted[frame.name].map { $0 < frame.position } == true
                        && !clients[index].seen.contains(frame.position)
                }
                #expect(missed.isEmpty, "\(missed) of \(wanted)")
            }
        }
    }
}
