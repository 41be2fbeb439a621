import BelfryCore
import BelfryCrypto

/// A header with an HMAC over the body, or over a text that holds the body: most senders' way.
struct HMACScheme: VerificationScheme {
    let settings: SignatureSettings
    private let header: String
    /// The signed content, taken apart.
    private let pieces: [Piece]

    init(settings: SignatureSettings) {
        self.settings = settings
        header = settings.header.lowercased()
        pieces = Piece.all(in: settings.content)
    }

    private enum Piece: Equatable {
        case body, timestamp, id
        case literal([UInt8])

        /// `{timestamp}.{body}` → timestamp, a literal point, body. Braces around anything else are literal.
        static func all(in content: String) -> [Piece] {
            if content == "{body}" { return [.body] }
            let marks: [(String, Piece)] = [("{body}", .body), ("{timestamp}", .timestamp), ("{id}", .id)]
            var pieces: [Piece] = []
            var literal: [UInt8] = []
            var rest = content[...]
            while let first = rest.utf8.first {
                if let (mark, piece) = marks.first(where: { rest.hasPrefix($0.0) }) {
                    if !literal.isEmpty { pieces.append(.literal(literal)) }
                    literal = []
                    pieces.append(piece)
                    rest = rest.dropFirst(mark.count)
                } else {
                    literal.append(first)
                    rest = Substring(rest.utf8.dropFirst())
                }
            }
            return literal.isEmpty ? pieces : pieces + [.literal(literal)]
        }
    }

    var fault: String? {
        if header.isEmpty { return "`signature.header` is empty" }
        if !pieces.contains(.body) { return "`signature.content` has no {body}" }
        if pieces.contains(.timestamp), settings.timestampHeader == nil {
            return "`signature.content` has {timestamp}, but `signature.timestamp` names no header"
        }
        if pieces.contains(.id), settings.idHeader == nil {
            return "`signature.content` has {id}, but `signature.id` names no header"
        }
        return nil
    }

    var confidentialHeaders: [String] { [header] }

    func readsAuthorization(of delivery: Delivery) -> Bool { header == "authorization" }

    private var algorithm: HMAC.Algorithm {
        switch settings.algorithm {
        case .sha1: .sha1
        case .sha256: .sha256
        case .sha512: .sha512
        }
    }

    func verify(
        _ delivery: Delivery, secrets: [NamedSecret], tolerance: Duration
    ) throws(BelfryError) -> Verification {
        let given = delivery.headers.values(header).filter { !$0.isEmpty }
        guard !given.isEmpty else {
            throw BelfryError(
                .signatureMissing, "the header \(header) is missing; a sender that knows the secret sends it")
        }
        let timestamp = try settings.timestampHeader.map { (name) throws(BelfryError) in
            try SignedTimestamp(header: name.lowercased(), of: delivery)
        }
        let id = try signedID(of: delivery)
        let content = content(body: delivery.body, timestamp: timestamp?.text ?? "", id: id ?? "")
        let codes = given.flatMap(codes).prefix(Limits.signaturesPerDeliveryMax)
        let matching = secrets.first { secret in
            let expected = HMAC.code(algorithm, key: secret.secret.bytes, content)
            return codes.contains { ConstantTime.areEqual($0, expected) }
        }
        guard let matching else {
            throw BelfryError(
                .signatureInvalid,
                codes.isEmpty
                    ? "the header \(header) does not have the form \(settings.prefix)<\(settings.encoding.rawValue)>"
                    : "no active secret makes the signature in \(header); compare the secrets, and sign the raw body"
            )
        }
        try timestamp?.check(now: delivery.received, tolerance: tolerance)
        let isTimestampSigned = pieces.contains(.timestamp), isIDSigned = pieces.contains(.id)
        return Verification(
            verifiedBy: matching.name,
            isBodySigned: true,
            signedHeaders: [
                isTimestampSigned ? settings.timestampHeader : nil, isIDSigned ? settings.idHeader : nil,
            ].compactMap { $0?.lowercased() }
        )
    }

    func sign(_ body: [UInt8], secret: Secret, id: String, now: Timestamp) -> [(name: String, value: String)] {
        let timestamp = String(now.seconds)
        let code = HMAC.code(algorithm, key: secret.bytes, content(body: body, timestamp: timestamp, id: id))
        var headers = [
            (
                name: settings.header,
                value: settings.prefix + (settings.encoding == .hex ? Hex.encode(code) : Base64.encode(code))
            )
        ]
        if let name = settings.timestampHeader { headers.append((name, timestamp)) }
        if let name = settings.idHeader { headers.append((name, id)) }
        return headers
    }

    private func signedID(of delivery: Delivery) throws(BelfryError) -> String? {
        guard let name = settings.idHeader?.lowercased(), pieces.contains(.id) else { return nil }
        return try delivery.headers.theOnly(name, orRefuse: .signatureMissing, .signatureInvalid)
    }

    private func content(body: [UInt8], timestamp: String, id: String) -> [[UInt8]] {
        pieces.map { piece in
            switch piece {
            case .body: body
            case .timestamp: Array(timestamp.utf8)
            case .id: Array(id.utf8)
            case .literal(let bytes): bytes
            }
        }
    }

    /// The codes that one header line holds. Some senders give several, divided by commas, while a secret rotates.
    private func codes(in line: String) -> [[UInt8]] {
        if let code = code(in: line[...]) { return [code] }
        guard line.utf8.contains(UInt8(ascii: ",")), !settings.prefix.contains(",") else { return [] }
        return line.split(separator: ",", maxSplits: Limits.signaturesPerDeliveryMax).compactMap {
            code(in: $0.drop { $0 == " " })
        }
    }

    private func code(in text: Substring) -> [UInt8]? {
        guard text.utf8.starts(with: settings.prefix.utf8) else { return nil }
        let digits = Substring(text.utf8.dropFirst(settings.prefix.utf8.count))
        guard digits.utf8.count <= 4 * algorithm.size else { return nil }
        let code = settings.encoding == .hex ? Hex.decode(digits) : Base64.decode(digits)
        return code?.count == algorithm.size ? code : nil
    }
}
