import BelfryCore
import BelfryEngine
import BelfryStore
import Foundation
import Logging
import Synchronization
import Testing

@testable import BelfryServer

/// Streams of a real log from which frames are removed.
@Suite("removed frames", .timeLimit(.minutes(3)))
struct FloorStreamTests {
    private static let names = ["a", "b", "c", "d"]

    private static func withStore(_ body: (Store) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "belfry-floors-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let store = try Store.open(StoreConfiguration(folder: folder), logger: logger) { _ in }
        try await body(store)
        await store.close()
    }

    private static func append(_ count: Int, to store: Store, _ random: inout SeededGenerator) async throws -> [Topic] {
        let topics = (0..<count).map { _ in Topic.custom(names.randomElement(using: &random) ?? "a") }
        let frames = topics.map {
            DraftFrame(time: Timestamp(seconds: 1), topic: $0, type: .custom, data: .null)
        }
        try await store.append(frames)
        return topics
    }

    private static func request(_ rig: EdgeRig) async throws -> RawClient {
        let client = try await rig.connect()
        try await client.send("GET /s HTTP/1.0\r\n\r\n")
        return client
    }

    @Test("what a stream brings and what its GAPs name is everything, while frames are removed", arguments: 1...12)
    func nothingIsLost(seed: UInt64) async throws {
        try await Self.withStore { store in
            var random = SeededGenerator(seed: seed)
            let homes = try await Self.append(400, to: store, &random)
            let wanted = Self.names.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))
                .map { Topic.custom($0) }
            let start = Int64.random(in: 0...200, using: &random)
            // What is removed before each page is read.
            let removals = Mutex(
                (0..<6).map { _ in
                    (
                        Int64.random(in: 0...400, using: &random),
                        Bool.random(using: &random)
                            ? nil : [Topic.custom(Self.names.randomElement(using: &random) ?? "a")]
                    )
                })
            let pageRows = Int.random(in: 5...60, using: &random)
            let reader: Fanout.PageReader = { after, through, topics in
                if let (bound, homes) = removals.withLock({ $0.popLast() }) {
                    try await store.removeFrames(through: bound, of: homes)
                }
                let page = try await store.frames(after: after, through: through, topics: topics, max: pageRows)
                return StreamPage(frames: page.frames, through: page.through, floors: page.floors)
            }
            let head = store.head
            let respond: EdgeRig.Responder = { _ in .stream(StreamPlan(topics: wanted, after: start, end: head)) }
            try await EdgeRig.run(head: head, reader: reader, respond: respond) { rig in
                let text = await (try Self.request(rig)).readToEnd()
                let frames = text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("data: ") }
                    .compactMap { try? JSONValue(parsing: $0.dropFirst(6).utf8) }
                let seen = frames.filter { $0["type"] == "CUSTOM" }.compactMap { $0["position"]?.number?.int64 }
                let gaps = frames.filter { $0["type"] == "GAP" }.compactMap { $0["data"] }
                #expect(seen == Array(Set(seen)).sorted())
                var missed: [Int64] = []
                for (index, home) in homes.enumerated() where wanted.contains(home) && index + 1 > start {
                    let position = Int64(index + 1)
                    let isNamed = gaps.contains { gap in
                        (gap["from"]?.number?.int64 ?? 0) < position && position <= (gap["to"]?.number?.int64 ?? 0)
                            && gap["topics"]?.array?.contains(.string(home.description)) == true
                    }
                    // Who asks for all that is kept is not told of what was gone before.
                    let isBefore = start == 0 && seen.allSatisfy { $0 > position }
                    if !seen.contains(position), !isNamed, !isBefore { missed.append(position) }
                }
                #expect(missed == [], "of \(wanted) after \(start)")
                for gap in gaps {
                    let names = gap["topics"]?.array?.compactMap { $0.string.flatMap { Topic($0) } } ?? []
                    #expect(!names.isEmpty && names.allSatisfy(wanted.contains))
                }
                let ids = text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("id: ") }
                    .compactMap { Int64($0.dropFirst(4)) }
                #expect(ids == ids.sorted())
            }
        }
    }

    @Test("a GAP names the topics with a hole, and the frames of the others after its position still come")
    func others() async throws {
        try await Self.withStore { store in
            for name in ["a", "b", "a", "b", "a", "b"] {
                let draft = DraftFrame(
                    time: Timestamp(seconds: 1), topic: .custom(name), type: .custom, data: .null)
                try await store.append([draft])
            }
            try await store.removeFrames(through: 4, of: [.custom("a")])
            let reader: Fanout.PageReader = { after, through, topics in
                let page = try await store.frames(after: after, through: through, topics: topics)
                return StreamPage(frames: page.frames, through: page.through, floors: page.floors)
            }
            func blocks(_ topics: [Topic]) async throws -> [String] {
                let respond: EdgeRig.Responder = { _ in .stream(StreamPlan(topics: topics, after: 1, end: 6)) }
                let text = Mutex("")
                try await EdgeRig.run(head: 6, reader: reader, respond: respond) { rig in
                    let all = await (try Self.request(rig)).readToEnd()
                    text.withLock { $0 = all }
                }
                return text.withLock { $0 }.split(whereSeparator: \.isNewline).map(String.init).filter {
                    $0.hasPrefix("id:") || $0.contains("GAP")
                }.map { line in line.firstRange(of: #""type""#).map { String(line[$0.lowerBound...]) } ?? line }
            }
            let gap = #""type":"GAP","data":{"from":1,"to":3,"topics":["custom/a"]}}"#
            #expect(
                try await blocks([.custom("a"), .custom("b")]) == ["id: 1", gap, "id: 2", "id: 4", "id: 5", "id: 6"])
            #expect(try await blocks([.custom("a")]) == ["id: 4", gap, "id: 5"])
            #expect(try await blocks([.custom("b")]) == ["id: 2", "id: 4", "id: 6"])
        }
    }
}
