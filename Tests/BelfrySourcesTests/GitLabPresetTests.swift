import BelfryCore
import BelfrySources
import Testing

struct GitLabPresetTests {
    private let fixture = SourceFixture(.gitlab, secrets: ["gl-token", "older"])
    private let headers = [("Content-Type", "application/json"), ("X-Gitlab-Event", "Issue Hook")]
    private let body = #"{"object_kind":"issue","project":{"path_with_namespace":"harbour/checkout"},"n":1e400}"#

    @Test("the token verifies, and the event says its kind and project")
    func vector() throws {
        let given =
            headers + [("X-Gitlab-Token", "gl-token"), ("Idempotency-Key", "f5e5f430-f57b-4e6e-9fac-d9128cd7232f")]
        let verdict = fixture.judge(body, given)
        let event = try #require(verdict.event)
        #expect(verdict.verifiedBy == "env:S0")
        #expect(event.type == "issue")
        #expect(event.subject == "harbour/checkout")
        #expect(event.key == "f5e5f430-f57b-4e6e-9fac-d9128cd7232f")
        #expect(event.keyWindow == nil)
        #expect(!event.isKeySigned)
        #expect(event.data.text == body)
        #expect(event.headers["x-gitlab-event"] == "Issue Hook")
        #expect(!event.headers.members.contains { $0.key == "x-gitlab-token" })
    }

    @Test("without an Idempotency-Key the body is the identity for ten minutes, whatever the event's UUID")
    func duplicate() throws {
        func event(_ body: String, uuid: String) throws -> IncomingEvent {
            try #require(
                fixture.judgeSigned(body, headers) { _, headers in
                    headers.remove("idempotency-key")
                    headers.set("x-gitlab-event-uuid", uuid)
                }.event)
        }
        let first = try event(body, uuid: "1")
        #expect(first.keyWindow == .seconds(600))
        #expect(first.isKeySigned)
        #expect(try event(body, uuid: "2").key == first.key)
        // Hooks that one change fires share a UUID and are not the same.
        #expect(try event(body.replacing("issue", with: "note"), uuid: "1").key != first.key)
    }

    @Test("system and group hooks name their kind and place elsewhere")
    func kinds() throws {
        let member = try #require(
            fixture.judgeSigned(#"{"event_name":"user_add_to_group","group_path":"harbour"}"#, headers).event)
        #expect(member.type == "user_add_to_group")
        #expect(member.subject == "harbour")
        let created = try #require(
            fixture.judgeSigned(#"{"event_name":"project_create","path_with_namespace":"harbour/new"}"#, headers).event)
        #expect(created.subject == "harbour/new")
        #expect(fixture.judgeSigned("{}", headers).event?.type == "Issue Hook")
        #expect(fixture.judgeSigned("{}").code == "missing_attribute")
    }

    @Test("a wrong, missing, empty or repeated token is refused")
    func tampered() {
        func code(_ tokens: [String]) -> String? {
            fixture.judge(body, headers + tokens.map { ("X-Gitlab-Token", $0) }).code
        }
        for tokens in [["gl-toke"], ["gl-token "], ["GL-TOKEN"], [""], [], ["gl-token", "x"], ["x", "gl-token"]] {
            #expect(code(tokens) == "unauthorized", "\(tokens)")
        }
        #expect(fixture.judge(body, headers + [("Authorization", "Bearer gl-token")]).code == "unauthorized")
    }

    @Test("a rotated secret is accepted under its own name")
    func rotated() {
        #expect(fixture.judgeSigned(body, headers, secret: 1).verifiedBy == "env:S1")
    }
}
