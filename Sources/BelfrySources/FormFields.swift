public import BelfryCore

/// The fields of an `application/x-www-form-urlencoded` body, in their order (WHATWG URL, section 5.1), read strictly:
/// a broken escape or text that is not UTF-8 refuses the whole. Names may repeat.
public struct FormFields: Sendable {
    let fields: [(name: String, value: String)]

    /// - Parameter body: bounded by its source; ``Limits/formFieldsMax`` bounds how many fields it may hold.
    public init(_ body: ArraySlice<UInt8>) throws(BelfryError) {
        let ampersand = UInt8(ascii: "&"), equals = UInt8(ascii: "=")
        // One split more than may stand there, so that a body of ampersands costs no more than the limit.
        let pairs = body.split(separator: ampersand, maxSplits: Limits.formFieldsMax)
        guard pairs.count <= Limits.formFieldsMax else {
            throw BelfryError(.malformed, "the form holds more than \(Limits.formFieldsMax) fields")
        }
        var fields: [(name: String, value: String)] = []
        fields.reserveCapacity(pairs.count)
        for (index, pair) in pairs.enumerated() {
            let end = pair.firstIndex(of: equals) ?? pair.endIndex
            let value = end == pair.endIndex ? pair[end...] : pair[(end + 1)...]
            guard pair[..<end].count <= Limits.formNameBytesMax,
                let name = PercentDecoding.text(pair[..<end], plusIsSpace: true),
                let text = PercentDecoding.text(value, plusIsSpace: true)
            else {
                throw BelfryError(
                    .malformed, "field \(index) of the form has a broken escape, is not UTF-8 or has too long a name")
            }
            fields.append((name, text))
        }
        self.fields = fields
    }

    /// The value of a field that stands there at most once: of two, sender and reader could each mean another.
    public func theOnly(_ name: String) throws(BelfryError) -> String? {
        let values = fields.filter { $0.name.hasSameBytes(as: name) }
        guard values.count <= 1 else {
            throw BelfryError(.malformed, "the form's field \(name) stands there \(values.count) times")
        }
        return values.first?.value
    }

    /// The fields as an object, each under its name; the values of a repeated one as a list.
    func object(without omitted: [String] = []) -> JSONObject {
        var members: [JSONObject.Member] = []
        var places: [[UInt8]: Int] = [:]
        for (name, value) in fields where !omitted.contains(where: { $0.hasSameBytes(as: name) }) {
            let key = Array(name.utf8)
            guard let place = places[key] else {
                places[key] = members.count
                members.append(.init(key: name, value: .string(value)))
                continue
            }
            let earlier = members[place].value
            members[place] = .init(key: name, value: .array((earlier.array ?? [earlier]) + [.string(value)]))
        }
        return JSONObject(members)
    }
}

/// Percent-encoding (RFC 3986, section 2.1), undone strictly.
enum PercentDecoding {
    /// Nil for a `%` without two hex digits, and for bytes that are not UTF-8.
    static func text(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool = false) -> String? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index != bytes.endIndex {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "%"):
                guard bytes.endIndex - index >= 2, let high = Hex.digit(bytes[index]),
                    let low = Hex.digit(bytes[index + 1])
                else { return nil }
                decoded.append(high << 4 | low)
                index += 2
            case UInt8(ascii: "+") where plusIsSpace: decoded.append(0x20)
            default: decoded.append(byte)
            }
        }
        return String(validating: decoded, as: UTF8.self)
    }
}
