import BelfryCore
import BelfrySources
import Testing

/// Compressed bodies: what is signed is what was sent, what is read is what it stands for.
struct GzipTests {
    private let fixture = SourceFixture(.token)
    private let json = Array(#"{"a":"ü"}"#.utf8)

    private func judge(
        _ body: [UInt8], _ encodings: String..., fixture: SourceFixture? = nil
    ) -> Verdict {
        let fixture = fixture ?? self.fixture
        let headers = [("Authorization", "Bearer s3cret"), ("Content-Type", "application/json")]
        return fixture.source.judge(
            fixture.delivery(body, headers + encodings.map { ("Content-Encoding", $0) }), secrets: fixture.secrets)
    }

    @Test(
        "one member and several are read, under both names; identity is what it is",
        arguments: ["gzip", "GZip ", "x-gzip"])
    func members(encoding: String) throws {
        #expect(judge(gzipped(json), encoding).event?.data.bytes == json)
        let several = gzipped(Array(json[..<4])) + gzipped([]) + gzipped(Array(json[4...]))
        #expect(judge(several, encoding).event?.data.bytes == json)
        #expect(judge(json, "identity").event?.data.bytes == json)
        #expect(judge(json, "").event?.data.bytes == json)
    }

    @Test("what is cut, damaged or followed by something else is refused")
    func damaged() {
        let whole = gzipped(json)
        for count in 0..<whole.count {
            #expect(judge(Array(whole[..<count]), "gzip").code == "malformed", "cut to \(count)")
        }
        for index in whole.indices where ![3, 4, 5, 6, 7, 8, 9].contains(index) {
            var changed = whole
            changed[index] ^= 0x10
            // The last bits before the checksum belong to nothing.
            let verdict = judge(changed, "gzip")
            #expect(verdict.code == "malformed" || verdict.event?.data.bytes == json, "byte \(index)")
        }
        for rest in [
            [0], Array(repeating: UInt8(0), count: 600), [0x1F], Array("trailing".utf8), Array(whole.dropLast()),
        ] {
            #expect(judge(whole + rest, "gzip").code == "malformed")
        }
        #expect(judge(json, "gzip").code == "malformed")
    }

    @Test("a bomb is refused as soon as it is over the source's limit, alone and in many members")
    func bomb() {
        let small = SourceFixture(.token) { $0.bodyBytesMax = 100_000 }
        let bomb = gzipped(Array(repeating: UInt8(ascii: " "), count: 20_000_000))
        #expect(bomb.count < 100_000)
        #expect(judge(bomb, "gzip", fixture: small).code == "payload_too_large")
        let piece = gzipped(Array(repeating: UInt8(ascii: " "), count: 60_000))
        #expect(judge(piece + piece, "gzip", fixture: small).code == "payload_too_large")
        // Its last bytes claim that it is small, or huge: neither is believed.
        #expect(judge(bomb.dropLast(4) + [0, 0, 0, 0], "gzip", fixture: small).code == "payload_too_large")
        #expect(judge(gzipped(json).dropLast(4) + [255, 255, 255, 255], "gzip", fixture: small).code == "malformed")
    }

    @Test("exactly the limit is taken, one more is not")
    func edge() {
        let body = Array("{\"a\":\"".utf8) + Array(repeating: UInt8(ascii: "x"), count: 99_992) + Array("\"}".utf8)
        for (bytesMax, code) in [(100_000, nil), (99_999, "payload_too_large")] {
            let fixture = SourceFixture(.token) { $0.bodyBytesMax = bytesMax }
            #expect(judge(gzipped(body), "gzip", fixture: fixture).code == code)
        }
    }

    @Test("a body of thousands of empty members is refused")
    func emptyMembers() {
        let empty = gzipped([])
        let many = Array(repeatElement(empty, count: Limits.gzipMembersMax).joined())
        #expect(judge(many + gzipped(json), "gzip").code == "malformed")
        #expect(judge(many.dropFirst(empty.count) + gzipped(json), "gzip").event != nil)
    }

    @Test("other encodings, and gzip in gzip, are refused with what is taken")
    func encodings() throws {
        for encodings in [["br"], ["deflate"], ["zstd"], ["gzip, gzip"], ["gzip", "gzip"], ["gzip,br"], ["gzip;q=1"]] {
            let headers = [("Authorization", "Bearer s3cret")] + encodings.map { ("Content-Encoding", $0) }
            let verdict = fixture.source.judge(fixture.delivery(gzipped(json), headers), secrets: fixture.secrets)
            let error = try #require(verdict.error)
            #expect(error.code == .unsupportedMediaType)
            #expect(error.details["encodings"] == ["gzip"])
        }
    }

    @Test("the signature is over the bytes as sent, and is looked at first")
    func signature() throws {
        let fixture = SourceFixture(.github)
        let body = gzipped(json)
        func headers(signing signed: [UInt8]) -> [(name: String, value: String)] {
            DeliverySigner.headers(
                for: fixture.source, secret: Secret("s3cret"), body: signed, id: "1", now: fixture.now)
                + [("Content-Encoding", "gzip"), ("Content-Type", "application/json"), ("X-GitHub-Event", "push")]
        }
        func judge(_ body: [UInt8], signing signed: [UInt8]) -> Verdict {
            fixture.source.judge(fixture.delivery(body, headers(signing: signed)), secrets: fixture.secrets)
        }
        #expect(judge(body, signing: body).event?.data.bytes == json)
        #expect(judge(body, signing: json).code == "signature_invalid")
        #expect(judge(body + [0], signing: body).code == "signature_invalid")
    }
}
