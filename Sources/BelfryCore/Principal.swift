/// What a token may do. Each role may do what stands before it, except `publisher`, which stands beside.
public enum Role: String, Sendable, Hashable, CaseIterable {
    /// Reads everything.
    case viewer
    /// And commands runs, pauses and resumes.
    case `operator`
    /// And changes rules, sources, agents and tokens.
    case admin
    /// Only publishes events and custom frames.
    case publisher

    /// Whether this role may do what `required` may.
    public func includes(_ required: Role) -> Bool {
        switch (self, required) {
        case (.publisher, .publisher), (.admin, _): true
        case (.operator, .operator), (.operator, .viewer), (.viewer, .viewer): true
        default: false
        }
    }
}

/// Who is asking.
public struct Principal: Sendable, Hashable {
    /// The token's id; nil for Belfry itself.
    public var token: TokenID?
    /// The name the audit shows.
    public var name: String
    public var role: Role
    /// Topics the token is held to; empty: the role alone counts. See ``mayPublish(to:)``.
    public var scopes: [String]

    public init(token: TokenID?, name: String, role: Role, scopes: [String] = []) {
        self.token = token
        self.name = name
        self.role = role
        self.scopes = scopes
    }

    /// Belfry's own acts: recovery, timers, the first start.
    public static let hub = Principal(token: nil, name: "belfry", role: .admin)
}
