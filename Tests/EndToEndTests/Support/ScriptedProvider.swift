import BelfryCore
import Foundation
import Glibc
import Synchronization

/// An OpenAI-style provider that plays a script to each request and notes when the peer goes away.
final class ScriptedProvider: Sendable {
    enum Action: Sendable {
        /// A chunk of the answer with this text.
        case text(String)
        /// Bytes of the body as they are.
        case raw(String)
        case pause(Duration)
        /// Nothing more comes until the test lets one such action pass.
        case wait(Turnstile)
        /// Nothing more comes, the connection stays open until the peer closes it.
        case hang
        /// The connection is cut, without an end of the body.
        case cut
        /// Instead of a stream: this status and JSON. Only as the first action.
        case status(Int, String)
    }

    /// Where a script waits for the test: each ``letPass()`` is good for one ``Action/wait(_:)``.
    final class Turnstile: Sendable {
        private let free = Mutex(0)

        func letPass() { free.withLock { $0 += 1 } }

        fileprivate func pass() -> Bool {
            free.withLock { free in
                guard free > 0 else { return false }
                free -= 1
                return true
            }
        }
    }

    /// A chunk in which the model calls tools: names, and arguments as it writes them.
    static func calls(_ calls: (name: String, arguments: String)...) -> Action {
        let list = calls.enumerated().map { index, call -> JSONValue in
            [
                "index": .int(index), "id": .string("call_\(index)"), "type": "function",
                "function": ["name": .string(call.name), "arguments": .string(call.arguments)],
            ]
        }
        let delta: JSONValue = ["index": 0, "delta": ["tool_calls": .array(list)], "finish_reason": "tool_calls"]
        return .raw("data: \(JSONValue.object(["choices": .array([delta])]).text)\n\n")
    }

    /// What happened on one connection.
    struct Exchange: Sendable {
        var head = ""
        var body = ""
        /// How many actions were played to their end.
        var played = 0
        var isComplete = false
        /// When the peer was seen to have closed the connection, if it did so before the end of the script.
        var peerClosed: ContinuousClock.Instant?
    }

    private let listener: LocalListener
    private let scripts: [[Action]]
    private let log = Mutex<[Exchange]>([])

    /// - Parameter scripts: one per connection, in their order; the last is for all that follow.
    init(_ scripts: [Action]...) throws {
        self.scripts = scripts
        listener = try LocalListener()
        listener.take { [weak self] client, _ in self?.serve(client) }
    }

    deinit { stop() }

    var port: Int { listener.port }

    /// What an agent's `base_url` is.
    var baseURL: String { "http://127.0.0.1:\(port)/v1" }

    var exchanges: [Exchange] { log.withLock { $0 } }

    /// Takes no more connections.
    func stop() { listener.stop() }

    private func serve(_ client: Int32) {
        let index = log.withLock { log in
            log.append(Exchange())
            return log.count - 1
        }
        guard let request = readRequest(client) else { return }
        log.withLock { ($0[index].head, $0[index].body) = request }
        let script = scripts[min(index, scripts.count - 1)]
        if case .status(let status, let json) = script.first {
            let head =
                "HTTP/1.1 \(status) Scripted\r\nContent-Type: application/json\r\nContent-Length: \(json.utf8.count)\r\n\r\n"
            _ = write(client, head + json)
        } else {
            play(script, client, index)
        }
        log.withLock { if $0[index].peerClosed == nil { $0[index].isComplete = true } }
    }

    private func play(_ script: [Action], _ client: Int32, _ index: Int) {
        var isOpen = write(
            client, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for action in script where isOpen {
            switch action {
            case .text(let text): isOpen = writeChunk(client, Self.delta(text))
            case .raw(let text): isOpen = writeChunk(client, text)
            case .pause(let duration): isOpen = !closes(client, within: duration)
            case .wait(let turnstile): isOpen = !closes(client, within: .seconds(300)) { turnstile.pass() }
            case .hang: isOpen = !closes(client, within: .seconds(300))
            case .cut: return
            case .status: break
            }
            if isOpen { log.withLock { $0[index].played += 1 } }
        }
        if isOpen {
            isOpen = writeChunk(client, "data: [DONE]\n\n") && write(client, "0\r\n\r\n")
        }
        if !isOpen { log.withLock { $0[index].peerClosed = .now } }
    }

    /// POLLRDHUP of Linux's poll(2), which the module map leaves out.
    private static let peerHangup: Int16 = 0x2000

    /// Waits until `isOver`; true as soon as the peer has closed.
    private func closes(_ client: Int32, within duration: Duration, unless isOver: () -> Bool = { false }) -> Bool {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end, !isOver() {
            var entry = pollfd(fd: client, events: Int16(POLLIN) | Self.peerHangup, revents: 0)
            if poll(&entry, 1, 10) > 0, entry.revents & (Self.peerHangup | Int16(POLLHUP) | Int16(POLLERR)) != 0 {
                return true
            }
        }
        return false
    }

    private static func delta(_ text: String) -> String {
        let quoted = String(decoding: (try? JSONEncoder().encode(text)) ?? Data("\"\"".utf8), as: UTF8.self)
        return #"data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"scripted","choices":"#
            + #"[{"index":0,"delta":{"content":\#(quoted)},"finish_reason":null}]}"# + "\n\n"
    }

    private func writeChunk(_ client: Int32, _ text: String) -> Bool {
        write(client, String(text.utf8.count, radix: 16) + "\r\n" + text + "\r\n")
    }

    private func write(_ client: Int32, _ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    private func readRequest(_ client: Int32) -> (head: String, body: String)? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        let separator = Array("\r\n\r\n".utf8)
        while true {
            let count = recv(client, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            bytes += chunk[..<count]
            guard let end = bytes.firstRange(of: separator) else { continue }
            let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            let length =
                head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                .flatMap { Int($0.dropFirst(15).drop { $0 == " " }) } ?? 0
            if bytes.count - end.upperBound >= length {
                return (head, String(decoding: bytes[end.upperBound...], as: UTF8.self))
            }
        }
    }
}
