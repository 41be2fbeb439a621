import BelfryCore
import BelfryCrypto
import BelfrySources
import Testing

struct StandardWebhooksPresetTests {
    private static let shared = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    private let fixture = SourceFixture(.standardWebhooks, secrets: [shared, "whsec_b2xkZXIgc2VjcmV0"])
    private let body = #"{"type":"invoice.paid","timestamp":"2023-11-14T22:13:00Z","data":{"id":1}}"#

    @Test("the published vector verifies, also as one of many signatures, to the edges of the window")
    func vector() {
        var fixture = fixture
        let good = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        let bad = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
        func judge(_ signature: String, at seconds: Int64) -> Verdict {
            fixture.now = Timestamp(seconds: seconds)
            return fixture.judge(
                #"{"test": 2432232314}"#,
                [
                    ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("webhook-timestamp", "1614265330"),
                    ("webhook-signature", signature),
                ])
        }
        let event = judge(good, at: 1_614_265_330).event
        #expect(event?.key == "msg_p5jXN8AQM9LWM0D4loKWxJek")
        #expect(event?.isKeySigned == true)
        #expect(event?.type == "webhook")
        #expect(judge("\(bad) v2,\(bad.dropFirst(3)) \(good)", at: 1_614_265_630).event != nil)
        #expect(judge(good, at: 1_614_265_030).event != nil)
        #expect(judge(good, at: 1_614_265_631).code == "signature_stale")
        #expect(judge(good, at: 1_614_265_029).code == "signature_stale")
        #expect(judge(bad, at: 1_614_265_330).code == "signature_invalid")
    }

    @Test("type and time come from the body, the id from its header")
    func reads() throws {
        let event = try #require(fixture.judgeSigned(body, id: "msg_1").event)
        #expect(event.type == "invoice.paid")
        #expect(event.time == Timestamp("2023-11-14T22:13:00Z"))
        #expect(event.key == "msg_1")
        #expect(event.headers["webhook-signature"] == nil)
    }

    @Test("a rotated secret is accepted under its own name")
    func rotated() {
        #expect(fixture.judgeSigned(body, secret: 1).verifiedBy == "env:S1")
    }

    @Test("a changed byte of body, id or time is refused")
    func tampered() {
        #expect(fixture.judgeSigned(body) { body, _ in body[9] ^= 1 }.code == "signature_invalid")
        #expect(fixture.judgeSigned(body) { _, h in h.set("webhook-id", "d-2") }.code == "signature_invalid")
        #expect(
            fixture.judgeSigned(body) { _, h in h.set("webhook-timestamp", "1699999999") }.code == "signature_invalid")
    }

    @Test("a missing header is named", arguments: ["webhook-id", "webhook-timestamp", "webhook-signature"])
    func missing(name: String) {
        let error = fixture.judgeSigned(body) { _, headers in headers.remove(name) }.error
        #expect(error?.code == .signatureMissing)
        #expect(error?.message.contains(name) == true)
    }

    @Test(
        "times that are not whole seconds in digits are refused",
        arguments: [
            "1700000000.0", " 1700000000", "+1700000000", "1700000000 ", "0x6553f100", "-1", "999999999999999999999",
        ])
    func oddTimes(text: String) {
        let verdict = fixture.judgeSigned(body) { _, headers in headers.set("webhook-timestamp", text) }
        #expect(verdict.code == "signature_invalid")
    }

    @Test("a signed header that stands there twice is refused", arguments: ["webhook-id", "webhook-timestamp"])
    func twice(name: String) {
        let verdict = fixture.judgeSigned(body) { _, headers in
            headers += headers.filter { $0.name.lowercased() == name }
        }
        #expect(verdict.code == "signature_invalid")
    }

    @Test("Ed25519 signatures verify with the public key alone, and not the other way round")
    func ed25519() throws {
        let seed = Random.bytes(32)
        let key = try #require(Ed25519.publicKey(ofSeed: seed))
        var fixture = SourceFixture(.standardWebhooks, secrets: ["whpk_" + Base64.encode(key)])
        let signed = DeliverySigner.headers(
            for: fixture.source, secret: Secret("whsk_" + Base64.encode(seed)), body: Array(body.utf8), id: "m",
            now: fixture.now)
        #expect(fixture.judge(body, signed).event?.key == "m")
        #expect(fixture.judge(body + " ", signed).code == "signature_invalid")
        // The public key is public: it must not serve as a shared secret.
        let forged = DeliverySigner.headers(
            for: fixture.source, secret: Secret("whsec_" + Base64.encode(key)), body: Array(body.utf8), id: "m",
            now: fixture.now)
        #expect(fixture.judge(body, forged).code == "signature_invalid")
        fixture.secrets = [NamedSecret(name: "k", secret: Secret("whsk_" + Base64.encode(seed)))]
        #expect(fixture.judge(body, signed).code == "signature_invalid")
    }

    @Test(
        "secrets that are empty or do not decode never verify",
        arguments: ["whsec_", "whsec_%%%", "whpk_AAAA", "whpk_", ""])
    func badSecrets(secret: String) {
        let fixture = SourceFixture(.standardWebhooks, secrets: [secret])
        let content: [[UInt8]] = [Array("d-1.1700000000.".utf8), Array(body.utf8)]
        let empty = Base64.encode(HMAC.code(.sha256, key: [], content))
        let verdict = fixture.judge(
            body,
            [("webhook-id", "d-1"), ("webhook-timestamp", "1700000000"), ("webhook-signature", "v1,\(empty) v1,")])
        #expect(["signature_invalid", "secret_unavailable"].contains(verdict.code))
    }

    @Test("a secret without its padding or prefix still decodes")
    func lenientSecret() {
        let fixture = SourceFixture(.standardWebhooks, secrets: ["whsec_c2VjcmV0MQ"])
        #expect(fixture.judgeSigned(body).event != nil)
        let bare = SourceFixture(.standardWebhooks, secrets: ["c2VjcmV0MQ=="])
        #expect(bare.judgeSigned(body).event != nil)
    }

    @Test("bodies that are not JSON are refused after they verified")
    func notJSON() {
        #expect(fixture.judgeSigned("hello", []).code == "invalid_json")
        #expect(fixture.judgeSigned("a=b", [("Content-Type", "text/plain")]).code == "unsupported_media_type")
    }
}
