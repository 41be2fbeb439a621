import BelfryCore
import Foundation
import Testing

@testable import BelfryStore

/// What is secret is not in the files.
@Suite(.timeLimit(.minutes(3))) struct AccessTests {
    private func filesHold(_ bytes: [UInt8], in folder: String) throws -> Bool {
        try ["belfry.db", "belfry.db-wal"].contains { name in
            try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)).range(of: Data(bytes)) != nil
        }
    }

    @Test("a token works until it expires or is revoked, also after a restart, and is stored as a digest only")
    func tokens() async throws {
        let fixture = try Fixture()
        for name in ["Ann", "a\0", "", "belfry", "source/plant"] {
            #expect(
                await belfryError { _ = try await fixture.store.createToken(name: name, role: .viewer, by: .hub) }
                    != nil)
        }
        let expires = fixture.clock.now + .seconds(60)
        let admin = try await fixture.store.createToken(name: "ann", role: .admin, by: .hub)
        let twin = await belfryError { _ = try await fixture.store.createToken(name: "ann", role: .viewer, by: .hub) }
        #expect(twin?.code == .conflict)
        fixture.clock.advance(by: .milliseconds(1))
        let short = try await fixture.store.createToken(
            name: "ci", role: .publisher, scopes: ["custom/build"], expires: expires, by: admin.record.principal
        )
        #expect(fixture.store.authenticate(token: admin.secret.text)?.principal == admin.record.principal)
        #expect(fixture.store.authenticate(token: short.secret.text)?.scopes == ["custom/build"])
        #expect(fixture.store.authenticate(token: admin.secret.text + "x") == nil)
        #expect(fixture.store.authenticate(token: "") == nil)
        #expect(try !filesHold(admin.secret.bytes, in: fixture.folder))
        #expect(try filesHold(Array("custom/build".utf8), in: fixture.folder), "the search itself works")
        let again = try await fixture.reopen()
        #expect(again.tokens().map(\.name) == ["ann", "ci"])
        #expect(again.tokens().map(\.lastUsed) == [fixture.clock.now, fixture.clock.now])
        #expect(again.authenticate(token: short.secret.text) != nil)
        fixture.clock.advance(by: .seconds(60))
        #expect(again.authenticate(token: short.secret.text) == nil)
        try await again.revokeToken(admin.record.id, by: .hub)
        #expect(again.authenticate(token: admin.secret.text) == nil)
        let unknown = TokenID(at: fixture.clock.now)
        #expect(await belfryError { try await again.revokeToken(unknown, by: .hub) }?.code == .notFound)
        await again.close()
        let third = try fixture.open()
        #expect(third.authenticate(token: admin.secret.text) == nil)
        #expect(try await third.audit(after: 0).map(\.action) == ["token.created", "token.created", "token.revoked"])
        await third.close()
    }

    @Test("generated secrets survive a restart, are several at once, and are not in the files in clear")
    func secrets() async throws {
        let fixture = try Fixture()
        let first = try #require(try await fixture.store.addGeneratedSecret(source: "github", by: .hub))
        #expect(try await fixture.store.addGeneratedSecret(source: "github", onlyFirst: true, by: .hub) == nil)
        let given = Secret("whsec_a-secret-that-came-from-elsewhere")
        let second = try #require(try await fixture.store.addGeneratedSecret(given, source: "github", by: .hub))
        #expect([first.name, second.name] == ["generate", "generate#2"])
        #expect(first.secret.bytes.count == 64)
        for secret in [first, second] { #expect(try !filesHold(secret.secret.bytes, in: fixture.folder)) }
        let again = try await fixture.reopen()
        #expect(try await again.generatedSecrets(source: "github") == [first, second])
        #expect(try await again.generatedSecrets(source: "other").isEmpty)
        for entry in try await again.audit(after: 0) {
            #expect(!entry.detail.text.contains(first.secret.text) && !entry.detail.text.contains(given.text))
        }
        await again.close()
    }

    @Test("a sealed secret that was moved to another source does not open")
    func movedSecret() async throws {
        let fixture = try Fixture()
        try await fixture.store.addGeneratedSecret(source: "github", by: .hub)
        try fixture.sql("UPDATE generated_secrets SET source = 'mine'")
        let error = await belfryError { _ = try await fixture.store.generatedSecrets(source: "mine") }
        #expect(error?.code == .secretUnavailable)
        await fixture.store.close()
    }
}
