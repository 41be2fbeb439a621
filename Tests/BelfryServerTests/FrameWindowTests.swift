import BelfryCore
import BelfryEngine
import NIOCore
import Testing

@testable import BelfryServer

@Suite("frame window")
struct FrameWindowTests {
    private static func batch(_ first: Int64, _ count: Int) -> FrameBatch {
        let frames = (0..<Int64(count)).map { offset in
            Frame(
                position: first + offset,
                draft: DraftFrame(
                    time: Timestamp(milliseconds: 0), topic: .custom("c"), type: .custom,
                    data: RawJSON(.string(String(repeating: "x", count: Int(first + offset) % 7)))
                )
            )
        }
        return FrameBatch(after: first - 1, through: first + Int64(count) - 1, frames: frames)
    }

    private static func bytes(_ positions: Range<Int>, _ framing: StreamFraming) -> [UInt8] {
        let encoded = EncodedFrames(batch(Int64(positions.lowerBound), positions.count).frames, framing: framing)
        return Array(encoded.slice(0..<positions.count).readableBytesView)
    }

    @Test("frames are found under their numbers, whatever came and was forgotten in between")
    func numbers() {
        var random = SystemRandomNumberGenerator()
        var window = FrameWindow()
        var kept = 0
        for _ in 0..<2000 {
            if Int.random(in: 0..<3, using: &random) > 0 || kept == window.end {
                let count = Int.random(in: 1...4, using: &random)
                // The frame of number n has position n + 1.
                window.append(Self.batch(Int64(window.end + 1), count))
            } else {
                kept = Int.random(in: kept...window.end, using: &random)
                window.forget(before: kept)
            }
            #expect(window.start <= kept)
            guard kept < window.end else { continue }
            let lower = Int.random(in: kept..<window.end, using: &random)
            let upper = Int.random(in: lower + 1...window.end, using: &random)
            #expect(window[lower].position == Int64(lower + 1))
            let framing: StreamFraming = [.chunked, .plain, .webSocket].randomElement(using: &random) ?? .plain
            window.withBytes(of: lower..<upper, framing: framing) { found in
                #expect(Array(found) == Self.bytes(lower + 1..<upper + 1, framing))
            }
        }
    }

    @Test("what was handed out is forgotten, so that a loop that is never idle keeps little")
    func forgets() {
        var window = FrameWindow()
        for number in 0..<10_000 {
            window.append(Self.batch(Int64(number + 1), 1))
            window.forget(before: max(0, number - 10))
            #expect(window.end - window.start <= 24)
        }
        window.forget(before: window.end)
        #expect(window.start == window.end)
        #expect(window.bytesEstimate == 0)
    }

    @Test("pending frames are runs of numbers")
    func pending() {
        var pending = PendingFrames()
        #expect(pending.isEmpty)
        for number in [3, 4, 7, 9, 10] { pending.append(number) }
        #expect(pending.first == 3..<5)
        #expect(pending.others == [7..<8, 9..<11])
        #expect(pending.count == 5)
        pending.removeAll()
        #expect(pending.isEmpty)
        pending.append(0)
        #expect(pending.first == 0..<1)
    }
}
