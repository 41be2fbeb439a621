import BelfryCore
import BelfryCrypto
import Foundation
import GRDB
import Migrations
import Testing

@testable import BelfryStore

/// Sealed secrets are rotated, end, and are destroyed then.
@Suite(.timeLimit(.minutes(3))) struct SecretTests {
    @Test("the older secret works on until its end, in memory's own time, and then its row is destroyed")
    func rotation() async throws {
        let fixture = try Fixture()
        let store = fixture.store
        let first = try #require(try await store.addGeneratedSecret(source: "plant", by: .hub))
        let second = try await store.rotateSecret(
            Secret("a-second-secret"), source: "plant", keep: .seconds(60), by: .hub)
        let both = try await store.generatedSecrets(source: "plant")
        #expect(both.map(\.name) == ["generate", "generate#2"] && both[1] == second)
        #expect(both[0].expires == fixture.clock.now + .seconds(60) && both[1].expires == nil)
        #expect(both[0].isActive(at: fixture.clock.now) && !both[0].isActive(at: fixture.clock.now + .seconds(60)))
        // A third with a longer time does not lengthen the first one's.
        _ = try await store.rotateSecret(Secret("a-third-secret"), source: "plant", keep: .seconds(600), by: .hub)
        fixture.clock.advance(by: .seconds(60))
        #expect(try await store.generatedSecrets(source: "plant").map(\.name) == ["generate#2", "generate#3"])
        try await fixture.accept(fixture.event("sweep"))
        #expect(try fixture.number("SELECT count(*) FROM generated_secrets") == 2)
        #expect(try await store.addGeneratedSecret(source: "plant", onlyFirst: true, by: .hub) == nil)

        let now = try await store.rotateSecret(Secret("a-fourth-secret"), source: "plant", keep: .zero, by: .hub)
        #expect(try await store.generatedSecrets(source: "plant") == [now], "0s ends the others at once")
        let audit = try await store.audit(after: 0)
        let rotated = try #require(audit.first { $0.action == "secret.rotated" })
        #expect(rotated.subject == "source/plant" && rotated.detail.value["ending"] == ["generate"])
        for entry in audit {
            #expect(!entry.detail.text.contains(first.secret.text) && !entry.detail.text.contains("-secret\""))
        }
        await store.close()
    }

    @Test("a secret that is there already is refused, and one too many")
    func bounds() async throws {
        let fixture = try Fixture()
        let store = fixture.store
        func rotate(_ text: String, _ keep: Duration = .seconds(60)) async -> BelfryError? {
            await belfryError {
                _ = try await store.rotateSecret(Secret(text), source: "plant", keep: keep, by: .hub)
            }
        }
        // A rotation that a removal has overtaken leaves no secret behind.
        #expect(await rotate("too late")?.code == .notFound)
        #expect(try fixture.number("SELECT count(*) FROM generated_secrets") == 0)
        try await store.addGeneratedSecret(Secret("secret 1"), source: "plant", by: .hub)
        for number in 2...Limits.sealedSecretsPerSourceMax { #expect(await rotate("secret \(number)") == nil) }
        let same = await rotate("secret 3")
        #expect(same?.code == .conflict && same?.message.contains("secret 3") == false)
        #expect(await rotate("one more")?.code == .conflict)
        #expect(await rotate("one more", .zero) == nil)
        await store.close()
    }

    @Test("a source removed by name loses its secrets and its pause; one that its folder no longer names keeps them")
    func removal() async throws {
        let fixture = try Fixture()
        let store = fixture.store
        func apply(_ names: [String], _ owner: DocumentOwner, removing: [String] = []) async throws {
            let drafts = names.map {
                DocumentDraft(kind: .source, name: $0, text: $0, canonical: RawJSON(["source": .string($0)]))
            }
            var plan = DocumentPlan(owner: owner, documents: drafts)
            plan.removals = removing.map { DocumentName(.source, $0) }
            plan.removesOthers = owner == .file
            _ = try await store.apply(plan, by: .hub)
        }
        try await apply(["a"], .api)
        try await apply(["b"], .file)
        for name in ["a", "b"] {
            try await store.addGeneratedSecret(source: name, by: .hub)
            try await store.setPaused(true, source: name, by: .hub)
        }
        try await apply([], .api, removing: ["a"])
        try await apply([], .file)
        #expect(try await store.generatedSecrets(source: "a").isEmpty)
        #expect(try await store.generatedSecrets(source: "b").count == 1)
        func status(_ source: String) async throws -> EventStatus {
            try await fixture.accept(fixture.event(source: source)).status
        }
        #expect(try await status("a") == .filtered)
        #expect(try await status("b") == .paused)
        await store.close()
    }

    @Test("a database of the first schema is opened, brought up to date, and its secrets still open")
    func firstSchema() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("belfry-v1-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let key = try KeyFile.load(folder: folder)
        let sealed = key.seal(Array("the old secret".utf8), context: "source/plant#1")
        var configuration = Configuration()
        configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA page_size = 16384") }
        let old = try DatabaseQueue(path: folder + "/belfry.db", configuration: configuration)
        try await old.writeWithoutTransaction { db in
            try db.execute(sql: Migrations.all[0].sql)
            try db.execute(sql: "PRAGMA user_version = 1")
            try db.execute(
                sql:
                    "INSERT INTO generated_secrets (source, number, sealed, created, created_by) VALUES (?, 1, ?, 1, ?)",
                arguments: ["plant", Data(sealed), Data("belfry".utf8)])
        }
        try old.close()
        let store = try Store.open(StoreConfiguration(folder: folder), logger: .quiet) { _ in }
        #expect(try store.onWriter { db in try Int.fetchOne(db, sql: "PRAGMA user_version") } == Migrations.all.count)
        #expect(try await store.generatedSecrets(source: "plant").map(\.secret.text) == ["the old secret"])
        _ = try await store.rotateSecret(Secret("the new secret"), source: "plant", keep: .seconds(1), by: .hub)
        await store.close()
    }
}
