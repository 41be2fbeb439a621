/// JSON text that is known to be valid: bytes that were checked once, and are passed on as they are.
public struct RawJSON: Sendable, Hashable {
    public let bytes: [UInt8]

    /// Checks `bytes`: grammar, UTF-8 and nesting.
    public init(validating bytes: [UInt8], depthMax: Int = Limits.jsonDepthMax) throws(JSONError) {
        try bytes.withUnsafeBufferPointer { buffer throws(JSONError) in
            try JSONScanner.scanDocument(buffer) { scanner throws(JSONError) in
                try scanner.skipValue(depthLeft: depthMax)
            }
        }
        self.bytes = bytes
    }

    /// For bytes that Belfry itself wrote or has checked before, such as a column of its own database.
    public init(trusted bytes: [UInt8]) { self.bytes = bytes }

    public init(_ value: JSONValue) { self.bytes = value.encoded() }

    public static let null = RawJSON(trusted: Array("null".utf8))
    public static let emptyObject = RawJSON(trusted: Array("{}".utf8))

    /// The value as a tree, built anew at each call. Null if the bytes were trusted and are not JSON.
    public var value: JSONValue { (try? JSONValue(parsing: bytes, depthMax: .max)) ?? .null }

    public var text: String { String(decoding: bytes, as: UTF8.self) }
}
