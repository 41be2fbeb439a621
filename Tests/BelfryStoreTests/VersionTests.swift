import BelfryCore
import Foundation
import Testing

@testable import BelfryStore

/// Every change of a document is a version that says who, what and when.
@Suite(.timeLimit(.minutes(3))) struct VersionTests {
    private let ann = Principal(token: nil, name: "ann", role: .admin)
    private let name = DocumentName(.rule, "r")

    private func draft(_ json: JSONValue, text: String = "text", restored: Int64? = nil) -> DocumentDraft {
        DocumentDraft(kind: .rule, name: "r", text: text, canonical: RawJSON(json), restored: restored)
    }

    /// Created, changed in two keys, changed in a comment, taken over, removed, brought back.
    private func write(_ fixture: borrowing Fixture) async throws {
        let first: JSONValue = ["limits": ["concurrency": 1], "rule": "r", "when": ["a": [1]]]
        let second: JSONValue = ["about": "x", "rule": "r", "when": ["a": [1]]]
        var adopted = DocumentPlan(owner: .api, documents: [draft(second, text: "own")], adopts: true)
        adopted.preconditions[name] = .version(3)
        for plan in [
            DocumentPlan(owner: .file, documents: [draft(first)]),
            DocumentPlan(owner: .file, documents: [draft(second)]),
            DocumentPlan(owner: .file, documents: [draft(second, text: "# comment")]), adopted,
            DocumentPlan(owner: .api, removals: [name]),
            DocumentPlan(owner: .api, documents: [draft(first, restored: 1)]),
        ] { _ = try await fixture.store.apply(plan, by: ann) }
    }

    @Test("the list of versions names the keys that changed, and pages")
    func history() async throws {
        let fixture = try Fixture()
        try await write(fixture)
        let store = try await fixture.reopen()
        let page = try await store.history(of: name, max: 4)
        let lines = page.items.map { "\($0.version) \($0.change) \($0.owner) \($0.keys ?? []) \($0.restored ?? 0)" }
        #expect(
            lines == ["6 created api [] 1", "5 removed api [] 0", "4 changed api [] 0", "3 changed file [] 0"])
        let rest = try await store.history(of: name, cursor: page.next)
        #expect(rest.next == nil && rest.items.map(\.keys) == [["about", "limits"], []])
        #expect(rest.items.allSatisfy { $0.createdBy == "ann" })
        let unknown = await belfryError { _ = try await store.history(of: DocumentName(.rule, "s")) }
        #expect(unknown?.code == .notFound)
        await store.close()
    }

    @Test("the audit says which version became which, and which keys differ; the chain holds")
    func audit() async throws {
        let fixture = try Fixture()
        try await write(fixture)
        let entries = try await fixture.store.audit(after: 0)
        let lines = entries.map { entry in
            let detail = entry.detail.value
            func shown(_ key: String) -> String { detail[key].map { " \(key) \($0.text)" } ?? "" }
            return entry.action
                + ["version_before", "version", "keys", "owner_before", "restored"].map(shown).joined()
        }
        #expect(
            lines == [
                "rule.created version 1", #"rule.changed version_before 1 version 2 keys ["about","limits"]"#,
                "rule.changed version_before 2 version 3 keys []",
                #"rule.changed version_before 3 version 4 keys [] owner_before "file""#,
                "rule.removed version_before 4 version 5", "rule.rolled_back version 6 restored 1",
            ])
        #expect(!entries.contains { $0.detail.text.contains("comment") || $0.detail.text.contains("concurrency") })
        #expect(try await fixture.store.verifyAudit().isIntact)
        await fixture.store.close()
    }

    @Test("versions from before the keys were kept say that they are not known")
    func olderVersions() async throws {
        let fixture = try Fixture()
        _ = try await fixture.store.apply(DocumentPlan(owner: .api, documents: [.rule("r")]), by: ann)
        try fixture.sql("UPDATE document_versions SET keys = NULL")
        let versions = try await fixture.store.history(of: name).items
        #expect(versions.map(\.keys) == [nil])
        await fixture.store.close()
    }
}
