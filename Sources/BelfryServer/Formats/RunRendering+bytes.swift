import BelfryCore
import NIOCore

/// Renderings on the connection of one subscriber.
extension RunRendering {
    /// What the next frames come to; nil if they come to nothing.
    mutating func bytes(of frames: some Sequence<Frame>, framing: StreamFraming) -> ByteBuffer? {
        var pieces: [RenderedPiece] = []
        for frame in frames { pieces += self.pieces(for: frame) }
        return bytes(of: pieces, framing: framing)
    }

    /// Pieces that stand behind each other; nil if there are none: an empty chunk would end the body.
    func bytes(of pieces: [RenderedPiece], framing: StreamFraming) -> ByteBuffer? {
        var body = ByteBuffer()
        body.reserveCapacity(pieces.reduce(0) { $0 + $1.data.count + 32 })
        for piece in pieces {
            if isText {
                body.writeBytes(piece.data)
            } else {
                if let id = piece.id { body.writeString("id: \(id)\n") }
                body.writeStaticString("data: ")
                body.writeSingleLine(piece.data)
                body.writeStaticString("\n\n")
            }
        }
        return body.readableBytes > 0 ? EventStreamEncoder.framed(body, framing: framing) : nil
    }

    /// The first bytes of the body: what else every event stream begins with, and the state so far.
    func opening(_ pieces: [RenderedPiece], framing: StreamFraming) -> ByteBuffer {
        var buffer = isText ? ByteBuffer() : EventStreamEncoder.retry(framing: framing)
        if let bytes = bytes(of: pieces, framing: framing) { buffer.writeImmutableBuffer(bytes) }
        return buffer
    }

    /// The last bytes of a stream that the hub ends before its time; nil: the connection must break.
    /// - Parameter retry: what the client is to wait before it reconnects.
    func farewell(_ frame: Frame, retry: Duration?, framing: StreamFraming) -> [ByteBuffer]? {
        guard let pieces = farewell(frame) else { return nil }
        return [retry.map { EventStreamEncoder.retry($0, framing: framing) }, bytes(of: pieces, framing: framing)]
            .compactMap { $0 }
    }

    /// What ends a text once all was said: behind its last byte stands what became of its step.
    func end(framing: StreamFraming) -> ByteBuffer? {
        guard framing == .chunked, case .text(let machine) = self, let end = machine.end else { return nil }
        return ByteBuffer(string: "0\r\n\(Self.trailer): \(end.name)\r\n\r\n")
    }

    /// The trailer of a text (RFC 9110, section 6.5).
    static let trailer = "belfry-step-state"
}
