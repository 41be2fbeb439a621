import BelfryCore
import Foundation
import Testing

/// `belfry listen` on a real hub.
@Suite(.timeLimit(.minutes(3))) struct ListenHubTests {
    private func positions(_ lines: [String]) -> [Int64] {
        lines.compactMap { (try? JSONValue(parsing: $0))?["position"]?.number?.int64 }
    }

    /// What the log holds of the topic.
    private func logged(_ hub: HubProcess, _ count: Int) async throws -> [Int64] {
        let stream = try await hub.client.stream("/v1/stream?topic=alerts&after=0")
        var seen: [Int64] = []
        while seen.count < count, let block = try await stream.next() {
            if let position = block.frame["position"]?.number?.int64 { seen.append(position) }
        }
        return seen
    }

    @Test("an alert arrives, and through kills and restarts of the hub none is lost or doubled")
    func restarts() async throws {
        let port = try RawSocket.freePort()
        try await HubProcess.start(documents: Documents.notifying, arguments: ["--port", "\(port)"]).use { hub in
            let listening = try Listening.start(hub.url, token: try hub.adminToken, ["--after", "0", "-o", "json"])
            _ = try await hub.deliver(0, id: "0")
            let first = try await listening.lines(1)
            let notice = try JSONValue(parsing: first[0])
            #expect(notice["type"]?.string == "NOTICE")
            #expect(notice["data"]?["kind"]?.string == "event")
            var count = 1
            for restart in 1...3 {
                for index in 0..<5 { _ = try await hub.deliver(count + index, id: "\(restart).\(index)") }
                count += 5
                try await hub.kill9()
                try await hub.restart()
                // While the listener is still waiting to come back.
                _ = try await hub.deliver(count, id: "\(restart).down")
                count += 1
            }
            let lines = try await listening.lines(count, within: .seconds(40))
            #expect(positions(lines) == (try await logged(hub, count)))
            #expect(try await listening.terminate() == 0)
            #expect(listening.lines.count == count)
        }
    }

    @Test("it begins now: what was before is not printed, the state so far is no alert")
    func beginsNow() async throws {
        try await withHub(documents: Documents.notifying) { hub in
            _ = try await hub.deliver(1, id: "old")
            let folder = try TemporaryFolder()
            let file = "\(folder.path)/position"
            let listening = try Listening.start(hub.url, token: try hub.adminToken, ["--state", file])
            _ = try await eventually("its position") { FileManager.default.fileExists(atPath: file) ? true : nil }
            #expect(try await listening.terminate() == 0)
            #expect(listening.lines.isEmpty)
            // While nobody listens.
            _ = try await hub.deliver(2, id: "missed")
            let again = try Listening.start(hub.url, token: try hub.adminToken, ["--state", file, "-o", "json"])
            let notice = try JSONValue(parsing: try await again.lines(1)[0])
            #expect(notice["type"]?.string == "NOTICE")
            #expect(try await again.terminate() == 0)
            #expect(again.lines.count == 1)
        }
    }

    @Test("a program is started for an alert; a token that is revoked ends the listener with 4")
    func execAndRevoke() async throws {
        try await withHub(documents: Documents.notifying) { hub in
            let made = try await hub.belfry("tokens", "create", "pager", "-o", "json")
            let token = try #require(made.json["token"]?.string, "\(made)")
            let id = try #require(made.json["id"]?.string)
            let folder = try TemporaryFolder()
            let listening = try Listening.start(
                hub.url, token: token,
                ["--after", "0", "--exec", "sh", "-c", "cat > $0; echo \"$BELFRY_KIND\"", "\(folder.path)/frame"])
            let answer = try await hub.deliver(1, id: "a")
            #expect(try await listening.lines(1) == ["event"])
            let frame = try JSONValue(parsing: try String(contentsOfFile: "\(folder.path)/frame", encoding: .utf8))
            #expect(frame["data"]?["event"]?.string == answer.json["event"]?.string)
            #expect(try await hub.belfry("tokens", "revoke", id).code == 0)
            #expect(try await listening.process.end(within: .seconds(20)) == 4)
        }
    }

    @Test("what the token may not follow ends it with 4, an unknown token too")
    func refused() async throws {
        try await withHub(documents: Documents.notifying) { hub in
            let unknown = try Listening.start(hub.url, token: "blf_nonsense")
            #expect(try await unknown.process.end() == 4)
            #expect(!unknown.process.errors.contains("nonsense"))
        }
    }
}
