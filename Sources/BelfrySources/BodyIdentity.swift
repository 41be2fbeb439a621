import BelfryCore
import BelfryCrypto

/// The identity of an event whose sender gives none: what it says (`dedupe: {key: body}`).
enum BodyIdentity {
    static func key(of data: RawJSON) -> String { "sha256:" + Hex.encode(Digest.sha256(data.bytes)) }
}

extension BelfryError {
    /// The same error, said of one item of several.
    func ofItem(_ index: Int) -> BelfryError {
        var error = self
        error.message = "item \(index): \(message)"
        error.details["index"] = .int(index)
        return error
    }
}
