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

        /// What follows the beginning of a mark.
        private func start(in bytes: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer>? {
            guard let base = bytes.baseAddress else { return nil }
            var at = 0
            while bytes.count - at > start.count, let place = memchr(base + at, Int32(start[0]), bytes.count - at) {
                at = UnsafeRawPointer(place) - base
                guard bytes.count - at > start.count else { return nil }
                if memcmp(place, start, start.count) == 0 { return bytes[(at + start.count)...] }
                at += 1
            }
            return nil
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
