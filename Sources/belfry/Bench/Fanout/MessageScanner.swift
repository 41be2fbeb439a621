import Glibc

/// Finds the marks of complete WebSocket messages (RFC 6455, section 5): one counts when its last fragment is whole.
struct MessageScanner: Sendable {
    /// The part of a frame that is there.
    private var kept: [UInt8] = []
    private var mark: FanoutMark?
    /// Messages that are complete, whatever they say.
    private(set) var count = 0
    private(set) var isClosed = false
    /// Pings to be answered.
    var pings: [[UInt8]] = []

    /// False: these are no frames of a server, or of more than 16 MiB.
    mutating func feed(
        _ bytes: UnsafeRawBufferPointer, _ format: FanoutMark.Format, _ marks: inout [FanoutMark]
    ) -> Bool {
        guard !kept.isEmpty else {
            guard let used = take(bytes, format, &marks) else { return false }
            kept += bytes[used...]
            return true
        }
        // Taken out and put back, so that its room is used again and not copied.
        var whole: [UInt8] = []
        swap(&whole, &kept)
        whole += bytes
        guard let used = whole.withUnsafeBytes({ take($0, format, &marks) }) else { return false }
        whole.removeFirst(used)
        swap(&whole, &kept)
        return true
    }

    /// Takes the whole frames; returns how many bytes they are.
    private mutating func take(
        _ bytes: UnsafeRawBufferPointer, _ format: FanoutMark.Format, _ marks: inout [FanoutMark]
    ) -> Int? {
        var at = 0
        while bytes.count - at >= 2, !isClosed {
            let short = Int(bytes[at + 1])
            // Servers do not mask.
            guard short < 128 else { return nil }
            let head = short < 126 ? 2 : short == 126 ? 4 : 10
            guard bytes.count - at >= head else { return at }
            let length = short < 126 ? short : bytes[(at + 2)..<(at + head)].reduce(0) { $0 << 8 | Int($1) }
            guard (0...(16 * 1024 * 1024)).contains(length) else { return nil }
            guard bytes.count - at - head >= length else { return at }
            let payload = UnsafeRawBufferPointer(rebasing: bytes[(at + head)..<(at + head + length)])
            takeFrame(bytes[at], payload, format, &marks)
            at += head + length
        }
        return at
    }

    private mutating func takeFrame(
        _ first: UInt8, _ payload: UnsafeRawBufferPointer, _ format: FanoutMark.Format, _ marks: inout [FanoutMark]
    ) {
        switch first & 0x0F {
        case 8: isClosed = true
        case 9: pings.append(Array(payload))
        case 0...2:
            // A mark that is cut by a fragment's end is not found: no server here cuts so small messages.
            if mark == nil { mark = format.find(in: payload) }
            guard first & 0x80 != 0 else { return }
            count += 1
            if let mark { marks.append(mark) }
            mark = nil
        default: break
        }
    }

    /// A client's frame, with a mask of zeros: this load needs no protection from middle boxes.
    static func frame(_ opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let length: [UInt8] =
            payload.count < 126
            ? [0x80 | UInt8(payload.count)]
            : [0xFE, UInt8(payload.count >> 8 & 0xFF), UInt8(payload.count & 0xFF)]
        return [0x80 | opcode] + length + [0, 0, 0, 0] + payload
    }
}
