import BelfryCore
import Testing

@testable import BelfryStore

/// Answers to operators' commands, for those that come again.
@Suite struct CommandTests {
    private func record(_ count: Int, in fixture: borrowing Fixture) async throws -> [CommandID] {
        var ids: [CommandID] = []
        for _ in 0..<count {
            let id = CommandID(at: fixture.clock.now)
            let command = CommandRecord(
                principal: "anna", id: id, run: nil, kind: "stop", digest: [1], answer: RawJSON(["result": "applied"]))
            try await fixture.store.record(command)
            ids.append(id)
        }
        return ids
    }

    @Test("an answer is kept for a week after it was given, and then forgotten")
    func retention() async throws {
        let fixture = try Fixture()
        let first = try await record(1, in: fixture)[0]
        fixture.clock.advance(by: .seconds(86400))
        let second = try await record(1, in: fixture)[0]
        fixture.clock.advance(by: Limits.commandRetention - .seconds(86400 + 1))
        _ = try await fixture.accept(fixture.event())
        #expect(try await fixture.store.command(first, of: "anna")?.answer.value["result"] == "applied")
        fixture.clock.advance(by: Limits.sweepInterval)
        _ = try await fixture.accept(fixture.event())
        #expect(try await fixture.store.command(first, of: "anna") == nil)
        #expect(try await fixture.store.command(second, of: "anna") != nil)
        await fixture.store.close()
    }

    @Test("many are forgotten some at a time, so that no delivery waits for them")
    func bounded() async throws {
        let fixture = try Fixture()
        try fixture.sql(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(2 * Limits.sweepRowsMax))
            INSERT INTO commands (principal, id, kind, digest, created, answer)
                SELECT x'61', CAST(i AS BLOB), 'stop', x'01', 0, x'7b7d' FROM n
            """)
        for left in [Limits.sweepRowsMax, 0] {
            _ = try await fixture.accept(fixture.event())
            #expect(try fixture.number("SELECT count(*) FROM commands") == left)
        }
        await fixture.store.close()
    }
}
