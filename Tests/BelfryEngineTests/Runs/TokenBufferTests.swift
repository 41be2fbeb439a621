import BelfryCore
import Testing

@testable import BelfryEngine

@Suite(.timeLimit(.minutes(1))) struct TokenBufferTests {
    private func frame(_ text: String) -> DraftFrame {
        DraftFrame(
            time: Timestamp(milliseconds: 0), topic: .runs, type: .textMessageContent,
            data: RawJSON(trusted: Array("\"\(text)\"".utf8))
        )
    }

    @Test("tokens that arrive while a batch is being written ride in the next one, in order")
    func batches() async {
        let buffer = TokenBuffer()
        await buffer.append(frame("a"))
        #expect(await buffer.next().map(\.data.text) == ["\"a\""])
        await buffer.append(frame("b"))
        await buffer.append(frame("c"))
        #expect(await buffer.next().map(\.data.text) == ["\"b\"", "\"c\""])
    }

    @Test("what waits is still read after the end, then nothing")
    func end() async {
        let buffer = TokenBuffer()
        await buffer.append(frame("a"))
        buffer.finish()
        #expect(await buffer.next().count == 1)
        #expect(await buffer.next().isEmpty)
    }

    @Test("an agent that is faster than the disk waits, and loses nothing")
    func backpressure() async {
        let buffer = TokenBuffer()
        let big = String(repeating: "x", count: Limits.tokenBufferBytesMax / 4)
        await withTaskGroup(of: Int.self) { group in
            group.addTask {
                for _ in 0..<20 { await buffer.append(frame(big)) }
                buffer.finish()
                return 0
            }
            group.addTask {
                var count = 0
                while case let batch = await buffer.next(), !batch.isEmpty {
                    #expect(batch.count <= 6)
                    count += batch.count
                }
                return count
            }
            var total = 0
            for await count in group { total += count }
            #expect(total == 20)
        }
    }
}
