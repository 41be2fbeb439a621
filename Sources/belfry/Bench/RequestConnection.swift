import Glibc

/// A connection for one request at a time, so that what is published over it keeps its order. A server may close it
/// between two requests; then the next one goes over a new connection.
struct RequestConnection {
    let index: Int
    private let address: Endpoint.Address
    private var socket: Int32?
    private var parser = ResponseParser()
    private(set) var isBusy = false
    private var status = 0
    /// The body of the last answer.
    private(set) var answer: [UInt8] = []

    init(index: Int, address: Endpoint.Address) { (self.index, self.address) = (index, address) }

    /// False: it could not be sent.
    mutating func send(_ request: [UInt8], _ poller: borrowing Poller) -> Bool {
        if socket == nil {
            guard let new = address.connect(waits: true) else { return false }
            (socket, parser) = (new, ResponseParser())
            poller.add(new, as: index)
        }
        guard let socket, poller.write(socket, request) else {
            disconnect()
            return false
        }
        isBusy = true
        answer.removeAll(keepingCapacity: true)
        return true
    }

    /// The status of the answer that has come; 0: none that is complete, -1: the connection broke before it.
    mutating func receive(_ poller: borrowing Poller) -> Int {
        guard let socket else { return 0 }
        guard let bytes = poller.read(socket) else {
            defer { disconnect() }
            return isBusy ? -1 : 0
        }
        var (status, isComplete, answer) = (status, false, [UInt8]())
        swap(&answer, &self.answer)
        let isHTTP = parser.feed(bytes) { part in
            switch part {
            case .head(let head): status = head.status
            case .body(let piece): answer += piece
            case .end: isComplete = true
            }
        }
        swap(&answer, &self.answer)
        guard isHTTP else {
            disconnect()
            return -1
        }
        self.status = isComplete ? 0 : status
        guard isComplete else { return 0 }
        isBusy = false
        return status
    }

    mutating func disconnect() {
        if let socket { close(socket) }
        (socket, isBusy, status) = (nil, false, 0)
    }
}
