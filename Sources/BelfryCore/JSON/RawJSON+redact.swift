extension RawJSON {
    /// The text with every value at one of `paths` replaced by `mark`; all else stays byte for byte.
    ///
    /// Where a path leads into text that holds JSON, the text is taken out whole: nothing of it can be told apart.
    /// An array on the way means each of its elements. Of duplicate keys every one is meant, and a key that holds
    /// several names of a path joined by dots counts as those names, because patterns read both alike.
    public func redacting(_ paths: [[EventPath.Part]], with mark: RawJSON) -> RawJSON {
        guard !paths.isEmpty else { return self }
        var search = RedactionSearch(paths)
        do throws(JSONError) {
            try bytes.withUnsafeBufferPointer { buffer throws(JSONError) in
                try JSONScanner.scanDocument(buffer) { scanner throws(JSONError) in
                    try search.scanValue(&scanner, search.start)
                }
            }
        } catch {
            // Bytes that were trusted and are no JSON: nothing of them can be told apart.
            return mark
        }
        guard !search.ranges.isEmpty else { return self }
        var redacted: [UInt8] = []
        redacted.reserveCapacity(bytes.count)
        var end = 0
        for range in search.ranges {
            redacted += bytes[end..<range.lowerBound]
            redacted += mark.bytes
            end = range.upperBound
        }
        return RawJSON(trusted: redacted + bytes[end...])
    }
}

/// Walks a document along paths and notes where the values at their ends stand.
private struct RedactionSearch {
    private enum Step {
        case name([UInt8])
        case index(Int)
    }

    /// How far along a path a value stands.
    struct Place {
        let path: Int
        let step: Int
    }

    private let paths: [[Step]]
    /// In the order of the text; none holds another.
    private(set) var ranges: [Range<Int>] = []

    init(_ paths: [[EventPath.Part]]) {
        self.paths = paths.map { parts in
            parts.map { part in
                switch part {
                case .key(let key): .name(Array(key.utf8))
                case .index(let index): .index(index)
                }
            }
        }
    }

    var start: [Place] { paths.indices.map { Place(path: $0, step: 0) } }

    mutating func scanValue(_ scanner: inout JSONScanner, _ places: [Place]) throws(JSONError) {
        if places.contains(where: { $0.step == paths[$0.path].count }) {
            let start = scanner.offset
            try scanner.skipValue(depthLeft: .max)
            ranges.append(start..<scanner.offset)
            return
        }
        guard !places.isEmpty else { return try scanner.skipValue(depthLeft: .max) }
        switch scanner.peek {
        case UInt8(ascii: "{"):
            try scanner.scanObject(depthLeft: .max) { scanner, key, _ throws(JSONError) in
                let name = key.hasEscapes ? Array(scanner.text(of: key).utf8) : Array(scanner.bytes[key.range])
                try scanValue(&scanner, places.compactMap { self.place(after: name[...], from: $0) })
            }
        case UInt8(ascii: "["):
            var index = 0
            try scanner.scanArray(depthLeft: .max) { scanner, _ throws(JSONError) in
                try scanValue(&scanner, places.compactMap { self.place(atIndex: index, from: $0) })
                index += 1
            }
        case UInt8(ascii: "\""):
            let start = scanner.offset
            let span = try scanner.scanString()
            if holdsJSON(span, scanner) { ranges.append(start..<scanner.offset) }
        default:
            try scanner.skipValue(depthLeft: .max)
        }
    }

    /// Whether a string begins like an object or an array, or like a string that does.
    private func holdsJSON(_ span: JSONScanner.StringSpan, _ scanner: JSONScanner) -> Bool {
        let first = scanner.text(of: span).utf8.first { !Self.isSpace($0) }
        return first.map { #"{[""#.utf8.contains($0) } ?? false
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// Where a member's value stands; nil if its key leads off the path.
    private func place(after key: ArraySlice<UInt8>, from place: Place) -> Place? {
        let steps = paths[place.path]
        var rest = key
        var step = place.step
        while step < steps.count, case .name(let name) = steps[step], rest.starts(with: name) {
            rest = rest.dropFirst(name.count)
            step += 1
            if rest.isEmpty { return Place(path: place.path, step: step) }
            guard rest.popFirst() == UInt8(ascii: ".") else { return nil }
        }
        return nil
    }

    /// Where an element stands: what the path names next, if that is no index, is looked for in each.
    private func place(atIndex index: Int, from place: Place) -> Place? {
        guard case .index(let wanted) = paths[place.path][place.step] else { return place }
        return wanted == index ? Place(path: place.path, step: place.step + 1) : nil
    }
}
