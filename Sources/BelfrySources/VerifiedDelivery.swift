import BelfryCore

/// A delivery whose signature is right, with what the presets read from it.
struct VerifiedDelivery: Sendable {
    let source: SourceDefinition
    /// Its body is decompressed.
    let delivery: Delivery
    let verification: Verification
    /// What the body is, one of the kinds that the source accepts.
    let kind: BodyKind

    /// Decompresses the body and finds out what it is. Throws `unsupported_media_type` for what the source does not
    /// take, and what is wrong with a compressed body.
    init(source: SourceDefinition, delivery: Delivery, verification: Verification) throws(BelfryError) {
        self.source = source
        self.verification = verification
        var delivery = delivery
        delivery.body = try ContentEncoding.decoded(delivery, bytesMax: source.bodyBytesMax)
        self.delivery = delivery
        kind = try source.kind(of: delivery)
    }

    // MARK: The body

    /// The body as JSON, with places looked up. Refuses other kinds (415) and bad JSON (400).
    func json(_ paths: JSONPaths) throws(BelfryError) -> PickedJSON {
        guard kind == .json else { throw unsupported }
        return try Self.pick(delivery.body[...], paths)
    }

    /// The body as JSON, or the JSON in the field `payload` of a form.
    func jsonOrPayload(_ paths: JSONPaths) throws(BelfryError) -> PickedJSON {
        guard let form = try form() else { return try json(paths) }
        guard let payload = try form.theOnly("payload") else {
            throw BelfryError(.missingAttribute, "the form has no field `payload`")
        }
        return try Self.pick(Array(payload.utf8)[...], paths)
    }

    /// The fields of a form; nil if the body is something else.
    func form() throws(BelfryError) -> FormFields? {
        kind == .form ? try FormFields(delivery.body[...]) : nil
    }

    var mediaType: MediaType { MediaType(delivery.headers["content-type"]) }

    /// The refusal of a content type that the preset does not read.
    var unsupported: BelfryError {
        BelfryError(
            .unsupportedMediaType, "the body is \(mediaType); set the sender's content type to application/json")
    }

    static func pick(_ text: ArraySlice<UInt8>, _ paths: JSONPaths) throws(BelfryError) -> PickedJSON {
        do {
            return try PickedJSON(text, paths)
        } catch {
            throw BelfryError(.invalidJSON, "the body is \(error)")
        }
    }

    // MARK: Headers

    /// The value of a header that the preset needs.
    func requiredHeader(_ name: String) throws(BelfryError) -> String {
        guard let value = delivery.headers[name], !value.isEmpty else {
            throw BelfryError(
                .missingAttribute, "the header \(name) is missing",
                details: JSONObject([.init(key: "header", value: .string(name))])
            )
        }
        return value
    }

    /// The headers that the event keeps: those of the preset and `keep_headers`, never one that may hold a secret.
    var keptHeaders: JSONObject {
        var members: [JSONObject.Member] = []
        func keep(_ name: String) {
            let values = delivery.headers.values(name)
            if !values.isEmpty { members.append(.init(key: name, value: .string(values.joined(separator: ", ")))) }
        }
        let own = source.preset.traits.keptHeaders
        own.forEach(keep)
        guard !source.keepHeaders.isEmpty else { return JSONObject(members) }
        let confidential = source.preset.traits.scheme(source).confidentialHeaders
        for name in Set(source.keepHeaders.map { $0.lowercased() }).subtracting(own).sorted()
        where !confidential.contains(name) && !ConfidentialHeader.isSuspect(name) {
            keep(name)
        }
        return JSONObject(members)
    }
}
