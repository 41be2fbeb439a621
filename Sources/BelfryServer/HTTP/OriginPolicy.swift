import NIOHTTP1

/// Which pages a browser may bring to us. A browser sends its cookie with requests of any page, so whoever is known by
/// a cookie must also say which page asks, in `Origin`; pages can't forge that header.
///
/// Allowed are the hub's own pages, by the `Host` they were asked for and by `public_url`, and the origins that the
/// configuration names.
struct OriginPolicy: Sendable {
    /// What a request says of the page behind it.
    enum Verdict: Sendable, Hashable {
        /// Nothing: a program, or a browser that reads from its own page.
        case absent
        case allowed
        /// Another page, one without an origin (`null`), or nonsense.
        case refused
    }

    private let allowed: Set<WebOrigin>
    /// Of other sites: the configuration names them.
    private let others: Set<WebOrigin>

    /// - Parameters:
    ///   - publicURL: what browsers reach the hub by, if that is not what it listens on.
    ///   - others: further origins (`cors.origins`).
    init(publicURL: String? = nil, others: [WebOrigin] = []) {
        self.others = Set(others)
        allowed = Set(others + [publicURL.flatMap { WebOrigin(ofURL: $0) }].compactMap(\.self))
    }

    /// Whether pages of other sites may do anything at all.
    var listsAny: Bool { !others.isEmpty }

    /// The origin of the page behind a request, as it is written there, if the configuration names it.
    func listed(_ headers: HTTPHeaders) -> String? {
        let origins = headers["origin"]
        guard origins.count == 1, let origin = WebOrigin(origins[0]), others.contains(origin) else { return nil }
        return origins[0]
    }

    func verdict(on headers: HTTPHeaders) -> Verdict {
        let origins = headers["origin"]
        guard !origins.isEmpty else { return .absent }
        // A browser sends one; which of several the others on the way have looked at, nobody knows.
        guard origins.count == 1, let origin = WebOrigin(origins[0]) else { return .refused }
        if allowed.contains(origin) { return .allowed }
        let hosts = headers["host"]
        return hosts.count == 1 && origin.isNamed(byHost: hosts[0]) ? .allowed : .refused
    }
}
