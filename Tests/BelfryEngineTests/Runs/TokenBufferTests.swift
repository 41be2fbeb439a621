import BelfryCore
import Synchronization
import Testing

@testable import BelfryEngine

@Suite(.timeLimit(.minutes(3))) struct TokenBufferTests {
    /// Stands for the store's queue: holds what was posted until a test commits it.
    private final class Commits: Sendable {
        private struct Posted {
            let tokens: @Sendable () -> [DraftFrame]
            let ended: @Sendable (BelfryError?) -> Void
        }

        private let posted = Mutex<[Posted]>([])

        var waiting: Int { posted.withLock { $0.count } }

        func buffer() -> TokenBuffer {
            TokenBuffer { tokens, ended in self.posted.withLock { $0.append(Posted(tokens: tokens, ended: ended)) } }
        }

        /// What the oldest commit took; `meanwhile` is done between its beginning and its end.
        @discardableResult
        func commit(failure: BelfryError? = nil, meanwhile: () async -> Void = {}) async -> [String] {
            guard let next = posted.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { return [] }
            let frames = next.tokens()
            await meanwhile()
            next.ended(failure)
            return frames.map(\.data.text)
        }
    }

    private let commits = Commits()

    private func frame(_ text: String) -> DraftFrame {
        DraftFrame(
            time: Timestamp(milliseconds: 0), topic: .runs, type: .textMessageContent,
            data: RawJSON(trusted: Array("\"\(text)\"".utf8))
        )
    }

    @Test("a commit gets what is there when it begins; what comes later rides in the next, and one waits at a time")
    func batches() async {
        let buffer = commits.buffer()
        await buffer.append(frame("a"))
        await buffer.append(frame("b"))
        #expect(commits.waiting == 1)
        #expect(await commits.commit { await buffer.append(frame("c")) } == ["\"a\"", "\"b\""])
        #expect(commits.waiting == 1)
        #expect(await commits.commit() == ["\"c\""])
        #expect(commits.waiting == 0)
        await buffer.append(frame("d"))
        #expect(await commits.commit() == ["\"d\""])
    }

    @Test("what could not be stored is told once to who drains, and stored when asked again, in order")
    func failure() async throws {
        let buffer = commits.buffer()
        await buffer.append(frame("a"))
        await commits.commit(failure: BelfryError(.storageFull, "no room"))
        await buffer.append(frame("b"))
        #expect(commits.waiting == 0)
        let failure = await #expect(throws: BelfryError.self) { try await buffer.drain() }
        #expect(failure?.code == .storageFull)
        buffer.finish()
        async let drained: Void = buffer.drain()
        while commits.waiting == 0 { await Task.yield() }
        #expect(await commits.commit() == ["\"a\"", "\"b\""])
        try await drained
    }

    @Test("a buffer that is cancelled is drained, and takes nothing in")
    func cancelled() async throws {
        let buffer = commits.buffer()
        await buffer.append(frame("a"))
        buffer.cancel()
        await buffer.append(frame("b"))
        try await buffer.drain()
        #expect(await commits.commit() == [])
        #expect(commits.waiting == 0)
    }

    @Test("one that is cancelled in the midst of a commit forgets nothing twice")
    func cancelledUnderWay() async throws {
        let buffer = commits.buffer()
        await buffer.append(frame("a"))
        #expect(await commits.commit { buffer.cancel() } == ["\"a\""])
        try await buffer.drain()
        #expect(commits.waiting == 0)
    }

    @Test("what waits is still stored after the end, then it is drained")
    func end() async throws {
        let buffer = commits.buffer()
        await buffer.append(frame("a"))
        buffer.finish()
        async let drained: Void = buffer.drain()
        #expect(await commits.commit() == ["\"a\""])
        try await drained
    }

    @Test("an agent that is faster than the disk waits, and loses nothing")
    func backpressure() async {
        let buffer = commits.buffer()
        let big = String(repeating: "x", count: Limits.tokenBufferBytesMax / 4)
        await withTaskGroup(of: Int.self) { group in
            group.addTask {
                for _ in 0..<20 { await buffer.append(frame(big)) }
                buffer.finish()
                return 0
            }
            group.addTask {
                var count = 0
                while count < 20 {
                    let taken = await commits.commit()
                    #expect(taken.count <= 6)
                    count += taken.count
                    await Task.yield()
                }
                return count
            }
            var total = 0
            for await count in group { total += count }
            #expect(total == 20)
        }
        await #expect(throws: Never.self) { try await buffer.drain() }
    }
}
