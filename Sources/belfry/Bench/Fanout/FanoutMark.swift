import Glibc

/// What each message carries, so that whoever gets it can tell which one it is: `belfry-bench=RUN,NUMBER,SENT;`.
struct FanoutMark: Equatable, Sendable {
    /// Counts from 0 per topic.
    var number: Int
    /// When it was sent, or was due: nanoseconds of ``Nanoseconds/now()``.
    var sent: Int64

    /// Marks of one run of the benchmark. What is left in a server from another run is not this one's.
    struct Format: Sendable {
        private let start: [UInt8]

        init(run: UInt32) { start = Array("belfry-bench=\(run),".utf8) }

        func append(_ mark: FanoutMark, to bytes: inout [UInt8]) {
            bytes += start
            bytes.append(decimal: UInt64(mark.number))
            bytes.append(UInt8(ascii: ","))
            bytes.append(decimal: UInt64(mark.sent))
            bytes.append(UInt8(ascii: ";"))
        }

        /// The first mark in these bytes.
        func find(in bytes: UnsafeRawBufferPointer) -> FanoutMark? {
            guard var rest = start(in: bytes), let number = Self.number(&rest, until: UInt8(ascii: ",")),
                let sent = Self.number(&rest, until: UInt8(ascii: ";"))
            else { return nil }
            return FanoutMark(number: Int(number), sent: sent)
        }

        /// The next whole mark of a text that comes in pieces.
        /// - Parameter at: where it is looked for; then where what is left begins: behind the mark, or before what
        ///   may be the first half of one.
        func next(in bytes: UnsafeRawBufferPointer, at: inout Int) -> FanoutMark? {
            while let found = start(in: UnsafeRawBufferPointer(rebasing: bytes[at...])) {
                var rest = found
                if let number = Self.number(&rest, until: UInt8(ascii: ",")),
                    let sent = Self.number(&rest, until: UInt8(ascii: ";"))
                {
                    at += rest.startIndex
                    return FanoutMark(number: Int(number), sent: sent)
                }
                let isCut = found.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ",") }
                if isCut { return nil }
                at += found.startIndex
            }
            return nil
        }

        /// The most bytes of a mark.
        static let bytesMax = 13 + 10 + 1 + 18 + 1 + 18 + 1

        /// What follows the beginning of a mark.
        private func start(in bytes: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer>? {
            bytes.end(of: start).map { bytes[$0...] }
        }

        private static func number(_ rest: inout Slice<UnsafeRawBufferPointer>, until end: UInt8) -> Int64? {
            var value: Int64 = 0
            // Eighteen digits fit for certain.
            for (count, byte) in rest.prefix(19).enumerated() {
                if byte == end, count > 0 {
                    rest = rest.dropFirst(count + 1)
                    return value
                }
                guard (0x30...0x39).contains(byte), count < 18 else { return nil }
                value = value * 10 + Int64(byte & 15)
            }
            return nil
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Where the first occurrence of these bytes ends.
    func end(of bytes: [UInt8]) -> Int? {
        guard let base = baseAddress, let first = bytes.first else { return nil }
        var at = 0
        while count - at >= bytes.count, let place = memchr(base + at, Int32(first), count - at) {
            at = UnsafeRawPointer(place) - base
            guard count - at >= bytes.count else { return nil }
            if memcmp(place, bytes, bytes.count) == 0 { return at + bytes.count }
            at += 1
        }
        return nil
    }
}

extension [UInt8] {
    /// Appends a number as digits, without a string in between.
    mutating func append(decimal value: UInt64) {
        var divisor: UInt64 = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }
}

/// Time as a number: what is stamped and subtracted for each message.
enum Nanoseconds {
    /// CLOCK_MONOTONIC.
    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
