import BelfryCore
import BelfryStore
import NIOHTTP1

extension RouteRequest {
    /// What `If-Match` and `If-None-Match` demand of a document that is to be changed (RFC 9110, 13.1); nil without them.
    /// - Throws: `precondition_failed` for an `If-Match` that is neither `*` nor a version as the `ETag` shows it,
    ///   `malformed` for more than one condition: an edit must not pass because its condition was not understood.
    func precondition() throws(BelfryError) -> DocumentPrecondition? {
        let (match, noneMatch) = (headers["if-match"], headers["if-none-match"])
        guard !match.isEmpty || !noneMatch.isEmpty else { return nil }
        guard match.count + noneMatch.count == 1 else {
            throw BelfryError(.malformed, "give one If-Match or If-None-Match")
        }
        if let text = noneMatch.first {
            guard text == "*" else {
                throw BelfryError(.malformed, "If-None-Match takes * here: only if there is no such document yet")
            }
            return .absent
        }
        let text = match[0]
        if text == "*" { return .present }
        guard let version = Int64(text.hasPrefix("\"") ? text.dropFirst().dropLast() : text[...]) else {
            throw BelfryError(.preconditionFailed, "If-Match takes * or one version, as the ETag shows it: \"3\"")
        }
        return .version(version)
    }
}

extension JSONObject {
    /// The `ETag` of a document: its version.
    var entityTag: [(name: String, value: String)] {
        self["version"]?.number?.int64.map { [("etag", "\"\($0)\"")] } ?? []
    }
}
