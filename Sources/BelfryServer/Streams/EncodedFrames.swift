import BelfryCore
import NIOCore

/// Frames as bytes, one behind the other in one buffer, so that a run of them is one slice.
struct EncodedFrames: Sendable {
    private var buffer: ByteBuffer
    /// Where each frame ends.
    private var ends: [Int]

    /// - Parameter historyEnd: an event stream's frames up to there carry no `id:`, which never goes back.
    init(_ frames: some Collection<Frame>, framing: StreamFraming, withoutIDsThrough historyEnd: Int64 = 0) {
        buffer = ByteBuffer()
        buffer.reserveCapacity(frames.reduce(0) { $0 + $1.draft.data.bytes.count + 288 })
        ends = []
        ends.reserveCapacity(frames.count)
        for frame in frames {
            switch framing {
            case .chunked, .plain:
                EventStreamEncoder.append(frame, hasID: frame.position > historyEnd, framing: framing, to: &buffer)
            case .webSocket: WebSocketEncoder.append(frame, to: &buffer)
            }
            ends.append(buffer.writerIndex)
        }
    }

    /// Adds the bytes, and where each frame ends in there.
    func append(to bytes: inout [UInt8], ends: inout [Int]) {
        let offset = bytes.count
        bytes.append(contentsOf: buffer.readableBytesView)
        for end in self.ends { ends.append(offset + end) }
    }

    /// The bytes of some consecutive frames; shares the storage.
    func slice(_ range: Range<Int>) -> ByteBuffer {
        let start = range.lowerBound == 0 ? 0 : ends[range.lowerBound - 1]
        let end = range.isEmpty ? start : ends[range.upperBound - 1]
        return buffer.getSlice(at: start, length: end - start) ?? ByteBuffer()
    }

    /// Adds the bytes of one frame.
    func append(_ index: Int, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: slice(index..<index + 1).readableBytesView)
    }
}
