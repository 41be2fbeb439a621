/// Reads HTTP/1.1 responses as their bytes come: heads, chunked and counted bodies.
struct ResponseParser: Sendable {
    enum Part: Sendable {
        /// `headers`: lines as they came.
        case head(status: Int, headers: [String])
        case body(ArraySlice<UInt8>)
        case end
    }

    private enum State { case head, counted(Int), chunkSize, chunk(Int), chunkEnd, trailer, untilClose }
    private var state = State.head
    private var line: [UInt8] = []
    private var status = 0
    private var headers: [String] = []
    private var length: Int?
    private var isChunked = false

    /// Gives the parts in `bytes` to `take`. False: these are no HTTP responses.
    mutating func feed(_ bytes: [UInt8], _ take: (Part) -> Void) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch state {
            case .untilClose:
                take(.body(rest))
                return true
            case .counted(let left), .chunk(let left):
                let piece = rest.prefix(left)
                take(.body(piece))
                rest = rest.dropFirst(piece.count)
                advance(by: piece.count, take)
            case .head, .chunkSize, .chunkEnd, .trailer:
                guard let end = rest.firstIndex(of: 0x0A) else {
                    line += rest
                    return line.count < 64 * 1024
                }
                line += rest[..<end]
                rest = rest[(end + 1)...]
                if line.last == 0x0D { line.removeLast() }
                guard takeLine(take) else { return false }
                line.removeAll(keepingCapacity: true)
            }
        }
        return true
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

    private mutating func takeLine(_ take: (Part) -> Void) -> Bool {
        switch state {
        case .head where line.isEmpty:
            guard status > 0 else { return false }
            endHead(take)
        case .head: return takeHeadLine()
        case .chunkSize:
            let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }
            guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size >= 0 else { return false }
            state = size == 0 ? .trailer : .chunk(size)
        case .chunkEnd: state = .chunkSize
        case .trailer where line.isEmpty:
            state = .head
            take(.end)
        default: break
        }
        return true
    }

    private mutating func takeHeadLine() -> Bool {
        let text = String(decoding: line, as: UTF8.self)
        guard status > 0 else {
            let parts = text.split(separator: " ")
            guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let code = Int(parts[1]) else { return false }
            status = code
            return true
        }
        headers.append(text)
        let lower = text.lowercased()
        if lower.hasPrefix("content-length:") { length = Int(lower.dropFirst(15).drop { $0 == " " }) }
        if lower.hasPrefix("transfer-encoding:"), lower.hasSuffix("chunked") { isChunked = true }
        return true
    }

    private mutating func endHead(_ take: (Part) -> Void) {
        defer { (status, headers, length, isChunked) = (0, [], nil, false) }
        guard status >= 200 else { return }
        take(.head(status: status, headers: headers))
        if isChunked {
            state = .chunkSize
        } else if length == 0 || status == 204 || status == 304 {
            take(.end)
        } else {
            state = length.map(State.counted) ?? .untilClose
        }
    }
}
