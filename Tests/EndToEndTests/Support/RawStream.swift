import BelfryCore
import Synchronization

@testable import belfry

/// An open event stream: its blocks as they come, byte for byte.
final class RawStream: Sendable {
    /// One SSE block: the lines between two blank lines.
    struct Block: Sendable, Equatable {
        var lines: [String]

        var id: String? { field("id") }
        var data: String? { field("data") }
        /// The frame in `data`.
        var frame: JSONValue { data.flatMap { try? JSONValue(parsing: $0) } ?? .null }

        private func field(_ name: String) -> String? {
            lines.first { $0.hasPrefix(name + ":") }.map { line in
                let value = line.dropFirst(name.count + 1)
                return String(value.hasPrefix(" ") ? value.dropFirst() : value)
            }
        }
    }

    let status: Int
    let headers: [String]
    private let socket: RawSocket
    private let state: Mutex<State>

    private struct State {
        var parser = ResponseParser()
        var status = 0
        var headers: [String] = []
        var unread: [UInt8] = []
        var isEnded = false

        mutating func feed(_ bytes: [UInt8]) {
            // The parts are views of the bytes: copied here, because the parser is a property of this too.
            var (head, body, isOver): (ResponseParser.Head?, [UInt8], Bool) = (nil, [], false)
            let isHTTP = parser.feed(bytes) { part in
                switch part {
                case .head(let new): head = new
                case .body(let piece): body += piece
                case .end: isOver = true
                }
            }
            if let head { (status, headers) = (head.status, head.lines) }
            unread += body
            if isOver || !isHTTP { isEnded = true }
        }

        /// The next whole block, if it is there.
        mutating func takeBlock() -> Block? {
            var end = unread.startIndex
            while let feed = unread[end...].firstIndex(of: 0x0A) {
                if feed + 1 < unread.endIndex, unread[feed + 1] == 0x0A {
                    let text = String(decoding: unread[..<feed], as: UTF8.self)
                    unread.removeSubrange(...(feed + 1))
                    return Block(lines: text.split(separator: "\n").map(String.init))
                }
                end = feed + 1
            }
            return nil
        }
    }

    /// Blocks until the head of the response is there.
    init(_ socket: RawSocket) throws {
        self.socket = socket
        var state = State()
        while state.status == 0 {
            guard let bytes = try socket.read(within: .seconds(20)) else { throw Timeout(what: "the head of a stream") }
            state.feed(bytes)
        }
        status = state.status
        headers = state.headers
        self.state = Mutex(state)
    }

    /// The next block; nil when the stream has ended. Throws ``Timeout`` when nothing comes.
    func next(within deadline: Duration = .seconds(20)) async throws -> Block? {
        while true {
            if let block = state.withLock({ $0.takeBlock() }) { return block }
            if state.withLock({ $0.isEnded }) { return nil }
            let bytes = try await onOwnThread { [socket] in try socket.read(within: deadline) }
            state.withLock { state in
                if let bytes { state.feed(bytes) } else { state.isEnded = true }
            }
        }
    }

    /// All blocks up to the end of the stream, or until `isLast` says that one is the last.
    func blocks(until isLast: (Block) -> Bool = { _ in false }) async throws -> [Block] {
        var blocks: [Block] = []
        while let block = try await next() {
            blocks.append(block)
            if isLast(block) { break }
        }
        return blocks
    }

    func close() { socket.close() }
}
