import BelfryCore
import BelfrySources
import Testing

/// What a hostile or broken sender may try, whatever the preset.
struct HardeningTests {
    @Test("a retired source answers that it is gone")
    func retired() {
        let fixture = SourceFixture(.token) { $0.isRetired = true }
        #expect(fixture.judgeSigned("{}").code == "retired")
    }

    @Test("only POST delivers", arguments: ["GET", "PUT", "OPTIONS", "post"])
    func method(method: String) {
        let fixture = SourceFixture(.token)
        let delivery = fixture.delivery([], [("Authorization", "Bearer s3cret")], method: method)
        #expect(fixture.source.judge(delivery, secrets: fixture.secrets).code == "method_not_allowed")
    }

    @Test("a body over the source's limit is refused")
    func tooLarge() {
        let fixture = SourceFixture(.token) { $0.bodyBytesMax = 10 }
        #expect(fixture.judgeSigned("1234567890").event != nil)
        #expect(fixture.judgeSigned("0123456789a", []).code == "payload_too_large")
    }

    @Test("attributes that are too long, empty or hold control characters do not reach the store")
    func attributes() throws {
        let fixture = SourceFixture(.token) { source in
            source.identity = ["body.id"]
            source.typePath = "body.type"
            source.subjectPath = "body.subject"
        }
        let long = String(repeating: "x", count: Limits.attributeBytesMax + 1)
        for name in ["id", "type", "subject"] {
            var members = ["id": "1", "type": "t", "subject": "s"]
            members[name] = long
            let text = members.map { #""\#($0.key)":"\#($0.value)""# }.joined(separator: ",")
            let error = fixture.judgeSigned("{\(text)}").error
            #expect(error?.code == .malformed)
            #expect(error?.message.contains(name) == true)
        }
        #expect(fixture.judgeSigned(#"{"id":""}"#).code == "missing_attribute")
        #expect(fixture.judgeSigned(#"{"id":"a\u0000b"}"#).code == "malformed")
        let event = try #require(fixture.judgeSigned(#"{"id":"1","type":"a\u001b[31m","subject":"b\nc"}"#).event)
        #expect(event.type == "a [31m")
        #expect(event.subject == "b c")
    }

    @Test("every preset refuses a delivery that proves nothing", arguments: Preset.allCases)
    func unproven(preset: Preset) throws {
        let fixture = SourceFixture(preset)
        let sample = try #require(SampleDelivery.names(for: preset).first.flatMap { SampleDelivery.named($0) })
        #expect(
            fixture.source.judge(fixture.delivery(sample.body, sample.headers), secrets: fixture.secrets).error != nil)
    }

    @Test("every preset that needs a secret refuses everything without one", arguments: Preset.allCases)
    func noSecret(preset: Preset) throws {
        var fixture = SourceFixture(preset, secrets: ["whsec_c2VjcmV0"])
        let headers = DeliverySigner.headers(
            for: fixture.source, secret: fixture.secrets[0].secret, body: [], id: "1", now: fixture.now)
        fixture.secrets = []
        let code = fixture.source.judge(fixture.delivery([], headers), secrets: []).code
        #expect(code == (preset.needsSecret ? "secret_unavailable" : "forbidden"))
    }

    @Test(
        "credentials are kept by no preset, whatever keep_headers says", arguments: Preset.allCases,
        [
            "X-Hub-Signature-256", "X-Gitlab-Token", "authorization", "Proxy-Authorization", "Cookie", "X-Api-Key",
            "X-Signature",
        ])
    func credentials(preset: Preset, name: String) throws {
        let sample = try #require(SampleDelivery.names(for: preset).first.flatMap { SampleDelivery.named($0) })
        let fixture = SourceFixture(preset, secrets: ["whsec_c2VjcmV0"]) { $0.keepHeaders = [name, "X-Kept"] }
        let verdict = fixture.judgeSigned(
            String(decoding: sample.body, as: UTF8.self), sample.headers + [("X-Kept", "yes")], isLoopback: true)
        let headers = try #require(verdict.events.first?.headers)
        #expect(headers["x-kept"] == "yes")
        #expect(headers["content-type"]?.string?.hasPrefix("application/json") == true)
        #expect(
            !headers.members.contains { $0.key == name.lowercased() || $0.value.string?.contains("c2VjcmV0") == true })
    }

    @Test("header names are told apart without their case")
    func headerCase() {
        let fields = HeaderFields([("X-A", "1"), ("x-a", "2"), ("B", "3")])
        #expect(fields["x-a"] == "1")
        #expect(fields.values("x-a") == ["1", "2"])
        #expect(fields["b"] == "3")
        #expect(fields["c"] == nil)
    }
}
