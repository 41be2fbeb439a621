import Glibc

/// Where a plain HTTP URL leads.
struct Endpoint: Sendable {
    let host: String
    let port: Int
    /// What is asked for there, with its query; `/` where the URL has none.
    let path: String

    init(url: String) throws {
        guard url.hasPrefix("http://") else {
            throw Failure(.usage, "\(url): this speaks plain HTTP only, http://HOST:PORT")
        }
        let rest = url.dropFirst(7)
        let authority = rest.prefix { $0 != "/" }
        let colon = authority.lastIndex(of: ":").flatMap { authority[$0...].contains("]") ? nil : $0 }
        let name = colon.map { authority[..<$0] } ?? authority
        host = name.hasPrefix("[") ? String(name.dropFirst().dropLast()) : String(name)
        port = colon.flatMap { Int(authority[authority.index(after: $0)...]) } ?? 80
        path = authority.endIndex == rest.endIndex ? "/" : String(rest[authority.endIndex...])
    }

    /// What the Host header says.
    var authority: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    /// A connected socket.
    func connect() throws -> Int32 { try reach().socket }

    /// A connected socket, and the address that answered.
    func reach() throws -> (socket: Int32, address: Address) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &first) == 0, let first else {
            throw Failure(.unreachable, "\(host) has no address")
        }
        defer { freeaddrinfo(first) }
        for entry in sequence(first: first, next: { $0.pointee.ai_next }) {
            guard let address = Address(entry.pointee), let socket = address.connect(waits: true) else { continue }
            return (socket, address)
        }
        throw Failure(.unreachable, "cannot connect to \(host):\(port): \(LocalFile.lastError())")
    }

    /// An address that a name leads to: thousands of connections ask for it once.
    struct Address: Sendable {
        private var storage = sockaddr_storage()
        private let length: socklen_t
        private let family: Int32

        fileprivate init?(_ entry: addrinfo) {
            (length, family) = (entry.ai_addrlen, entry.ai_family)
            guard length <= MemoryLayout<sockaddr_storage>.size else { return nil }
            withUnsafeMutableBytes(of: &storage) {
                $0.copyMemory(from: .init(start: entry.ai_addr, count: Int(length)))
            }
        }

        /// A socket that is connected, or on its way if this does not wait; nil with errno.
        func connect(waits: Bool) -> Int32? {
            let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue) | (waits ? 0 : Int32(SOCK_NONBLOCK.rawValue))
            let descriptor = socket(family, kind, 0)
            guard descriptor >= 0 else { return nil }
            var isOn: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
            let result = withUnsafePointer(to: storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, length) }
            }
            if result == 0 || errno == EINPROGRESS { return descriptor }
            let reason = errno
            close(descriptor)
            errno = reason
            return nil
        }
    }
}
