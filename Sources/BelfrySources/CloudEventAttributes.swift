import BelfryCore

/// The context attributes of one CloudEvent, checked as they are added (cloudevents/spec, spec.md, section 3).
struct CloudEventAttributes {
    private var values: [(name: String, value: String)] = []

    /// The attributes that have a place of their own in an event; the others are its `ext`.
    private static let placed = ["id", "source", "type", "subject", "time"]
    /// Those that may not be empty where they stand.
    private static let neverEmpty = placed + ["specversion", "datacontenttype", "dataschema"]

    subscript(_ name: String) -> String? { values.first { $0.name == name }?.value }

    /// Adds an attribute. Refuses a name that is none, one that stands there already, and control characters.
    mutating func add(_ name: String, _ value: String) throws(BelfryError) {
        guard (1...Limits.nameBytesMax).contains(name.utf8.count), name.utf8.allSatisfy(Self.isNameByte) else {
            throw BelfryError(
                .malformed,
                "'\(name.prefix(Limits.nameBytesMax))' is no attribute's name: lower-case letters and digits")
        }
        guard name != "data" else { throw BelfryError(.malformed, "`data` is no attribute") }
        guard self[name] == nil else { throw BelfryError(.malformed, "the attribute \(name) stands there twice") }
        guard values.count < Limits.cloudEventAttributesMax else {
            throw BelfryError(.malformed, "the event has more than \(Limits.cloudEventAttributesMax) attributes")
        }
        guard value.utf8.count <= Limits.attributeBytesMax else {
            throw BelfryError(
                .malformed,
                "the attribute \(name) has \(value.utf8.count) bytes; at most \(Limits.attributeBytesMax) fit")
        }
        guard !value.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw BelfryError(.malformed, "the attribute \(name) holds a control character")
        }
        values.append((name, value))
    }

    /// Adds an attribute of the JSON format: text, a whole number or a truth value; null is none.
    mutating func add(_ name: String, json: ArraySlice<UInt8>) throws(BelfryError) {
        // Escapes make a text longer than it is; nothing larger can be an attribute.
        let value = json.count <= 8 * Limits.attributeBytesMax ? (try? JSONValue(parsing: json)) : nil
        switch value {
        case .null?: return
        case .string(let text)?: try add(name, text)
        case .bool(let flag)? where !Self.neverEmpty.contains(name): try add(name, flag ? "true" : "false")
        case .number(let number)?
        where !Self.neverEmpty.contains(name) && number.text.utf8.allSatisfy(Self.isIntegerByte):
            try add(name, number.text)
        default:
            throw BelfryError(
                .malformed,
                "the attribute \(name.prefix(Limits.nameBytesMax)) must be a short text"
                    + (Self.neverEmpty.contains(name) ? "" : ", a whole number or a truth value"))
        }
    }

    /// The event, if all that it needs is there.
    func event(data: RawJSON) throws(BelfryError) -> IncomingEvent {
        for name in Self.neverEmpty where self[name]?.isEmpty == true {
            throw BelfryError(.missingAttribute, "the attribute \(name) is empty")
        }
        let version = try required("specversion")
        guard version == "1.0" else {
            throw BelfryError(.malformed, "specversion is \(version.prefix(16)); CloudEvents 1.0 is read")
        }
        let id = try required("id"), source = try required("source"), type = try required("type")
        // With a space in it, it is no URI reference, and source and id could be divided in two ways.
        guard !source.utf8.contains(0x20) else {
            throw BelfryError(.malformed, "the attribute source is no URI reference: it holds a space")
        }
        let key = "\(source) \(id)"
        guard key.utf8.count <= Limits.attributeBytesMax else {
            throw BelfryError(.malformed, "source and id have more than \(Limits.attributeBytesMax) bytes together")
        }
        let time = self["time"].map { Timestamp($0) }
        if case .some(.none) = time { throw BelfryError(.malformed, "the attribute time is no RFC 3339 time") }
        return IncomingEvent(
            origin: source, key: key, type: type, subject: self["subject"], time: time ?? nil, ext: ext, data: data
        )
    }

    private var ext: JSONObject {
        JSONObject(
            values.filter { !Self.placed.contains($0.name) }.map { .init(key: $0.name, value: .string($0.value)) })
    }

    private func required(_ name: String) throws(BelfryError) -> String {
        guard let value = self[name] else {
            throw BelfryError(
                .missingAttribute, "the attribute \(name) is missing (in binary mode the header ce-\(name))",
                details: JSONObject([.init(key: "attribute", value: .string(name))]))
        }
        return value
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isIntegerByte(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
