import BelfryCore
import BelfrySources
import Testing

/// What a source takes: `accepts`, `redact`, `respond`, `challenge`, `dedupe` for every kind of body.
struct IntakeTests {
    private let form = [(name: "Content-Type", value: "application/x-www-form-urlencoded")]
    private let lines = [(name: "Content-Type", value: "application/x-ndjson")]
    private let text = [(name: "Content-Type", value: "text/plain; charset=utf-8")]

    private func plain(_ change: (inout SourceDefinition) -> Void = { _ in }) -> SourceFixture {
        SourceFixture(.token) { source in
            source.identity = ["body.id", "header.x-id"]
            source.typePath = "body.kind"
            source.subjectPath = "body.about.what"
            change(&source)
        }
    }

    // MARK: accepts

    @Test("a form is an object of its fields; identity, type and subject are found in it")
    func forms() throws {
        let event = try #require(
            plain().judgeSigned("id=7&kind=a+b&about.what=t%C3%BCr&x=1&x=2&empty=&id=8", form).event)
        #expect(
            event.data.value == ["id": ["7", "8"], "kind": "a b", "about.what": "tür", "x": ["1", "2"], "empty": ""])
        #expect(event.key == "7")
        #expect(event.type == "a b")
        #expect(event.subject == "tür")
        #expect(plain { $0.identity = ["body.id"] }.judgeSigned("kind=x", form).code == "missing_attribute")
    }

    @Test("JSON under the type of a form, as curl -d sends it, is JSON where that is taken")
    func mislabelled() {
        #expect(plain().judgeSigned("{\"id\":1}", form).event?.data.value == ["id": 1])
        #expect(plain().judgeSigned("[1]", form).event?.data.value == [1])
        #expect(plain().judgeSigned("{\"id\":", form).code == "invalid_json")
        #expect(plain { $0.accepts = [.form] }.judgeSigned("{\"id\":1}", form).event?.data.value == ["{\"id\":1}": ""])
        #expect(plain { $0.accepts = [.json] }.judgeSigned("id=1", form).code == "unsupported_media_type")
    }

    @Test("lines are one event each; a malformed one refuses them all, with its index")
    func ndjson() throws {
        let verdict = plain().judgeSigned("{\"id\":\"a\",\"about\":{\"what\":\"w\"}}\r\n\n{\"id\":\"b\"}\n", lines)
        #expect(verdict.events.map(\.key) == ["a", "b"])
        #expect(verdict.events.map(\.subject) == ["w", nil])
        let error = try #require(plain().judgeSigned("{\"id\":\"a\"}\n{\"id\":", lines).error)
        #expect(error.code == .invalidJSON)
        #expect(error.details["index"] == 1)
        let strict = plain { $0.identity = ["body.id"] }
        let missing = try #require(strict.judgeSigned("{\"id\":\"a\"}\n{}", lines).error)
        #expect(missing.code == .missingAttribute)
        #expect(missing.details["index"] == 1)
    }

    @Test("a header names the delivery: of several lines each has a key of its own, the same at a repetition")
    func linesByHeader() {
        func keys(_ body: String) -> [String?] {
            plain().judgeSigned(body, lines + [("X-Id", "d-9")]).events.map(\.key)
        }
        #expect(keys("{}\n{}") == ["d-9#0", "d-9#1"])
        #expect(keys("{}") == ["d-9"])
    }

    @Test("a text is a string, in a charset that is not UTF-8 base 64")
    func texts() {
        let fixture = SourceFixture(.token)
        func data(_ type: String) -> JSONValue? {
            fixture.judgeSigned("a=1", [("Content-Type", type)]).event?.data.value
        }
        #expect(data("text/plain") == "a=1")
        #expect(data("text/plain; charset=\"UTF-8\"") == "a=1")
        #expect(data("text/csv;charset=iso-8859-1") == ["base64": "YT0x"])
        #expect(data("multipart/form-data; boundary=x") == "a=1")
    }

    @Test("what is not accepted is refused with what is, and how to mend it")
    func refused() throws {
        let fixture = plain { $0.accepts = [.json, .form] }
        #expect(fixture.judgeSigned("id=1", form).event != nil)
        let error = try #require(fixture.judgeSigned("hello", text).error)
        #expect(error.code == .unsupportedMediaType)
        #expect(error.details["accepts"] == ["json", "form"])
        #expect(error.message.contains("application/json or application/x-www-form-urlencoded"))
        #expect(error.message.contains("add `text`"))
        // The preset reads nothing else: there is nothing to add.
        let github = SourceFixture(.github) { $0.accepts = [.json, .text] }
        #expect(github.source.acceptedKinds == [.json])
        #expect(github.source.unreadableKinds == [.text])
        let other = try #require(github.judgeSigned("hello", text + [("X-GitHub-Event", "push")]).error)
        #expect(other.code == .unsupportedMediaType)
        #expect(!other.message.contains("add `"))
    }

    @Test("a body without a type is JSON if it parses, else what the source takes")
    func untyped() throws {
        func data(_ body: String, _ accepts: [BodyKind]) -> [JSONValue] {
            SourceFixture(.token) { $0.accepts = accepts }.judgeSigned(body, []).events.map(\.data.value)
        }
        #expect(data("{\"a\":1}", BodyKind.allCases) == [["a": 1]])
        #expect(data("{\"a\":1", BodyKind.allCases) == ["{\"a\":1"])
        #expect(data("1\n2", [.json, .ndjson]) == [1, 2])
        #expect(data("{\"a\":1}", [.text]) == ["{\"a\":1}"])
        let fixture = SourceFixture(.token) { $0.accepts = [.json] }
        #expect(fixture.judgeSigned("{\"a\":1", []).code == "invalid_json")
        #expect(SourceFixture(.token) { $0.accepts = [.form] }.judgeSigned("{}", []).code == "unsupported_media_type")
    }

    // MARK: redact

    @Test("what is redacted was read before, and is nowhere afterwards")
    func redact() throws {
        let fixture = plain { source in
            source.keepHeaders = ["x-user", "x-room"]
            source.redact = [
                EventPath(.data, [.key("customer"), .key("email")]), EventPath(.data, [.key("about"), .key("what")]),
                EventPath(.headers, [.key("x-user")]), EventPath(.subject),
            ]
        }
        let body = #"{"id":"1", "kind":"k","about":{"what":"eve"},"customer":[{"email":"eve","n":1.50}]}"#
        let json = [(name: "Content-Type", value: "application/json"), ("X-User", "eve"), ("X-Room", "4")]
        let event = try #require(fixture.judgeSigned(body, json).event)
        #expect(
            event.data.text
                == #"{"id":"1", "kind":"k","about":{"what":"[redacted]"},"customer":[{"email":"[redacted]","n":1.50}]}"#
        )
        #expect(event.subject == "[redacted]")
        #expect(event.headers["x-user"] == "[redacted]")
        #expect(event.headers["x-room"] == "4")
        #expect(event.key == "1")
        #expect(!"\(event)".contains("eve"))
    }

    @Test("forms, lines and texts are redacted too")
    func redactKinds() {
        let fixture = SourceFixture(.token) { $0.redact = [EventPath(.data, [.key("pin")])] }
        #expect(fixture.judgeSigned("pin=1&pin=2&a=3", form).event?.data.value == ["pin": "[redacted]", "a": "3"])
        #expect(
            fixture.judgeSigned("{\"pin\":1}\n{\"pin\":2,\"a\":3}", lines).events.map(\.data.text) == [
                #"{"pin":"[redacted]"}"#, #"{"pin":"[redacted]","a":3}"#,
            ])
        let hidden = #"{"pin":1}"#
        for type in ["text/plain", "text/plain; charset=utf-16", "application/octet-stream"] {
            #expect(fixture.judgeSigned(hidden, [("Content-Type", type)]).event?.data.value == "[redacted]", "\(type)")
        }
        let cloud = SourceFixture(.cloudevents) { $0.redact = [EventPath(.data, [.key("pin")])] }
        for data in [#""data":"{\"pin\":1}""#, #""data_base64":"eyJwaW4iOjH/""#, #""data":{"pin":1}"#] {
            let event = #"{"specversion":"1.0","id":"1","source":"/s","type":"t",\#(data)}"#
            let read = cloud.judgeSigned(event, [("Content-Type", "application/cloudevents+json")]).event
            #expect(read != nil && read?.data.text.contains("1") == false, "\(read?.data.text ?? "-")")
        }
        let extended = SourceFixture(.cloudevents) { $0.redact = [EventPath(.ext, [.key("pin")])] }
        let sent = #"{"specversion":"1.0","id":"1","source":"/s","type":"t","pin":"1234","room":"4"}"#
        let ext = extended.judgeSigned(sent, [("Content-Type", "application/cloudevents+json")]).event?.ext
        #expect(ext?["pin"] == "[redacted]" && ext?["room"] == "4")
        let whole = SourceFixture(.token) { $0.redact = [EventPath(.data)] }
        #expect(whole.judgeSigned("secret", text).event?.data.value == "[redacted]")
    }

    @Test("a body is known again by all it says, also by what is redacted")
    func redactAndDedupe() throws {
        let fixture = SourceFixture(.token) { source in
            source.bodyDedupeWindow = .seconds(60)
            source.redact = [EventPath(.data, [.key("pin")])]
        }
        let keys = [#"{"pin":1}"#, #"{"pin":2}"#, #"{"pin":1}"#].map { fixture.judgeSigned($0).event?.key }
        #expect(keys[0] == keys[2] && keys[0] != keys[1])
    }

    @Test("a document that shows elsewhere what it redacts, or accepts what its preset cannot read, is warned about")
    func warnings() {
        let fixture = plain { source in
            source.redact = [EventPath(.data, [.key("about")]), EventPath(.headers, [.key("x-id")])]
        }
        let said = fixture.source.warnings.joined(separator: "\n")
        #expect(said.contains("subject is read from body.about.what") && said.contains("key is read from header.x-id"))
        #expect(!said.contains("type") && !said.contains("body.id"))
        var covered = fixture.source
        covered.redact.append(EventPath(.subject))
        #expect(!covered.warnings.joined().contains("subject"))
        #expect(SourceFixture(.github) { $0.accepts = [.json, .text] }.source.warnings.count == 1)
        #expect(plain().source.warnings.isEmpty)
    }

    // MARK: dedupe

    @Test("dedupe by body holds for every kind")
    func dedupe() throws {
        let fixture = SourceFixture(.token) { $0.bodyDedupeWindow = .seconds(60) }
        for (body, type) in [("a=1&b=2", form), ("hello", text), ("{\"n\":1}\n{\"n\":2}", lines)] {
            let first = fixture.judgeSigned(body, type).events.map(\.key)
            #expect(!first.contains(nil))
            #expect(first == fixture.judgeSigned(body, type).events.map(\.key))
            #expect(Set(first).count == first.count)
            #expect(first != fixture.judgeSigned(body + "3", type).events.map(\.key))
        }
    }

    // MARK: respond and challenge

    @Test("respond is the answer, with a body that no browser sniffs")
    func respond() throws {
        var answer = FixedAnswer()
        answer.body = "<ok/>"
        answer.contentType = "text/xml"
        let fixture = SourceFixture(.token) { $0.respond = answer }
        let said = try #require(fixture.source.answer(to: fixture.delivery([], [])))
        #expect(said.status == 200)
        #expect(String(decoding: said.body, as: UTF8.self) == "<ok/>")
        #expect(said.headers.contains { $0 == ("content-type", "text/xml") })
        #expect(said.headers.contains { $0 == ("x-content-type-options", "nosniff") })
        #expect(SourceFixture(.token).source.answer(to: fixture.delivery([], [])) == nil)
    }

    private func ask(_ fixture: SourceFixture, _ query: [(name: String, value: String)], isLoopback: Bool = false)
        -> Verdict
    {
        var delivery = fixture.delivery([], [], isLoopback: isLoopback, method: "GET")
        delivery.query = query
        return fixture.source.judge(delivery, secrets: fixture.secrets)
    }

    @Test("a challenge is given back, to who knows the token")
    func challenge() throws {
        let fixture = SourceFixture(.token, secrets: ["s3cret", "older"]) {
            $0.challenge = ChallengeSettings(parameter: "hub.challenge", tokenParameter: "hub.verify_token")
        }
        for token in ["s3cret", "older"] {
            let verdict = ask(
                fixture, [("hub.mode", "subscribe"), ("hub.challenge", "11 <b>"), ("hub.verify_token", token)])
            guard case .answered(let answer) = verdict else {
                Issue.record("no answer: \(verdict)")
                continue
            }
            #expect(answer.status == 200)
            #expect(String(decoding: answer.body, as: UTF8.self) == "11 <b>")
            #expect(answer.headers.contains { $0 == ("content-type", "text/plain; charset=utf-8") })
            #expect(answer.headers.contains { $0 == ("x-content-type-options", "nosniff") })
        }
        let challenge = (name: "hub.challenge", value: "1")
        #expect(ask(fixture, [challenge, ("hub.verify_token", "s3cre")]).code == "forbidden")
        #expect(ask(fixture, [challenge, ("hub.verify_token", "")]).code == "malformed")
        #expect(ask(fixture, [challenge]).code == "missing_attribute")
        #expect(ask(fixture, [("hub.verify_token", "s3cret")]).code == "missing_attribute")
        #expect(ask(fixture, [challenge, challenge, ("hub.verify_token", "s3cret")]).code == "malformed")
        #expect(ask(SourceFixture(.token), [challenge]).code == "method_not_allowed")
    }

    @Test("an empty secret opens no challenge, and a source of preset none answers this machine alone")
    func challengeWithoutSecret() {
        let empty = SourceFixture(.token, secrets: [""]) {
            $0.challenge = ChallengeSettings(parameter: "c", tokenParameter: "t")
        }
        #expect(ask(empty, [("c", "1"), ("t", "x")]).code == "forbidden")
        let none = SourceFixture(.none, secrets: []) { $0.challenge = ChallengeSettings(parameter: "c") }
        #expect(ask(none, [("c", "1")]).code == "forbidden")
        #expect(ask(none, [("c", "1")], isLoopback: true).error == nil)
    }

    // MARK: Rehearsals

    @Test("a rehearsal reads what is not verified, and says so")
    func rehearse() throws {
        let fixture = SourceFixture(.hmac) { $0.signature = SignatureSettings(header: "X-Sig") }
        let delivery = fixture.delivery(Array("{}".utf8), [("Content-Type", "application/json")])
        let unsigned = fixture.source.rehearse(delivery, secrets: .success(fixture.secrets))
        guard case .refused(let error) = unsigned.verification else {
            Issue.record("\(unsigned)")
            return
        }
        #expect(error.code == .signatureMissing)
        #expect(unsigned.verdict.event != nil)
        let gone = fixture.source.rehearse(delivery, secrets: .failure(BelfryError(.secretUnavailable, "gone")))
        guard case .refused(let reason) = gone.verification else {
            Issue.record("\(gone)")
            return
        }
        #expect(reason.code == .secretUnavailable)
        let hmac = SourceFixture(.hmac) { $0.signature = SignatureSettings(header: "Authorization") }
        for fixture in [SourceFixture(.token), hmac] {
            let rehearsal = fixture.source.rehearse(delivery, secrets: .success(fixture.secrets))
            guard case .notChecked = rehearsal.verification else {
                Issue.record("the Authorization of a rehearsal is not the sender's")
                return
            }
        }
    }
}
