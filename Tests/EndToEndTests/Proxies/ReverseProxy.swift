import Foundation
import Glibc
import Testing

/// A real reverse proxy in front of a hub, on a free port, with a folder of its own.
struct ReverseProxy {
    enum Kind: String, CaseIterable, Sendable, CustomTestStringConvertible {
        /// nginx with nothing but a `proxy_pass`: it buffers, and speaks HTTP/1.0 to the hub.
        case plainNginx
        /// With the configuration that is shipped below `ops/`.
        case nginx, haproxy, caddy

        static let shipped: [Kind] = [.nginx, .haproxy, .caddy]

        var testDescription: String { rawValue }

        var program: String {
            switch self {
            case .plainNginx, .nginx: "/usr/sbin/nginx"
            case .haproxy: "/usr/sbin/haproxy"
            case .caddy: "/usr/bin/caddy"
            }
        }

        /// Cancels the test, and says why, if the program is not there.
        func require() throws {
            guard !FileManager.default.isExecutableFile(atPath: program) else { return }
            try Test.cancel("\(program) is not installed; ops/test installs it")
        }
    }

    let port: Int
    let folder: TemporaryFolder
    private let process: ChildProcess

    var url: String { "http://127.0.0.1:\(port)" }

    /// What it has written about requests.
    var accessLog: String {
        ((try? String(contentsOfFile: "\(folder.path)/access.log", encoding: .utf8)) ?? "") + process.output
    }

    /// - Parameters:
    ///   - hub: the port that is behind it.
    ///   - changes: what to put in place of lines of a shipped configuration.
    static func start(_ kind: Kind, hub: Int, changes: [(String, String)] = []) async throws -> ReverseProxy {
        try kind.require()
        switch kind {
        case .plainNginx:
            return try await nginx { port, _ in
                "server { listen 127.0.0.1:\(port); location / { proxy_pass http://127.0.0.1:\(hub); } }"
            }
        case .nginx: return try await shippedNginx(hub: hub, changes: changes)
        case .haproxy: return try await shippedHAProxy(hub: hub, changes: changes)
        case .caddy: return try await shippedCaddy(hub: hub, changes: changes)
        }
    }

    /// Starts a program in the foreground, and waits until it listens.
    static func start(
        _ program: String, _ arguments: [String], on port: Int, in folder: TemporaryFolder,
        environment: [String: String] = [:]
    ) async throws -> ReverseProxy {
        let process = try ChildProcess(
            program, arguments, environment: environment, outputPath: "\(folder.path)/out",
            errorPath: "\(folder.path)/err")
        _ = try await eventually(within: .seconds(30), "\(program) to listen") {
            guard process.isRunning else { throw Timeout(what: "\(program) to start:\n\(process.errors)") }
            return (try? RawSocket(port: port)) == nil ? nil : true
        }
        return ReverseProxy(port: port, folder: folder, process: process)
    }

    /// A file below `ops/` with these changes; each line to be changed must stand there once.
    static func shipped(_ name: String, _ changes: [(String, String)]) throws -> String {
        let path = "\(BuildProducts.root)/ops/\(name)"
        var text = try String(contentsOfFile: path, encoding: .utf8)
        for (line, replacement) in changes {
            guard text.components(separatedBy: line).count == 2 else {
                throw Timeout(what: "“\(line)” to stand once in \(path)")
            }
            text = text.replacing(line, with: replacement)
        }
        return text
    }

    /// A client of what is behind it.
    func client(_ token: String?) -> RawClient { RawClient(port: port, token: token) }

    func stop() { process.send(SIGKILL) }
}

extension ReverseProxy {
    /// Starts it in front of a hub, gives it to `body` and stops it.
    static func with(
        _ kind: Kind, _ hub: HubProcess, changes: [(String, String)] = [], _ body: (ReverseProxy) async throws -> Void
    ) async throws {
        let proxy = try await start(kind, hub: hub.port, changes: changes)
        defer { proxy.stop() }
        try await body(proxy)
    }
}
