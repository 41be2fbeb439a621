package import BelfryCore

/// Reads CloudEvents 1.0 as they come over HTTP (cloudevents/spec, http-protocol-binding.md): one event in binary or
/// structured mode, or a batch.
package enum CloudEvents {
    /// Whether a request says that it carries CloudEvents.
    @Sendable static func areSpoken(in headers: HeaderFields) -> Bool {
        mode(headers["content-type"]) != nil || headers["ce-specversion"] != nil
    }

    /// The events of a request. One malformed item of a batch refuses the whole, with its index.
    ///
    /// Attributes are bounded and hold no control characters; `origin` is `source`, `key` is `source` and `id`, and
    /// `ext` holds the other attributes as text, whatever the mode.
    package static func read(headers: HeaderFields, body: [UInt8]) throws(BelfryError) -> [IncomingEvent] {
        switch mode(headers["content-type"]) {
        case .structured: return [try structured(VerifiedDelivery.pick(body[...], JSONPaths([])).text)]
        case .batch: return try batch(body)
        case .unknown(let type):
            throw BelfryError(
                .unsupportedMediaType,
                "CloudEvents in the format \(type.prefix(64)) are not read; send application/cloudevents+json")
        case nil: return [try binary(headers, body)]
        }
    }

    private enum Mode {
        case structured, batch
        case unknown(String)
    }

    private static func mode(_ contentType: String?) -> Mode? {
        let type = (contentType ?? "").prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
        switch type {
        case "application/cloudevents+json": return .structured
        case "application/cloudevents-batch+json": return .batch
        default: return type.hasPrefix("application/cloudevents") ? .unknown(type) : nil
        }
    }

    private static func batch(_ body: [UInt8]) throws(BelfryError) -> [IncomingEvent] {
        let text = try VerifiedDelivery.pick(body[...], JSONPaths([])).text
        guard let items = RawJSON.elements(of: text, max: Limits.eventsPerDeliveryMax) else {
            throw BelfryError(.malformed, "a batch of CloudEvents is a JSON array")
        }
        guard items.count <= Limits.eventsPerDeliveryMax else {
            throw BelfryError(
                .malformed, "the batch holds more than \(Limits.eventsPerDeliveryMax) events")
        }
        var events: [IncomingEvent] = []
        events.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            do throws(BelfryError) {
                events.append(try structured(item))
            } catch {
                throw error.ofItem(index)
            }
        }
        return events
    }

    // MARK: Binary mode: attributes in headers, data in the body

    private static func binary(_ headers: HeaderFields, _ body: [UInt8]) throws(BelfryError) -> IncomingEvent {
        var attributes = CloudEventAttributes()
        for (header, value) in headers.fields where header.hasPrefix("ce-") {
            let name = String(header.dropFirst(3))
            // The content type says it, and says it once.
            if name == "datacontenttype" { continue }
            guard let text = headerText(value) else {
                throw BelfryError(.malformed, "the header \(header.prefix(64)) has a broken escape or is not UTF-8")
            }
            try attributes.add(name, text)
        }
        let type = headers["content-type"].flatMap { $0.isEmpty ? nil : $0 }
        if let type { try attributes.add("datacontenttype", type) }
        guard !body.isEmpty else { return try attributes.event(data: .null) }
        // Without a content type the spec leaves open what the bytes mean: JSON, where they are.
        if type == nil, let json = try? RawJSON(validating: body) { return try attributes.event(data: json) }
        return try attributes.event(data: data(body, type))
    }

    /// A header's value as an attribute: double quotes undone, then one round of percent-decoding (section 3.1.3.2).
    private static func headerText(_ value: String) -> String? {
        let bytes = Array(value.utf8)
        let quote = UInt8(ascii: "\""), backslash = UInt8(ascii: "\\")
        guard bytes.count >= 2, bytes.first == quote, bytes.last == quote else {
            return PercentDecoding.text(bytes[...])
        }
        var unquoted: [UInt8] = []
        var rest = bytes[1..<(bytes.count - 1)]
        while let byte = rest.popFirst() {
            if byte == quote { return nil }
            guard byte == backslash else {
                unquoted.append(byte)
                continue
            }
            guard let escaped = rest.popFirst() else { return nil }
            unquoted.append(escaped)
        }
        return PercentDecoding.text(unquoted[...])
    }

    // MARK: Structured mode: one JSON object (json-format.md)

    /// - Parameter text: checked JSON.
    private static func structured(_ text: ArraySlice<UInt8>) throws(BelfryError) -> IncomingEvent {
        let members: [(key: String, value: ArraySlice<UInt8>)]?
        do {
            members = try RawJSON.members(of: text, max: Limits.cloudEventAttributesMax)
        } catch {
            throw BelfryError(.malformed, "the CloudEvent is \(error)")
        }
        guard let members else { throw BelfryError(.malformed, "a CloudEvent is a JSON object") }
        var attributes = CloudEventAttributes()
        var data: ArraySlice<UInt8>?
        var encoded: [UInt8]?
        for (name, value) in members {
            switch name {
            case "data" where data == nil: data = value
            case "data_base64" where value.elementsEqual("null".utf8): continue
            case "data_base64" where encoded == nil:
                guard let bytes = (try? JSONValue(parsing: value))?.string.flatMap({ Base64.decode($0) }) else {
                    throw BelfryError(.malformed, "`data_base64` is not base 64")
                }
                encoded = bytes
            case "data", "data_base64": throw BelfryError(.malformed, "`\(name)` stands there twice")
            default: try attributes.add(name, json: value)
            }
        }
        if data != nil, encoded != nil {
            throw BelfryError(.malformed, "a CloudEvent has `data` or `data_base64`, not both")
        }
        if let data { return try attributes.event(data: RawJSON(trusted: Array(data))) }
        guard let encoded else { return try attributes.event(data: .null) }
        return try attributes.event(
            data: self.data(encoded, attributes["datacontenttype"] ?? "application/octet-stream"))
    }

    private static func data(_ bytes: [UInt8], _ contentType: String?) throws(BelfryError) -> RawJSON {
        guard MediaType(contentType) == .json else { return RawJSON(opaque: bytes) }
        return try VerifiedDelivery.pick(bytes[...], JSONPaths([])).json
    }
}
