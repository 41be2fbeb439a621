import BelfryCore

/// Bodies of any kind as JSON texts, one per event.
extension VerifiedDelivery {
    /// What becomes an event each: the body, or one per line. A form is an object of its fields, a text a string.
    func items() throws(BelfryError) -> [ArraySlice<UInt8>] {
        switch kind {
        case .json: [delivery.body[...]]
        case .form: [JSONValue.object(try form()?.object() ?? JSONObject()).encoded()[...]]
        case .ndjson: try lines()
        case .text: [opaqueData.bytes[...]]
        }
    }

    /// Makes an event of each item. One that is malformed refuses them all, and is named by its index.
    func events(
        of items: [ArraySlice<UInt8>], isList: Bool, _ paths: JSONPaths,
        _ event: (_ item: PickedJSON, _ index: Int) throws(BelfryError) -> IncomingEvent
    ) throws(BelfryError) -> [IncomingEvent] {
        guard items.count <= Limits.eventsPerDeliveryMax else { throw .tooManyItems }
        var events: [IncomingEvent] = []
        events.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            do throws(BelfryError) {
                events.append(try event(try Self.pick(item, paths), index))
            } catch {
                throw isList ? error.ofItem(index) : error
            }
        }
        return events
    }

    /// The lines that hold anything. A text of one value over several lines is one item.
    private func lines() throws(BelfryError) -> [ArraySlice<UInt8>] {
        let body = delivery.body[...]
        if RawJSON.isValid(body) { return [body] }
        var lines: [ArraySlice<UInt8>] = []
        var rest = body
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            if !rest[..<end].allSatisfy(\.isJSONSpace) {
                guard lines.count < Limits.eventsPerDeliveryMax else { throw .tooManyItems }
                lines.append(rest[..<end])
            }
            rest = rest[min(end + 1, rest.endIndex)...]
        }
        return lines
    }

    /// Data of a body that is not JSON; what says that it is not UTF-8 is not read as such.
    private var opaqueData: RawJSON {
        MediaType.isUTF8(delivery.headers["content-type"])
            ? RawJSON(opaque: delivery.body) : RawJSON(base64: delivery.body)
    }
}

extension BelfryError {
    static var tooManyItems: BelfryError {
        BelfryError(
            .malformed, "the delivery holds more than \(Limits.eventsPerDeliveryMax) items; send them in several",
            details: JSONObject([.init(key: "items_max", value: .int(Limits.eventsPerDeliveryMax))])
        )
    }
}

extension RawJSON {
    /// Bytes that are not JSON: the text as a string, or `{"base64": …}` if they are not UTF-8.
    init(opaque bytes: [UInt8]) {
        if let text = String(validating: bytes, as: UTF8.self) {
            self.init(.string(text))
        } else {
            self.init(base64: bytes)
        }
    }

    init(base64 bytes: [UInt8]) { self.init(["base64": .string(Base64.encode(bytes))]) }

    /// Whether it is a text, or what stands for bytes that are none.
    var isOpaque: Bool {
        bytes.first == UInt8(ascii: "\"")
            || bytes.starts(with: #"{"base64":""#.utf8) && value.object?.members.count == 1
    }

    static func isValid(_ text: ArraySlice<UInt8>) -> Bool { (try? PickedJSON(text, JSONPaths([]))) != nil }
}
