import BelfryCore
import BelfryCrypto
import BelfrySources
import Testing

/// The presets `hmac`, `token` and `none`.
struct PlainPresetTests {
    private static func hmac(_ change: (inout SignatureSettings) -> Void) -> SourceFixture {
        SourceFixture(.hmac, secrets: ["s3cret", "older"]) { source in
            var signature = SignatureSettings(header: "X-Sig")
            change(&signature)
            source.signature = signature
            source.identity = ["header.X-Id", "body.event.id"]
            source.typePath = "body.event.type"
            source.subjectPath = "header.x-subject"
        }
    }

    private let timed = hmac { signature in
        signature.content = "v0:{timestamp}:{id}:{body}"
        signature.timestampHeader = "X-Time"
        signature.idHeader = "X-Id"
        signature.prefix = "v0="
    }
    private let body = #"{"event":{"id":"e-1","type":"door.opened"}}"#

    @Test("every algorithm and encoding verifies what it signed and nothing else")
    func algorithms() {
        for algorithm in SignatureSettings.Algorithm.allCases {
            for encoding in SignatureSettings.Encoding.allCases {
                let fixture = Self.hmac {
                    $0.algorithm = algorithm
                    $0.encoding = encoding
                }
                #expect(fixture.judgeSigned(body).verifiedBy == "env:S0")
                #expect(fixture.judgeSigned(body, secret: 1).verifiedBy == "env:S1")
                #expect(fixture.judgeSigned(body) { body, _ in body[20] ^= 1 }.code == "signature_invalid")
                #expect(fixture.judgeSigned(body) { _, h in h.remove("x-sig") }.code == "signature_missing")
            }
        }
    }

    @Test("identity, type and subject come from where the source says")
    func reads() throws {
        let fixture = Self.hmac { _ in }
        let event = try #require(fixture.judgeSigned(body, [("X-Subject", "front")]) { _, h in h.remove("x-id") }.event)
        #expect(event.key == "e-1")
        #expect(event.isKeySigned)
        #expect(event.type == "door.opened")
        #expect(event.subject == "front")
        let byHeader = try #require(fixture.judgeSigned(body, id: "h-1").event)
        #expect(byHeader.key == "h-1")
        #expect(!byHeader.isKeySigned)
        #expect(timed.judgeSigned(body, id: "h-1").event?.isKeySigned == true)
        let plain = try #require(fixture.judgeSigned("{}", id: "h-1").event)
        #expect(plain.type == "webhook")
        #expect(fixture.judgeSigned("{}") { _, h in h.remove("x-id") }.code == "missing_attribute")
    }

    @Test("a signed time outside the window is refused on both sides; at the edge it is taken")
    func window() {
        for (seconds, code) in [(-300, nil), (300, nil), (-301, "signature_stale"), (301, "signature_stale")] {
            #expect(timed.judgeSigned(body, sentAt: timed.now + .seconds(seconds)).code == code)
        }
        #expect(timed.judgeSigned(body) { _, h in h.set("x-time", "1700000001") }.code == "signature_invalid")
        #expect(timed.judgeSigned(body) { _, h in h.set("x-id", "other") }.code == "signature_invalid")
        #expect(timed.judgeSigned(body) { _, h in h.remove("x-time") }.code == "signature_missing")
        #expect(timed.judgeSigned(body) { _, h in h.remove("x-id") }.code == "signature_missing")
        #expect(timed.judgeSigned(body) { _, h in h += [("x-id", "d-2")] }.code == "signature_invalid")
        #expect(timed.judgeSigned(body) { _, h in h += [("X-Time", "1700000000")] }.code == "signature_invalid")
    }

    @Test("a list of codes is accepted if one is right, a long list is cut")
    func lists() throws {
        let fixture = Self.hmac { $0.prefix = "sha256=" }
        let bad = "sha256=" + String(repeating: "0", count: 64)
        func judge(_ make: (String) -> String) -> String? {
            fixture.judgeSigned(body) { _, h in h.set("x-sig", make(h.first { $0.name == "X-Sig" }?.value ?? "")) }.code
        }
        #expect(judge { "\(bad),\($0)" } == nil)
        #expect(judge { "\(bad), \($0)" } == nil)
        #expect(judge { "\(bad),\(bad)\($0)" } == "signature_invalid")
        #expect(judge { Array(repeating: bad, count: 50).joined(separator: ",") + ",\($0)" } == "signature_invalid")
    }

    @Test("settings that cannot verify refuse everything and say why")
    func faults() {
        let unsigned = Self.hmac {
            $0.content = "{timestamp}"
            $0.timestampHeader = "X-Time"
        }
        let noTime = Self.hmac { $0.content = "{timestamp}.{body}" }
        let noID = Self.hmac { $0.content = "{id}.{body}" }
        for (fixture, word) in [(unsigned, "{body}"), (noTime, "signature.timestamp"), (noID, "signature.id")] {
            let error = fixture.judgeSigned(body).error
            #expect(fixture.source.verificationFault?.contains(word) == true)
            #expect(error?.code == .secretUnavailable)
            #expect(error?.message.contains(word) == true)
        }
    }

    @Test("bodies that are not JSON are kept as a string, or base64 if they are not UTF-8")
    func opaque() throws {
        let fixture = SourceFixture(.token)
        func data(_ body: [UInt8], _ type: String?) throws -> JSONValue {
            let headers = [("Authorization", "Bearer s3cret")] + (type.map { [("Content-Type", $0)] } ?? [])
            let verdict = fixture.source.judge(fixture.delivery(body, headers), secrets: fixture.secrets)
            return try JSONValue(parsing: try #require(verdict.event).data.bytes)
        }
        #expect(try data(Array("a\u{0}b\"\n".utf8), "text/plain") == "a\u{0}b\"\n")
        #expect(try data(Array("a=1&b=2".utf8), "application/x-www-form-urlencoded") == ["a": "1", "b": "2"])
        #expect(try data([0xFF, 0x00], "application/octet-stream") == ["base64": "/wA="])
        #expect(try data([], nil) == "")
        #expect(try data(Array("{\"a\":1}".utf8), nil) == ["a": 1])
        #expect(try data(Array("{\"a\":1}".utf8), "application/vnd.x+json; charset=utf-8") == ["a": 1])
        #expect(try data(Array("{oops".utf8), nil) == "{oops")
    }

    @Test("bodies that say they are JSON must be")
    func badJSON() {
        let fixture = SourceFixture(.token)
        func code(_ body: [UInt8]) -> String? {
            fixture.source.judge(
                fixture.delivery(body, [("Authorization", "Bearer s3cret"), ("Content-Type", "application/json")]),
                secrets: fixture.secrets
            ).code
        }
        #expect(code(Array(repeating: UInt8(ascii: "["), count: 10_000)) == "invalid_json")
        #expect(code(Array(#"{"a":""#.utf8) + [0xC0, 0xAF] + Array(#""}"#.utf8)) == "invalid_json")
        #expect(code(Array("{\"a\":\"\u{0}\"}".utf8)) == "invalid_json")
        #expect(code([0]) == "invalid_json")
        #expect(code(Array(#"{"a":"\u0000","b":1e400}"#.utf8)) == nil)
    }

    @Test("a token may have a header of its own, which never leaves")
    func ownHeader() throws {
        let fixture = SourceFixture(.token, secrets: ["s3cret", "older"]) { source in
            source.tokenHeader = "X-Plant-Key"
            source.keepHeaders = ["x-plant-key", "X-Room", "cookie", "x-hub-signature"]
        }
        let extra = [("X-Room", "3"), ("X-Room", "4"), ("Cookie", "a=b"), ("X-Hub-Signature", "sha1=00")]
        let verdict = fixture.judgeSigned("{}", extra, secret: 1)
        #expect(verdict.verifiedBy == "env:S1")
        #expect(try #require(verdict.event).headers == JSONObject([.init(key: "x-room", value: "3, 4")]))
        #expect(fixture.judge("{}", [("X-Plant-Key", "no")]).code == "unauthorized")
        #expect(fixture.judge("{}", [("Authorization", "Bearer s3cret")]).code == "unauthorized")
        #expect(fixture.judge("{}", [("X-Plant-Key", "s3cret"), ("X-Plant-Key", "s3cret")]).code == "unauthorized")
    }

    @Test("a credential cannot become a key, type or subject")
    func credentialAsAttribute() {
        let fixture = SourceFixture(.token) { source in
            source.subjectPath = "header.authorization"
            source.identity = ["header.authorization"]
        }
        #expect(fixture.judge("{}", [("Authorization", "Bearer s3cret")]).code == "missing_attribute")
    }

    @Test("none takes deliveries from this machine only, and says what to use instead")
    func loopbackOnly() {
        let fixture = SourceFixture(.none, secrets: [])
        #expect(fixture.judge("{}", [], isLoopback: true).event != nil)
        let error = fixture.judge("{}", []).error
        #expect(error?.code == .forbidden)
        #expect(error?.message.contains("hmac") == true)
    }

    @Test("with dedupe by body, a delivery without a key is known by what it says, for the window")
    func bodyDedupe() throws {
        let fixture = SourceFixture(.token) { $0.bodyDedupeWindow = .seconds(600) }
        let first = try #require(fixture.judgeSigned(#"{"a":1}"#).event),
            again = try #require(fixture.judgeSigned(#"{"a":1}"#).event)
        #expect(first.key != nil)
        #expect(first.key == again.key)
        #expect(first.keyWindow == .seconds(600))
        #expect(fixture.judgeSigned(#"{"a":2}"#).event?.key != first.key)
        #expect(SourceFixture(.token).judgeSigned("{}").event?.key == nil)
    }
}
