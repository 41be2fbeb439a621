/// Hashes of texts, of all their beginnings and of all their ends, eight bytes at a time.
///
/// A hash leads to candidates, which are then held against the event: a collision costs a look and is never a wrong match.
/// The keys in a table come from rules, not from senders, who therefore can't fill it with collisions.
enum TextHash {
    private static let seed: UInt64 = 0x243F_6A88_85A3_08D3

    static func of(_ text: UnsafeBufferPointer<UInt8>, foldsCase: Bool = false) -> UInt64 {
        var state = seed
        var index = 0
        while index + 8 <= text.count {
            state = mix(state, word(text, index, 8, foldsCase))
            index += 8
        }
        return finish(state, word(text, index, text.count - index, foldsCase), text.count)
    }

    /// As ``of(_:foldsCase:)``, with the words taken from the end.
    static func backward(_ text: UnsafeBufferPointer<UInt8>, foldsCase: Bool = false) -> UInt64 {
        var state = seed
        var end = text.count
        while end >= 8 {
            state = mix(state, word(text, end - 8, 8, foldsCase))
            end -= 8
        }
        return finish(state, word(text, 0, end, foldsCase), text.count)
    }

    /// The hashes of the beginnings that have these lengths, in one pass.
    /// - Parameter lengths: the shortest first.
    @inline(__always)
    static func forEachBeginning(
        of text: UnsafeBufferPointer<UInt8>, lengths: ArraySlice<Int32>, foldsCase: Bool, _ body: (UInt64) -> Void
    ) {
        var state = seed
        var index = 0
        for length in lengths {
            let length = Int(length)
            guard length <= text.count else { return }
            while index + 8 <= length {
                state = mix(state, word(text, index, 8, foldsCase))
                index += 8
            }
            body(finish(state, word(text, index, length - index, foldsCase), length))
        }
    }

    /// The hashes of the ends that have these lengths, in one pass.
    @inline(__always)
    static func forEachEnd(
        of text: UnsafeBufferPointer<UInt8>, lengths: ArraySlice<Int32>, foldsCase: Bool, _ body: (UInt64) -> Void
    ) {
        var state = seed
        var taken = 0
        for length in lengths {
            let length = Int(length)
            guard length <= text.count else { return }
            while taken + 8 <= length {
                state = mix(state, word(text, text.count - taken - 8, 8, foldsCase))
                taken += 8
            }
            body(finish(state, word(text, text.count - length, length - taken, foldsCase), length))
        }
    }

    /// Makes one hash of several.
    static func combine(_ first: UInt64, _ second: UInt64) -> UInt64 { finish(first, second, 0) }

    @inline(__always)
    private static func mix(_ state: UInt64, _ word: UInt64) -> UInt64 {
        let product = (state ^ word) &* 0x9E37_79B9_7F4A_7C15
        return product ^ product >> 32
    }

    @inline(__always)
    private static func finish(_ state: UInt64, _ rest: UInt64, _ count: Int) -> UInt64 {
        mix(mix(state, rest), UInt64(truncatingIfNeeded: count))
    }

    /// `count` bytes, at most eight, as a number; zeros where there are none.
    @inline(__always)
    private static func word(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int, _ foldsCase: Bool
    ) -> UInt64 {
        guard count > 0, let base = UnsafeRawPointer(text.baseAddress) else { return 0 }
        var word: UInt64 = 0
        if count == 8 {
            word = UInt64(littleEndian: (base + start).loadUnaligned(as: UInt64.self))
        } else if start + 8 <= text.count {
            word = UInt64(littleEndian: (base + start).loadUnaligned(as: UInt64.self)) & (1 << UInt64(count * 8) - 1)
        } else {
            for index in 0..<count { word |= UInt64(text[start + index]) << UInt64(index * 8) }
        }
        return foldsCase ? lowercased(word) : word
    }

    /// A word with the letters `A` to `Z` in lower case, all eight bytes at once.
    @inline(__always)
    private static func lowercased(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let low = word & (ones &* 0x7F)
        let isFromA = low &+ ones &* (0x80 - 0x41)
        let isBehindZ = low &+ ones &* (0x7F - 0x5A)
        return word | (isFromA ^ isBehindZ) & ~word & (ones &* 0x80) >> 2
    }
}
