import BelfryCore
import BelfryEngine
import BelfryStore
import NIOHTTP1
import Synchronization
import Testing

@testable import BelfryServer

/// Browsers that sign in, over real sockets.
@Suite("sessions", .timeLimit(.minutes(3)))
struct SessionTests {
    private let own = "Origin: http://x\r\n"

    private func signIn(_ rig: HubRig, _ body: JSONValue, headers: String? = nil) async throws -> HubRig.Answer {
        try await rig.send("POST", "/v1/session", headers: headers ?? own, body: body.text)
    }

    /// The `Cookie` line of a browser that has got this answer.
    private func cookie(_ answer: HubRig.Answer) throws -> String {
        let line = try #require(answer.head.split(separator: "\r\n").first { $0.hasPrefix("set-cookie: ") })
        return "Cookie: other=1; \(line.dropFirst(12).prefix { $0 != ";" })\r\n"
    }

    private func link(_ rig: HubRig, token: String) async throws -> JSONValue {
        let answer = try await rig.send("POST", "/v1/sign-in-links", token: token)
        #expect(answer.status == 201)
        return answer.json
    }

    @Test("a link signs one browser in, with its maker's role, and works once")
    func link() async throws {
        try await HubRig.run { rig in
            let link = try await link(rig, token: rig.viewer)
            let code = try #require(link["code"]?.string)
            #expect(link["url"]?.string == "http://x/#sign-in=\(code)")
            let answer = try await signIn(rig, ["code": .string(code)])
            #expect(answer.status == 204)
            #expect(answer.head.contains("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict\r\n"))
            let cookie = try cookie(answer)
            let session = try await rig.send("GET", "/v1/session", headers: cookie)
            #expect(session.json["signed_in"]?.bool == true)
            #expect(session.json["role"]?.string == "viewer")
            #expect(try await rig.send("GET", "/v1/runs", headers: cookie).status == 200)
            #expect(try await rig.send("GET", "/v1/tokens", headers: cookie).status == 403)

            #expect(try await signIn(rig, ["code": .string(code)]).status == 401)
            #expect(try await rig.send("GET", "/v1/session").json == ["signed_in": false])
            let listed = try #require(rig.hub.tokens().first { $0.name.hasPrefix("session-") })
            #expect(listed.createdBy == "eye" && listed.role == .viewer && listed.expires != nil)
        }
    }

    @Test("a token signs in too; a publisher's does not, nor does nonsense")
    func token() async throws {
        try await HubRig.run { rig in
            let cookie = try cookie(try await signIn(rig, ["token": .string(rig.admin)]))
            #expect(try await rig.send("GET", "/v1/me", headers: cookie).json["role"]?.string == "admin")
            for (name, role, scope) in [("sensor", Role.publisher, "custom/a"), ("wall", .viewer, "alerts")] {
                let scoped = try await rig.hub.createToken(name: name, role: role, scopes: [scope], by: .hub)
                #expect(try await signIn(rig, ["token": .string(scoped.secret.text)]).status == 403)
                #expect(try await rig.send("POST", "/v1/sign-in-links", token: scoped.secret.text).status == 403)
            }
            await #expect(throws: BelfryError.self) {
                try await rig.hub.createToken(name: "session-board", role: .viewer, by: .hub)
            }
            for body: JSONValue in [["token": "blf_no"], ["code": "abc"], [:], ["code": 5], []] {
                #expect(try await signIn(rig, body).status == 401)
            }
        }
    }

    @Test("with the cookie alone only a page of the hub's own may change something; every other may read at most")
    func origin() async throws {
        try await HubRig.run { rig in
            let cookie = try cookie(try await signIn(rig, ["token": .string(rig.admin)]))
            for (headers, status) in [
                ("", 403), ("Origin: http://evil.example\r\n", 403), ("Origin: null\r\n", 403),
                ("Origin: http://x:8421\r\n", 403), (own + own, 403), (own, 200),
            ] {
                let answer = try await rig.send("POST", "/v1/pause", headers: cookie + headers)
                #expect(answer.status == status, "\(headers)")
            }
            #expect(try await rig.send("GET", "/v1/runs", headers: cookie).status == 200)
            // A token in the header is no browser's doing, whatever page it comes from.
            let evil = cookie + "Origin: http://evil.example\r\n"
            #expect(try await rig.send("POST", "/v1/resume", token: rig.admin, headers: evil).status == 200)
            #expect(try await rig.send("POST", "/v1/resume", token: "nonsense", headers: cookie + own).status == 401)
            #expect(try await signIn(rig, ["token": .string(rig.admin)], headers: "Origin: null\r\n").status == 403)
        }
    }

    @Test("signing out ends the session at once; a second sign-in ends the first; a given token is not signed out")
    func signOut() async throws {
        try await HubRig.run { rig in
            let first = try cookie(try await signIn(rig, ["token": .string(rig.viewer)]))
            let second = try cookie(try await signIn(rig, ["token": .string(rig.viewer)], headers: own + first))
            #expect(try await rig.send("GET", "/v1/runs", headers: first).status == 401)
            let out = try await rig.send("DELETE", "/v1/session", headers: second + own)
            #expect(out.status == 204)
            #expect(out.head.contains("set-cookie: belfry_session=; Path=/; Max-Age=0;"))
            #expect(try await rig.send("GET", "/v1/runs", headers: second).status == 401)
            #expect(try await rig.send("DELETE", "/v1/session", token: rig.viewer).status == 409)
            #expect(try await rig.send("GET", "/v1/runs", token: rig.viewer).status == 200)
        }
    }

    @Test("who loses a token loses the browsers it signed in, and the links it made")
    func revoked() async throws {
        try await HubRig.run { rig in
            let created = try await rig.hub.createToken(name: "leaver", role: .operator, by: .hub)
            let first = try cookie(try await signIn(rig, ["token": .string(created.secret.text)]))
            // Of the session, a link; of the link, another session.
            let made = try await rig.send("POST", "/v1/sign-in-links", headers: first + own)
            let second = try cookie(try await signIn(rig, ["code": made.json["code"] ?? .null]))
            let unused = try await link(rig, token: created.secret.text)
            #expect(try await rig.send("GET", "/v1/runs", headers: second).status == 200)
            try await rig.hub.revokeToken(created.record.id, by: .hub)
            #expect(try await rig.send("GET", "/v1/runs", headers: first).status == 401)
            #expect(try await rig.send("GET", "/v1/runs", headers: second).status == 401)
            #expect(try await signIn(rig, ["code": unused["code"] ?? .null]).status == 401)
            // Nor does one that is signing in at that moment stay.
            let leaver = Principal(token: created.record.id, name: "leaver", role: .operator)
            await #expect(throws: BelfryError.self) { try await rig.hub.beginSession(for: leaver) }
            #expect(rig.hub.tokens().allSatisfy { $0.createdBy != "leaver" || $0.revoked != nil })
        }
    }

    @Test("ended sessions are listed for a week, and then no more; live ones and given tokens stay")
    func endedSessions() async throws {
        let start = WallClock.system.now()
        let time = Mutex(start)
        try await HubRig.run(clock: WallClock { time.withLock { $0 } }) { rig in
            let viewer = try #require(rig.hub.authenticate(bearer: rig.viewer))
            func signIn() async throws -> TokenID { try await rig.hub.beginSession(for: viewer).record.id }
            func listed() -> Set<TokenID> {
                Set(rig.hub.tokens().filter { $0.name.hasPrefix("session-") }.map(\.id))
            }
            let ended = try await signIn()
            let live = try await signIn()
            try await rig.hub.revokeToken(ended, by: viewer)
            time.withLock { $0 = start + Limits.sessionRecordRetention - .seconds(1) }
            let second = try await signIn()
            #expect(listed() == [ended, live, second])
            time.withLock { $0 = start + Limits.sessionRecordRetention + .seconds(1) }
            let third = try await signIn()
            #expect(listed() == [live, second, third])
            #expect(rig.hub.authenticate(bearer: rig.viewer) != nil)
            // Those that nobody ended end by themselves.
            time.withLock { $0 = start + Limits.sessionLifetime + Limits.sessionRecordRetention - .seconds(10) }
            let fourth = try await signIn()
            #expect(listed() == [live, second, third, fourth])
            time.withLock { $0 = start + Limits.sessionLifetime + Limits.sessionRecordRetention + .seconds(10) }
            let fifth = try await signIn()
            #expect(listed() == [second, third, fourth, fifth])
        }
    }

    @Test("who guesses is told to wait after ten times in a minute, and keeps nobody of the same address out")
    func guessing() async throws {
        try await HubRig.run { rig in
            for _ in 0..<Limits.signInFailuresMax {
                #expect(try await signIn(rig, ["code": "0123456789abcdef0123456789abcdef"]).status == 401)
            }
            let answer = try await signIn(rig, ["token": "blf_no"])
            #expect(answer.status == 429)
            #expect(answer.head.contains("retry-after: 60"))
            // Behind a proxy this is everybody's address.
            #expect(try await signIn(rig, ["token": .string(rig.viewer)]).status == 204)
        }
    }

    @Test("behind TLS the cookie is Secure, and its name holds the port the browser asked for")
    func cookieName() async throws {
        try await HubRig.run(configure: { $0.publicURL = "https://hub.example/" }) { rig in
            let link = try await link(rig, token: rig.viewer)
            #expect(link["url"]?.string?.hasPrefix("https://hub.example/#sign-in=") == true)
            let body: JSONValue = ["token": .string(rig.viewer)]
            let secure = try await signIn(rig, body, headers: "Origin: https://hub.example\r\n")
            #expect(secure.head.contains("SameSite=Strict; Secure"))
            #expect(try await signIn(rig, body, headers: "").head.contains("; Secure"))
            #expect(try await !signIn(rig, body).head.contains("; Secure"))
        }
        let secret = Secret("t")
        #expect(SessionCookie.header(secret, host: "h:9000", isSecure: false).value.hasPrefix("belfry_session_9000=t;"))
        for (cookies, token) in [
            (["belfry_session_9000=t"], "t"), (["a=b; belfry_session_9000=t;c"], "t"),
            (["a=b", "belfry_session_9000=t"], "t"),
            (["belfry_session=t"], nil), (["belfry_session_9000=a; belfry_session_9000=b"], nil),
            (["xbelfry_session_9000=t"], nil), ([""], nil),
        ] as [([String], String?)] {
            let headers = cookies.map { ("cookie", $0) } + [("host", "h:9000")]
            #expect(SessionCookie.token(in: .init(headers)) == token, "\(cookies)")
        }
    }

    @Test("a code ends after fifteen minutes, and only so many wait")
    func codes() throws {
        let codes = SignInCodes()
        let now = Timestamp(seconds: 1_000_000)
        let code = try codes.make(for: .hub, at: now).code.text
        #expect(codes.take(code, at: now + Limits.signInCodeLifetime) == nil)
        #expect(codes.take(code, at: now) == nil)
        for _ in 0..<Limits.signInCodesMax { _ = try codes.make(for: .hub, at: now) }
        #expect(throws: BelfryError.self) { try codes.make(for: .hub, at: now) }
        let later = try codes.make(for: .hub, at: now + Limits.signInCodeLifetime).code.text
        #expect(codes.take(later, at: now + Limits.signInCodeLifetime) == .hub)
    }
}

/// The page's files.
@Suite("page", .timeLimit(.minutes(3)))
struct PageRouteTests {
    @Test("the page and all it names are there, whoever asks, under a policy that lets in nothing from elsewhere")
    func assets() async throws {
        try await HubRig.run { rig in
            let page = try await rig.send("GET", "/")
            #expect(page.status == 200 && page.body.hasPrefix("<!doctype html>"))
            #expect(page.head.contains("content-security-policy: default-src 'none'; script-src 'self'; "))
            #expect(
                page.head.contains("frame-ancestors 'none'") && page.head.contains("x-content-type-options: nosniff"))
            #expect(page.head.contains("referrer-policy: no-referrer"))
            for asset in PageAsset.all.map(\.path) {
                let answer = try await rig.send("GET", "/\(asset)")
                #expect(answer.status == 200, "\(asset)")
                let tag = try #require(answer.head.firstMatch(of: /etag: ("[0-9a-f]+")/)?.output.1)
                let again = try await rig.send("GET", "/\(asset)", headers: "If-None-Match: \"a\", \(tag)\r\n")
                #expect(again.status == 304 && again.body.isEmpty)
                let head = try await rig.send("HEAD", "/\(asset)")
                #expect(head.body.isEmpty && head.head.contains("content-length: \(answer.body.utf8.count)"))
            }
            // Nothing is named that is not there, and nothing from elsewhere.
            for name in page.body.matches(of: /(?:src|href)="([^"]+)"/).map(\.output.1) {
                #expect(PageAsset.all.contains { $0.path == name }, "\(name)")
            }
            #expect(!page.body.contains(/<script(?![^>]*src=)|<style|style=| on[a-z]+=/))
        }
    }
}
