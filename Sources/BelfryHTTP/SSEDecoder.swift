public import BelfryCore

/// One event of an event stream.
public struct SSEEvent: Sendable, Hashable {
    /// `message` unless the stream says otherwise.
    public var type: String
    /// The data lines joined with LF, as they came.
    public var data: [UInt8]
    /// The last id seen, with this event or before it.
    public var lastEventID: String

    public init(type: String = "message", data: [UInt8], lastEventID: String = "") {
        self.type = type
        self.data = data
        self.lastEventID = lastEventID
    }

    /// The data as text; what is no UTF-8 becomes U+FFFD.
    public var text: String { String(decoding: data, as: UTF8.self) }
}

/// Reads an event stream (WHATWG HTML, 9.2.6) from pieces cut anywhere. Lines end with LF, CR or CRLF; an event that
/// the end of the stream cuts off is not delivered.
public struct SSEDecoder: Sendable {
    /// A line or an event is longer than it may be.
    public struct Overflow: Error, Sendable, Hashable {
        public var bytesMax: Int
    }

    /// What a reconnect would send as `Last-Event-ID`.
    public private(set) var lastEventID = ""
    /// The pause before a reconnect that the stream asks for.
    public private(set) var retry: Duration?

    private let lineBytesMax: Int
    private let eventBytesMax: Int
    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var type = ""
    /// A CR was the last byte: a LF that follows belongs to it.
    private var endedWithCR = false
    private var isFirstLine = true

    public init(
        lineBytesMax: Int = Limits.streamLineBytesMax,
        eventBytesMax: Int = Limits.streamEventBytesMax
    ) {
        self.lineBytesMax = lineBytesMax
        self.eventBytesMax = eventBytesMax
    }

    /// Takes the next piece of the stream.
    /// - Returns: the events that it completes.
    public mutating func decode(_ bytes: [UInt8]) throws(Overflow) -> [SSEEvent] {
        var events: [SSEEvent] = []
        var rest = bytes[...]
        if endedWithCR, let first = rest.first {
            endedWithCR = false
            if first == UInt8(ascii: "\n") { rest.removeFirst() }
        }
        while let end = rest.firstIndex(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            try append(rest[..<end])
            if let event = try endLine() { events.append(event) }
            let next = end + 1
            if rest[end] == UInt8(ascii: "\n") {
                rest = rest[next...]
            } else if next == rest.endIndex {
                endedWithCR = true
                rest = rest[next...]
            } else {
                rest = rest[(rest[next] == UInt8(ascii: "\n") ? next + 1 : next)...]
            }
        }
        try append(rest)
        return events
    }

    private mutating func append(_ part: ArraySlice<UInt8>) throws(Overflow) {
        guard line.count + part.count <= lineBytesMax else { throw Overflow(bytesMax: lineBytesMax) }
        line.append(contentsOf: part)
    }

    private mutating func endLine() throws(Overflow) -> SSEEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        if isFirstLine {
            isFirstLine = false
            // The byte order mark of the stream, once.
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        guard !line.isEmpty else { return dispatch() }
        let colon = line.firstIndex(of: UInt8(ascii: ":"))
        guard colon != 0 else { return nil }  // a comment
        let name = line[..<(colon ?? line.count)]
        var value = colon.map { line[($0 + 1)...] } ?? []
        if value.first == UInt8(ascii: " ") { value.removeFirst() }
        try take(name, value)
        return nil
    }

    private mutating func take(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) throws(Overflow) {
        if name.elementsEqual("data".utf8) {
            guard data.count + value.count < eventBytesMax else { throw Overflow(bytesMax: eventBytesMax) }
            if hasData { data.append(UInt8(ascii: "\n")) }
            data.append(contentsOf: value)
            hasData = true
        } else if name.elementsEqual("event".utf8) {
            type = String(decoding: value, as: UTF8.self)
        } else if name.elementsEqual("id".utf8) {
            if !value.contains(0) { lastEventID = String(decoding: value, as: UTF8.self) }
        } else if name.elementsEqual("retry".utf8) {
            let isNumber = !value.isEmpty && value.allSatisfy { $0 &- UInt8(ascii: "0") < 10 }
            if isNumber, let milliseconds = Int64(String(decoding: value, as: UTF8.self)) {
                retry = .milliseconds(milliseconds)
            }
        }
    }

    private mutating func dispatch() -> SSEEvent? {
        defer {
            data = []
            hasData = false
            type = ""
        }
        guard hasData else { return nil }
        return SSEEvent(type: type.isEmpty ? "message" : type, data: data, lastEventID: lastEventID)
    }
}
