import BelfryCore

/// What a `Content-Encoding` header says (RFC 9110, section 8.4). Signatures are over the bytes as they were sent, so
/// nothing is decoded before they are verified.
enum ContentEncoding {
    /// The body, decompressed if it is gzip. Throws `unsupported_media_type` for every other encoding and for several.
    static func decoded(_ delivery: Delivery, bytesMax: Int) throws(BelfryError) -> [UInt8] {
        let values = delivery.headers.values("content-encoding")
        guard !values.isEmpty else { return delivery.body }
        let encoding = values.joined(separator: ",").filter { $0 != " " && $0 != "\t" }.lowercased()
        switch encoding {
        case "", "identity": return delivery.body
        case "gzip", "x-gzip": return try Gzip.inflated(delivery.body, bytesMax: bytesMax)
        default:
            throw BelfryError(
                .unsupportedMediaType,
                "the body is encoded as \(encoding.prefix(64)); send it as it is, or with Content-Encoding: gzip, once",
                details: ["encodings": ["gzip"]]
            )
        }
    }
}
