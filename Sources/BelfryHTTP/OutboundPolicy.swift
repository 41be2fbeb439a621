/// What a client may connect to. Each policy has a client, and so a connection pool, of its own: a connection that is
/// taken from a pool is not checked again.
public struct OutboundPolicy: Sendable, Hashable {
    /// Whether private, loopback, link-local, unique-local, shared (CGNAT) and other special addresses may be
    /// connected to. The check is on the address of the socket, after the name was resolved.
    public var allowsPrivateAddresses: Bool
    public var proxies = ProxyChoice.environment
    /// Through a proxy only the proxy sees the address that a name stands for. Where private addresses are refused,
    /// targets given by name are refused too unless the proxy is trusted to refuse them itself.
    public var trustsProxyForNames = false

    /// File of the authorities that vouch for servers (PEM), in place of the system's; nil: the system's.
    public var authorityFile: String?

    /// Which proxy is taken.
    public enum ProxyChoice: Sendable, Hashable {
        /// `http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`, as curl reads them.
        case environment
        case none
        /// One for everything, e.g. `http://proxy.example:3128`.
        case fixed(String)
    }

    public init(allowsPrivateAddresses: Bool) {
        self.allowsPrivateAddresses = allowsPrivateAddresses
    }

    /// For agents' base URLs, which the server's operator writes: a model on the next machine is the usual case.
    public static let agents = OutboundPolicy(allowsPrivateAddresses: true)
    /// For targets that others may have a say in: only addresses of the public Internet.
    public static let publicOnly = OutboundPolicy(allowsPrivateAddresses: false)
}
