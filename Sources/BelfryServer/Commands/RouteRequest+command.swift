import BelfryCore
import BelfryCrypto
import NIOHTTP1

extension RouteRequest {
    /// The members of a command's body, which may be absent, and the id that its client gave it.
    /// - Parameter names: the members it may have, beside `command_id`.
    func command(_ names: Set<String>) throws(BelfryError) -> (body: JSONObject, id: CommandID?) {
        let body = try optionalJSON().members(of: names.union(["command_id"]))
        return (body, try commandID(body))
    }

    /// `command_id` of the body, or the header `Idempotency-Key`.
    private func commandID(_ body: JSONObject) throws(BelfryError) -> CommandID? {
        let said = try body.commandID()
        guard let key = try idempotencyKey() else { return said }
        let owner = try caller().name
        let id = CommandID(key) ?? CommandID(hashing: key, of: owner)
        guard said == nil || said == id else {
            throw BelfryError(.malformed, "command_id and Idempotency-Key name two commands; give one of them")
        }
        return id
    }

    /// The header's text, without the quotes that its draft wants around it
    /// (draft-ietf-httpapi-idempotency-key-header).
    private func idempotencyKey() throws(BelfryError) -> String? {
        let headers = headers["idempotency-key"]
        guard var key = headers.first else { return nil }
        if key.count >= 2, key.hasPrefix("\""), key.hasSuffix("\"") { key = String(key.dropFirst().dropLast()) }
        let isPlain = key.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard headers.count == 1, isPlain, (1...Limits.idempotencyKeyBytesMax).contains(key.utf8.count) else {
            throw BelfryError(
                .malformed,
                "Idempotency-Key must be one key of 1 to \(Limits.idempotencyKeyBytesMax) visible ASCII characters")
        }
        return key
    }
}

extension CommandID {
    /// The id of a key that is none itself: the first 16 bytes of a SHA-256 over who sent it and the key.
    fileprivate init?(hashing key: String, of principal: String) {
        let digest = Digest.sha256([
            Array("belfry idempotency key".utf8), [0], Array(principal.utf8), [0], Array(key.utf8),
        ])
        self.init(bytes: Array(digest.prefix(16)))
    }
}
