import Glibc

/// One request to the scripted provider, and the streamed completion that answers it (OpenAI's protocol: chunks of
/// `chat.completion.chunk`, then `[DONE]`). Nothing here waits: what the socket does not take is kept.
struct ProviderAnswer {
    let socket: Int32
    let index: Int
    /// Which run asks, once its request is whole.
    private(set) var run: Int?
    private(set) var isOpen = true
    private var request: [UInt8] = []
    /// What the socket has not taken yet.
    private var unsent: [UInt8] = []
    /// It is watched for the room to send that.
    private var isBlocked = false

    init(socket: Int32, index: Int) { (self.socket, self.index) = (socket, index) }

    /// What stands before the number of the run in the prompt.
    static let promptStart = "belfry-bench-run "
    private static let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

    /// Something happened at the socket. True once: the request is whole.
    mutating func look(_ poller: borrowing Poller) -> Bool {
        if !unsent.isEmpty {
            flush(poller)
            return false
        }
        guard let bytes = poller.read(socket) else {
            disconnect()
            return false
        }
        guard run == nil else { return false }
        request += bytes
        guard let number = Self.run(in: request) else {
            if request.count > 64 * 1024 { disconnect() }
            return false
        }
        run = number
        request = []
        write(Array(Self.head.utf8), poller)
        return true
    }

    /// The number in the prompt, if all of it is there; what else the request holds says nothing.
    private static func run(in request: [UInt8]) -> Int? {
        guard let start = request.firstRange(of: Array(promptStart.utf8)) else { return nil }
        let digits = request[start.upperBound...].prefix { (0x30...0x39).contains($0) }
        // The body is an object, and there is more of it behind the prompt.
        guard !digits.isEmpty, request.last == UInt8(ascii: "}") else { return nil }
        return Int(String(decoding: digits, as: UTF8.self))
    }

    /// Sends one token. False: the hub is gone.
    mutating func say(_ text: [UInt8], _ poller: borrowing Poller) -> Bool {
        chunk(#"{"content":""#, text, #""},"finish_reason":null"#, poller)
        return isOpen
    }

    /// Ends the answer.
    mutating func finish(_ poller: borrowing Poller) {
        chunk("{", [], #"},"finish_reason":"stop""#, poller)
        write(Array("e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n".utf8), poller)
    }

    private mutating func chunk(_ start: String, _ text: [UInt8], _ end: String, _ poller: borrowing Poller) {
        let before =
            #"data: {"id":"bench","object":"chat.completion.chunk","created":1,"model":"scripted","choices":[{"index":0,"delta":"#
        let after = "}]}\n\n"
        let count = before.utf8.count + start.utf8.count + text.count + end.utf8.count + after.utf8.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 16)
        bytes += String(count, radix: 16).utf8
        bytes += "\r\n".utf8
        bytes += before.utf8
        bytes += start.utf8
        bytes += text
        bytes += end.utf8
        bytes += after.utf8
        bytes += "\r\n".utf8
        write(bytes, poller)
    }

    private mutating func write(_ bytes: [UInt8], _ poller: borrowing Poller) {
        guard isOpen else { return }
        let wasEmpty = unsent.isEmpty
        unsent += bytes
        if wasEmpty { flush(poller) }
    }

    private mutating func flush(_ poller: borrowing Poller) {
        let count = unsent.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        if count < 0, errno != EAGAIN, errno != EINTR {
            disconnect()
            return
        }
        unsent.removeFirst(max(0, count))
        guard isBlocked == unsent.isEmpty else { return }
        isBlocked.toggle()
        poller.watch(socket, as: index, for: isBlocked ? .writable : .readable)
    }

    mutating func disconnect() {
        if isOpen { close(socket) }
        isOpen = false
    }
}
