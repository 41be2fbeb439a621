import Dispatch
import Glibc
import Synchronization

/// A TCP server on an ephemeral loopback port whose connections follow a script: to be slow, wrong or silent at will.
/// It keeps what it read and when a peer closed.
final class ScriptedServer: Sendable {
    struct Record: Sendable {
        /// The requests as they came, head and body.
        var requests: [String] = []
        var connections = 0
        /// Connections that a script saw closed by the peer.
        var closedByPeer = 0
        var bytesWritten = 0
    }

    let port: UInt16
    private let listener: Int32
    private let recorded = Mutex(Record())

    var url: String { "http://127.0.0.1:\(port)" }
    var record: Record { recorded.withLock { $0 } }

    /// - Parameter script: runs on a thread of its own for each connection; the socket is closed when it returns.
    init(_ script: @escaping @Sendable (ScriptedConnection) -> Void) {
        (listener, port) = Self.listen(backlog: 64)
        let (listener, recorded) = (listener, Recorder(recorded: { [weak self] in self?.change($0) }))
        Self.thread {
            while case let socket = uninterrupted({ accept(listener, nil, nil) }), socket >= 0 {
                recorded.recorded { $0.connections += 1 }
                Self.thread {
                    let connection = ScriptedConnection(socket: socket, recorder: recorded)
                    script(connection)
                    Glibc.close(socket)
                }
            }
            // Here and not in deinit: a number that is closed while this thread uses it may be another's by then.
            Glibc.close(listener)
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// A socket that listens; with a backlog of 0 and nobody accepting, the second connection already hangs.
    static func listen(backlog: Int32) -> (socket: Int32, port: UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = bind(listener, address, length)
                _ = Glibc.listen(listener, backlog)
                _ = getsockname(listener, address, &length)
            }
        }
        return (listener, UInt16(bigEndian: address.sin_port))
    }

    /// Waits until the record is as asked, at most thirty seconds.
    func waits(for isReady: (Record) -> Bool) async -> Bool {
        for _ in 0..<6000 {
            if isReady(record) { return true }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return false
    }

    private func change(_ change: (inout Record) -> Void) { recorded.withLock { change(&$0) } }

    struct Recorder: Sendable {
        var recorded: @Sendable ((inout Record) -> Void) -> Void
    }

    static func thread(_ body: @escaping @Sendable () -> Void) {
        // Scripts block: they must not take the threads of the tests.
        let queue = DispatchQueue(label: "scripted")
        queue.async(execute: body)
    }
}

/// Calls again what a signal broke off: tests of commands beside these have children, whose ends are signals.
private func uninterrupted<Count: SignedInteger>(_ call: () -> Count) -> Count {
    while true {
        let count = call()
        if count >= 0 || errno != EINTR { return count }
    }
}

/// One connection of a ``ScriptedServer``, seen from its script.
struct ScriptedConnection: Sendable {
    let socket: Int32
    let recorder: ScriptedServer.Recorder

    init(socket: Int32, recorder: ScriptedServer.Recorder) {
        self.socket = socket
        self.recorder = recorder
        var on: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Reads one request, body by `Content-Length`. Nil when the peer has closed.
    @discardableResult
    func readRequest() -> String? {
        var bytes: [UInt8] = []
        var needed: Int?
        while needed.map({ bytes.count < $0 }) ?? true {
            var buffer = [UInt8](repeating: 0, count: 64 * 1024)
            let count = uninterrupted { recv(socket, &buffer, buffer.count, 0) }
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
            let text = String(decoding: bytes, as: UTF8.self)
            if needed == nil, let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                let line = text.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
                needed = end.upperBound + (line.flatMap { Int($0.dropFirst(15).filter { $0 != " " }) } ?? 0)
            }
        }
        let request = String(decoding: bytes, as: UTF8.self)
        recorder.recorded { $0.requests.append(request) }
        return request
    }

    /// - Returns: false once the peer is gone.
    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = uninterrupted {
                rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            }
            guard count > 0 else {
                recorder.recorded { $0.closedByPeer += 1 }
                return false
            }
            recorder.recorded { $0.bytesWritten += count }
            rest = rest.dropFirst(count)
        }
        return true
    }

    @discardableResult
    func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    func writeChunk(_ text: String) {
        write("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n")
    }

    /// An event-stream answer, chunked; end it with `write("0\r\n\r\n")`.
    func beginStream() {
        write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    }

    func answer(_ status: String = "200 OK", headers: String = "", body: String = "") {
        write("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    func pause(milliseconds: UInt32) { usleep(milliseconds * 1000) }

    /// Blocks until the peer closes, at most a minute.
    func waitForClose() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var timeout = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        while true {
            let count = uninterrupted { recv(socket, &buffer, buffer.count, 0) }
            if count == 0 || (count < 0 && errno == ECONNRESET) { return recorder.recorded { $0.closedByPeer += 1 } }
            if count < 0 { return }
        }
    }

    /// The next close sends RST instead of FIN.
    func resetOnClose() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }
}
