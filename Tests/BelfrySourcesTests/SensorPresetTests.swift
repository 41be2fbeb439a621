import BelfryCore
import BelfrySources
import Testing

struct SensorPresetTests {
    private let fixture = SourceFixture(.sensor, secrets: ["s3cret", "older"])
    private let lines: [(name: String, value: String)] = [("Content-Type", "application/x-ndjson")]

    @Test("a reading with an id is identified by it")
    func givenID() throws {
        let event = try #require(
            fixture.judgeSigned(#"{"id":42,"sensor":"pump-7","time":"2026-01-02T03:04:05Z","celsius":96.50}"#).event)
        #expect(event.key == "42")
        #expect(event.type == "sensor.reading")
        #expect(event.subject == "pump-7")
        #expect(event.time == Timestamp("2026-01-02T03:04:05Z"))
        #expect(event.data.text.contains("96.50"))
        #expect(!event.isKeySigned)
    }

    @Test("without an id, sensor and time identify; without a time nothing does")
    func identities() {
        func key(_ body: String) -> String? { fixture.judgeSigned(body).event?.key }
        #expect(key(#"{"sensor":"p","time":"2026-01-02T03:04:05.1234Z"}"#) == "p@2026-01-02T03:04:05.1234Z")
        #expect(key(#"{"device":"p","ts":1700000000.25}"#) == "p@1700000000.25")
        #expect(key(#"{"sensor":"p"}"#) == nil)
        #expect(key(#"{"time":"2026-01-02T03:04:05Z"}"#) == nil)
        // A time of day would come again tomorrow.
        #expect(key(#"{"sensor":"p","time":"03:04"}"#) == nil)
        #expect(fixture.judgeSigned(#"{"sensor":"p","time":"03:04"}"#).event != nil)
    }

    @Test("times in seconds and milliseconds are read")
    func times() {
        func time(_ literal: String) -> Timestamp? {
            fixture.judgeSigned(#"{"sensor":"p","time":\#(literal)}"#).event?.time
        }
        #expect(time("1700000000") == Timestamp(seconds: 1_700_000_000))
        #expect(time("1700000000.5") == Timestamp(milliseconds: 1_700_000_000_500))
        #expect(time("1700000000123") == Timestamp(milliseconds: 1_700_000_000_123))
        #expect(time("1e400") == nil)
        #expect(time("-5") == nil)
    }

    @Test("a reading that says it is an alert becomes sensor.alert")
    func alerts() {
        func type(_ body: String) -> String? { fixture.judgeSigned(body).event?.type }
        #expect(type(#"{"alert":true}"#) == "sensor.alert")
        #expect(type(#"{"alert":"too hot"}"#) == "sensor.alert")
        #expect(type(#"{"type":"alert"}"#) == "sensor.alert")
        #expect(type(#"{"alert":false}"#) == "sensor.reading")
        #expect(type(#"{"alert":null,"type":"weather"}"#) == "sensor.reading")
    }

    @Test("an array and lines become one event each, in order")
    func batches() {
        let array = fixture.judgeSigned(#" [ {"id":"a"} , {"id":"b"} ] "#)
        #expect(array.events.map(\.key) == ["a", "b"])
        #expect(array.events[1].data.text == #"{"id":"b"}"#)
        let text = "{\"id\":\"a\"}\r\n\n{\"id\":\"b\"}\n"
        #expect(fixture.judgeSigned(text, lines).events.map(\.key) == ["a", "b"])
        #expect(fixture.judgeSigned(text, []).events.map(\.key) == ["a", "b"])
        #expect(fixture.judgeSigned("{\n\"id\":\"a\"\n}", []).event?.key == "a")
        #expect(fixture.judgeSigned(text).code == "invalid_json")
    }

    @Test("one malformed reading refuses the whole, with its index")
    func malformed() {
        for bad in ["7", "null", "[{}]", "\"x\""] {
            let error = fixture.judgeSigned(#"[{"id":1},\#(bad)]"#).error
            #expect(error?.code == .malformed)
            #expect(error?.details["index"] == 1)
        }
        let error = fixture.judgeSigned("{\"id\":1}\n{\"id\":", lines).error
        #expect(error?.code == .invalidJSON)
        #expect(error?.details["index"] == 1)
        #expect(fixture.judgeSigned("7").code == "malformed")
        #expect(fixture.judgeSigned("[]").code == "malformed")
        #expect(
            fixture.judgeSigned("[" + Array(repeating: "{}", count: 1001).joined(separator: ",") + "]").code
                == "malformed")
    }

    @Test("a token or an HMAC verifies; a wrong one, a changed body and none do not")
    func verification() throws {
        let body = #"{"id":1}"#
        #expect(fixture.judgeSigned(body, secret: 1).verifiedBy == "env:S1")
        #expect(fixture.judge(body, [("Authorization", "Bearer wrong")]).code == "unauthorized")
        #expect(fixture.judge(body, []).code == "unauthorized")
        let signer = SourceFixture(.hmac, secrets: ["older"])
        let signed = DeliverySigner.headers(
            for: signer.source, secret: Secret("older"), body: Array(body.utf8), id: "", now: fixture.now)
        let verdict = fixture.judge(body, signed)
        #expect(verdict.verifiedBy == "env:S1")
        #expect(verdict.event?.isKeySigned == true)
        #expect(fixture.judge(#"{"id":2}"#, signed).code == "signature_invalid")
        // A signature that is wrong is not made good by a token.
        #expect(fixture.judge(#"{"id":2}"#, signed + [("Authorization", "Bearer s3cret")]).code == "signature_invalid")
    }

    @Test("with a configured signature and time, stale and future readings are refused and a token will not do")
    func signed() {
        let fixture = SourceFixture(.sensor) { source in
            var signature = SignatureSettings(header: "X-Device-Signature")
            signature.content = "{timestamp}.{body}"
            signature.timestampHeader = "X-Device-Time"
            source.signature = signature
        }
        #expect(fixture.judgeSigned(#"{"id":1}"#).event?.isKeySigned == true)
        for seconds in [-301, 301] {
            let sentAt = fixture.now + .seconds(seconds)
            #expect(fixture.judgeSigned(#"{"id":1}"#, sentAt: sentAt).code == "signature_stale")
        }
        #expect(fixture.judge(#"{"id":1}"#, [("Authorization", "Bearer s3cret")]).code == "signature_missing")
    }

    @Test("other content types are refused")
    func contentType() {
        #expect(fixture.judgeSigned("{}", [("Content-Type", "text/plain")]).code == "unsupported_media_type")
    }
}
