import BelfryCore
import BelfrySources
import Testing

struct GitHubPresetTests {
    private let fixture = SourceFixture(.github, secrets: ["It's a Secret to Everybody", "older"])
    private let headers = [("Content-Type", "application/json"), ("X-GitHub-Event", "issues")]
    private let body =
        #"{"action":"opened","issue":{"number":7},"repository":{"full_name":"harbour/checkout"},"n":1e400}"#

    @Test("GitHub's published vector verifies")
    func vector() throws {
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        let delivery = fixture.delivery(Array("Hello, World!".utf8), [("X-Hub-Signature-256", signature)])
        #expect(try fixture.source.verify(delivery, secrets: fixture.secrets).verifiedBy == "env:S0")
        // Verified, and only then seen to be no JSON.
        #expect(fixture.source.judge(delivery, secrets: fixture.secrets).code == "invalid_json")
    }

    @Test("an issue becomes issues.opened of owner/name#number, with its data as it was written")
    func reads() throws {
        let verdict = fixture.judgeSigned(body, headers, id: "72d3162e-cc78-11e3-81ab-4c9367dc0958")
        let event = try #require(verdict.event)
        #expect(verdict.verifiedBy == "env:S0")
        #expect(event.type == "issues.opened")
        #expect(event.subject == "harbour/checkout#7")
        #expect(event.origin == "harbour/checkout")
        #expect(event.key == "72d3162e-cc78-11e3-81ab-4c9367dc0958")
        #expect(!event.isKeySigned)
        #expect(event.data.text == body)
        #expect(event.headers["x-github-event"] == "issues")
        #expect(event.headers["x-hub-signature-256"] == nil)
    }

    @Test("a ping and a push are events by the header's name alone")
    func withoutAction() throws {
        let ping = fixture.judgeSigned(#"{"zen":"z"}"#, [("X-GitHub-Event", "ping")])
        #expect(ping.event?.type == "ping")
        #expect(ping.event?.subject == nil)
        let push = fixture.judgeSigned(#"{"repository":{"full_name":"a/b"}}"#, [("X-GitHub-Event", "push")])
        #expect(push.event?.type == "push")
        #expect(push.event?.subject == "a/b")
    }

    @Test("the later of duplicate keys wins")
    func duplicateKeys() {
        let verdict = fixture.judgeSigned(
            #"{"action":"opened","issue":{"number":1},"action":"closed","issue":{},"repository":{"full_name":"a/b"}}"#,
            headers)
        #expect(verdict.event?.type == "issues.closed")
        #expect(verdict.event?.subject == "a/b")
    }

    @Test("a rotated secret is accepted under its own name, and an unknown one is not")
    func rotated() {
        #expect(fixture.judgeSigned(body, headers, secret: 1).verifiedBy == "env:S1")
        var other = fixture
        other.secrets.removeLast()
        let signed = DeliverySigner.headers(
            for: fixture.source, secret: Secret("older"), body: Array(body.utf8), id: "1", now: fixture.now)
        #expect(other.judge(body, headers + signed).code == "signature_invalid")
    }

    @Test("one changed byte anywhere in the body is refused")
    func tampered() {
        for index in stride(from: 0, to: body.utf8.count, by: 7) {
            let verdict = fixture.judgeSigned(body, headers) { body, _ in body[index] ^= 1 }
            #expect(verdict.code == "signature_invalid")
        }
    }

    @Test("a missing signature, event or delivery header is named")
    func missingHeaders() {
        func without(_ name: String) -> BelfryError? {
            fixture.judgeSigned(body, headers) { _, headers in headers.remove(name) }.error
        }
        #expect(without("x-hub-signature-256")?.code == .signatureMissing)
        #expect(without("x-github-event")?.code == .missingAttribute)
        #expect(without("x-github-delivery")?.code == .missingAttribute)
        #expect(without("x-github-delivery")?.message.contains("x-github-delivery") == true)
    }

    @Test(
        "signatures of another form are refused",
        arguments: ["sha256=", "sha1=00", "757107", "sha256=zz", "sha256=00", ""])
    func malformed(signature: String) {
        let verdict = fixture.judgeSigned(body, headers) { _, headers in headers.set("x-hub-signature-256", signature) }
        #expect(["signature_invalid", "signature_missing"].contains(verdict.code))
    }

    @Test("a form's payload is read like a JSON body; the signature is over the raw form")
    func form() throws {
        let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("X-GitHub-Event", "issues")]
        let escaped = body.utf8.map { "%" + Hex.encode([$0]) }.joined()
        let event = try #require(fixture.judgeSigned("payload=" + escaped, headers).event)
        #expect(event.type == "issues.opened")
        #expect(event.data.text == body)
        #expect(fixture.judgeSigned("other=1", headers).code == "missing_attribute")
        #expect(fixture.judgeSigned("payload={}&payload={}", headers).code == "malformed")
        #expect(fixture.judgeSigned("payload={", headers).code == "invalid_json")
        #expect(fixture.judgeSigned("payload=%7", headers).code == "malformed")
        let tampered = fixture.judgeSigned("payload=%7B%7D", headers) { body, _ in body = Array("payload={}".utf8) }
        #expect(tampered.code == "signature_invalid")
    }

    @Test("a multipart form is refused with the setting that mends it")
    func multipart() {
        let verdict = fixture.judgeSigned(
            "--b", [("Content-Type", "multipart/form-data; boundary=b"), ("X-GitHub-Event", "push")])
        #expect(verdict.code == "unsupported_media_type")
        #expect(verdict.error?.message.contains("application/json") == true)
        #expect(verdict.error?.message.contains("multipart") == true)
    }

    @Test("no refusal shows a secret or the expected signature")
    func discreet() throws {
        let verdict = fixture.judgeSigned(body, headers) { body, _ in body[0] = 0 }
        let shown = "\(try #require(verdict.error)) \(verdict)"
        #expect(!shown.contains("Everybody"))
        let expected = DeliverySigner.headers(
            for: fixture.source, secret: fixture.secrets[0].secret, body: [0] + Array(body.utf8.dropFirst()), id: "",
            now: fixture.now)
        #expect(expected.allSatisfy { $0.value.isEmpty || !shown.contains($0.value) })
    }

    @Test("an empty secret never verifies, and none at all is said to be unavailable")
    func emptySecret() {
        var empty = fixture
        empty.secrets = [NamedSecret(name: "env:EMPTY", secret: Secret(""))]
        #expect(empty.judgeSigned(body, headers).code == "secret_unavailable")
    }
}
