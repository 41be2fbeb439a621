import BelfryCore
import Foundation

@testable import belfry

/// A tiny HTTP/1.1 client over a raw socket: nothing is hidden, corrected or retried.
struct RawClient: Sendable {
    let port: Int
    /// Sent as Bearer; nil for none.
    var token: String?

    struct Response: Sendable {
        var status = 0
        /// Lines as they came.
        var headers: [String] = []
        var body: [UInt8] = []

        var text: String { String(decoding: body, as: UTF8.self) }
        var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }

        /// The first value of a header.
        func header(_ name: String) -> String? {
            let line = headers.first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
            return line.map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
    }

    /// One request on a connection of its own, and its whole answer.
    func request(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8] = [],
        within deadline: Duration = .seconds(20)
    ) async throws -> Response {
        let bytes = head(method, path, headers + [("Connection", "close")], length: body.count) + body
        return try await exchange(bytes, within: deadline)
    }

    func request(_ method: String, _ path: String, json: JSONValue) async throws -> Response {
        try await request(method, path, headers: [("Content-Type", "application/json")], body: json.encoded())
    }

    /// Sends bytes as they are, and reads one answer.
    func exchange(_ bytes: [UInt8], within deadline: Duration = .seconds(20)) async throws -> Response {
        let port = port
        return try await onOwnThread {
            let socket = try RawSocket(port: port)
            // The answer may come before all is read: then the peer takes no more, and the answer still counts.
            try? socket.write(bytes)
            var parser = ResponseParser()
            var response = Response()
            var isComplete = false
            while !isComplete, let piece = try socket.read(within: deadline) {
                let isHTTP = parser.feed(piece) { part in
                    switch part {
                    case .head(let head): (response.status, response.headers) = (head.status, head.lines)
                    case .body(let bytes): response.body += bytes
                    case .end: isComplete = true
                    }
                }
                guard isHTTP else { throw Timeout(what: "an HTTP answer") }
            }
            guard response.status > 0 else { throw Timeout(what: "an answer: the connection was closed") }
            return response
        }
    }

    /// Opens an event stream; returns when its head is there.
    func stream(_ path: String, headers: [(String, String)] = []) async throws -> RawStream {
        let bytes = head("GET", path, [("Accept", "text/event-stream")] + headers, length: 0)
        let port = port
        return try await onOwnThread {
            let socket = try RawSocket(port: port)
            try socket.write(bytes)
            return try RawStream(socket)
        }
    }

    private func head(_ method: String, _ path: String, _ headers: [(String, String)], length: Int) -> [UInt8] {
        var text = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n"
        if let token { text += "Authorization: Bearer \(token)\r\n" }
        if length > 0 || method != "GET" { text += "Content-Length: \(length)\r\n" }
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        return Array((text + "\r\n").utf8)
    }
}
