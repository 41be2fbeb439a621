import Foundation
import Glibc

/// A real nginx with a prefix folder of its own, on a free port.
struct Nginx {
    static let program = "/usr/sbin/nginx"
    static let isInstalled = FileManager.default.isExecutableFile(atPath: program)

    let port: Int
    let folder: TemporaryFolder
    private let process: ChildProcess

    var url: String { "http://127.0.0.1:\(port)" }

    /// - Parameter http: what stands inside `http { }`, given the port to listen on and the folder.
    static func start(_ http: (Int, String) throws -> String) async throws -> Nginx {
        let folder = try TemporaryFolder()
        let port = try RawSocket.freePort()
        // One process: a test that is cut leaves no worker behind.
        let main = """
            daemon off;
            master_process off;
            pid nginx.pid;
            error_log stderr notice;
            events { worker_connections 256; }
            http {
                access_log off;
                client_body_temp_path body;
                proxy_temp_path proxy;
                fastcgi_temp_path fastcgi;
                uwsgi_temp_path uwsgi;
                scgi_temp_path scgi;
            \(try http(port, folder.path))
            }
            """
        let configuration = try folder.write(main, to: "nginx.conf")
        let process = try ChildProcess(
            program, ["-p", folder.path, "-c", configuration], outputPath: "\(folder.path)/out",
            errorPath: "\(folder.path)/err")
        _ = try await eventually("nginx to listen") {
            guard process.isRunning else { throw Timeout(what: "nginx to start:\n\(process.errors)\n\(main)") }
            return (try? RawSocket(port: port)) == nil ? nil : true
        }
        return Nginx(port: port, folder: folder, process: process)
    }

    /// nginx as it comes: one `proxy_pass`, buffering on, HTTP/1.0 to the hub.
    static func plain(hub: Int) async throws -> Nginx {
        try await start { port, _ in
            "server { listen 127.0.0.1:\(port); location / { proxy_pass http://127.0.0.1:\(hub); } }"
        }
    }

    /// ops/nginx/belfry.conf; only the ports and the path of its log are this test's.
    /// - Parameter changes: more to put in place of lines of it.
    static func shipped(hub: Int, changes: [(String, String)] = []) async throws -> Nginx {
        let path = BuildProducts.root + "/ops/nginx/belfry.conf"
        return try await start { port, folder in
            var text = try String(contentsOfFile: path, encoding: .utf8)
            let own = [
                ("listen 80;", "listen 127.0.0.1:\(port);"), ("server 127.0.0.1:8420;", "server 127.0.0.1:\(hub);"),
                ("/var/log/nginx/belfry.log", "\(folder)/access.log"),
            ]
            for (line, replacement) in own + changes {
                guard text.components(separatedBy: line).count == 2 else {
                    throw Timeout(what: "“\(line)” to stand once in \(path)")
                }
                text = text.replacing(line, with: replacement)
            }
            return text
        }
    }

    var accessLog: String { (try? String(contentsOfFile: "\(folder.path)/access.log", encoding: .utf8)) ?? "" }

    /// A client of what is behind it.
    func client(_ token: String?) -> RawClient { RawClient(port: port, token: token) }

    func stop() { process.send(SIGKILL) }
}
