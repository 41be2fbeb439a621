extension String {
    /// The longest beginning of at most `count` bytes that ends between two characters (Unicode scalars).
    public func cut(toBytes count: Int) -> String {
        guard utf8.count > count else { return self }
        var bytes = Array(utf8.prefix(max(0, count) + 1))
        var end = bytes.count - 1
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        bytes.removeSubrange(end...)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// One line for a person: no control characters, nothing that turns the direction of text, at most so many bytes and
    /// `…` behind them. What others said of an error goes through here before it is stored or shown.
    public func plain(bytesMax: Int) -> String {
        var plain = String.UnicodeScalarView()
        var bytes = 0
        for scalar in unicodeScalars {
            let shown = scalar.isControl ? " " : scalar
            bytes += UTF8.width(shown)
            guard bytes <= bytesMax else { return String(plain) + "…" }
            plain.append(shown)
        }
        return String(plain)
    }
}

extension Unicode.Scalar {
    /// C0, DEL, C1, line and paragraph separators, and marks of direction (Unicode, UAX #9).
    fileprivate var isControl: Bool {
        switch value {
        case 0...0x1F, 0x7F...0x9F, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
