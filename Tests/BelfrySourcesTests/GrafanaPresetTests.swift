import BelfryCore
import BelfrySources
import Testing

struct GrafanaPresetTests {
    private let fixture = SourceFixture(.grafana, secrets: ["grafana-secret", "older"])
    private let timed = SourceFixture(.grafana, secrets: ["grafana-secret"]) { source in
        source.signature = .grafana(header: "X-Grafana-Sig", timestampHeader: "X-Grafana-Time")
    }
    private let body =
        #"{"receiver":"belfry","alerts":[{"status":"firing","fingerprint":"c6f1","startsAt":"2023-11-14T22:00:00Z"},"#
        + #"{"status":"resolved","fingerprint":"77aa","startsAt":"2023-11-14T21:00:00Z","endsAt":"2023-11-14T22:10:00Z"}],"#
        + #""groupKey":"{}","commonLabels":{"severity":"page"}}"#

    @Test("known signatures verify: over the body, and over timestamp:body")
    func vector() throws {
        let body = Array(#"{"id":"evt_1","object":"event"}"#.utf8)
        let plain = [
            ("X-Grafana-Alerting-Signature", "097dfa1f853f3a1a9a0cb05dd5fbbbe9d5c7ffebf8f1087b2ed5f6e5c8dc3c30")
        ]
        let bare = fixture.delivery(body, plain)
        #expect(try fixture.source.verify(bare, secrets: fixture.secrets).verifiedBy == "env:S0")
        let withTime = timed.delivery(
            body,
            [
                ("X-Grafana-Sig", "aa3be5846e81523bb5a52a7da0589aa0fdc4eb24a0132934fc700565ab1b6396"),
                ("X-Grafana-Time", "1700000000"),
            ])
        #expect(try timed.source.verify(withTime, secrets: timed.secrets).isBodySigned)
    }

    @Test("each alert is an event of its own that carries the group")
    func reads() throws {
        let events = fixture.judgeSigned(body).events
        try #require(events.count == 2)
        #expect(events.map(\.type) == ["alert.firing", "alert.resolved"])
        #expect(events.map(\.subject) == ["c6f1", "77aa"])
        #expect(events[0].key == "c6f1/firing/2023-11-14T22:00:00Z")
        #expect(events.allSatisfy { $0.isKeySigned })
        #expect(events[1].time == Timestamp("2023-11-14T22:10:00Z"))
        #expect(events[0].data.value["group"]?["commonLabels"]?["severity"]?.string == "page")
        #expect(!events[0].headers.members.contains { $0.key == "x-grafana-alerting-signature" })
    }

    @Test("a malformed alert refuses the whole, with its index")
    func malformed() {
        let error = fixture.judgeSigned(body.replacing(#""fingerprint":"77aa","#, with: "")).error
        #expect(error?.code == .missingAttribute)
        #expect(error?.details["index"] == 1)
        #expect(fixture.judgeSigned("{}").error?.message.contains("Grafana") == true)
    }

    @Test("with a timestamp header the window is 300 s, and the header is needed")
    func stale() {
        for (offset, expected) in [(-300, nil), (300, nil), (-301, "signature_stale"), (301, "signature_stale")] {
            #expect(timed.judgeSigned(body, sentAt: timed.now + .seconds(offset)).code == expected, "\(offset)")
        }
        #expect(timed.judgeSigned(body) { _, headers in headers.remove("x-grafana-time") }.code == "signature_missing")
        let moved = timed.judgeSigned(body) { _, headers in headers.set("x-grafana-time", "1700000001") }
        #expect(moved.code == "signature_invalid")
    }

    @Test("a changed body, a prefix and a signature that leaves the timestamp out are refused")
    func tampered() {
        #expect(fixture.judgeSigned(body) { body, _ in body[3] ^= 1 }.code == "signature_invalid")
        let prefixed = fixture.judgeSigned(body) { _, headers in
            headers = headers.map { $0.name.hasPrefix("X-Grafana") ? ($0.name, "sha256=" + $0.value) : $0 }
        }
        #expect(prefixed.code == "signature_invalid")
        let plain = DeliverySigner.headers(
            for: fixture.source, secret: fixture.secrets[0].secret, body: Array(body.utf8), id: "1", now: fixture.now)
        let moved = plain.map { ("X-Grafana-Sig", $0.value) } + [("X-Grafana-Time", "1700000000")]
        #expect(timed.judge(body, moved).code == "signature_invalid")
    }

    @Test("a rotated secret is accepted under its own name")
    func rotated() {
        #expect(fixture.judgeSigned(body, secret: 1).verifiedBy == "env:S1")
    }

    @Test("a repeat is the same identity; a re-fire has a new start and is not")
    func duplicate() {
        let first = fixture.judgeSigned(body).events.first?.key
        #expect(fixture.judgeSigned(body, sentAt: fixture.now + .seconds(60)).events.first?.key == first)
        #expect(fixture.judgeSigned(body.replacing("22:00:00", with: "22:30:00")).events.first?.key != first)
    }
}
