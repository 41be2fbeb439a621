public import BelfryCore

/// Cuts a stream of bytes into lines at LF or CRLF: newline-delimited JSON, and what commands write to standard error.
public struct LineSplitter: Sendable {
    /// What becomes of a line that is too long.
    public enum Overflow: Sendable, Hashable {
        /// It is cut; its rest is dropped.
        case cut
        /// ``LineSplitter/split(_:)`` throws.
        case fail
    }

    private let lineBytesMax: Int
    private let overflow: Overflow
    private var line: [UInt8] = []
    private var isDropping = false

    public init(lineBytesMax: Int = Limits.streamLineBytesMax, overflow: Overflow) {
        self.lineBytesMax = lineBytesMax
        self.overflow = overflow
    }

    /// Takes the next piece of the stream.
    /// - Returns: the lines that it completes, without their ends.
    public mutating func split(_ bytes: [UInt8]) throws(SSEDecoder.Overflow) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            try append(rest[..<end])
            lines.append(takeLine())
            rest = rest[(end + 1)...]
        }
        try append(rest)
        return lines
    }

    /// The last line, if the stream ended without a line end.
    public mutating func finish() -> [UInt8]? { line.isEmpty ? nil : takeLine() }

    private mutating func append(_ part: ArraySlice<UInt8>) throws(SSEDecoder.Overflow) {
        guard !isDropping else { return }
        let room = lineBytesMax - line.count
        if part.count > room {
            guard overflow == .cut else { throw SSEDecoder.Overflow(bytesMax: lineBytesMax) }
            isDropping = true
        }
        line.append(contentsOf: part.prefix(room))
    }

    private mutating func takeLine() -> [UInt8] {
        if line.last == UInt8(ascii: "\r"), !isDropping { line.removeLast() }
        defer {
            line = []
            isDropping = false
        }
        return line
    }
}
