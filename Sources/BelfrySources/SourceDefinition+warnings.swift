public import BelfryCore

extension SourceDefinition {
    /// What the document says that may be meant, but looks like a mistake: a line each, for a person.
    public var warnings: [String] { unreadable + shownAgain }

    private var unreadable: [String] {
        let words = unreadableKinds.map(\.rawValue).joined(separator: ", ")
        return words.isEmpty
            ? [] : ["accepts: preset \(preset.rawValue) cannot read \(words); such deliveries are refused"]
    }

    /// Places that are redacted, and read into something that is not.
    private var shownAgain: [String] {
        var readers = identity.map { ("key", $0) }
        if let typePath { readers.append(("type", typePath)) }
        if let subjectPath, !redact.contains(EventPath(.subject)) { readers.append(("subject", subjectPath)) }
        return readers.filter { redacts($0.1) }.map { reader, place in
            "redact: the event's \(reader) is read from \(place), so it still shows what stands there"
        }
    }

    private func redacts(_ place: String) -> Bool {
        let isHeader = place.hasPrefix("header.")
        let name = isHeader ? place.dropFirst(7).lowercased() : String(place.dropFirst(5))
        return redact.contains { path in
            guard path.root == (isHeader ? .headers : .data) else { return false }
            let names = path.parts.compactMap { if case .key(let key) = $0 { key } else { nil } }
            let redacted = names.joined(separator: ".")
            return redacted.isEmpty || name.hasSameBytes(as: redacted) || name.hasPrefix(redacted + ".")
        }
    }
}
