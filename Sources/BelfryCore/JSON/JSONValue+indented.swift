extension JSONValue {
    /// With a line for each member and element, indented by two spaces; for people.
    public var indentedText: String {
        var text = ""
        write(into: &text, depth: 0)
        return text + "\n"
    }

    private func write(into text: inout String, depth: Int) {
        switch self {
        case .object(let object) where !object.isEmpty:
            Self.write(object.members, "{", "}", into: &text, depth: depth) { member, text in
                text += JSONValue.string(member.key).text + ": "
                member.value.write(into: &text, depth: depth + 1)
            }
        case .array(let elements) where !elements.isEmpty:
            Self.write(elements, "[", "]", into: &text, depth: depth) { element, text in
                element.write(into: &text, depth: depth + 1)
            }
        default: text += self.text
        }
    }

    private static func write<Item>(
        _ items: [Item], _ open: String, _ close: String, into text: inout String, depth: Int,
        _ write: (Item, inout String) -> Void
    ) {
        text += open
        for (index, item) in items.enumerated() {
            text += (index == 0 ? "\n" : ",\n") + String(repeating: "  ", count: depth + 1)
            write(item, &text)
        }
        text += "\n" + String(repeating: "  ", count: depth) + close
    }
}
