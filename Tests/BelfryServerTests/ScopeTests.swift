import BelfryCore
import BelfryEngine
import BelfryStore
import Testing

@testable import BelfryServer

/// Scoped tokens at the edge.
@Suite("scopes", .timeLimit(.minutes(3)))
struct ScopeTests {
    private func token(_ wish: String, _ rig: HubRig) async throws -> String {
        let made = try await rig.send("POST", "/v1/tokens", token: rig.admin, body: wish)
        return try #require(made.json["token"]?.string, "\(made.body)")
    }

    @Test("a publisher's token names what it may publish, never a source that verifies its senders")
    func creation() async throws {
        try await HubRig.run { rig in
            let refused: [(String, Int, String)] = [
                (#"{"name":"a","role":"publisher"}"#, 400, "names what it may publish"),
                (#"{"name":"a","role":"publisher","scopes":[]}"#, 400, "names what it may publish"),
                (#"{"name":"a","role":"publisher","scopes":["source/repo"]}"#, 409, "verifies its senders"),
                (#"{"name":"a","role":"publisher","scopes":["source/*"]}"#, 400, "custom/NAME"),
                (#"{"name":"a","role":"publisher","scopes":["alerts"]}"#, 400, "custom/NAME"),
                (#"{"name":"a","role":"viewer","scopes":["nope"]}"#, 400, "no scope"),
                (#"{"name":"a","role":"viewer","scopes":"alerts"}"#, 400, "must be a list"),
                (#"{"name":"a","role":"viewer","scopes":["alerts",5]}"#, 400, "must be a list"),
                (#"{"name":"a","role":"viewer","expires":"soon"}"#, 400, "30d"),
                (#"{"name":"a","role":"viewer","expires":"0s"}"#, 400, "future"),
                (#"{"name":"a","role":"viewer","expires":"999999999d"}"#, 400, "ten years"),
                (#"{"name":"a","role":"viewer","expires":"2001-01-01T00:00:00Z"}"#, 400, "future"),
            ]
            for (wish, status, part) in refused {
                let answer = try await rig.send("POST", "/v1/tokens", token: rig.admin, body: wish)
                #expect(answer.status == status, "\(wish)")
                #expect(answer.json["detail"]?.string?.contains(part) == true, "\(answer.body)")
            }
            #expect(rig.hub.tokens().allSatisfy { $0.name != "a" })
            let wish = #"{"name":"a","role":"publisher","scopes":["source/new","source/plant","source/new"]}"#
            let made = try await rig.send("POST", "/v1/tokens", token: rig.admin, body: wish)
            #expect(made.json["scopes"] == ["source/new", "source/plant"])
        }
    }

    @Test("a scoped token reaches its streams and /v1/me, and is told at every other route why not")
    func routes() async throws {
        try await HubRig.run { rig in
            let eye = try await token(#"{"name":"ci-eye","role":"viewer","scopes":["run/*"],"expires":"1h"}"#, rig)
            let me = try await rig.send("GET", "/v1/me", token: eye)
            #expect(me.json["scopes"] == ["run/*"])
            let admin = try await token(#"{"name":"boss","role":"admin","scopes":["alerts"]}"#, rig)
            for path in ["/v1/runs", "/v1/events", "/v1/tokens", "/v1/audit", "/v1/status", "/metrics", "/v1/rules"] {
                for token in [eye, admin] {
                    let answer = try await rig.send("GET", path, token: token)
                    #expect(answer.status == 403, "\(path)")
                }
            }
            let refusal = try await rig.send("GET", "/v1/runs", token: eye)
            #expect(refusal.json["detail"]?.string?.contains("(run/*)") == true)

            let run = try await rig.startRun()
            #expect(try await rig.send("GET", "/v1/runs/\(run)/stream", token: eye).status == 200)
            for path in ["/v1/stream?topic=run/*&topic=runs", "/v1/stream?topic=alerts"] {
                let answer = try await rig.send("GET", path, token: eye)
                #expect(answer.status == 403 && answer.json["topic"]?.string != nil, "\(answer.body)")
            }
            #expect(try await rig.send("GET", "/v1/runs/\(run)/stream", token: admin).status == 403)
        }
    }

    @Test("custom frames go to the topics a token names; one without scopes publishes nothing")
    func customFrames() async throws {
        try await HubRig.run { rig in
            let ci = try await token(#"{"name":"ci","role":"publisher","scopes":["custom/build"]}"#, rig)
            #expect(try await rig.send("POST", "/v1/topics/custom/build", token: ci, body: "{}").status == 202)
            let other = try await rig.send("POST", "/v1/topics/custom/other", token: ci, body: "{}")
            #expect(other.status == 403)
            #expect(other.json["detail"]?.string?.contains("custom/other") == true)
            #expect(other.json["detail"]?.string?.contains("custom/build") == true)
            #expect(try await rig.send("POST", "/v1/topics/custom/x", token: rig.viewer, body: "{}").status == 403)
            #expect(try await rig.send("POST", "/v1/topics/custom/x", token: rig.admin, body: "{}").status == 202)
        }
    }
}
