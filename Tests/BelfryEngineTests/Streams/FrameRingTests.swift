import BelfryEngine
import Testing

@Suite("frame ring")
struct FrameRingTests {
    private func filled(_ ends: [Int64], framesMax: Int = 100, bytesMax: Int = 1000) -> FrameRing<Int64> {
        var ring = FrameRing<Int64>(framesMax: framesMax, bytesMax: bytesMax)
        var after: Int64 = 0
        for end in ends {
            ring.append(after: after, through: end, frames: Int(end - after), bytes: 10, payload: end)
            after = end
        }
        return ring
    }

    @Test("gives the batches that hold everything after a position")
    func batchesAfter() {
        let ring = filled([3, 5, 9])
        #expect(ring.batches(after: 0)?.map(\.payload) == [3, 5, 9])
        #expect(ring.batches(after: 3)?.map(\.payload) == [5, 9])
        #expect(ring.batches(after: 4)?.map(\.payload) == [5, 9])
        #expect(ring.batches(after: 9)?.map(\.payload) == [])
        #expect(ring.batches(after: 12)?.map(\.payload) == [])
    }

    @Test("forgets the oldest past its bounds and says so")
    func bounds() {
        let byFrames = filled([3, 5, 9], framesMax: 6)
        #expect(byFrames.batches(after: 2) == nil)
        #expect(byFrames.batches(after: 3)?.map(\.payload) == [5, 9])
        let byBytes = filled(Array(1...500), bytesMax: 100)
        #expect(byBytes.bytes == 100)
        #expect(byBytes.frames == 10)
        #expect(byBytes.batches(after: 489) == nil)
        #expect(byBytes.batches(after: 490)?.count == 10)
    }

    @Test("a batch larger than the ring leaves it empty, not wrong")
    func tooLarge() {
        var ring = filled([3])
        ring.append(after: 3, through: 500, frames: 497, bytes: 10, payload: 500)
        #expect(ring.batches(after: 3) == nil)
        #expect(ring.frames == 0)
    }

    @Test("a hole begins the ring anew")
    func hole() {
        var ring = filled([3, 5])
        ring.append(after: 7, through: 9, frames: 2, bytes: 10, payload: 9)
        #expect(ring.batches(after: 5) == nil)
        #expect(ring.batches(after: 7)?.map(\.payload) == [9])
    }
}
