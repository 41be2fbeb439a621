import BelfryCore
import BelfrySources
import Testing

/// The specification's own examples of CloudEvents over HTTP, and what it forbids.
@Suite(.enabled(if: Conformance.isThere, "the third-party cases are not beside the checkout"))
struct CloudEventsConformanceTests {
    private let fixture = SourceFixture(.cloudevents)

    private func judge(_ item: JSONValue) -> Verdict {
        let given = (item["headers"]?.object?.members ?? []).map { (name: $0.key, value: $0.value.string ?? "") }
        let headers = given + [("Authorization", "Bearer s3cret")]
        let delivery = fixture.delivery(
            Array((item["body"]?.string ?? "").utf8), headers, method: item["method"]?.string ?? "POST")
        return fixture.source.judge(delivery, secrets: fixture.secrets)
    }

    @Test("all recorded requests are read or refused as the specification says")
    func cases() throws {
        let items = try #require(Conformance.json("cloudevents.json").array)
        #expect(items.count >= 30)
        for item in items {
            let name = item["name"]?.string ?? "?"
            let verdict = judge(item)
            guard item["valid"]?.bool == true else {
                let code = verdict.code ?? "accepted"
                #expect(["malformed", "missing_attribute", "invalid_json"].contains(code), "\(name): \(code)")
                continue
            }
            let expected = item["expect"]?["batch"]?.array ?? [item["expect"] ?? .null]
            try #require(verdict.events.count == expected.count, "\(name): \(verdict)")
            for (event, expected) in zip(verdict.events, expected) { try check(event, expected, name) }
        }
    }

    private func check(_ event: IncomingEvent, _ expected: JSONValue, _ name: String) throws {
        let attributes = try #require(expected["attributes"]?.object)
        for (key, value) in attributes.members.map({ ($0.key, $0.value) }) {
            let said: String? =
                switch key {
                case "id": event.key.map { String($0.dropFirst((event.origin ?? "").count + 1)) }
                case "source": event.origin
                case "type": event.type
                case "subject": event.subject
                case "time": event.time?.description
                default: event.ext[key]?.string
                }
            let wanted = key == "time" ? value.string.flatMap { Timestamp($0) }?.description : value.string
            #expect(said == wanted, "\(name): \(key)")
        }
        #expect(
            attributes.members.count == event.ext.members.count + (event.subject == nil ? 3 : 4)
                + (event.time == nil ? 0 : 1))
        if let data = expected["data"] { #expect(event.data.value == data, "\(name)") }
        if let encoded = expected["data_base64"]?.string {
            // Bytes without a content type are the JSON that they are; others are kept as base 64.
            let bytes = try #require(Base64.decode(encoded))
            #expect(event.data.bytes == bytes || event.data.value["base64"]?.string == encoded, "\(name)")
        }
    }
}
