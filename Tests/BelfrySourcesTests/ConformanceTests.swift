import BelfryCore
import BelfrySources
import Foundation
import Testing

/// Cases of others: signatures of vendors' documentation and libraries, and real payloads. Used where they are.
enum Conformance {
    static let folder = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "shared/conformance")

    static let isThere: Bool = {
        let isThere = FileManager.default.fileExists(atPath: folder.path)
        if !isThere { FileHandle.standardError.write(Data("skipped: no conformance cases beside the checkout\n".utf8)) }
        return isThere
    }()

    static func json(_ path: String) throws -> JSONValue {
        try JSONValue(parsing: [UInt8](Data(contentsOf: folder.appending(path: path))))
    }

    static func pairs(_ provider: String) throws -> [(
        name: String, body: [UInt8], headers: [(name: String, value: String)]
    )] {
        let folder = folder.appending(path: "payloads/\(provider)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            .filter { $0.hasSuffix(".json") && !$0.hasSuffix(".headers.json") }
        return try names.map { name in
            let headers =
                try json("payloads/\(provider)/\(name.dropLast(5)).headers.json")["headers"]?.object?.members ?? []
            let body = try [UInt8](Data(contentsOf: folder.appending(path: name)))
            return (name, body, headers.compactMap { member in member.value.string.map { (member.key, $0) } })
        }
    }
}

@Suite(.enabled(if: Conformance.isThere, "the third-party cases are not beside the checkout"))
struct ConformanceTests {
    /// Where we decide otherwise than the recorded verdict, and why.
    private static let differences = [
        // The verdict is open ("policy choice"): hex is decoded, so its case says nothing about the bytes.
        "github-doc/upper-case-hex": true,
        // The library takes " 1614265330"; a signed time is digits only. HTTP strips the space before we see it anyway.
        "std/timestamp-padded": false,
        // The library lets any time of the future pass, so that a delivery could be made today for next year.
        "stripe/future-301": false,
        // The library takes the last of two times; which of them was signed must not be a guess.
        "stripe/two-t": false,
    ]

    private static func fixture(scheme: String, secret: String) -> SourceFixture? {
        let secrets = [secret]
        func hmac(_ header: String, _ prefix: String, _ algorithm: SignatureSettings.Algorithm) -> SourceFixture {
            SourceFixture(.hmac, secrets: secrets) { source in
                var signature = SignatureSettings(header: header)
                signature.prefix = prefix
                signature.algorithm = algorithm
                source.signature = signature
            }
        }
        switch scheme {
        case "github-sha256": return SourceFixture(.github, secrets: secrets)
        case "standard-webhooks", "standard-webhooks-ed25519": return SourceFixture(.standardWebhooks, secrets: secrets)
        case "hmac-sha1": return hmac("X-Signature", "sha1=", .sha1)
        case "hmac-sha256": return hmac("X-Signature", "sha256=", .sha256)
        case "hmac-sha512": return hmac("X-Signature", "sha512=", .sha512)
        case "pagerduty-v3": return hmac("X-PagerDuty-Signature", "v1=", .sha256)
        case "slack-v0": return SourceFixture(.slack, secrets: secrets)
        case "stripe": return SourceFixture(.stripe, secrets: secrets)
        case "svix": return SourceFixture(.svix, secrets: secrets)
        default: return nil
        }
    }

    @Test("signatures verify as their vendors' vectors and libraries say")
    func signatures() throws {
        var count = 0
        for item in try Conformance.json("signatures.json").array ?? [] {
            let name = try #require(item["name"]?.string), scheme = try #require(item["scheme"]?.string)
            guard var fixture = Self.fixture(scheme: scheme, secret: item["secret"]?.string ?? "") else {
                // The algorithm alone, see below. Anything else would be a scheme that nobody looks at.
                #expect(scheme == "hmac-sha256-raw", "\(name)")
                continue
            }
            // Shapes of headers without a signature that could be right.
            if item["reason"]?.string == "parse-only" { continue }
            if let now = item["now"]?.number?.int64 { fixture.now = Timestamp(seconds: now) }
            if let tolerance = item["tolerance_s"]?.number?.int64 { fixture.source.tolerance = .seconds(tolerance) }
            let headers = (item["headers"]?.object?.members ?? []).map { (name: $0.key, value: $0.value.string ?? "") }
            let delivery = fixture.delivery(Array((item["body"]?.string ?? "").utf8), headers)
            let isValid = (try? fixture.source.verify(delivery, secrets: fixture.secrets)) != nil
            let expected: Bool? = Self.differences[name] ?? item["valid"]?.bool
            #expect(isValid == expected, "\(name)")
            count += 1
        }
        #expect(count >= 46, "only \(count) cases were run")
    }

    @Test("the algorithm's own vectors verify with keys and bodies of any bytes")
    func rawHMAC() throws {
        let cases = try Conformance.json("signatures.json").array?.filter { $0["scheme"] == "hmac-sha256-raw" } ?? []
        #expect(cases.count >= 4)
        for item in cases {
            func bytes(_ member: String) throws -> [UInt8] {
                try #require(item[member]?.string.flatMap { Hex.decode($0) })
            }
            var fixture = SourceFixture(.hmac) { $0.signature = SignatureSettings(header: "X-Signature") }
            fixture.secrets = [NamedSecret(name: "raw", secret: Secret(try bytes("key_hex")))]
            let mac = try #require(item["mac_hex"]?.string)
            let delivery = fixture.delivery(try bytes("data_hex"), [("X-Signature", mac)])
            #expect(throws: Never.self) { try fixture.source.verify(delivery, secrets: fixture.secrets) }
        }
    }
}
