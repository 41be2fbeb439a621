extension JSONValue {
    /// Parses a whole document. Throws on bad grammar, bad UTF-8 and nesting beyond `depthMax`.
    public init(parsing bytes: some Sequence<UInt8>, depthMax: Int = Limits.jsonDepthMax) throws(JSONError) {
        let contiguous = ContiguousArray(bytes)
        self = try contiguous.withBytes { (buffer) throws(JSONError) in
            try JSONScanner.scanDocument(buffer) { scanner throws(JSONError) in
                try JSONValue(scanning: &scanner, depthLeft: depthMax)
            }
        }
    }

    /// Parses the text of a string.
    public init(parsing text: String) throws(JSONError) {
        try self.init(parsing: text.utf8)
    }

    /// Reads the value that begins here.
    package init(scanning scanner: inout JSONScanner, depthLeft: Int) throws(JSONError) {
        switch scanner.peek {
        case UInt8(ascii: "{"):
            var members: [JSONObject.Member] = []
            try scanner.scanObject(depthLeft: depthLeft) { scanner, key, depthLeft throws(JSONError) in
                let key = scanner.text(of: key)
                let value = try JSONValue(scanning: &scanner, depthLeft: depthLeft)
                members.append(JSONObject.Member(key: key, value: value))
            }
            self = .object(JSONObject(members))
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try scanner.scanArray(depthLeft: depthLeft) { scanner, depthLeft throws(JSONError) in
                elements.append(try JSONValue(scanning: &scanner, depthLeft: depthLeft))
            }
            self = .array(elements)
        default:
            switch try scanner.scanScalar() {
            case .null: self = .null
            case .bool(let value): self = .bool(value)
            case .number(let range): self = .number(JSONNumber(unchecked: scanner.rawText(range)))
            case .string(let span): self = .string(scanner.text(of: span))
            }
        }
    }
}

extension JSONScanner {
    /// Validated bytes as they stand.
    func rawText(_ range: Range<Int>) -> String {
        String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
    }

    /// A string with its escapes undone.
    package func text(of span: StringSpan) -> String {
        guard span.hasEscapes else { return rawText(span.range) }
        var text: [UInt8] = []
        text.reserveCapacity(span.range.count)
        var index = span.range.lowerBound
        while index < span.range.upperBound {
            guard bytes[index] == UInt8(ascii: "\\") else {
                text.append(bytes[index])
                index += 1
                continue
            }
            switch bytes[index + 1] {
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                index += appendUnicodeEscape(at: index, end: span.range.upperBound, to: &text)
                continue
            case let plain: text.append(plain)
            }
            index += 2
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends the scalar that a `\uXXXX` (or a surrogate pair of them) means; U+FFFD for half a pair.
    /// - Returns: how many bytes the escape takes.
    private func appendUnicodeEscape(at index: Int, end: Int, to text: inout [UInt8]) -> Int {
        let unit = hexUnit(at: index + 2) ?? 0xFFFD
        if let scalar = Unicode.Scalar(unit) {
            text.append(contentsOf: String(scalar).utf8)
            return 6
        }
        let next = index + 6
        if unit < 0xDC00, next + 6 <= end, bytes[next] == UInt8(ascii: "\\"), bytes[next + 1] == UInt8(ascii: "u"),
            let low = hexUnit(at: next + 2), (0xDC00...0xDFFF).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
        {
            text.append(contentsOf: String(scalar).utf8)
            return 12
        }
        text.append(contentsOf: "\u{FFFD}".utf8)
        return 6
    }
}

extension ContiguousArray<UInt8> {
    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withUnsafeBufferPointer(body)
    }
}
