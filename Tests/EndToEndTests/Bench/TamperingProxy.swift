import Foundation
import Glibc
import Synchronization

@testable import belfry

/// Stands before a hub and changes one place of one answer. What stands there instead is as long, so that nothing
/// around it is touched.
final class TamperingProxy: Sendable {
    private let listener: LocalListener
    private let hub: Int
    private let pattern: String
    private let replacement: @Sendable (String) -> String
    private let isDone = Mutex(false)

    /// - Parameters:
    ///   - hub: its port.
    ///   - pattern: a regular expression of what is changed, the first time that it comes.
    ///   - replacement: what it becomes.
    init(hub: Int, pattern: String, replacement: @escaping @Sendable (String) -> String) throws {
        (self.hub, self.pattern, self.replacement) = (hub, pattern, replacement)
        listener = try LocalListener()
        listener.take { [weak self] client, _ in self?.serve(client) }
    }

    deinit { listener.stop() }

    var url: String { "http://127.0.0.1:\(listener.port)" }

    private func serve(_ client: Int32) {
        guard let endpoint = try? Endpoint(url: "http://127.0.0.1:\(hub)"), let hub = try? endpoint.connect() else {
            return
        }
        defer { close(hub) }
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        while true {
            var entries = [client, hub].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&entries, 2, -1) > 0 else { return }
            for (from, to) in [(0, hub), (1, client)] where entries[from].revents != 0 {
                let count = recv(entries[from].fd, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                let bytes = from == 1 ? tampered(Array(buffer[..<count])) : Array(buffer[..<count])
                _ = send(to, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            }
        }
    }

    private func tampered(_ bytes: [UInt8]) -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self)
        return isDone.withLock { isDone in
            guard !isDone, let found = text.range(of: pattern, options: .regularExpression) else { return bytes }
            isDone = true
            return Array(text.replacingCharacters(in: found, with: replacement(String(text[found]))).utf8)
        }
    }
}
