import Glibc

/// One subscriber's connection: reads its event stream and keeps the account of what came.
struct FanoutReader {
    let socket: Int32
    private(set) var status = 0
    private(set) var isClosed = false
    private(set) var seenCount = 0
    private(set) var doubled = 0
    private(set) var reordered = 0
    private var parser = ResponseParser()
    private var line: [UInt8] = []
    private var seen: Set<Int> = []
    private var highest = -1

    /// A message with its number and when it was sent, in nanoseconds since the start.
    struct Message {
        var number: Int
        var sent: Int64
    }

    private static let dataField = Array("data:".utf8)
    private static let mark = Array("belfry-bench=".utf8)

    init(socket: Int32) { self.socket = socket }

    /// Reads what has come and gives each new message to `take`.
    mutating func receive(_ poller: inout Poller, _ take: (Message) -> Void) {
        guard let bytes = poller.read(socket) else {
            isClosed = true
            return
        }
        var pieces: [ArraySlice<UInt8>] = []
        var status = self.status
        let isHTTP = parser.feed(bytes) { part in
            switch part {
            case .head(let code, _): status = code
            case .body(let piece): pieces.append(piece)
            case .end: break
            }
        }
        self.status = status
        if !isHTTP { isClosed = true }
        for piece in pieces { takeLines(piece, take) }
    }

    /// Counts the answers that have come on a publisher's connection.
    mutating func receiveAnswers(_ poller: inout Poller, refused: inout Int) -> Int {
        guard let bytes = poller.read(socket) else {
            isClosed = true
            return 0
        }
        var count = 0
        var refusals = 0
        let isHTTP = parser.feed(bytes) { part in
            if case .head(let code, _) = part {
                count += 1
                if !(200..<300).contains(code) { refusals += 1 }
            }
        }
        if !isHTTP { isClosed = true }
        refused += refusals
        return count
    }

    private mutating func takeLines(_ piece: ArraySlice<UInt8>, _ take: (Message) -> Void) {
        var rest = piece
        while let end = rest.firstIndex(of: 0x0A) {
            line += rest[..<end]
            rest = rest[(end + 1)...]
            if let message = Self.message(in: line) { count(message, take) }
            line.removeAll(keepingCapacity: true)
        }
        line += rest
    }

    private mutating func count(_ message: Message, _ take: (Message) -> Void) {
        guard seen.insert(message.number).inserted else {
            doubled += 1
            return
        }
        seenCount += 1
        if message.number < highest { reordered += 1 }
        highest = max(highest, message.number)
        take(message)
    }

    /// Finds `belfry-bench=NUMBER,SENT;` in a `data:` line.
    private static func message(in line: [UInt8]) -> Message? {
        guard line.starts(with: dataField) else { return nil }
        guard let place = line.firstRange(of: mark) else { return nil }
        let parts = line[place.upperBound...].prefix { $0 != UInt8(ascii: ";") }.split(separator: UInt8(ascii: ","))
        guard parts.count == 2, let number = Int(String(decoding: parts[0], as: UTF8.self)),
            let sent = Int64(String(decoding: parts[1], as: UTF8.self))
        else { return nil }
        return Message(number: number, sent: sent)
    }
}
