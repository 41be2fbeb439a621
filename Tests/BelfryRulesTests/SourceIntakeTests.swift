import BelfryCore
import BelfryRules
import Testing

/// The keys of a source that say what it takes and what it answers.
struct SourceIntakeTests {
    private static let head = "source: s\npreset: token\nsecret: generate\n"

    private func source(_ text: String) throws -> SourceDefinition {
        let document = try #require(try DocumentLoader.load(Self.head + text).first)
        guard case .source(let source) = document.content else { throw BelfryError(.internal, "no source") }
        return source
    }

    @Test("what is written is what is read")
    func reads() throws {
        let source = try source(
            """
            accepts: [form, ndjson]
            redact: [data.customer.email, 'event.data.items[0]["a b"].pin', headers.X-User, subject, ext.user, data]
            respond: {status: 204}
            challenge: {parameter: hub.challenge, token: hub.verify_token}
            """)
        #expect(source.accepts == [.form, .ndjson])
        #expect(
            source.redact == [
                EventPath(.data, [.key("customer"), .key("email")]),
                EventPath(.data, [.key("items"), .index(0), .key("a b"), .key("pin")]),
                EventPath(.headers, [.key("x-user")]), EventPath(.subject), EventPath(.ext, [.key("user")]),
                EventPath(.data),
            ])
        #expect(source.respond?.status == 204)
        #expect(source.challenge == ChallengeSettings(parameter: "hub.challenge", tokenParameter: "hub.verify_token"))
        let other = try self.source("accepts: json\nredact: data.pin\nrespond: {body: '', content_type: text/xml}")
        #expect(other.accepts == [.json])
        #expect(other.redact == [EventPath(.data, [.key("pin")])])
        #expect(other.respond?.status == 200 && other.respond?.contentType == "text/xml")
        let none = try self.source("")
        #expect(none.accepts == nil && none.redact.isEmpty && none.respond == nil && none.challenge == nil)
    }

    /// Line 4 of a document → the diagnostic.
    static let diagnostics: [(String, String)] = [
        ("accepts: [jsno]", "accepts: 'jsno' is none of json, form, ndjson, text; did you mean 'json'?"),
        ("accepts: []", "accepts: must not be empty"),
        ("accepts: [json, json]", "accepts: 'json' stands twice"),
        ("accepts: 5", "accepts: expected a list of texts"),
        ("redact: [type]", "redact: 'type': a place to redact is in data, headers, subject, ext"),
        ("redact: [event.key]", "redact: 'event.key': a place to redact is in"),
        (
            "redact: [dta.pin]",
            "redact: 'dta.pin': a place to redact is in data, headers, subject, ext; did you mean 'data'?"
        ),
        ("redact: [event]", "redact: 'event': the whole event cannot be redacted"),
        ("redact: [data..pin]", "redact: 'data..pin': a name must follow '.'"),
        ("redact: ['data.a b']", "redact: 'data.a b': unexpected 'b'"),
        ("redact: [headers]", "redact: 'headers': name one of them; headers.NAME"),
        ("redact: [ext]", "redact: 'ext': name one of them; ext.NAME"),
        ("redact: [subject.x]", "redact: 'subject.x': the subject is a text"),
        ("redact: [data.a, data.a]", "redact: 'data.a' stands twice"),
        ("respond: {status: 302}", "respond.status: must be from 200 to 299"),
        ("respond: {code: 200}", "respond.code: unknown key"),
        ("respond: {status: 204, body: x}", "respond.body: an answer with status 204 has no body"),
        ("respond: {body: 5}", "respond.body: expected text"),
        ("respond: {content_type: html}", "respond.content_type: is no content type"),
        ("respond: {content_type: \"text/html\\r\\nX: y\"}", "respond.content_type: is no content type"),
        ("respond: ok", "respond: expected a mapping, found text"),
        ("challenge: {token: t}", "challenge.parameter: is missing"),
        ("challenge: {parameter: c, token: c}", "challenge.token: must be another parameter"),
        (
            "challenge: {parameter: \(String(repeating: "c", count: 65))}",
            "challenge.parameter: is longer than 64 bytes"
        ),
    ]

    @Test("every mistake is said with its line and path", arguments: diagnostics)
    func diagnostic(text: String, expected: String) throws {
        let error = #expect(throws: DocumentErrors.self) { try DocumentLoader.load(Self.head + text) }
        let said = try #require(error).diagnostics.map(\.description)
        #expect(said.contains { $0.hasPrefix("t.yaml:4: \(expected)") }, "\(said)")
    }

    @Test("keys of other presets, and a token without a secret")
    func presets() throws {
        for (text, expected) in [
            ("source: s\npreset: github\nsecret: generate\nrespond: {}", "respond: has no meaning for preset github"),
            ("source: s\npreset: sensor\nsecret: generate\nchallenge: {parameter: c}", "challenge: has no meaning for"),
            ("source: s\npreset: none\nchallenge: {parameter: c, token: t}", "challenge.token: is compared with"),
        ] {
            let error = #expect(throws: DocumentErrors.self) { try DocumentLoader.load(text) }
            let said = try #require(error).diagnostics.map(\.description)
            #expect(said.contains { $0.contains(expected) }, "\(said)")
        }
    }

    @Test("a body of respond is bounded")
    func longBody() {
        let body = String(repeating: "x", count: Limits.answerBodyBytesMax)
        #expect(throws: Never.self) { try DocumentLoader.load(Self.head + "respond: {body: \(body)}") }
        #expect(throws: DocumentErrors.self) { try DocumentLoader.load(Self.head + "respond: {body: \(body)x}") }
    }
}
