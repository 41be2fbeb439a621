import BelfryCore
import CZlib

/// Bodies sent with `Content-Encoding: gzip` (RFC 1952): one member or several, and nothing after them.
enum Gzip {
    /// How much is inflated at a time.
    private static let pieceBytes = 64 * 1024

    /// The bytes that `compressed` stands for. Throws `payload_too_large` as soon as they are more than `bytesMax`,
    /// and `malformed` for what is cut, damaged or followed by something else. Checksums and lengths are checked.
    ///
    /// Never more than `bytesMax` bytes are kept, whatever the body claims.
    static func inflated(_ compressed: [UInt8], bytesMax: Int) throws(BelfryError) -> [UInt8] {
        var stream = z_stream()
        guard belfry_inflate_begin_gzip(&stream) == Z_OK else {
            throw BelfryError(.overloaded, "there is no memory to decompress the body with")
        }
        defer { inflateEnd(&stream) }
        var output: [UInt8] = []
        output.reserveCapacity(min(claimedSize(of: compressed), bytesMax))
        // zlib reads its input through a pointer that must hold over all calls.
        let failure = compressed.withUnsafeBufferPointer { input in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: pieceBytes) { piece in
                inflate(input, with: piece, &stream, into: &output, bytesMax: bytesMax)
            }
        }
        if let failure { throw failure }
        return output
    }

    /// Nil when everything is read and right.
    private static func inflate(
        _ input: UnsafeBufferPointer<UInt8>, with piece: UnsafeMutableBufferPointer<UInt8>, _ stream: inout z_stream,
        into output: inout [UInt8], bytesMax: Int
    ) -> BelfryError? {
        // zlib does not write to its input; its pointer is mutable for historical reasons.
        stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.avail_in = UInt32(input.count)
        var members = 1
        while true {
            stream.next_out = piece.baseAddress
            stream.avail_out = UInt32(piece.count)
            let result = CZlib.inflate(&stream, Z_NO_FLUSH)
            let count = piece.count - Int(stream.avail_out)
            guard count <= bytesMax - output.count else { return .inflatesTooFar(bytesMax) }
            append(piece[..<count], to: &output, bytesMax: bytesMax)
            switch result {
            case Z_OK: continue
            case Z_STREAM_END where stream.avail_in == 0: return nil
            case Z_STREAM_END:
                members += 1
                guard members <= Limits.gzipMembersMax else {
                    return BelfryError(
                        .malformed, "the body has more than \(Limits.gzipMembersMax) gzip members; send it as one")
                }
                guard inflateReset(&stream) == Z_OK else { return .damaged("damaged") }
            // No progress is possible: the input is at its end and the member is not.
            case Z_BUF_ERROR: return .damaged("cut short")
            case Z_MEM_ERROR: return BelfryError(.overloaded, "there is no memory to decompress the body with")
            default: return .damaged(members == 1 ? "not gzip, or damaged" : "followed by something that is not gzip")
            }
        }
    }

    /// Grows by doubling, but never past the bound.
    private static func append(
        _ piece: Slice<UnsafeMutableBufferPointer<UInt8>>, to output: inout [UInt8], bytesMax: Int
    ) {
        let needed = output.count + piece.count
        if needed > output.capacity { output.reserveCapacity(min(bytesMax, max(needed, 2 * output.capacity))) }
        output.append(contentsOf: piece)
    }

    /// The size that the last member claims to have in its last four bytes: right for a body of one member.
    private static func claimedSize(of compressed: [UInt8]) -> Int {
        compressed.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}

extension BelfryError {
    fileprivate static func damaged(_ how: String) -> BelfryError {
        BelfryError(.malformed, "the body says Content-Encoding: gzip and is \(how)")
    }

    fileprivate static func inflatesTooFar(_ bytesMax: Int) -> BelfryError {
        BelfryError(.payloadTooLarge, "the body has more than \(bytesMax) bytes when it is decompressed")
    }
}
