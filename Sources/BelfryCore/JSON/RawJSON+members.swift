extension RawJSON {
    /// The members of an object, each value as it is written, in their order, duplicate keys too; nil if `text` is no
    /// object. Throws for what is not JSON, and for more than `max` members.
    public static func members(
        of text: ArraySlice<UInt8>, max: Int
    ) throws(JSONError) -> [(key: String, value: ArraySlice<UInt8>)]? {
        var members: [(key: String, range: Range<Int>)] = []
        let isObject = try text.withUnsafeBufferPointer { buffer throws(JSONError) in
            try JSONScanner.scanDocument(buffer) { scanner throws(JSONError) in
                guard scanner.peek == UInt8(ascii: "{") else {
                    try scanner.skipValue(depthLeft: Limits.jsonDepthMax)
                    return false
                }
                try scanner.scanObject(depthLeft: Limits.jsonDepthMax) { scanner, key, depthLeft throws(JSONError) in
                    guard members.count < max else {
                        throw JSONError("more than \(max) members", at: scanner.offset)
                    }
                    let start = scanner.offset
                    try scanner.skipValue(depthLeft: depthLeft)
                    members.append((scanner.text(of: key), start..<scanner.offset))
                }
                return true
            }
        }
        guard isObject else { return nil }
        return members.map {
            ($0.key, text[(text.startIndex + $0.range.lowerBound)..<(text.startIndex + $0.range.upperBound)])
        }
    }
}
