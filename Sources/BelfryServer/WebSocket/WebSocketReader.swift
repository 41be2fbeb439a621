import BelfryCore
import BelfryEngine
import NIOCore

/// Takes the bytes of a client apart into messages (RFC 6455, section 5). Pure; whoever owns it pulls, so what is not
/// wanted yet stays bytes.
///
/// Every fault is found at the first byte that shows it: in the head of a frame before its payload has come, in text at
/// the byte that is no UTF-8.
struct WebSocketReader {
    /// What was read.
    enum Item: Equatable {
        case text(ByteBuffer)
        case binary(ByteBuffer)
        case ping(ByteBuffer)
        case pong
        /// Nil: without a code.
        case close(WebSocketCloseCode?)
    }

    /// Why the connection cannot go on.
    struct Fault: Error, Equatable {
        var reason: CloseReason
        var text: String
    }

    struct Bounds {
        var messageBytesMax = Limits.webSocketMessageBytesMax
        var fragmentsMax = Limits.webSocketFragmentsMax
    }

    private struct Head {
        var isFinal: Bool
        var opcode: WebSocketOpcode
        var key: UInt32
        var bytesLeft: Int
        /// Where in the key the next byte stands.
        var keyOffset = 0
    }

    /// A message whose fragments come.
    private struct Message {
        var isText: Bool
        var fragments = 0
        var bytes = ByteBuffer()
        var validator = UTF8Validator()

        /// Looks at the text that has come since `start`; false if it cannot be UTF-8.
        mutating func check(from start: Int) -> Bool {
            var validator = validator
            defer { self.validator = validator }
            return bytes.withUnsafeReadableBytes { readable in
                validator.accept(UnsafeRawBufferPointer(rebasing: readable[(start - bytes.readerIndex)...]))
            }
        }
    }

    private let bounds: Bounds
    private var input = ByteBuffer()
    private var head: Head?
    private var message: Message?
    private var control = ByteBuffer()

    init(bounds: Bounds = Bounds()) { self.bounds = bounds }

    /// What is held of messages and of bytes that were not read yet, with those before them that still take room.
    var bytesHeld: Int { (input.readableBytes == 0 ? 0 : input.writerIndex) + (message?.bytes.readableBytes ?? 0) }

    mutating func append(_ bytes: ByteBuffer) {
        guard input.readableBytes > 0 else {
            input = bytes
            return
        }
        // A client whose writes all end inside a head never lets it become empty.
        input.discardReadBytes()
        input.writeImmutableBuffer(bytes)
    }

    /// The next item; nil if more bytes are needed. After a fault nothing more may be read.
    mutating func next() throws(Fault) -> Item? {
        while true {
            if head == nil {
                guard let head = try readHead() else { return nil }
                try begin(head)
                self.head = head
            }
            guard let head, input.readableBytes > 0 || head.bytesLeft == 0 else { return nil }
            if head.opcode.isControl {
                Self.unmask(&input, into: &control, head: &self.head)
                guard self.head?.bytesLeft == 0 else { return nil }
                self.head = nil
                defer { control = ByteBuffer() }
                return try item(head.opcode, control)
            }
            try readPayload()
            guard self.head?.bytesLeft == 0 else { return nil }
            self.head = nil
            if head.isFinal, let item = try finishMessage() { return item }
        }
    }

    // MARK: - The head of a frame

    private mutating func readHead() throws(Fault) -> Head? {
        guard let first = input.getInteger(at: input.readerIndex, as: UInt8.self) else { return nil }
        guard first & 0x70 == 0 else { throw Self.broken("a reserved bit is set") }
        guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else { throw Self.broken("an unknown opcode") }
        let isFinal = first & 0x80 != 0
        if opcode.isControl, !isFinal { throw Self.broken("a control frame in fragments") }
        if opcode == .continuation, message == nil { throw Self.broken("a continuation of nothing") }
        if opcode == .text || opcode == .binary, message != nil { throw Self.broken("a message inside a message") }
        guard let second = input.getInteger(at: input.readerIndex + 1, as: UInt8.self) else { return nil }
        guard second & 0x80 != 0 else { throw Self.broken("a frame without a mask") }
        let short = Int(second & 0x7F)
        if opcode.isControl, short > 125 { throw Self.broken("a control frame of more than 125 bytes") }
        let lengthBytes = short < 126 ? 0 : (short == 126 ? 2 : 8)
        guard input.readableBytes >= 2 + lengthBytes else { return nil }
        let length = try length(short, lengthBytes)
        if !opcode.isControl { try checkRoom(for: length) }
        guard input.readableBytes >= 2 + lengthBytes + 4,
            let key = input.getInteger(at: input.readerIndex + 2 + lengthBytes, as: UInt32.self)
        else { return nil }
        input.moveReaderIndex(forwardBy: 2 + lengthBytes + 4)
        return Head(isFinal: isFinal, opcode: opcode, key: key, bytesLeft: length)
    }

    private func length(_ short: Int, _ lengthBytes: Int) throws(Fault) -> Int {
        let start = input.readerIndex + 2
        let length: UInt64
        switch lengthBytes {
        case 0: return short
        case 2: length = UInt64(input.getInteger(at: start, as: UInt16.self) ?? 0)
        default: length = input.getInteger(at: start, as: UInt64.self) ?? 0
        }
        guard length >= (lengthBytes == 2 ? 126 : 65_536), length <= UInt64(Int64.max) else {
            throw Self.broken("a length that is not written as it must be")
        }
        return Int(length)
    }

    private func checkRoom(for length: Int) throws(Fault) {
        let held = message?.bytes.readableBytes ?? 0
        guard length <= bounds.messageBytesMax - held else {
            throw Fault(reason: .messageTooLarge, text: "a message has at most \(bounds.messageBytesMax) bytes")
        }
        guard message?.fragments ?? 0 < bounds.fragmentsMax else {
            throw Fault(reason: .messageTooLarge, text: "a message has at most \(bounds.fragmentsMax) fragments")
        }
    }

    private mutating func begin(_ head: Head) throws(Fault) {
        switch head.opcode {
        case .text: message = Message(isText: true)
        case .binary: message = Message(isText: false)
        default: break
        }
        if !head.opcode.isControl { message?.fragments += 1 }
    }

    // MARK: - The payload

    private mutating func readPayload() throws(Fault) {
        guard var message = self.message else { return }
        // Moved out and back, so that the bytes are not copied.
        self.message = nil
        let start = message.bytes.writerIndex
        Self.unmask(&input, into: &message.bytes, head: &head)
        let isValid = !message.isText || message.check(from: start)
        self.message = message
        guard isValid else { throw Fault(reason: .invalidText, text: "text that is no UTF-8") }
    }

    private mutating func finishMessage() throws(Fault) -> Item? {
        guard let message else { return nil }
        self.message = nil
        guard message.isText else { return .binary(message.bytes) }
        guard message.validator.isComplete else {
            throw Fault(reason: .invalidText, text: "text that ends inside a character")
        }
        return .text(message.bytes)
    }

    private func item(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) throws(Fault) -> Item {
        switch opcode {
        case .ping: return .ping(payload)
        case .close: return .close(try closeCode(payload))
        default: return .pong
        }
    }

    private func closeCode(_ payload: ByteBuffer) throws(Fault) -> WebSocketCloseCode? {
        var payload = payload
        guard payload.readableBytes > 0 else { return nil }
        guard let code = payload.readInteger(as: UInt16.self).map(WebSocketCloseCode.init(rawValue:)), code.maySend
        else {
            throw Self.broken("a close code that must not be sent")
        }
        var validator = UTF8Validator()
        guard validator.accept(payload.readableBytesView), validator.isComplete else {
            throw Fault(reason: .invalidText, text: "a close reason that is no UTF-8")
        }
        return code
    }

    /// Moves what has come of the frame's payload, in the clear.
    private static func unmask(_ input: inout ByteBuffer, into output: inout ByteBuffer, head: inout Head?) {
        guard var frame = head else { return }
        let count = min(frame.bytesLeft, input.readableBytes)
        // The key as it lies over the next bytes, and over eight of them as they lie in memory.
        let turn = UInt32(8 * frame.keyOffset)
        let key = frame.key << turn | frame.key >> (32 - turn)
        let wide = (UInt64(key) << 32 | UInt64(key)).bigEndian
        input.readWithUnsafeReadableBytes { source in
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
                var index = 0
                while index + 8 <= count {
                    let word = source.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                    target.storeBytes(of: word ^ wide, toByteOffset: index, as: UInt64.self)
                    index += 8
                }
                while index < count {
                    target[index] = source[index] ^ UInt8(truncatingIfNeeded: key >> UInt32(24 - 8 * (index & 3)))
                    index += 1
                }
                return count
            }
        }
        frame.keyOffset = (frame.keyOffset + count) & 3
        frame.bytesLeft -= count
        head = frame
    }

    private static func broken(_ text: String) -> Fault { Fault(reason: .protocolError, text: text) }
}
