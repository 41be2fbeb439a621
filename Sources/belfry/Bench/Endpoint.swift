import Glibc

/// Where a plain HTTP URL leads.
struct Endpoint: Sendable {
    let host: String
    let port: Int

    init(url: String) throws {
        guard url.hasPrefix("http://") else {
            throw Failure(.usage, "\(url): this speaks plain HTTP only, http://HOST:PORT")
        }
        let authority = url.dropFirst(7).prefix { $0 != "/" }
        let colon = authority.lastIndex(of: ":").flatMap { authority[$0...].contains("]") ? nil : $0 }
        let name = colon.map { authority[..<$0] } ?? authority
        host = name.hasPrefix("[") ? String(name.dropFirst().dropLast()) : String(name)
        port = colon.flatMap { Int(authority[authority.index(after: $0)...]) } ?? 80
    }

    /// A connected socket.
    func connect() throws -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &first) == 0, let first else {
            throw Failure(.unreachable, "\(host) has no address")
        }
        defer { freeaddrinfo(first) }
        for address in sequence(first: first, next: { $0.pointee.ai_next }) {
            let descriptor = socket(address.pointee.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { break }
            if Glibc.connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 {
                var isOn: Int32 = 1
                setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
                return descriptor
            }
            close(descriptor)
        }
        throw Failure(.unreachable, "cannot connect to \(host):\(port): \(LocalFile.lastError())")
    }
}
