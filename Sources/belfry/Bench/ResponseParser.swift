import Glibc

/// Reads HTTP/1.1 responses as their bytes come: heads, chunked and counted bodies. What it gives away are views of
/// the bytes it was given, so that a load generator copies nothing but what is cut in two.
struct ResponseParser: Sendable {
    enum Part {
        case head(Head)
        case body(UnsafeRawBufferPointer)
        case end
    }

    /// A response's status and header lines.
    struct Head {
        let status: Int
        fileprivate let bytes: ArraySlice<UInt8>

        /// The header lines as they came.
        var lines: [String] {
            bytes.split(separator: 0x0A).dropFirst().compactMap { line in
                let text = line.last == 0x0D ? line.dropLast() : line
                return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
            }
        }
    }

    private enum State { case head, counted(Int), chunkSize, chunk(Int), chunkEnd, trailer, untilClose }
    private var state = State.head
    /// The head so far, or a line that is not whole yet.
    private var kept: [UInt8] = []
    private static let keptBytesMax = 64 * 1024

    /// Gives the parts in `bytes` to `take`. False: these are no HTTP responses.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, _ take: (Part) -> Void) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch state {
            case .untilClose:
                take(.body(UnsafeRawBufferPointer(rebasing: rest)))
                return true
            case .counted(let left), .chunk(let left):
                let piece = rest.prefix(left)
                take(.body(UnsafeRawBufferPointer(rebasing: piece)))
                rest = rest.dropFirst(piece.count)
                advance(by: piece.count, take)
            case .head, .chunkSize, .chunkEnd, .trailer:
                guard let end = rest.firstIndex(of: 0x0A) else {
                    kept += rest
                    return kept.count < Self.keptBytesMax
                }
                kept += rest[...end]
                rest = rest[(end + 1)...]
                guard takeLine(take) else { return false }
            }
        }
        return true
    }

    mutating func feed(_ bytes: [UInt8], _ take: (Part) -> Void) -> Bool {
        bytes.withUnsafeBytes { feed($0, take) }
    }

    private mutating func advance(by count: Int, _ take: (Part) -> Void) {
        switch state {
        case .counted(let left) where left == count:
            state = .head
            take(.end)
        case .counted(let left): state = .counted(left - count)
        case .chunk(let left): state = left == count ? .chunkEnd : .chunk(left - count)
        default: break
        }
    }

    /// `kept` ends with a line feed.
    private mutating func takeLine(_ take: (Part) -> Void) -> Bool {
        let isEmpty = kept.count == 1 || kept.count == 2 && kept[0] == 0x0D
        switch state {
        case .head:
            // A head is kept whole: its last line is empty.
            guard kept.hasEmptyLastLine else { return kept.count < Self.keptBytesMax }
            guard endHead(take) else { return false }
        case .chunkSize:
            guard let size = Self.hexadecimal(kept) else { return false }
            state = size == 0 ? .trailer : .chunk(size)
        case .chunkEnd: state = .chunkSize
        case .trailer where isEmpty:
            state = .head
            take(.end)
        default: break
        }
        kept.removeAll(keepingCapacity: true)
        return true
    }

    private static func hexadecimal(_ line: [UInt8]) -> Int? {
        var value = 0, digits = 0
        for byte in line {
            switch byte {
            case 0x30...0x39: value = value << 4 | Int(byte & 15)
            case 0x41...0x46, 0x61...0x66: value = value << 4 | Int(byte & 15 + 9)
            default: return digits > 0 ? value : nil
            }
            digits += 1
            guard digits < 16 else { return nil }
        }
        return nil
    }

    private mutating func endHead(_ take: (Part) -> Void) -> Bool {
        // "HTTP/1.1 200 OK"
        guard kept.starts(with: Array("HTTP/1.".utf8)), kept.count > 12,
            let status = Int(String(decoding: kept[9..<12], as: UTF8.self))
        else { return false }
        // 101 is the last word of HTTP: what follows is of the other protocol.
        guard status >= 200 || status == 101 else { return true }
        take(.head(Head(status: status, bytes: kept[...])))
        let length = Self.value(of: "content-length:", in: kept).flatMap { Int($0) }
        if status == 101 {
            state = .untilClose
        } else if Self.value(of: "transfer-encoding:", in: kept)?.hasSuffix("chunked") == true {
            state = .chunkSize
        } else if length == 0 || status == 204 || status == 304 {
            take(.end)
        } else {
            state = length.map(State.counted) ?? .untilClose
        }
        return true
    }

    /// The value of a header, in lower case.
    /// - Parameter name: in lower case, with its colon.
    private static func value(of name: String, in head: [UInt8]) -> String? {
        for line in head.split(separator: 0x0A).dropFirst() where line.count > name.utf8.count {
            guard zip(line, name.utf8).allSatisfy({ tolower(Int32($0)) == Int32($1) }) else { continue }
            let text = String(decoding: line.dropFirst(name.utf8.count), as: UTF8.self).lowercased()
            return String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
        }
        return nil
    }
}

extension [UInt8] {
    /// Whether an HTTP head is whole: it ends with a line that has nothing in it.
    fileprivate var hasEmptyLastLine: Bool {
        let rest = dropLast()
        return rest.isEmpty || rest.last == 0x0A
            || rest.last == 0x0D && (rest.count == 1 || rest.dropLast().last == 0x0A)
    }
}
