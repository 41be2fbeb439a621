import BelfryCore
import BelfryCrypto
import BelfrySources
import Testing

struct StripePresetTests {
    private let fixture = SourceFixture(.stripe, secrets: ["whsec_test_secret", "whsec_older"])
    private let body =
        #"{"id":"evt_7","object":"event","type":"invoice.payment_failed","created":1699999990,"#
        + #""data":{"object":{"id":"in_7","n":1e400}}}"#

    /// The code of the refusal of a delivery whose header's line is what `change` makes of a good one.
    private func code(_ change: (_ line: String) -> String) -> String? {
        fixture.judgeSigned(body) { _, headers in
            let line = headers.first { $0.name == "Stripe-Signature" }?.value ?? ""
            headers.set("stripe-signature", change(line))
        }.code
    }

    @Test("a known signature verifies, and nothing but its own secret, time and body makes it")
    func vector() throws {
        let code = "0c8670ed117751cc551a20e35839447075c42800ea3cf3e8a2fbda99cd1e6edd"
        let headers = [("Stripe-Signature", "t=1700000000,v1=" + code)]
        let delivery = fixture.delivery(Array(#"{"id":"evt_1","object":"event"}"#.utf8), headers)
        #expect(try fixture.source.verify(delivery, secrets: fixture.secrets).verifiedBy == "env:S0")
        // Verified, and only then seen to say nothing.
        #expect(fixture.source.judge(delivery, secrets: fixture.secrets).code == "missing_attribute")
        #expect(throws: BelfryError.self) {
            try fixture.source.verify(delivery, secrets: [NamedSecret(name: "x", secret: Secret("test_secret"))])
        }
    }

    @Test("an event says its type, its object and its own id and time, with its data as it was written")
    func reads() throws {
        let event = try #require(fixture.judgeSigned(body).event)
        #expect(event.key == "evt_7")
        #expect(event.isKeySigned)
        #expect(event.type == "invoice.payment_failed")
        #expect(event.subject == "in_7")
        #expect(event.time == Timestamp(seconds: 1_699_999_990))
        #expect(event.data.text == body)
        #expect(event.headers.members.allSatisfy { $0.key != "stripe-signature" })
    }

    @Test("a thin event is read; one without id or type is not")
    func thin() throws {
        let thin =
            #"{"id":"evt_t","object":"v2.core.event","type":"v1.billing.meter.error","created":"2022-02-15T00:27:45.330Z","#
            + #""related_object":{"id":"mtr_1"},"context":"acct_1"}"#
        let event = try #require(fixture.judgeSigned(thin).event)
        #expect(event.subject == "mtr_1")
        #expect(event.origin == "acct_1")
        #expect(event.time == Timestamp("2022-02-15T00:27:45.330Z"))
        for bad in [#"{"type":"t"}"#, #"{"id":"evt_1"}"#, #"{"id":7,"type":"t"}"#, #"{"id":"","type":"t"}"#] {
            #expect(fixture.judgeSigned(bad).code == "missing_attribute")
        }
    }

    @Test("the window is 300 s to both sides, or what the source says")
    func stale() {
        for (offset, expected) in [(-300, nil), (300, nil), (-301, "signature_stale"), (301, "signature_stale")] {
            let sentAt = fixture.now + .seconds(offset)
            #expect(fixture.judgeSigned(body, sentAt: sentAt).code == expected, "\(offset)")
        }
        var wide = fixture
        wide.source.tolerance = .seconds(600)
        #expect(wide.judgeSigned(body, sentAt: wide.now - .seconds(600)).code == nil)
    }

    @Test("a changed body, CRLF and a changed time are refused")
    func tampered() {
        #expect(fixture.judgeSigned(body) { body, _ in body[12] ^= 1 }.code == "signature_invalid")
        #expect(fixture.judgeSigned(body) { body, _ in body += [0x0D, 0x0A] }.code == "signature_invalid")
        #expect(code { $0.replacing("t=1700000000", with: "t=1700000001") } == "signature_invalid")
    }

    @Test("while a secret rotates, any right v1 will do, and the secret that matched is named")
    func rotated() {
        #expect(fixture.judgeSigned(body, secret: 1).verifiedBy == "env:S1")
        let zeros = String(repeating: "0", count: 64)
        #expect(code { $0.replacing("v1=", with: "v1=\(zeros),v1=") } == nil)
        #expect(code { $0 + ",v1=\(zeros)" } == nil)
        #expect(code { $0 + ",v0=\(zeros)" } == nil)
    }

    @Test("the traps of lax libraries: a second t, a padded or fractional t, a downgrade to v0, spaces")
    func strict() {
        #expect(code { "t=1," + $0 } == "signature_invalid")
        #expect(code { $0 + ",t=1700000000" } == "signature_invalid")
        #expect(code { $0.replacing("t=1700000000", with: "t=1700000000.0") } == "signature_invalid")
        #expect(code { $0.replacing("t=1700000000", with: "t= 1700000000") } == "signature_invalid")
        #expect(code { $0.replacing("t=1700000000", with: "t=+1700000000") } == "signature_invalid")
        #expect(code { $0.replacing("t=1700000000", with: "t=") } == "signature_invalid")
        // Also where it is what was signed.
        for time in ["+1700000000", "1700000000.0", " 1700000000", "1700000000 "] {
            let key = fixture.secrets[0].secret.bytes
            let code = Hex.encode(HMAC.code(.sha256, key: key, [Array("\(time).\(body)".utf8)]))
            let verdict = fixture.judge(body, [("Stripe-Signature", "t=\(time),v1=\(code)")])
            #expect(verdict.code == "signature_invalid", "\(time)")
        }
        #expect(code { $0.replacing("v1=", with: "v0=") } == "signature_invalid")
        #expect(code { $0.replacing(",v1=", with: ", v1=") } == "signature_invalid")
        #expect(code { $0.replacing(",v1=", with: ",v1= ") } == "signature_invalid")
        #expect(code { String($0.drop { $0 != "v" }) } == "signature_missing")
        #expect(code { _ in "" } == "signature_missing")
        #expect(code { _ in "nonsense" } == "signature_missing")
    }

    @Test("two headers, and thousands of signatures, are refused without reading them all")
    func many() {
        let twice = fixture.judgeSigned(body) { _, headers in headers.append(("stripe-signature", "t=1,v1=00")) }
        #expect(twice.code == "signature_invalid")
        let zeros = ",v1=" + String(repeating: "0", count: 64)
        #expect(code { $0 + String(repeating: zeros, count: 10_000) } == "signature_invalid")
        #expect(code { String(repeating: "v1=,", count: 10_000) + $0 } == "signature_invalid")
        #expect(code { String(repeating: ",", count: 100_000) + $0 } == nil)
    }

    @Test("the same event is the same identity, whatever the signature's time")
    func duplicate() {
        let first = fixture.judgeSigned(body).event,
            second = fixture.judgeSigned(body, sentAt: fixture.now + .seconds(9))
        #expect(first?.key == second.event?.key)
    }
}
