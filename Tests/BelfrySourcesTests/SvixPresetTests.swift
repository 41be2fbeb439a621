import BelfryCore
import BelfrySources
import Testing

struct SvixPresetTests {
    private let fixture = SourceFixture(.svix, secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_b2xkZXI="])
    private let body = #"{"type":"user.created","data":{"id":"user_1"}}"#

    @Test("Svix's published vector verifies")
    func vector() throws {
        var fixture = fixture
        fixture.now = Timestamp(seconds: 1_614_265_330)
        let event = try #require(
            fixture.judge(
                #"{"test": 2432232314}"#,
                [
                    ("svix-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"), ("svix-timestamp", "1614265330"),
                    ("svix-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
                ]
            ).event)
        #expect(event.key == "msg_p5jXN8AQM9LWM0D4loKWxJek")
        #expect(event.isKeySigned)
        #expect(event.type == "webhook")
    }

    @Test("the type comes from the body, the identity is the signed id, the signature stays outside")
    func reads() throws {
        let event = try #require(fixture.judgeSigned(body, id: "msg_1").event)
        #expect(event.type == "user.created")
        #expect(event.key == "msg_1")
        #expect(event.headers["svix-id"] == "msg_1")
        #expect(!event.headers.members.contains { $0.key == "svix-signature" })
    }

    @Test("the standard's own header names are another preset's")
    func names() {
        let standard = SourceFixture(.standardWebhooks, secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
        let signed = DeliverySigner.headers(
            for: standard.source, secret: standard.secrets[0].secret, body: Array(body.utf8), id: "1", now: fixture.now)
        #expect(fixture.judge(body, signed).code == "signature_missing")
    }

    @Test("the window is 300 s to both sides")
    func stale() {
        for (offset, expected) in [(-300, nil), (300, nil), (-301, "signature_stale"), (301, "signature_stale")] {
            #expect(fixture.judgeSigned(body, sentAt: fixture.now + .seconds(offset)).code == expected, "\(offset)")
        }
    }

    @Test("a changed body, id or time is refused, and so is a time that is no whole number")
    func tampered() {
        #expect(fixture.judgeSigned(body) { body, _ in body[3] ^= 1 }.code == "signature_invalid")
        for (name, value) in [
            ("svix-id", "other"), ("svix-timestamp", "1700000001"), ("svix-timestamp", "1700000000.0"),
            ("svix-timestamp", " 1700000000"),
        ] {
            #expect(fixture.judgeSigned(body) { _, headers in headers.set(name, value) }.code == "signature_invalid")
        }
    }

    @Test("a rotated secret is accepted under its own name")
    func rotated() {
        #expect(fixture.judgeSigned(body, secret: 1).verifiedBy == "env:S1")
    }

    @Test("the same id is the same identity")
    func duplicate() {
        let first = fixture.judgeSigned(body, id: "msg_1").event
        #expect(fixture.judgeSigned(body, id: "msg_1", sentAt: fixture.now + .seconds(5)).event?.key == first?.key)
    }
}
