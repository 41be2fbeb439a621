import Glibc

extension ScriptedServer {
    /// Connections that fill the queue of a listener nobody accepts from.
    static func connect(port: UInt16) -> [Int32] {
        (0..<2).map { _ in
            let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    _ = Glibc.connect(client, address, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            return client
        }
    }

    static func close(_ socket: Int32) { Glibc.close(socket) }
}
