import Foundation
import Glibc
import Synchronization

@testable import belfry

/// A publish/subscribe server for one subscriber at a time that does wrong what it is told to.
final class ScriptedFanout: Sendable {
    enum Fault: Sendable, CaseIterable {
        case none, lose, double, reorder
        /// Its last event has no end.
        case unfinished
        case close
        case refuse
    }

    private struct State {
        var subscriber: Int32?
        var count = 0
        var held: [UInt8] = []
    }

    private let listener: LocalListener
    private let state = Mutex(State())
    private let fault: Fault

    init(_ fault: Fault) throws {
        self.fault = fault
        listener = try LocalListener()
        listener.take { [weak self] client, _ in self?.serve(client) }
    }

    deinit { listener.stop() }

    /// The options that lead `belfry bench fanout` here.
    var options: [String] {
        let url = "http://127.0.0.1:\(listener.port)"
        return ["--url", "\(url)/sub/{topic}", "--publish-url", "\(url)/pub/{topic}", "--body", "{mark}"]
    }

    private func serve(_ client: Int32) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            // Requests are small and come one at a time: each is whole when its mark's end is there.
            let text = String(decoding: bytes, as: UTF8.self)
            if text.hasPrefix("GET "), text.hasSuffix("\r\n\r\n") {
                if subscribe(client) { return }
                bytes = []
            } else if text.hasPrefix("POST "), text.hasSuffix(";") {
                let body = Array(bytes[((bytes.lastIndex(of: 0x0A) ?? 0) + 1)...])
                let status = fault == .refuse ? "403 Forbidden" : "200 OK"
                send(client, "HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n")
                publish(body)
                bytes = []
            }
            let count = recv(client, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            bytes += buffer[..<count]
        }
    }

    /// Keeps the connection until the test is over, or until it is to be closed.
    private func subscribe(_ client: Int32) -> Bool {
        send(client, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\n")
        state.withLock { $0.subscriber = client }
        var byte: UInt8 = 0
        while recv(client, &byte, 1, 0) > 0 {}
        state.withLock { $0.subscriber = nil }
        return true
    }

    private func publish(_ body: [UInt8]) {
        state.withLock { state in
            let number = state.count
            state.count += 1
            guard let subscriber = state.subscriber else { return }
            let event = Array("data: ".utf8) + body + [0x0A, 0x0A]
            switch (fault, number) {
            case (.lose, 3): break
            case (.double, 3): send(subscriber, event + event)
            case (.reorder, 3): state.held = event
            case (.reorder, 4): send(subscriber, event + state.held)
            case (.unfinished, 9): send(subscriber, event.dropLast())
            case (.close, 5): shutdown(subscriber, Int32(SHUT_RDWR))
            default: send(subscriber, event)
            }
        }
    }

    private func send(_ client: Int32, _ text: String) { send(client, Array(text.utf8)) }

    private func send(_ client: Int32, _ bytes: [UInt8]) {
        _ = Glibc.send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
}
