/// One subscriber's connection, and the account of what came over it.
struct FanoutSubscriber: Sendable {
    enum State: Sendable { case connecting, asked, open, closed }

    let socket: Int32
    let topic: Int
    var state = State.connecting
    /// Of the answer to its subscription; 0 as long as there is none.
    private(set) var status = 0
    private(set) var bytesRead = 0
    var account = DeliveryAccount(first: 0)
    private var parser = ResponseParser()
    private var events = EventScanner()
    private var messages = MessageScanner()

    init(socket: Int32, topic: Int) { (self.socket, self.topic) = (socket, topic) }

    /// Takes what came.
    /// - Parameters:
    ///   - marks: gets those of the messages that are complete.
    ///   - reply: gets what is to be sent.
    mutating func receive(
        _ bytes: UnsafeRawBufferPointer, _ plan: borrowing FanoutPlan, _ marks: inout [FanoutMark],
        _ reply: inout [UInt8]
    ) {
        bytesRead += bytes.count
        let isWell = read(bytes, plan, &marks)
        if !isWell || messages.isClosed { state = .closed }
        for ping in messages.pings { reply += MessageScanner.frame(10, ping) }
        messages.pings.removeAll()
        guard state == .asked, status != 0 else { return }
        if status != (plan.isWebSocket ? 101 : 200) {
            state = .closed
        } else if let hello = plan.wire.hello, plan.isWebSocket, messages.count == 0 {
            if !hasSaidHello { reply += MessageScanner.frame(1, hello.bytes(.init(topic: plan.topics[topic]))) }
            hasSaidHello = true
        } else {
            state = .open
        }
    }

    private var hasSaidHello = false

    private mutating func read(
        _ bytes: UnsafeRawBufferPointer, _ plan: borrowing FanoutPlan, _ marks: inout [FanoutMark]
    ) -> Bool {
        let format = plan.format, isWebSocket = plan.isWebSocket
        // Each is a property of its own, so that the parser may call what changes the others.
        return Self.read(bytes, format, isWebSocket, &parser, &status, &events, &messages, &marks)
    }

    private static func read(
        _ bytes: UnsafeRawBufferPointer, _ format: FanoutMark.Format, _ isWebSocket: Bool,
        _ parser: inout ResponseParser, _ status: inout Int, _ events: inout EventScanner,
        _ messages: inout MessageScanner, _ marks: inout [FanoutMark]
    ) -> Bool {
        var isWell = true
        let isHTTP = parser.feed(bytes) { part in
            switch part {
            case .head(let head): status = head.status
            case .body(let piece) where isWebSocket: isWell = messages.feed(piece, format, &marks)
            case .body(let piece): events.feed(piece, format, &marks)
            case .end: isWell = false
            }
        }
        return isHTTP && isWell
    }
}
