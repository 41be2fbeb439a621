/// JSON text as a tree that keeps how every scalar and key is spelled (`1e0`, `"\u0061"`) and which keys stand twice, so
/// that a case can be cut smaller piece by piece without losing what makes it fail.
indirect enum SpelledJSON: Sendable {
    /// A scalar as it is written.
    case scalar(String)
    case array([SpelledJSON])
    case object([Member])

    struct Member: Sendable {
        /// With its quotes.
        var key: String
        var value: SpelledJSON
    }

    var text: String {
        var text = ""
        write(into: &text)
        return text
    }

    private func write(into text: inout String) {
        switch self {
        case .scalar(let spelled): text += spelled
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += "," }
                element.write(into: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                text += member.key + ":"
                member.value.write(into: &text)
            }
            text += "}"
        }
    }

    /// Everything that is a little less: a part left out, or a part less by one step.
    var smaller: [SpelledJSON] {
        switch self {
        case .scalar(let spelled): return ["1", "\"\"", "null"].contains(spelled) ? [] : [.scalar("1")]
        case .array(let elements):
            return Self.smaller(elements, \.smaller).map(SpelledJSON.array) + elements
        case .object(let members):
            let less = Self.smaller(members) { member in
                member.value.smaller.map { Member(key: member.key, value: $0) }
            }
            return less.map(SpelledJSON.object) + members.map(\.value)
        }
    }

    /// The list without one of its parts, or with one of them less.
    static func smaller<Part>(_ parts: [Part], _ less: (Part) -> [Part]) -> [[Part]] {
        var lists: [[Part]] = []
        for index in parts.indices {
            var list = parts
            list.remove(at: index)
            lists.append(list)
        }
        for index in parts.indices {
            for part in less(parts[index]) {
                var list = parts
                list[index] = part
                lists.append(list)
            }
        }
        return lists
    }
}

extension SpelledJSON {
    /// A string's JSON text; `isEscaped` says of which characters the escape is written.
    static func spell(_ text: String, escaping isEscaped: () -> Bool = { false }) -> String {
        var spelled = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": spelled += "\\" + String(scalar)
            case _ where scalar.value < 0x20 || isEscaped():
                for unit in Character(scalar).utf16 {
                    let digits = String(unit, radix: 16, uppercase: unit % 2 == 0)
                    spelled += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            default: spelled.unicodeScalars.append(scalar)
            }
        }
        return spelled + "\""
    }
}
