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

    /// Adds the ways to a test: one of them has to be taken. None: no value passes it.
    static func append(waysTo test: ValueTest.Kind, at leaf: Int32, to ways: inout [Access]) {
        func add(_ kind: Kind, _ hash: UInt64, length: Int = 0) {
            ways.append(Access(kind: kind, key: key(kind, leaf, hash), length: Int32(length)))
        }
        func addBeginning(_ text: [UInt8]) {
            text.isEmpty ? ways.append(Access(kind: .any)) : add(.prefix, hash(text), length: text.count)
        }
        func addEnd(_ text: [UInt8]) {
            text.isEmpty ? ways.append(Access(kind: .any)) : add(.suffix, backwardHash(text), length: text.count)
        }
        switch test {
        case .null: add(.null, 0)
        case .bool(let isTrue): add(isTrue ? .isTrue : .isFalse, 0)
        case .absent: break
        case .present, .anythingBut: ways.append(Access(kind: .any))
        case .text(let text): add(.text, hash(text), length: text.count)
        case .number(nil, let literal): add(.literal, hash(Array(literal.utf8)))
        case .number(let number?, _), .comparable(let number): add(.number, hash(of: number.value))
        case .numeric(let range): ways.append(Access(kind: .range, range: range))
        case .address(let address): add(.address, hash(of: address))
        case .network(let network):
            add(.network, hash(of: network.base, maskBits: Int32(network.maskBits)), length: network.maskBits)
        case .prefix(let text): addBeginning(text)
        case .suffix(let text): addEnd(text)
        case .equalsIgnoringCase(let text):
            guard let ascii = text.lowercasedASCII else { return ways.append(Access(kind: .any)) }
            add(.foldedText, hash(ascii, foldsCase: true))
        case .prefixIgnoringCase(let text):
            guard let ascii = text.lowercasedASCII, !ascii.isEmpty else { return ways.append(Access(kind: .any)) }
            add(.foldedPrefix, hash(ascii, foldsCase: true), length: ascii.count)
        case .suffixIgnoringCase(let text):
            guard let ascii = text.lowercasedASCII, !ascii.isEmpty else { return ways.append(Access(kind: .any)) }
            add(.foldedSuffix, backwardHash(ascii, foldsCase: true), length: ascii.count)
        case .wildcard(let wildcard):
            // By its beginning, its end, or any part between two stars.
            let parts = wildcard.parts
            guard parts.count > 1, let first = parts.first, let last = parts.last else {
                let text = parts.first ?? []
                return add(.text, hash(text), length: text.count)
            }
            let count = ways.count
            if !first.isEmpty { addBeginning(first) }
            if !last.isEmpty { addEnd(last) }
            for part in parts.dropFirst().dropLast() where !part.isEmpty {
                add(.inner, hash(part), length: part.count)
                ways[ways.count - 1].part = part
            }
            if ways.count == count { ways.append(Access(kind: .any)) }
        }
    }

    private static func hash(_ text: [UInt8], foldsCase: Bool = false) -> UInt64 {
        text.withUnsafeBufferPointer { TextHash.of($0, foldsCase: foldsCase) }
    }

    private static func backwardHash(_ text: [UInt8], foldsCase: Bool = false) -> UInt64 {
        text.withUnsafeBufferPointer { TextHash.backward($0, foldsCase: foldsCase) }
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
