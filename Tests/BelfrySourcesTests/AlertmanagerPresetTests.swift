import BelfryCore
import BelfrySources
import Testing

struct AlertmanagerPresetTests {
    private let fixture = SourceFixture(.alertmanager, secrets: ["s3cret", "older"])

    private func alert(_ fingerprint: String, status: String = "firing", extra: String = "") -> String {
        """
        {"status":"\(status)","labels":{"alertname":"X"},"annotations":{},"startsAt":"2026-11-23T00:24:46.5Z",\
        "endsAt":"2026-11-23T00:25:46Z","generatorURL":"","fingerprint":"\(fingerprint)"\(extra)}
        """
    }

    private func body(_ alerts: [String]) -> String {
        """
        {"receiver":"hub","status":"firing","alerts":[\(alerts.joined(separator: ", "))],\
        "groupLabels":{"alertname":"X"},\
        "commonLabels":{},"commonAnnotations":{},"externalURL":"http://am","version":"4","groupKey":"{}:{}",\
        "truncatedAlerts":1e400}
        """
    }

    @Test("each alert is an event: key of fingerprint, status and start; its text and the group as they were written")
    func splits() throws {
        let verdict = fixture.judgeSigned(
            body([alert("f1", extra: #","value":1.50e3 "#), alert("f2", status: "resolved")]))
        #expect(verdict.verifiedBy == "env:S0")
        try #require(verdict.events.count == 2)
        let (first, second) = (verdict.events[0], verdict.events[1])
        #expect(first.type == "alert.firing")
        #expect(first.subject == "f1")
        #expect(first.origin == "hub")
        #expect(first.key == "f1/firing/2026-11-23T00:24:46.5Z")
        #expect(first.time == Timestamp("2026-11-23T00:24:46.5Z"))
        #expect(second.type == "alert.resolved")
        #expect(second.key == "f2/resolved/2026-11-23T00:24:46.5Z")
        #expect(second.time == Timestamp("2026-11-23T00:25:46Z"))
        #expect(first.data.text.contains(#""value":1.50e3"#))
        let data = try JSONValue(parsing: first.data.bytes)
        #expect(data["labels"]?["alertname"] == "X")
        #expect(data["group"]?["truncatedAlerts"]?.number?.text == "1e400")
        #expect(data["group"]?["groupKey"] == "{}:{}")
        #expect(data["group"]?.object?.members.map(\.key).contains("alerts") == false)
    }

    @Test("an alert's own member named group does not hide the group")
    func ownGroup() throws {
        let event = try #require(fixture.judgeSigned(body([alert("f", extra: #","group":"mine""#)])).event)
        #expect(event.data.value["group"]?["receiver"] == "hub")
    }

    @Test("Bearer, Basic with the secret as password, and Basic with the secret as user:password verify")
    func credentials() {
        func judge(_ authorization: String?, secret: String = "s3cret") -> Verdict {
            let fixture = SourceFixture(.alertmanager, secrets: [secret])
            return fixture.judge(
                body([alert("f")]), authorization.map { [("Authorization", $0)] } ?? [])
        }
        #expect(judge("Bearer s3cret").event != nil)
        #expect(judge("bearer  s3cret").event != nil)
        let pair = Base64.encode(Array("alert:s3cret".utf8))
        #expect(judge("Basic \(pair)").event != nil)
        #expect(judge("Basic \(pair)", secret: "alert:s3cret").event != nil)
        #expect(judge("Basic \(pair)", secret: "alert").code == "unauthorized")
        #expect(judge("Bearer s3creT").code == "unauthorized")
        #expect(judge("Bearer ").code == "unauthorized")
        #expect(judge("Basic %%").code == "unauthorized")
        #expect(judge("s3cret").code == "unauthorized")
        #expect(judge(nil).code == "unauthorized")
    }

    @Test("a rotated secret is accepted under its own name; the credentials never leave")
    func rotated() throws {
        var fixture = fixture
        fixture.source.keepHeaders = ["authorization", "x-team"]
        let verdict = fixture.judgeSigned(body([alert("f")]), [("X-Team", "ops")], secret: 1)
        #expect(verdict.verifiedBy == "env:S1")
        let headers = try #require(verdict.event?.headers)
        #expect(headers["x-team"] == "ops")
        #expect(headers["authorization"] == nil)
    }

    @Test(
        "one malformed alert refuses the whole, with its index",
        arguments: [
            "7", "[]", #"{"status":"firing","startsAt":"2026-11-23T00:24:46Z"}"#,
            #"{"status":"silent","fingerprint":"f","startsAt":"2026-11-23T00:24:46Z"}"#,
            #"{"status":"firing","fingerprint":"f","startsAt":"yesterday"}"#,
            #"{"status":"firing","fingerprint":7,"startsAt":"2026-11-23T00:24:46Z"}"#,
        ])
    func malformed(bad: String) {
        let error = fixture.judgeSigned(body([alert("a"), alert("b"), bad])).error
        #expect(error?.details["index"] == 2)
        #expect(["malformed", "missing_attribute"].contains(error?.code.rawValue))
    }

    @Test("no alerts, no array of alerts and too many alerts are refused")
    func counts() {
        #expect(fixture.judgeSigned(body([])).code == "malformed")
        #expect(fixture.judgeSigned("{}").code == "missing_attribute")
        #expect(fixture.judgeSigned(#"{"alerts":{}}"#).code == "missing_attribute")
        #expect(fixture.judgeSigned(body((0..<1000).map { alert("f\($0)") })).events.count == 1000)
        #expect(fixture.judgeSigned(body((0..<1001).map { alert("f\($0)") })).code == "malformed")
    }

    @Test("a large group copied to many alerts does not multiply without bound")
    func amplification() {
        let huge = #"{"a":""# + String(repeating: "x", count: 1_000_000) + #""}"#
        let text = body((0..<500).map { alert("f\($0)") }).replacing(
            #""commonLabels":{}"#, with: #""commonLabels":\#(huge)"#)
        #expect(fixture.judgeSigned(text).code == "payload_too_large")
    }

    @Test("a body cut anywhere is refused")
    func tampered() {
        let text = body([alert("f")])
        for count in stride(from: 0, to: text.utf8.count, by: 13) {
            #expect(fixture.judgeSigned(String(text.prefix(count))).code == "invalid_json")
        }
    }
}
