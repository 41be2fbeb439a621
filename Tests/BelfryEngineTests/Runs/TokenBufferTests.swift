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

    @Test(
        "a commit gets what is there when it begins, and again if it is done again; what comes later rides in the next")
    func batches() async {
        let buffer = TokenBuffer()
        await buffer.append(frame("a"))
        #expect(await buffer.hasFrames())
        await buffer.append(frame("b"))
        #expect(buffer.offer().map(\.data.text) == ["\"a\"", "\"b\""])
        #expect(buffer.offer().count == 2)
        await buffer.append(frame("c"))
        buffer.removeOffered()
        #expect(await buffer.hasFrames())
        #expect(buffer.offer().map(\.data.text) == ["\"c\""])
    }

    @Test("a buffer that is cancelled is drained, and takes nothing in")
    func cancelled() async {
        let buffer = TokenBuffer()
        await buffer.append(frame("a"))
        buffer.cancel()
        await buffer.append(frame("b"))
        #expect(await !buffer.hasFrames())
        #expect(buffer.offer().isEmpty)
    }

    @Test("what waits is still read after the end, then nothing")
    func end() async {
        let buffer = TokenBuffer()
        await buffer.append(frame("a"))
        buffer.finish()
        #expect(await buffer.hasFrames())
        #expect(buffer.offer().count == 1)
        buffer.removeOffered()
        #expect(await !buffer.hasFrames())
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
                while await buffer.hasFrames() {
                    let batch = buffer.offer()
                    #expect(batch.count <= 6)
                    count += batch.count
                    buffer.removeOffered()
                }
                return count
            }
            var total = 0
            for await count in group { total += count }
            #expect(total == 20)
        }
    }
}
