import BelfryCore

/// The frames that one loop is handing out, in their order, and their bytes one behind the other in each framing that
/// somebody there needs: what a subscriber has still to get is one piece of memory, in however many batches it came.
///
/// Frames are numbered from the loop's beginning; forgetting the first ones changes no number.
struct FrameWindow {
    private var batches: [FrameBatch] = []
    private var frames: [Frame] = []
    private var strips = PerFraming(FrameStrip())
    /// The number of the first frame that is kept.
    private(set) var start = 0
    /// What the frames weigh in memory, about.
    private(set) var bytesEstimate = 0

    /// The number that the next frame gets.
    var end: Int { start + frames.count }

    /// Whether all of it was committed at once.
    var isOneBatch: Bool { batches.count == 1 }

    subscript(number: Int) -> Frame { frames[number - start] }

    subscript(pending: PendingFrames) -> [Frame] { ([pending.first] + pending.others).joined().map { self[$0] } }

    mutating func append(_ batch: FrameBatch) {
        batches.append(batch)
        frames.append(contentsOf: batch.frames)
        bytesEstimate += batch.bytesEstimate
    }

    /// Calls `body` with the bytes of consecutive frames.
    mutating func withBytes(
        of numbers: Range<Int>, framing: StreamFraming, _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        strips[framing].withBytes(
            of: numbers.lowerBound - start..<numbers.upperBound - start, in: batches, framing: framing, body
        )
    }

    /// Forgets what stands before a frame, batch by batch, once that is more than what stands behind it: moving the
    /// rest then costs no more than it cost to append.
    mutating func forget(before number: Int) {
        guard number < end else { return forgetAll() }
        var gone = 0
        var count = 0
        while count + batches[gone].frames.count <= number - start {
            count += batches[gone].frames.count
            gone += 1
        }
        guard 2 * count > frames.count else { return }
        strips.modifyEach { $0.forget(batches: gone, frames: count) }
        bytesEstimate -= batches[..<gone].reduce(0) { $0 + $1.bytesEstimate }
        batches.removeFirst(gone)
        frames.removeFirst(count)
        start += count
    }

    private mutating func forgetAll() {
        start = end
        batches.removeAll(keepingCapacity: batches.count < 64)
        frames.removeAll(keepingCapacity: frames.count < 64)
        strips.modifyEach { $0.forgetAll() }
        bytesEstimate = 0
    }
}

/// The bytes of a window's frames in one framing, as far as somebody needed them.
private struct FrameStrip {
    private var bytes: [UInt8] = []
    /// Where each frame ends.
    private var ends: [Int] = []
    /// So many batches of the window are in here.
    private var batches = 0

    mutating func withBytes(
        of frames: Range<Int>, in window: [FrameBatch], framing: StreamFraming,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        while batches < window.count {
            window[batches].encoded(framing).append(to: &bytes, ends: &ends)
            batches += 1
        }
        let start = frames.lowerBound == 0 ? 0 : ends[frames.lowerBound - 1]
        let end = ends[frames.upperBound - 1]
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
    }

    mutating func forget(batches gone: Int, frames count: Int) {
        guard gone < batches, count > 0 else { return forgetAll() }
        let offset = ends[count - 1]
        bytes.removeFirst(offset)
        ends.removeFirst(count)
        for index in ends.indices { ends[index] -= offset }
        batches -= gone
    }

    mutating func forgetAll() {
        let isSmall = bytes.count <= 64 * 1024
        bytes.removeAll(keepingCapacity: isSmall)
        ends.removeAll(keepingCapacity: isSmall)
        batches = 0
    }
}
