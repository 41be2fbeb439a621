import BelfryCore
import NIOCore

/// Writes frames and the other lines of an event stream (WHATWG HTML, "server-sent events") into buffers that can be
/// shared by any number of connections.
enum EventStreamEncoder {
    /// `id: 5`, `data: {…}`, blank line.
    /// - Parameters:
    ///   - hasID: false for all but the last block of a snapshot, and for frames that are not in the log.
    ///   - retry: what the client is to wait before it reconnects; nil leaves it as it is.
    static func append(
        _ frame: Frame, hasID: Bool = true, retry: Duration? = nil, framing: StreamFraming, to buffer: inout ByteBuffer
    ) {
        let json = frame.json.bytes
        let id = (hasID ? "id: \(frame.position)\n" : "") + (retry.map { "retry: \($0.milliseconds)\n" } ?? "")
        let count = id.utf8.count + 6 + json.count + 2
        if framing == .chunked {
            buffer.writeString(String(count, radix: 16))
            buffer.writeStaticString("\r\n")
        }
        buffer.writeString(id)
        buffer.writeStaticString("data: ")
        buffer.writeSingleLine(json)
        buffer.writeStaticString("\n\n")
        if framing == .chunked { buffer.writeStaticString("\r\n") }
    }

    /// Lines that stand in no frame.
    static func line(_ text: String, framing: StreamFraming) -> ByteBuffer {
        framed(ByteBuffer(string: text), framing: framing)
    }

    /// Bytes as one write.
    static func framed(_ body: ByteBuffer, framing: StreamFraming) -> ByteBuffer {
        guard framing == .chunked else { return body }
        var buffer = ByteBuffer()
        buffer.reserveCapacity(body.readableBytes + 16)
        buffer.writeString(String(body.readableBytes, radix: 16) + "\r\n")
        buffer.writeImmutableBuffer(body)
        buffer.writeStaticString("\r\n")
        return buffer
    }

    /// A comment line. Without a blank line behind it: the OpenAI SDK takes one for the end of a block.
    static func keepAlive(framing: StreamFraming) -> ByteBuffer { line(":\n", framing: framing) }

    /// Moves the client's cursor and dispatches nothing.
    static func cursor(_ position: Int64, framing: StreamFraming) -> ByteBuffer {
        line("id: \(position)\n\n", framing: framing)
    }

    /// Rides in the next block: there is no blank line behind it.
    static func retry(_ delay: Duration = Limits.reconnectDelay, framing: StreamFraming) -> ByteBuffer {
        line("retry: \(delay.milliseconds)\n", framing: framing)
    }

    /// What ends the body, if anything does.
    static func end(framing: StreamFraming) -> ByteBuffer? {
        framing == .chunked ? ByteBuffer(staticString: "0\r\n\r\n") : nil
    }
}

extension ByteBuffer {
    /// Writes JSON text on one line: a line break in valid JSON stands between tokens only, where a space means the
    /// same.
    mutating func writeSingleLine(_ json: [UInt8]) {
        guard json.contains(where: { $0 == 0x0A || $0 == 0x0D }) else {
            writeBytes(json)
            return
        }
        writeBytes(json.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 })
    }
}
