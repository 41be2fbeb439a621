import BelfryCore
import BelfryStore
import Testing

@testable import BelfryEngine
@testable import BelfryServer

/// What who comes without a position is given at once.
@Suite("bounds of snapshots", .timeLimit(.minutes(3)))
struct SnapshotBoundTests {
    private static let documents = """
        agent: slow
        kind: echo
        words_per_second: 1
        ---
        rule: slow
        when: { source: [plant], data: { slow: [true] } }
        limits: { concurrency: 16 }
        run: { steps: [ { step: say, agent: slow, prompt: "one two three four five six seven eight nine ten" } ] }
        """

    /// Runs at work that have said so many bytes.
    private func runs(_ rig: HubRig, _ sizes: [Int]) async throws -> [RunID] {
        _ = try await rig.hub.applyDocuments([(path: "slow.yaml", text: Self.documents)], by: .hub)
        var runs: [RunID] = []
        for size in sizes {
            let answer = try await rig.send("POST", "/hooks/plant", body: #"{"slow":true,"n":\#(runs.count)}"#)
            let run = try #require(answer.json["runs"]?.array?.first?.string.flatMap { RunID($0) })
            while try await rig.hub.run(run).steps.first?.state != .running { await Task.yield() }
            let data: JSONObject = [
                "step": "say", "messageId": "say.1", "delta": .string(String(repeating: "x", count: size)),
            ]
            _ = try await rig.hub.store.append([
                DraftFrame(
                    time: Timestamp(seconds: 1), topic: .run(run), run: run, rule: "slow", type: .textMessageContent,
                    data: RawJSON(.object(data)))
            ])
            runs.append(run)
        }
        return runs
    }

    /// The runs that a snapshot shows with their text, and those that it lists.
    private func shown(_ snapshot: StreamSnapshot) -> (whole: Set<String>, listed: Set<String>, bytes: Int) {
        let data = snapshot.frames.map(\.draft.data.value)
        let listed = data.flatMap { $0["runs"]?.array ?? [] }.compactMap { $0["run"]?.string }
        return (
            Set(data.compactMap { $0["run"]?.string }), Set(listed),
            snapshot.frames.reduce(0) { $0 + $1.draft.data.bytes.count }
        )
    }

    @Test("of run/* and of many runs it is bounded; every run is in it, and whole in its own stream")
    func bounded() async throws {
        try await HubRig.run { rig in
            let size = 200 * 1024
            let runs = try await runs(rig, [Limits.snapshotRunTextBytesMax + 1] + Array(repeating: size, count: 7))
            let names = Set(runs.map(\.description))
            let all = shown(try await rig.hub.snapshot(of: [.everyRun]))
            #expect(all.whole.union(all.listed) == names && all.whole.isDisjoint(with: all.listed))
            #expect(all.whole.count == 5 && all.listed.contains(runs[0].description))
            #expect(all.bytes < Limits.snapshotBytesMax + 16 * 1024)
            // The first that is named is whole, however long.
            let named = shown(try await rig.hub.snapshot(of: runs.map { .run($0) }))
            #expect(named.whole.union(named.listed) == names && named.whole.contains(runs[0].description))
            #expect(named.whole.count == 6)
            for query in ["", "?after=0"] {
                let own = try await rig.open("/v1/runs/\(runs[0])/stream\(query)")
                while own.received.count(where: { $0 == UInt8(ascii: "x") }) <= Limits.snapshotRunTextBytesMax {
                    try await own.read(bytes: own.received.count + 1)
                }
                await own.close()
            }
            let stream = try await rig.open("/v1/stream?topic=run/*")
            try await stream.read(until: #""data":{"runs":[{"run":"#)
            await stream.close()
            for run in runs { _ = try await rig.hub.perform(.stop, on: run, id: nil, by: .hub) }
        }
    }
}
