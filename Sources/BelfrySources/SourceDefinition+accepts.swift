public import BelfryCore

extension SourceDefinition {
    /// The kinds of bodies that are taken: those of `accepts` that the preset can read.
    public var acceptedKinds: [BodyKind] {
        let readable = preset.traits.accepts
        return accepts.map { $0.filter(readable.contains) } ?? readable
    }

    /// Kinds that `accepts` names and the preset cannot read: deliveries of them are refused.
    public var unreadableKinds: [BodyKind] { (accepts ?? []).filter { !preset.traits.accepts.contains($0) } }

    /// What the body of a delivery is, by its content type. Throws `unsupported_media_type` with what is accepted.
    func kind(of delivery: Delivery) throws(BelfryError) -> BodyKind {
        if preset.traits.isEnvelope(delivery.headers) { return .json }
        let header = delivery.headers["content-type"]
        let type = MediaType(header)
        let accepted = acceptedKinds
        let kind: BodyKind =
            switch type {
            case .json: .json
            case .lines: .ndjson
            case .form: delivery.body.isNoForm && accepted.contains(.json) ? .json : .form
            case .multipart, .other: .text
            case .absent: Self.kind(ofUntyped: delivery.body[...], accepted)
            }
        guard accepted.contains(kind) else { throw unsupported(type, kind, accepted) }
        guard kind != .form || MediaType.isUTF8(header) else {
            throw BelfryError(.unsupportedMediaType, "the form is not in UTF-8; send it with charset=utf-8")
        }
        return kind
    }

    /// A body without a content type is JSON if it parses; else what the source takes decides.
    private static func kind(ofUntyped body: ArraySlice<UInt8>, _ accepted: [BodyKind]) -> BodyKind {
        if accepted.contains(.json), RawJSON.isValid(body) { return .json }
        if accepted.contains(.text) { return .text }
        if accepted.contains(.ndjson), !accepted.contains(.json) || body.hasSeveralLines { return .ndjson }
        return .json
    }

    private func unsupported(_ type: MediaType, _ kind: BodyKind, _ accepted: [BodyKind]) -> BelfryError {
        let words = accepted.map(\.rawValue)
        let types = accepted.map { MediaType.example(of: $0) }.joined(separator: " or ")
        let mend =
            preset.traits.accepts.contains(kind)
            ? ", or add `\(kind.rawValue)` to the source's `accepts`" : ""
        return BelfryError(
            .unsupportedMediaType,
            "the body is \(type); source \(name) accepts \(words.isEmpty ? "nothing" : words.joined(separator: ", ")): "
                + "set the sender's content type to \(types)\(mend)",
            details: ["accepts": .array(words.map(JSONValue.string))]
        )
    }
}

extension [UInt8] {
    /// What writes forms escapes both (WHATWG URL, section 5.2), so this is JSON under the type that clients such as curl
    /// send if nobody names one.
    fileprivate var isNoForm: Bool { first == UInt8(ascii: "{") || first == UInt8(ascii: "[") }
}

extension ArraySlice<UInt8> {
    fileprivate var hasSeveralLines: Bool {
        var rest = self
        while let last = rest.last, last.isJSONSpace { rest.removeLast() }
        return rest.contains(UInt8(ascii: "\n"))
    }
}
