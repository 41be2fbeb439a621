import BelfryCore
import BelfrySources
import Testing

/// Bodies and documents that are made to hurt, named after the attack.
struct IntakeHardeningTests {
    private let fixture = SourceFixture(.token)

    private func judge(_ body: String, _ type: String, _ fixture: SourceFixture? = nil) -> Verdict {
        (fixture ?? self.fixture).judgeSigned(body, [("Content-Type", type)])
    }

    @Test("a form of a hundred thousand fields", arguments: ["a=1", "", "a"])
    func manyFields(field: String) {
        let body = Array(repeating: field, count: 100_000).joined(separator: "&")
        let verdict = judge(body, "application/x-www-form-urlencoded")
        #expect(verdict.code == (field.isEmpty ? nil : "malformed"))
    }

    @Test("a form in another charset, and one that lies about it")
    func charset() {
        for charset in ["utf-16", "iso-8859-1", "utf-7", "\"windows-1252\""] {
            let verdict = judge("a=1", "application/x-www-form-urlencoded; charset=\(charset)")
            #expect(verdict.code == "unsupported_media_type")
        }
        #expect(judge("a=%E9", "application/x-www-form-urlencoded; charset=utf-8").code == "malformed")
        #expect(judge("a=1", "application/x-www-form-urlencoded; CHARSET=UTF-8").event != nil)
    }

    @Test("a thousand and one lines, and lines without end that hold nothing")
    func manyLines() throws {
        func lines(_ count: Int) -> Verdict {
            judge(Array(repeating: "{}", count: count).joined(separator: "\n"), "application/x-ndjson")
        }
        #expect(lines(Limits.eventsPerDeliveryMax).events.count == Limits.eventsPerDeliveryMax)
        let error = try #require(lines(Limits.eventsPerDeliveryMax + 1).error)
        #expect(error.code == .malformed)
        #expect(error.details["items_max"] == .int(Limits.eventsPerDeliveryMax))
        #expect(judge(String(repeating: "\n", count: 1_000_000), "application/x-ndjson").code == "malformed")
        #expect(judge(String(repeating: "1\n", count: 1_000_000), "application/x-ndjson").code == "malformed")
    }

    @Test("a line of ten thousand brackets")
    func deepLine() {
        let error = judge("{}\n" + String(repeating: "[", count: 10_000), "application/x-ndjson").error
        #expect(error?.code == .invalidJSON)
        #expect(error?.details["index"] == 1)
    }

    @Test("a redacted value hidden under duplicate keys, escapes, joined keys and arrays of arrays of arrays")
    func hiding() throws {
        let fixture = SourceFixture(.token) {
            $0.redact = [EventPath(.data, [.key("customer"), .key("email")])]
        }
        let hidden = [
            #"{"customer":{"email":"EVE"},"customer":{"email":"EVE"}}"#,
            #"{"\u0063ustomer":{"\u0065mail":"EVE","email":["EVE"]}}"#,
            #"{"customer.email":"EVE","customer":[[[{"email":{"a":"EVE"}}],{"email":"EVE"}]]}"#,
            #"[{"customer":{"email":"EVE"}},[{"customer":{"email":"EVE"}}]]"#,
        ]
        for body in hidden {
            let event = try #require(judge(body, "application/json", fixture).event)
            #expect(!event.data.text.contains("EVE"), "\(event.data.text)")
        }
        let deep =
            String(repeating: "[", count: 120) + #"{"customer":{"email":"EVE"}}"# + String(repeating: "]", count: 120)
        #expect(judge(deep, "application/json", fixture).event?.data.text.contains("EVE") == false)
    }

    @Test("a refusal of a redacting source repeats nothing of the body")
    func refusalsAreSilent() {
        let fixture = SourceFixture(.token) { source in
            source.redact = [EventPath(.data, [.key("pin")])]
            source.identity = ["body.id"]
            source.typePath = "body.pin"
        }
        for body in [
            #"{"pin":"EVE"}"#, #"{"pin":"EVE","id":"1"#,
            #"{"id":"1","pin":"EVE\#(String(repeating: "x", count: 2000))"}"#,
        ] {
            let error = judge(body, "application/json", fixture).error
            #expect(error != nil)
            #expect(error?.description.contains("EVE") == false)
        }
    }

    @Test("a content type that is not one, and one of a megabyte")
    func types() throws {
        #expect(judge("{}", ";;;").event?.data.value == [:])
        let fixture = SourceFixture(.token) { $0.accepts = [.json] }
        let error = try #require(judge("{}", String(repeating: "x", count: 1_000_000), fixture).error)
        #expect(error.code == .unsupportedMediaType)
        #expect(error.message.utf8.count < 1000)
    }
}
