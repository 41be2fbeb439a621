import BelfryCore

/// One way to get from a value to a test that it passes, without looking at the tests that it does not pass.
struct Access {
    enum Kind: UInt8 {
        case null, isFalse, isTrue, text, literal, number, address, network
        case prefix, suffix, foldedText, foldedPrefix, foldedSuffix
        /// A part of a wildcard: the text holds it somewhere.
        case inner
        /// Found by a search of intervals.
        case range
        /// Any value there may be: the test says nothing that could be looked up.
        case any
    }

    var kind: Kind
    /// What the value is looked up by (``key(_:_:_:)``); of ranges and `any` nothing.
    var key: UInt64 = 0
    /// The length of a beginning or an end; the bits of a network's mask.
    var length: Int32 = 0
    var range: NumericRange?
    var part: [UInt8] = []

    /// What a value at a path is looked up by.
    @inline(__always)
    static func key(_ kind: Kind, _ leaf: Int32, _ hash: UInt64) -> UInt64 {
        TextHash.combine(hash, UInt64(UInt32(bitPattern: leaf)) << 8 | UInt64(kind.rawValue))
    }

    @inline(__always)
    static func hash(of number: Double) -> UInt64 { number == 0 ? 0 : number.bitPattern }

    @inline(__always)
    static func hash(of address: IPAddress, maskBits: Int32 = 128) -> UInt64 {
        TextHash.combine(
            UInt64(truncatingIfNeeded: address.bits >> 64) ^ UInt64(UInt32(bitPattern: maskBits)) << 32,
            UInt64(truncatingIfNeeded: address.bits) ^ (address.isVersion4 ? 1 << 63 : 0))
    }

    /// The ways to a test: one of them has to be taken. Empty: no value passes it.
    static func ways(to test: ValueTest.Kind, at leaf: Int32) -> [Access] {
        func way(_ kind: Kind, _ hash: UInt64, length: Int = 0) -> [Access] {
            [Access(kind: kind, key: key(kind, leaf, hash), length: Int32(length))]
        }
        switch test {
        case .null: return way(.null, 0)
        case .bool(let isTrue): return way(isTrue ? .isTrue : .isFalse, 0)
        case .absent: return []
        case .present, .anythingBut: return [Access(kind: .any)]
        case .text(let text): return way(.text, hash(text), length: text.count)
        case .number(nil, let literal): return way(.literal, hash(Array(literal.utf8)))
        case .number(let number?, _), .comparable(let number): return way(.number, hash(of: number.value))
        case .numeric(let range): return [Access(kind: .range, range: range)]
        case .address(let address): return way(.address, hash(of: address))
        case .network(let network):
            let bits = Int32(network.maskBits)
            return way(.network, hash(of: network.base, maskBits: bits), length: network.maskBits)
        case .prefix(let text): return beginning(text, at: leaf)
        case .suffix(let text): return end(text, at: leaf)
        case .equalsIgnoringCase(let text):
            guard let ascii = text.lowercasedASCII else { return [Access(kind: .any)] }
            return way(.foldedText, hash(ascii, foldsCase: true))
        case .prefixIgnoringCase(let text):
            guard let ascii = text.lowercasedASCII, !ascii.isEmpty else { return [Access(kind: .any)] }
            return way(.foldedPrefix, hash(ascii, foldsCase: true), length: ascii.count)
        case .suffixIgnoringCase(let text):
            guard let ascii = text.lowercasedASCII, !ascii.isEmpty else { return [Access(kind: .any)] }
            let hash = ascii.withUnsafeBufferPointer { TextHash.backward($0, foldsCase: true) }
            return way(.foldedSuffix, hash, length: ascii.count)
        case .wildcard(let wildcard): return ways(to: wildcard, at: leaf)
        }
    }

    /// By its beginning, its end, or any part between two stars.
    private static func ways(to wildcard: Wildcard, at leaf: Int32) -> [Access] {
        let parts = wildcard.parts
        guard parts.count > 1, let first = parts.first, let last = parts.last else {
            let text = parts.first ?? []
            return [Access(kind: .text, key: key(.text, leaf, hash(text)), length: Int32(text.count))]
        }
        var ways: [Access] = []
        if !first.isEmpty { ways += beginning(first, at: leaf) }
        if !last.isEmpty { ways += end(last, at: leaf) }
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            ways.append(
                Access(kind: .inner, key: key(.inner, leaf, hash(part)), length: Int32(part.count), part: part))
        }
        return ways.isEmpty ? [Access(kind: .any)] : ways
    }

    private static func beginning(_ text: [UInt8], at leaf: Int32) -> [Access] {
        guard !text.isEmpty else { return [Access(kind: .any)] }
        return [Access(kind: .prefix, key: key(.prefix, leaf, hash(text)), length: Int32(text.count))]
    }

    private static func end(_ text: [UInt8], at leaf: Int32) -> [Access] {
        guard !text.isEmpty else { return [Access(kind: .any)] }
        let hash = text.withUnsafeBufferPointer { TextHash.backward($0) }
        return [Access(kind: .suffix, key: key(.suffix, leaf, hash), length: Int32(text.count))]
    }

    private static func hash(_ text: [UInt8], foldsCase: Bool = false) -> UInt64 {
        text.withUnsafeBufferPointer { TextHash.of($0, foldsCase: foldsCase) }
    }

    /// How much a candidate found this way costs, that is how rarely such a way tells rules apart: one more than
    /// `shared` other rules are behind it.
    func cost(shared: Int) -> Int {
        switch kind {
        case .null, .isFalse, .isTrue, .text, .literal, .number, .address, .foldedText: shared
        case .prefix, .suffix, .foldedPrefix, .foldedSuffix: shared * (length < 3 ? 8 : 2)
        case .network: shared * 4
        case .inner: shared * (length < 3 ? 32 : 8)
        case .range: shared * 16
        case .any: 1 << 40
        }
    }
}

extension CaseInsensitiveText {
    /// The text in lower case if it is ASCII, where a letter's two cases are all the forms there are.
    var lowercasedASCII: [UInt8]? {
        var text: [UInt8] = []
        for choices in forms {
            guard choices[0].count == 1, choices[0][0] < 0x80, choices.count == 1 || choices[1][0] < 0x80 else {
                return nil
            }
            text.append(choices[0][0])
        }
        return text
    }
}
