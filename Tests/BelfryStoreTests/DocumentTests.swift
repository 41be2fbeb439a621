import BelfryCore
import Foundation
import Testing

@testable import BelfryStore

/// Documents change all or nothing, each with a version and an owner.
@Suite(.timeLimit(.minutes(3))) struct DocumentTests {
    private let ann = Principal(token: nil, name: "ann", role: .admin)

    @Test("a folder's set is created, changed, removed and left alone")
    func applySet() async throws {
        let fixture = try Fixture()
        let store = fixture.store
        func apply(_ documents: [DocumentDraft]) async throws -> AppliedPlan {
            let plan = DocumentPlan(owner: .file, documents: documents, removesOthers: true)
            let preview = try await store.preview(plan)
            let applied = try await store.apply(plan, by: ann)
            #expect(preview.created == applied.created && preview.removed == applied.removed)
            return applied
        }
        _ = try await store.apply(DocumentPlan(owner: .api, documents: [.rule("mine")]), by: ann)
        let first = try await apply([.rule("a"), .rule("b"), .source("s")])
        #expect(first.created.count == 3 && first.ruleSetVersion == 2)
        let same = try await apply([.rule("a"), .rule("b"), .source("s")])
        #expect(same.changes.isEmpty && same.unchanged == 3 && same.ruleSetVersion == 2)
        let next = try await apply([.rule("a", "new"), .source("s")])
        #expect(next.changed == [DocumentName(.rule, "a")] && next.removed == [DocumentName(.rule, "b")])
        let set = try await store.documents()
        #expect(set.ruleSetVersion == 3)
        #expect(set.documents.map(\.id.description) == ["rule/a", "rule/mine", "source/s"])
        #expect(set.documents.map(\.version) == [2, 1, 1] && set.documents.map(\.owner) == [.file, .api, .file])
        #expect(fixture.recorder.frames.map(\.draft.topic) == [.rules, .rules, .rules])
        #expect(fixture.recorder.all.allSatisfy { $0.hasRuleChanges })
        let actions = try await store.audit(after: 0).map(\.action)
        #expect(
            actions == [
                "rule.created", "rule.created", "rule.created", "source.created", "rule.changed", "rule.removed",
            ])
        await store.close()
    }

    @Test("a frame names so many changes, and counts the others")
    func largeApply() async throws {
        let fixture = try Fixture()
        let documents = (0..<(Limits.changesNamedMax + 3)).map { DocumentDraft.rule("r\($0)") }
        let applied = try await fixture.store.apply(DocumentPlan(owner: .api, documents: documents), by: ann)
        #expect(applied.created.count == documents.count)
        let frame = try #require(fixture.recorder.frames.first?.draft.data.value)
        #expect(frame["created"]?.array?.count == Limits.changesNamedMax && frame["unnamed"]?.number?.int64 == 3)
        await fixture.store.close()
    }

    @Test("versions go on after a removal, and every one can be read")
    func versions() async throws {
        let fixture = try Fixture()
        let name = DocumentName(.rule, "r")
        for plan in [
            DocumentPlan(owner: .api, documents: [.rule("r", "one")]),
            DocumentPlan(owner: .api, documents: [.rule("r", "two")]), DocumentPlan(owner: .api, removals: [name]),
            DocumentPlan(owner: .api, documents: [.rule("r", "three")]),
        ] { _ = try await fixture.store.apply(plan, by: ann) }
        let versions = try await fixture.store.versions(of: name)
        #expect(versions.map(\.version) == [4, 3, 2, 1])
        #expect(versions.map(\.change) == [.created, .removed, .changed, .created])
        #expect(try await fixture.store.version(2, of: name).text == "two")
        #expect(await belfryError { _ = try await fixture.store.version(9, of: name) }?.code == .notFound)
        await fixture.store.close()
    }

    @Test("files and the API do not touch each other's documents, unless they adopt them")
    func owners() async throws {
        let fixture = try Fixture()
        let store = fixture.store
        _ = try await store.apply(DocumentPlan(owner: .file, documents: [.rule("f")]), by: ann)
        _ = try await store.apply(DocumentPlan(owner: .api, documents: [.rule("a")]), by: ann)
        let edit = DocumentPlan(owner: .api, documents: [.rule("new"), .rule("f", "edit")])
        #expect(await belfryError { _ = try await store.apply(edit, by: ann) }?.code == .managedByFile)
        #expect(try await store.documents().documents.count == 2, "all or nothing")
        let removal = DocumentPlan(owner: .api, removals: [DocumentName(.rule, "f")])
        #expect(await belfryError { _ = try await store.apply(removal, by: ann) }?.code == .managedByFile)
        let file = DocumentPlan(owner: .file, documents: [.rule("a", "x")])
        #expect(await belfryError { _ = try await store.apply(file, by: ann) }?.code == .conflict)
        var adopting = edit
        adopting.adopts = true
        #expect(try await store.apply(adopting, by: ann).changed == [DocumentName(.rule, "f")])
        #expect(try await store.documents().documents.allSatisfy { $0.owner == .api })
        let missing = DocumentPlan(owner: .api, removals: [DocumentName(.rule, "none")])
        #expect(await belfryError { _ = try await store.apply(missing, by: ann) }?.code == .notFound)
        await store.close()
    }

    @Test("an edit of another version than its author saw is refused")
    func expectedVersion() async throws {
        let fixture = try Fixture()
        func apply(_ text: String, expecting precondition: DocumentPrecondition) async -> BelfryError.Code? {
            var plan = DocumentPlan(owner: .api, documents: [.rule("r", text)])
            plan.preconditions[DocumentName(.rule, "r")] = precondition
            return await belfryError { _ = try await fixture.store.apply(plan, by: ann) }?.code
        }
        #expect(await apply("one", expecting: .version(1)) == .preconditionFailed)
        #expect(await apply("one", expecting: .present) == .preconditionFailed)
        #expect(await apply("one", expecting: .absent) == nil)
        #expect(await apply("two", expecting: .absent) == .preconditionFailed)
        #expect(await apply("two", expecting: .version(1)) == nil)
        #expect(await apply("three", expecting: .present) == nil)
        func remove(expecting precondition: DocumentPrecondition) async -> BelfryError? {
            let name = DocumentName(.rule, "r")
            var plan = DocumentPlan(owner: .api, removals: [name])
            plan.preconditions[name] = precondition
            return await belfryError { _ = try await fixture.store.apply(plan, by: ann) }
        }
        let refused = await remove(expecting: .version(2))
        #expect(refused?.code == .preconditionFailed && refused?.details["version"]?.number?.int64 == 3)
        #expect(refused?.message.hasPrefix("rule/r is at version 3 (2027-01-15T08:00:00.000Z, by ann), not 2") == true)
        #expect(await remove(expecting: .version(3)) == nil)
        await fixture.store.close()
    }

    @Test("switches survive a restart, say who, and only real changes count")
    func switches() async throws {
        let fixture = try Fixture()
        let plan = DocumentPlan(owner: .api, documents: [.rule("r"), .source("s")])
        let version = try await fixture.store.apply(plan, by: ann).ruleSetVersion
        #expect(try await fixture.store.setEnabled(false, rule: "r", by: ann) == version + 1)
        #expect(try await fixture.store.setEnabled(false, rule: "r", by: ann) == version + 1)
        try await fixture.store.setPaused(true, source: "s", by: ann)
        try await fixture.store.setAllPaused(true, by: ann)
        let unknown = await belfryError { try await fixture.store.setEnabled(true, rule: "x", by: ann) }
        #expect(unknown?.code == .notFound)
        #expect(await belfryError { try await fixture.store.setPaused(true, source: "x", by: ann) }?.code == .notFound)
        let again = try await fixture.reopen()
        let set = try await again.documents()
        #expect(set.isAllPaused && set.documents.map(\.isEnabled) == [false, true])
        #expect(set.documents.map(\.isPaused) == [false, true])
        let entries = try await again.audit(after: 0)
        #expect(entries.suffix(3).map(\.action) == ["rule.disabled", "source.paused", "hub.paused"])
        #expect(entries.allSatisfy { $0.actor == "ann" })
        await again.close()
    }
}
