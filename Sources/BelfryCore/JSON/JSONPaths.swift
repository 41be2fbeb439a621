/// Places that are looked up in JSON text in the same pass that checks it, so that no tree is built for a few values.
public struct JSONPaths: Sendable {
    let names: [String]
    let paths: [[[UInt8]]]

    /// - Parameter dotted: keys joined by dots (`repository.full_name`), at most 64 of them.
    public init(_ dotted: [String]) {
        precondition(dotted.count <= 64, "one bit of a word stands for a path")
        names = dotted
        paths = dotted.map {
            $0.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Array.init)
        }
    }
}

/// JSON text that was checked, with the places that were looked up in it.
public struct PickedJSON: Sendable {
    /// The text, as it stands in what was given.
    public let text: ArraySlice<UInt8>
    private let names: [String]
    private let ranges: [Range<Int>?]

    /// Checks `text` (grammar, UTF-8, nesting) and looks up `paths`; of duplicate keys the later wins.
    public init(
        _ text: ArraySlice<UInt8>, _ paths: JSONPaths, depthMax: Int = Limits.jsonDepthMax
    ) throws(JSONError) {
        var picker = JSONPathPicker(paths)
        try text.withUnsafeBufferPointer { buffer throws(JSONError) in
            try JSONScanner.scanDocument(buffer) { scanner throws(JSONError) in
                try picker.scanValue(&scanner, candidates: picker.all, level: 0, depthLeft: depthMax)
            }
        }
        self.text = text
        names = paths.names
        ranges = picker.ranges
    }

    /// The whole text.
    public var json: RawJSON { RawJSON(trusted: Array(text)) }

    /// The value at a path, as it is written. Nil if there is none, or the path was not looked up.
    public func raw(_ path: String) -> ArraySlice<UInt8>? {
        guard let index = names.firstIndex(where: { $0.hasSameBytes(as: path) }), let range = ranges[index] else {
            return nil
        }
        return text[(text.startIndex + range.lowerBound)..<(text.startIndex + range.upperBound)]
    }

    /// The string at a path; nil for anything else.
    public func string(_ path: String) -> String? {
        guard let raw = raw(path), raw.first == UInt8(ascii: "\"") else { return nil }
        if !raw.contains(UInt8(ascii: "\\")) { return String(decoding: raw.dropFirst().dropLast(), as: UTF8.self) }
        return (try? JSONValue(parsing: raw))?.string
    }

    /// The string at a path, or the literal of a number or boolean; nil for null, arrays and objects.
    public func scalar(_ path: String) -> String? {
        guard let raw = raw(path), let first = raw.first else { return nil }
        switch first {
        case UInt8(ascii: "\""): return string(path)
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "n"): return nil
        default: return String(decoding: raw, as: UTF8.self)
        }
    }

    /// The elements of the array at a path, each as it is written, `max` + 1 of them at most; nil if it is no array.
    public func elements(_ path: String, max: Int) -> [ArraySlice<UInt8>]? {
        raw(path).flatMap { RawJSON.elements(of: $0, max: max) }
    }
}

extension RawJSON {
    /// The elements of an array, each as it is written; nil if `text` is no array (or not JSON).
    /// - Parameter max: no more than one over it are returned: ten megabytes of `0,` must not become five million
    ///   slices before somebody counts them.
    public static func elements(of text: ArraySlice<UInt8>, max: Int) -> [ArraySlice<UInt8>]? {
        var ranges: [Range<Int>] = []
        let isArray = text.withUnsafeBufferPointer { buffer in
            let result: Bool? = try? JSONScanner.scanDocument(buffer) { scanner throws(JSONError) in
                guard scanner.peek == UInt8(ascii: "[") else { return false }
                try scanner.scanArray(depthLeft: .max) { scanner, depthLeft throws(JSONError) in
                    let start = scanner.offset
                    try scanner.skipValue(depthLeft: depthLeft)
                    if ranges.count <= max { ranges.append(start..<scanner.offset) }
                }
                return true
            }
            return result ?? false
        }
        guard isArray else { return nil }
        return ranges.map { text[(text.startIndex + $0.lowerBound)..<(text.startIndex + $0.upperBound)] }
    }
}

/// Walks a document along the paths that may still lead somewhere; each is one bit of `candidates`.
private struct JSONPathPicker {
    let paths: [[[UInt8]]]
    var ranges: [Range<Int>?]

    init(_ paths: JSONPaths) {
        self.paths = paths.paths
        ranges = Array(repeating: nil, count: paths.paths.count)
    }

    var all: UInt64 { paths.isEmpty ? 0 : .max >> UInt64(64 - paths.count) }

    mutating func scanValue(
        _ scanner: inout JSONScanner, candidates: UInt64, level: Int, depthLeft: Int
    ) throws(JSONError) {
        let start = scanner.offset
        if candidates != 0, scanner.peek == UInt8(ascii: "{") {
            try scanner.scanObject(depthLeft: depthLeft) { scanner, key, depthLeft throws(JSONError) in
                let matching = self.candidates(of: candidates, at: level, under: key, in: scanner)
                if matching == 0 { return try scanner.skipValue(depthLeft: depthLeft) }
                try scanValue(&scanner, candidates: matching, level: level + 1, depthLeft: depthLeft)
            }
        } else {
            try scanner.skipValue(depthLeft: depthLeft)
        }
        for index in paths.indices where candidates & 1 << UInt64(index) != 0 && paths[index].count == level {
            ranges[index] = start..<scanner.offset
        }
    }

    /// The candidates that go on under this key. What an earlier duplicate of the key held is forgotten.
    private mutating func candidates(
        of candidates: UInt64, at level: Int, under key: JSONScanner.StringSpan, in scanner: JSONScanner
    ) -> UInt64 {
        var matching: UInt64 = 0
        for index in paths.indices where candidates & 1 << UInt64(index) != 0 && paths[index].count > level {
            guard scanner.holds(key, paths[index][level]) else { continue }
            matching |= 1 << UInt64(index)
            ranges[index] = nil
        }
        return matching
    }
}

extension JSONScanner {
    /// Whether a string, its escapes undone, has these bytes.
    fileprivate func holds(_ span: StringSpan, _ expected: [UInt8]) -> Bool {
        if span.hasEscapes { return text(of: span).utf8.elementsEqual(expected) }
        return span.range.count == expected.count && bytes[span.range].elementsEqual(expected)
    }
}
