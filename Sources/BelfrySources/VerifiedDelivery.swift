import BelfryCore

/// A delivery whose signature is right, with what the presets read from it.
struct VerifiedDelivery: Sendable {
    let source: SourceDefinition
    let delivery: Delivery
    let verification: Verification

    // MARK: The body

    /// The body as JSON, with places looked up. Refuses other content types (415) and bad JSON (400).
    func json(_ paths: JSONPaths) throws(BelfryError) -> PickedJSON {
        switch mediaType {
        case .json, .absent: try Self.pick(delivery.body[...], paths)
        case .form, .multipart, .lines, .other: throw unsupported
        }
    }

    /// The body as JSON, or the JSON in the field `payload` of a form.
    func jsonOrPayload(_ paths: JSONPaths) throws(BelfryError) -> PickedJSON {
        guard mediaType == .form else { return try json(paths) }
        guard let payload = try FormFields(delivery.body[...]).theOnly("payload") else {
            throw BelfryError(.missingAttribute, "the form has no field `payload`")
        }
        return try Self.pick(Array(payload.utf8)[...], paths)
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

    /// Data of a body that is not JSON: the text as a string, or `{"base64": …}` if it is not UTF-8.
    var opaqueData: RawJSON { RawJSON(opaque: delivery.body) }

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

extension RawJSON {
    /// Bytes that are not JSON: the text as a string, or `{"base64": …}` if they are not UTF-8.
    init(opaque bytes: [UInt8]) {
        if let text = String(validating: bytes, as: UTF8.self) {
            self.init(.string(text))
        } else {
            self.init(["base64": .string(Base64.encode(bytes))])
        }
    }
}

/// Headers that never leave this module, whoever asks to keep them.
enum ConfidentialHeader {
    /// Words that mark a header as a credential: `Authorization`, `Cookie`, `X-Hub-Signature-256`, `X-Gitlab-Token`, ….
    private static let words = [
        "authorization", "cookie", "signature", "token", "secret", "password", "api-key", "apikey",
    ].map { Array($0.utf8) }

    static func isSuspect(_ lowerCaseName: String) -> Bool {
        let name = Array(lowerCaseName.utf8)
        return words.contains { word in
            name.indices.contains { name[$0...].starts(with: word) }
        }
    }
}

/// What a `Content-Type` header says, as far as the presets tell apart.
enum MediaType: Equatable, CustomStringConvertible {
    case absent
    case json
    /// Newline-delimited JSON.
    case lines
    /// `application/x-www-form-urlencoded`.
    case form
    /// `multipart/form-data`: read by no preset.
    case multipart
    case other(String)

    init(_ header: String?) {
        let type = (header ?? "").split(separator: ";", maxSplits: 1).first.map { $0.lowercased() } ?? ""
        switch type.filter({ $0 != " " && $0 != "\t" }) {
        case "": self = .absent
        case "application/json", "text/json": self = .json
        case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines",
            "application/x-jsonlines", "application/jsonlines":
            self = .lines
        case "application/x-www-form-urlencoded": self = .form
        case "multipart/form-data": self = .multipart
        case let type where type.hasSuffix("+json"): self = .json
        case let type: self = .other(String(type.prefix(64)))
        }
    }

    var description: String {
        switch self {
        case .absent: "of no stated type"
        case .json: "JSON"
        case .lines: "newline-delimited JSON"
        case .form: "a form"
        case .multipart: "a multipart form"
        case .other(let type): type
        }
    }
}
