/// Text with places for what differs from message to message: `{topic}`, `{number}` (counts per topic), `{mark}` (what a
/// subscriber looks for) and `{pad}` (fills up to the size of a message).
struct FanoutTemplate: Sendable {
    private enum Part: Sendable {
        case text([UInt8])
        case topic, number, mark, pad
    }

    private static let names: [(name: String, part: Part)] = [
        ("{topic}", .topic), ("{number}", .number), ("{mark}", .mark), ("{pad}", .pad),
    ]
    private var parts: [Part] = []

    init(_ text: String) {
        var rest = text[...]
        var plain = ""
        while !rest.isEmpty {
            if let found = Self.names.first(where: { rest.hasPrefix($0.name) }) {
                if !plain.isEmpty { parts.append(.text(Array(plain.utf8))) }
                plain = ""
                parts.append(found.part)
                rest = rest.dropFirst(found.name.count)
            } else {
                plain.append(rest.removeFirst())
            }
        }
        if !plain.isEmpty { parts.append(.text(Array(plain.utf8))) }
    }

    var hasTopic: Bool { parts.contains { if case .topic = $0 { true } else { false } } }
    var hasMark: Bool { parts.contains { if case .mark = $0 { true } else { false } } }

    /// What a template is filled with.
    struct Values {
        var topic: [UInt8]
        var mark = FanoutMark(number: 0, sent: 0)
        var format = FanoutMark.Format(run: 0)
        /// Bytes that `{pad}` fills up to.
        var size = 0
    }

    func append(_ values: Values, to bytes: inout [UInt8]) {
        let start = bytes.count
        var pad: Int?
        for part in parts {
            switch part {
            case .text(let text): bytes += text
            case .topic: bytes += values.topic
            case .number: bytes.append(decimal: UInt64(values.mark.number))
            case .mark: values.format.append(values.mark, to: &bytes)
            case .pad: pad = bytes.count
            }
        }
        let missing = values.size - (bytes.count - start)
        if let pad, missing > 0 { bytes.insert(contentsOf: repeatElement(UInt8(ascii: "."), count: missing), at: pad) }
    }

    func bytes(_ values: Values) -> [UInt8] {
        var bytes: [UInt8] = []
        append(values, to: &bytes)
        return bytes
    }
}
