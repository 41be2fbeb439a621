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

    /// Several as one.
    init(joining parts: [EncodedFrames]) {
        buffer = ByteBuffer()
        buffer.reserveCapacity(parts.reduce(0) { $0 + $1.buffer.writerIndex })
        ends = []
        ends.reserveCapacity(parts.reduce(0) { $0 + $1.ends.count })
        for part in parts {
            let offset = buffer.writerIndex
            buffer.writeImmutableBuffer(part.buffer)
            for end in part.ends { ends.append(offset + end) }
        }
    }

    var bytes: Int { buffer.writerIndex }

    /// The bytes of some consecutive frames; shares the storage.
    func slice(_ range: Range<Int>) -> ByteBuffer {
        let start = range.lowerBound == 0 ? 0 : ends[range.lowerBound - 1]
        let end = range.isEmpty ? start : ends[range.upperBound - 1]
        return buffer.getSlice(at: start, length: end - start) ?? ByteBuffer()
    }

    func bytes(of index: Int) -> Int { ends[index] - (index == 0 ? 0 : ends[index - 1]) }
}
