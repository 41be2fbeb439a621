public import BelfryCore

/// A token as it is known: everything but the token itself, of which only a digest is kept.
public struct TokenRecord: Sendable, Hashable {
    public var id: TokenID
    public var name: String
    public var role: Role
    /// Topics and sources a scoped token is held to, e.g. `custom/build`, `source/plant`; empty: not scoped.
    public var scopes: [String]
    public var created: Timestamp
    public var createdBy: String
    public var expires: Timestamp?
    public var revoked: Timestamp?
    /// To the hour.
    public var lastUsed: Timestamp?

    public var principal: Principal { Principal(token: id, name: name, role: role, scopes: scopes) }
}

/// A token at the one moment it can be shown.
public struct CreatedToken: Sendable {
    public var record: TokenRecord
    /// What its owner sends as Bearer.
    public var secret: Secret
}
