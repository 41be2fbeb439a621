import BelfryCore
import Foundation
import GRDB
import Testing

@testable import BelfryStore

/// The audit chain verifies, or names the first entry that does not.
@Suite(.timeLimit(.minutes(3))) struct AuditTests {
    private func filled(_ count: Int = 12) async throws -> Fixture {
        let fixture = try Fixture()
        for index in 0..<count {
            fixture.clock.advance(by: .milliseconds(7))
            let detail = JSONObject([.init(key: "z", value: .int(index)), .init(key: "a", value: "x\0y")])
            let entry = AuditDraft(actor: "ann\0", action: "rule.changed", subject: "rule/\(index)", detail: detail)
            try await fixture.store.record([entry])
        }
        return fixture
    }

    @Test("an untouched chain verifies over page borders and a reopen, and grows on")
    func intact() async throws {
        let fixture = try await filled(4)
        let many = (0..<2500).map { AuditDraft(actor: "a", action: "x.y", subject: "\($0)") }
        try await fixture.store.record(many)
        let again = try await fixture.reopen()
        try await again.record([many[0]])
        let found = try await again.verifyAudit()
        #expect(found.isIntact && found.entries == 2505)
        #expect(try await again.audit(after: 2504).map(\.hash) == [found.head])
        #expect(try await again.audit(cursor: nil, max: 2).items.map(\.sequence) == [2505, 2504])
        await again.close()
    }

    @Test(
        "any changed field is found",
        arguments: [
            "time = time + 1", "actor = CAST('bob' AS BLOB)", "action = 'rule.removed'",
            "subject = CAST('rule/99' AS BLOB)", "detail = CAST('{}' AS BLOB)", "hash = zeroblob(32)",
        ]
    )
    func changedField(_ change: String) async throws {
        let fixture = try await filled()
        try fixture.sql("UPDATE audit SET \(change) WHERE sequence = 5")
        let found = try await fixture.store.verifyAudit()
        #expect(found.brokenAt == 5 && found.entries == 4)
        await fixture.store.close()
    }

    @Test("any flipped byte of any entry's content or hash is found")
    func flippedByte() async throws {
        let fixture = try await filled(4)
        for column in ["actor", "subject", "detail", "hash"] {
            let length = try #require(try fixture.number("SELECT length(\(column)) FROM audit WHERE sequence = 3"))
            for offset in 0..<length {
                let original = try fixture.store.onWriter { db in
                    try Data.fetchOne(db, sql: "SELECT \(column) FROM audit WHERE sequence = 3")
                }
                var changed = try #require(original)
                changed[offset] ^= 1
                let flipped = changed
                try fixture.store.onWriter { db in
                    try db.execute(sql: "UPDATE audit SET \(column) = ? WHERE sequence = 3", arguments: [flipped])
                }
                #expect(try await fixture.store.verifyAudit().brokenAt == 3, "\(column) byte \(offset)")
                try fixture.store.onWriter { db in
                    try db.execute(sql: "UPDATE audit SET \(column) = ? WHERE sequence = 3", arguments: [original])
                }
            }
        }
        #expect(try await fixture.store.verifyAudit().isIntact)
        await fixture.store.close()
    }

    @Test("a removed entry, a cut tail, a cut-off whole and an added entry are found")
    func removedAndAdded() async throws {
        let middle = try await filled()
        try middle.sql("DELETE FROM audit WHERE sequence = 5")
        #expect(try await middle.store.verifyAudit().brokenAt == 5)
        await middle.store.close()
        let tail = try await filled()
        try tail.sql("DELETE FROM audit WHERE sequence > 9")
        #expect(try await tail.store.verifyAudit().brokenAt == 10)
        await tail.store.close()
        let whole = try await filled()
        try whole.sql("DELETE FROM audit")
        #expect(try await whole.store.verifyAudit().brokenAt == 1)
        await whole.store.close()
        let added = try await filled()
        let head = try await added.store.verifyAudit().head
        let last = AuditHead(sequence: 12, hash: head)
        try added.store.onWriter { db in
            let transaction = WriteTransaction(db: db, now: added.clock.now, position: 0, auditHead: last)
            try transaction.append(AuditDraft(actor: "eve", action: "x.y", subject: "z"))
        }
        #expect(try await added.store.verifyAudit().brokenAt == 13)
        await added.store.close()
    }
}
