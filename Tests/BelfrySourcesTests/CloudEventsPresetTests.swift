import BelfryCore
import BelfrySources
import Testing

struct CloudEventsPresetTests {
    private let fixture = SourceFixture(.cloudevents, secrets: ["s3cret", "older"])
    private let binary = [
        ("Content-Type", "application/json"), ("ce-specversion", "1.0"), ("ce-source", "/plant/7"),
        ("ce-type", "device.alert"),
    ]
    private let structured = [("Content-Type", "application/cloudevents+json; charset=utf-8")]
    private let batch = [("Content-Type", "application/cloudevents-batch+json")]
    private let event = #"{"specversion":"1.0","id":"1","source":"/plant/7","type":"device.alert"}"#

    /// A structured event with these members beside the needed ones.
    private func judge(_ members: String) -> Verdict {
        fixture.judgeSigned(event.dropLast() + ",\(members)}", structured)
    }

    @Test("binary mode: attributes in headers, the data as it was written")
    func readsBinary() throws {
        let headers =
            binary + [("ce-time", "2018-04-05T17:31:00Z"), ("ce-subject", "pump"), ("Ce-Site", "north%20%E2%82%AC")]
        let verdict = fixture.judgeSigned(#"{"celsius":1e400}"#, headers, id: "A-1")
        let event = try #require(verdict.event)
        #expect(verdict.verifiedBy == "env:S0")
        #expect(event.origin == "/plant/7")
        #expect(event.key == "/plant/7 A-1")
        #expect(!event.isKeySigned)
        #expect(event.type == "device.alert")
        #expect(event.subject == "pump")
        #expect(event.time == Timestamp("2018-04-05T17:31:00Z"))
        #expect(event.data.text == #"{"celsius":1e400}"#)
        #expect(
            JSONValue.object(event.ext)
                == ["specversion": "1.0", "site": "north €", "datacontenttype": "application/json"])
        #expect(!event.headers.members.contains { $0.key == "authorization" || $0.key.hasPrefix("ce-") })
    }

    @Test("structured mode: one object, its other attributes as text, null is none")
    func readsStructured() throws {
        let event = try #require(
            judge(#""subject":null,"site":"north","floor":-5,"hot":true,"gone":null,"data":{"c":[1.50]}"#).event)
        #expect(event.subject == nil)
        #expect(event.data.text == #"{"c":[1.50]}"#)
        #expect(JSONValue.object(event.ext) == ["specversion": "1.0", "site": "north", "floor": "-5", "hot": "true"])
        // The headers of binary mode mean nothing here.
        let both = structured + [("ce-type", "other"), ("ce-id", "%")]
        #expect(fixture.judgeSigned(self.event, both).event?.type == "device.alert")
    }

    @Test("data of other types is text, or base 64 where it is none; JSON in base 64 is JSON")
    func data() throws {
        func data(_ members: String) -> String? { judge(members).event?.data.text }
        #expect(data(#""datacontenttype":"application/xml","data":"<a/>""#) == #""<a/>""#)
        #expect(data(#""datacontenttype":"text/plain","data_base64":"aGk=""#) == #""hi""#)
        #expect(
            data(#""datacontenttype":"image/png","data_base64":"gAEAAQAAAARwaW5n""#)
                == #"{"base64":"gAEAAQAAAARwaW5n"}"#)
        #expect(data(#""datacontenttype":"application/json","data_base64":"WzFd""#) == "[1]")
        #expect(data(#""data_base64":"WzFd""#) == #""[1]""#)
        #expect(data(#""data":null"#) == "null")
        #expect(data(#""site":"north""#) == "null")
        #expect(judge(#""datacontenttype":"application/json","data_base64":"ezE=""#).code == "invalid_json")
        #expect(fixture.judgeSigned("", binary).event?.data == .null)
        #expect(fixture.judgeSigned("{", binary).code == "invalid_json")
        let text = binary.map { $0.0 == "Content-Type" ? ($0.0, "text/plain") : $0 }
        #expect(fixture.judgeSigned("a=1", text).event?.data.text == #""a=1""#)
    }

    @Test("a batch is one event each, in order")
    func readsBatch() {
        let second = event.replacing(#""id":"1""#, with: #""id":"2""#)
        let events = fixture.judgeSigned("[\(event),\n \(second)]", batch).events
        #expect(events.map(\.key) == ["/plant/7 1", "/plant/7 2"])
        #expect(fixture.judgeSigned("[]", batch).code == "malformed")
        #expect(fixture.judgeSigned(event, batch).code == "malformed")
        #expect(fixture.judgeSigned("[\(event)", batch).code == "invalid_json")
    }

    @Test("one malformed item refuses the whole batch, with its index")
    func malformedItem() {
        for bad in ["{}", "7", "[]", event.replacing("1.0", with: "0.3"), event.replacing("/plant/7", with: "")] {
            let error = fixture.judgeSigned("[\(event),\(bad),\(event)]", batch).error
            #expect(error?.details["index"] == 1, "\(bad)")
        }
        let many = Array(repeating: event, count: Limits.eventsPerDeliveryMax + 1).joined(separator: ",")
        #expect(fixture.judgeSigned("[\(many)]", batch).code == "malformed")
    }

    @Test("the handshake of brokers is answered without a token, and says back nothing but a host name and a rate")
    func handshake() {
        func judge(_ headers: [(name: String, value: String)], method: String = "OPTIONS") -> Verdict {
            fixture.source.judge(fixture.delivery([], headers, method: method), secrets: fixture.secrets)
        }
        let origin = (name: "WebHook-Request-Origin", value: "eventemitter.example.com")
        guard
            case .answered(let answer) = judge([
                origin, ("WebHook-Request-Rate", "0120"), ("WebHook-Request-Callback", "http://x"),
            ])
        else {
            Issue.record("no answer")
            return
        }
        #expect(answer.status == 200)
        #expect(answer.headers.contains { $0 == ("WebHook-Allowed-Origin", "eventemitter.example.com") })
        #expect(answer.headers.contains { $0 == ("WebHook-Allowed-Rate", "120") })
        #expect(answer.body.isEmpty)
        for bad in ["", "a b", "a\r\nX: y", "<script>", String(repeating: "a", count: 254), "*", "https://a.example"] {
            #expect(judge([("WebHook-Request-Origin", bad)]).code == "malformed", "\(bad)")
        }
        for bad in ["", "*", "-1", "0", "1.5", "9999999999", "+12", "1\r\n"] {
            #expect(judge([origin, ("WebHook-Request-Rate", bad)]).code == "malformed", "\(bad)")
        }
        #expect(judge([origin, origin]).code == "malformed")
        #expect(judge([]).code == "method_not_allowed")
        #expect(judge([origin], method: "POST").code == "unauthorized")
        var retired = fixture
        retired.source.isRetired = true
        #expect(retired.source.judge(fixture.delivery([], [origin], method: "OPTIONS"), secrets: []).code == "retired")
    }

    @Test("required attributes must be there and not be empty", arguments: ["specversion", "id", "source", "type"])
    func required(name: String) {
        let value = ["specversion": "1.0", "id": "1", "source": "/plant/7", "type": "device.alert"][name] ?? ""
        for (text, code) in [
            (event.replacing(#""\#(name)":"\#(value)""#, with: #""x":"y""#), "missing_attribute"),
            (event.replacing(#""\#(name)":"\#(value)""#, with: #""\#(name)":"""#), "missing_attribute"),
            (event.replacing(#""\#(name)":"\#(value)""#, with: #""\#(name)":null"#), "missing_attribute"),
            (event.replacing(#""\#(name)":"\#(value)""#, with: #""\#(name)":1"#), "malformed"),
        ] {
            let error = fixture.judgeSigned(text, structured).error
            #expect(error?.code.rawValue == code)
            #expect(error?.message.contains(name) == true)
        }
        let headers = binary.filter { $0.0 != "ce-\(name)" }
        let verdict = fixture.judgeSigned("{}", headers) { _, headers in headers.remove("ce-\(name)") }
        #expect(verdict.error?.message.contains("ce-\(name)") == true)
    }

    @Test(
        "what the specification forbids is refused",
        arguments: [
            #""Site":"x""#, #""my-site":"x""#, #""my_site":"x""#, #""":"x""#, #""é":"x""#, #""site":{}"#,
            #""site":[1]"#,
            #""site":1.5"#, #""site":1e3"#, #""site":"a\u0000b""#, #""site":"a\nb""#, #""site":"a\u0085b""#,
            #""time":"yesterday""#, #""time":"""#, #""time":1700000000"#, #""subject":"""#, #""subject":true"#,
            #""datacontenttype":"""#, #""id":"2""#, #""data":1,"data":2"#, #""data":1,"data_base64":"AA==""#,
            #""data_base64":"***""#, #""data_base64":1"#, #""data_base64":"AA""#,
        ])
    func forbidden(members: String) {
        #expect(["malformed", "missing_attribute"].contains(judge(members).code))
    }

    @Test("header values are unquoted and percent-decoded once, strictly")
    func headerValues() {
        func subject(_ value: String) -> String? {
            fixture.judgeSigned("{}", binary + [("ce-subject", value)]).event?.subject
        }
        #expect(subject("Euro%20%E2%82%AC%20%F0%9F%98%80") == "Euro € 😀")
        #expect(subject("%e2%82%ac") == "€")
        #expect(subject("%2541") == "%41")
        #expect(subject("a+b") == "a+b")
        #expect(subject(#""Euro \"x\" \\ %41""#) == #"Euro "x" \ A"#)
        #expect(subject(#"say "hi""#) == #"say "hi""#)
        for bad in ["%", "%4", "%zz", "%FF", "%00", "%0A", #""a"b""#, #""a\""#] {
            #expect(fixture.judgeSigned("{}", binary + [("ce-subject", bad)]).code == "malformed", "\(bad)")
        }
    }

    @Test("binary headers that are no attributes, or stand there twice, are refused")
    func headerNames() {
        for (name, value) in [
            ("ce-", "x"), ("ce-my-site", "x"), ("ce-data", "x"), ("ce-type", "again"), ("ce-site_", "x"),
        ] {
            #expect(fixture.judgeSigned("{}", binary + [(name, value)]).code == "malformed", "\(name)")
        }
        #expect(
            fixture.judgeSigned("{}", binary + [("ce-datacontenttype", "text/x")]).event?.ext["datacontenttype"]
                == "application/json")
        #expect(fixture.judgeSigned("{}").code == "missing_attribute")
        #expect(
            fixture.judgeSigned("{}", [("Content-Type", "application/cloudevents+xml")]).code
                == "unsupported_media_type")
    }

    @Test("attributes are bounded: each, together, and in number")
    func bounds() {
        let long = String(repeating: "x", count: Limits.attributeBytesMax)
        #expect(judge(#""site":"\#(long)""#).event != nil)
        #expect(judge(#""site":"\#(long)x""#).code == "malformed")
        #expect(
            fixture.judgeSigned(event.replacing(#""id":"1""#, with: #""id":"\#(long)""#), structured).code
                == "malformed")
        let members = (0..<100).map { #""a\#($0)":"x""# }.joined(separator: ",")
        #expect(judge(members).code == "malformed")
        #expect(fixture.judgeSigned("{}", binary + (0..<100).map { ("ce-a\($0)", "x") }).code == "malformed")
        let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        #expect(judge(#""data":\#(deep)"#).code == "invalid_json")
        #expect(fixture.judgeSigned(deep, batch).code == "invalid_json")
        // Source and id cannot be divided in two ways.
        #expect(fixture.judgeSigned(event.replacing("/plant/7", with: "/plant 7"), structured).code == "malformed")
    }

    @Test("a token that is wrong or old, and one that is rotated")
    func token() {
        #expect(fixture.judgeSigned(event, structured, secret: 1).verifiedBy == "env:S1")
        let wrong = fixture.judgeSigned(event, structured) { _, headers in headers.set("authorization", "Bearer x") }
        #expect(wrong.code == "unauthorized")
        let named = SourceFixture(.cloudevents) { $0.tokenHeader = "X-Broker-Key" }
        #expect(named.judgeSigned(event, structured).event != nil)
        #expect(named.judge(event, structured + [("Authorization", "Bearer s3cret")]).code == "unauthorized")
    }

    @Test("source and id are the identity, in every mode")
    func duplicate() {
        let same = fixture.judgeSigned("{}", binary, id: "1").event?.key
        #expect(fixture.judgeSigned(event, structured).event?.key == same)
        #expect(fixture.judgeSigned("[\(event)]", batch).event?.key == same)
        #expect(fixture.judgeSigned("{}", binary, id: "2").event?.key != same)
    }

    @Test("a sensor may speak CloudEvents too")
    func sensor() {
        let sensor = SourceFixture(.sensor)
        #expect(sensor.judgeSigned(event, structured).event?.type == "device.alert")
        #expect(sensor.judgeSigned("{}", binary + [("ce-id", "1")]).event?.key == "/plant/7 1")
    }
}
