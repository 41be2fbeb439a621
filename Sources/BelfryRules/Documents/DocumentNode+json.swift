import BelfryCore

extension DocumentNode {
    /// Reads JSON text; the nodes know their lines. Nil if it is none, or nested too deep.
    init?(json text: String, depthMax: Int) {
        let bytes = Array(text.utf8)
        let root = bytes.withUnsafeBufferPointer { buffer in
            var lines = LineCounter(bytes: buffer)
            return try? JSONScanner.scanDocument(buffer) { scanner throws(JSONError) in
                try DocumentNode(scanning: &scanner, depthLeft: depthMax, &lines)
            }
        }
        guard let root else { return nil }
        self = root
    }

    private init(scanning scanner: inout JSONScanner, depthLeft: Int, _ lines: inout LineCounter) throws(JSONError) {
        let line = lines.line(at: scanner.offset)
        switch scanner.peek {
        case UInt8(ascii: "{"):
            var members: [Member] = []
            try scanner.scanObject(depthLeft: depthLeft) { scanner, key, depthLeft throws(JSONError) in
                members.append(
                    Member(
                        key: scanner.text(of: key), line: lines.line(at: key.range.lowerBound),
                        value: try DocumentNode(scanning: &scanner, depthLeft: depthLeft, &lines)))
            }
            self.init(.object(members), line: line)
        case UInt8(ascii: "["):
            var elements: [DocumentNode] = []
            try scanner.scanArray(depthLeft: depthLeft) { scanner, depthLeft throws(JSONError) in
                elements.append(try DocumentNode(scanning: &scanner, depthLeft: depthLeft, &lines))
            }
            self.init(.array(elements), line: line)
        default:
            self.init(DocumentNode(try JSONValue(scanning: &scanner, depthLeft: depthLeft)).content, line: line)
        }
    }
}

/// The lines of places that are asked for one behind the other.
private struct LineCounter {
    let bytes: UnsafeBufferPointer<UInt8>
    private var line = 1
    private var counted = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    mutating func line(at offset: Int) -> Int {
        line += bytes[counted..<offset].count { $0 == UInt8(ascii: "\n") }
        counted = offset
        return line
    }
}
