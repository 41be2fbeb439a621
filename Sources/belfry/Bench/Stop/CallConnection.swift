import BelfryCore
import Glibc

/// A WebSocket of the hub on which calls are made, one at a time.
struct CallConnection {
    private let socket: Int32?
    /// What has come and is not whole.
    private var kept: [UInt8] = []
    private var isOpen = false
    /// The answer to the last call; nil as long as there is none.
    private(set) var answer: JSONValue?
    private(set) var isClosed = false

    /// Sends the handshake; ``isReady`` when it was answered.
    init(address: Endpoint.Address, index: Int, request: [UInt8], _ poller: borrowing Poller) {
        socket = address.connect(waits: true)
        if let socket, poller.write(socket, request) {
            poller.add(socket, as: index)
        } else {
            disconnect()
        }
    }

    var isReady: Bool { isOpen && !isClosed }

    mutating func call(_ method: String, _ params: JSONValue, _ poller: borrowing Poller) -> Bool {
        answer = nil
        let call: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": params]
        return write(1, call.encoded(), poller)
    }

    /// Something has come.
    mutating func receive(_ poller: borrowing Poller) {
        guard let socket, let bytes = poller.read(socket) else { return disconnect() }
        kept += bytes
        if !isOpen {
            guard let end = kept.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
            guard kept.starts(with: "HTTP/1.1 101 ".utf8) else { return disconnect() }
            kept.removeSubrange(..<end.upperBound)
            isOpen = true
        }
        while let (first, payload) = nextFrame() {
            switch first & 0x0F {
            case 1: answer = (try? JSONValue(parsing: payload)) ?? .null
            case 8: disconnect()
            case 9: _ = write(0xA, payload, poller)
            default: break
            }
        }
    }

    private func write(_ opcode: UInt8, _ payload: [UInt8], _ poller: borrowing Poller) -> Bool {
        guard let socket, !isClosed else { return false }
        return poller.write(socket, MessageScanner.frame(opcode, payload))
    }

    /// The hub sends neither masks nor fragments (RFC 6455, section 5.2).
    private mutating func nextFrame() -> (first: UInt8, payload: [UInt8])? {
        guard kept.count >= 2 else { return nil }
        let short = Int(kept[1])
        let head = short < 126 ? 2 : short == 126 ? 4 : 10
        guard kept.count >= head else { return nil }
        let length = short < 126 ? short : kept[2..<head].reduce(0) { $0 << 8 | Int($1) }
        guard kept.count >= head + length else { return nil }
        defer { kept.removeFirst(head + length) }
        return (kept[0], Array(kept[head..<(head + length)]))
    }

    mutating func disconnect() {
        if let socket, !isClosed { close(socket) }
        isClosed = true
    }
}
