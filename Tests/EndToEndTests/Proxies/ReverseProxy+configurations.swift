import Foundation

extension ReverseProxy {
    /// - Parameter http: what stands inside `http { }`, given the port to listen on and the folder.
    static func nginx(_ http: (Int, String) throws -> String) async throws -> ReverseProxy {
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
        return try await start(
            Kind.nginx.program, ["-p", folder.path, "-c", configuration], on: port, in: folder)
    }

    /// ops/nginx/belfry.conf; only the ports and the path of its log are this test's.
    static func shippedNginx(hub: Int, changes: [(String, String)]) async throws -> ReverseProxy {
        try await nginx { port, folder in
            try shipped(
                "nginx/belfry.conf",
                [
                    ("listen 80;", "listen 127.0.0.1:\(port);"), ("server 127.0.0.1:8420;", "server 127.0.0.1:\(hub);"),
                    ("/var/log/nginx/belfry.log", "\(folder)/access.log"),
                ] + changes)
        }
    }

    /// ops/haproxy/haproxy.cfg; only the ports are this test's.
    static func shippedHAProxy(hub: Int, changes: [(String, String)]) async throws -> ReverseProxy {
        let folder = try TemporaryFolder()
        let port = try RawSocket.freePort()
        let text = try shipped(
            "haproxy/haproxy.cfg",
            [
                ("\n    bind :80\n", "\n    bind 127.0.0.1:\(port)\n"),
                ("server hub 127.0.0.1:8420", "server hub 127.0.0.1:\(hub)"),
            ] + changes)
        let configuration = try folder.write(text, to: "haproxy.cfg")
        return try await start(Kind.haproxy.program, ["-db", "-f", configuration], on: port, in: folder)
    }

    /// ops/caddy/Caddyfile; only the ports and the path of its log are this test's, and it gets no certificates.
    static func shippedCaddy(hub: Int, changes: [(String, String)]) async throws -> ReverseProxy {
        let folder = try TemporaryFolder()
        let port = try RawSocket.freePort()
        let text = try shipped(
            "caddy/Caddyfile",
            [
                ("\nhub.example.com {", "\nhttp://127.0.0.1:\(port) {"),
                ("reverse_proxy 127.0.0.1:8420 {", "reverse_proxy 127.0.0.1:\(hub) {"),
                ("/var/log/caddy/belfry.log", "\(folder.path)/access.log"),
            ] + changes)
        let configuration = try folder.write("{\n\tadmin off\n\tauto_https off\n}\n\(text)", to: "Caddyfile")
        return try await start(
            Kind.caddy.program, ["run", "--adapter", "caddyfile", "--config", configuration], on: port, in: folder,
            environment: ["HOME": folder.path, "XDG_DATA_HOME": folder.path, "XDG_CONFIG_HOME": folder.path])
    }
}
