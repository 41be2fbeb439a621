import BelfryCore
import Foundation
import GRDB
import Testing

@testable import BelfryStore

/// A released schema is never edited: what a database looks like after all migrations is written down here.
@Suite struct SchemaTests {
    @Test("the database says which schema it has, and whose it is")
    func version() async throws {
        let fixture = try Fixture()
        #expect(try fixture.number("PRAGMA user_version") == 13)
        #expect(try fixture.number("PRAGMA application_id") == 0x426C_6679)
        await fixture.store.close()
    }

    @Test("matches that were stored when a rule had one for each event are there as they were")
    func matchesByPart() async throws {
        let fixture = try Fixture()
        let event = try await fixture.accept(fixture.event(), matching: [.rule("a"), .rule("b", observes: true)])
        let before = try await fixture.store.matches(of: event.event)
        try fixture.sql(
            """
            CREATE TABLE old (event INTEGER NOT NULL, round INTEGER NOT NULL, rule TEXT NOT NULL,
                rule_version INTEGER NOT NULL, outcome TEXT NOT NULL, run BLOB, detail BLOB, time INTEGER NOT NULL,
                match_group BLOB, PRIMARY KEY (event, round, rule)) STRICT, WITHOUT ROWID;
            INSERT INTO old SELECT event, round, rule, rule_version, outcome, run, detail, time, match_group FROM matches;
            DROP TABLE matches; ALTER TABLE old RENAME TO matches; DROP TABLE event_waits;
            DROP TABLE awaited;
            ALTER TABLE rule_tokens DROP COLUMN cost; ALTER TABLE steps DROP COLUMN cost;
            CREATE INDEX steps_due ON steps (due) WHERE due IS NOT NULL; PRAGMA user_version = 9;
            """)
        let store = try await fixture.reopen()
        let after = try await store.matches(of: event.event)
        #expect(after == before && after.map(\.outcome) == [.started, .observed])
        await store.close()
    }

    @Test("tables and indexes have this shape")
    func shape() async throws {
        let fixture = try Fixture()
        let lines = try fixture.store.onWriter { db in
            let names = try String.fetchAll(
                db,
                sql: """
                    SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name
                    """
            )
            return try names.flatMap { name in
                let columns = try Row.fetchAll(db, sql: "SELECT * FROM pragma_table_info(?)", arguments: [name])
                    .map { column in
                        let marks = (column.flag("notnull") ? "!" : "") + (column.flag("pk") ? "*" : "")
                        return "\(column.text("name")) \(column.text("type"))\(marks)"
                    }
                let indexes = try String.fetchAll(
                    db,
                    sql: """
                        SELECT sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL
                        ORDER BY name
                        """,
                    arguments: [name]
                )
                let lines = stride(from: 0, to: columns.count, by: 5).map { start in
                    "  " + columns[start..<min(start + 5, columns.count)].joined(separator: ", ")
                }
                return [name] + lines + indexes.map { "  \($0)" }
            }
        }
        let found = lines.joined(separator: "\n")
        #expect(found == Self.expected)
        await fixture.store.close()
    }

    private static let expected = """
        approvals
          sequence INTEGER*, id BLOB!, run BLOB!, rule TEXT!, step INTEGER!
          name TEXT!, message BLOB!, schema BLOB, guards BLOB!, digest BLOB!
          requested INTEGER!, expires INTEGER!, decision TEXT, decided INTEGER, decided_by BLOB
          value BLOB, reason BLOB, call BLOB
          CREATE INDEX approvals_of_run ON approvals (run)
          CREATE INDEX approvals_open ON approvals (expires) WHERE decision IS NULL
        audit
          sequence INTEGER*, time INTEGER!, actor BLOB!, action TEXT!, subject BLOB!
          detail BLOB!, hash BLOB!
        awaited
          id INTEGER*, rule TEXT!, rule_version INTEGER!, name TEXT!, key BLOB!
          event BLOB
          CREATE INDEX awaited_come ON awaited (id) WHERE event IS NOT NULL
          CREATE UNIQUE INDEX awaited_open ON awaited (rule, rule_version, name, key) WHERE event IS NULL
        body_digests
          source TEXT!*, digest BLOB!*, event BLOB!, expires INTEGER!
          CREATE INDEX body_digests_by_expiry ON body_digests (expires)
        commands
          principal BLOB!*, id BLOB!*, run BLOB, kind TEXT!, digest BLOB!
          created INTEGER!, decided INTEGER, answer BLOB
          CREATE INDEX commands_by_time ON commands (created)
        disabled_targets
          target TEXT!*, since INTEGER!, reason BLOB!
        document_versions
          kind TEXT!*, name TEXT!*, version INTEGER!*, owner TEXT!, change TEXT!
          created INTEGER!, created_by BLOB!, text BLOB!, canonical BLOB!, keys BLOB
          restored INTEGER
        documents
          kind TEXT!*, name TEXT!*, owner TEXT!, version INTEGER!, updated INTEGER!
          updated_by BLOB!, text BLOB!, canonical BLOB!
        event_waits
          run BLOB!*, step INTEGER!*, awaited INTEGER!, look_back INTEGER, stored INTEGER!
          CREATE INDEX event_waits_awaited ON event_waits (awaited, run)
          CREATE INDEX event_waits_look_back ON event_waits (run) WHERE look_back IS NOT NULL
        events
          sequence INTEGER*, id BLOB!, source TEXT!, status TEXT!, round INTEGER!
          runs INTEGER!, ruleset_version INTEGER!, time INTEGER!, received INTEGER!, hops INTEGER!
          same_body_as BLOB, verified_by TEXT, traceparent BLOB, remote BLOB!, origin BLOB
          key BLOB, type BLOB!, subject BLOB, ext BLOB!, headers BLOB!
          data BLOB!
          CREATE INDEX events_by_source ON events (source)
          CREATE INDEX events_by_status ON events (status)
          CREATE INDEX events_by_type ON events (type)
        floors
          topic TEXT!*, position INTEGER!
        frames
          position INTEGER*, time INTEGER!, topic TEXT, type TEXT!, run BLOB
          rule TEXT, source TEXT, data BLOB!
          CREATE INDEX frames_by_rule ON frames (rule) WHERE topic = 'runs'
          CREATE INDEX frames_by_run ON frames (position >> 12, run) WHERE run IS NOT NULL
          CREATE INDEX frames_by_topic ON frames (position >> 12, topic) WHERE topic IS NOT NULL
        generated_secrets
          source TEXT!*, number INTEGER!*, sealed BLOB!, created INTEGER!, created_by BLOB!
          expires INTEGER
        group_subjects
          match_group BLOB!*, subject BLOB!*
        identities
          source TEXT!*, key BLOB!*, event BLOB!, first_seen INTEGER!, last_seen INTEGER!
          sightings INTEGER!, expires INTEGER!
          CREATE INDEX identities_by_expiry ON identities (expires)
        match_groups
          sequence INTEGER*, id BLOB!, rule TEXT!, rule_version INTEGER!, key BLOB!
          shown BLOB!, count INTEGER!, opened INTEGER!, last INTEGER!, last_event BLOB!
          due INTEGER, run BLOB, run_created INTEGER, run_ended INTEGER!, outcome TEXT
          detail BLOB, closed INTEGER, policy BLOB!, state BLOB!
          CREATE UNIQUE INDEX match_groups_open ON match_groups (rule, key) WHERE closed IS NULL
        matches
          event INTEGER!*, round INTEGER!*, rule TEXT!*, part INTEGER!*, rule_version INTEGER!
          outcome TEXT!, run BLOB, detail BLOB, time INTEGER!, match_group BLOB
        meta
          name TEXT!*, value ANY!
        open_groups
          rule TEXT!*, count INTEGER!
        refusals
          source TEXT!*, code TEXT!*, minute INTEGER!*, count INTEGER!, remote BLOB!
          CREATE INDEX refusals_by_minute ON refusals (minute)
        rule_state
          rule TEXT!*, enabled INTEGER!, removed INTEGER!, muted_until INTEGER, failures INTEGER!
          broken_since INTEGER, broken_reason BLOB, changed INTEGER!, changed_by BLOB!, observed INTEGER!
          muted_by BLOB
        rule_tokens
          rule TEXT!*, day INTEGER!*, tokens INTEGER!, noticed INTEGER!, cost INTEGER!
        runs
          sequence INTEGER*, id BLOB!, event BLOB!, rule TEXT!, rule_version INTEGER!
          number INTEGER!, retry INTEGER!, retry_of BLOB, state TEXT!, reason TEXT
          error_code TEXT, error_message BLOB, received INTEGER!, created INTEGER!, started INTEGER
          ended INTEGER, attempt INTEGER!, traceparent BLOB, group_key BLOB, params BLOB
          match_group BLOB, held INTEGER!, stop_reason TEXT, log_start INTEGER!
          CREATE UNIQUE INDEX runs_by_rule ON runs (rule, number)
          CREATE INDEX runs_by_state ON runs (state) WHERE ended IS NOT NULL
          CREATE INDEX runs_unfinished ON runs (state, rule, held) WHERE ended IS NULL
          CREATE INDEX runs_unfinished_of_key ON runs (rule, group_key) WHERE ended IS NULL AND group_key IS NOT NULL
        source_state
          source TEXT!*, paused INTEGER!, changed INTEGER!, changed_by BLOB!
        steps
          run INTEGER!*, step INTEGER!*, name TEXT!, kind TEXT!, state TEXT!
          attempt INTEGER!, started INTEGER, ended INTEGER, process_group INTEGER, input_tokens INTEGER
          output_tokens INTEGER, error_code TEXT, error_message BLOB, missing BLOB, data BLOB
          output BLOB, reason TEXT, due INTEGER, conversation BLOB, cost INTEGER
        timers
          id INTEGER*, due INTEGER!, kind TEXT!, subject BLOB!, data BLOB!
          CREATE INDEX timers_by_due ON timers (due)
          CREATE INDEX timers_by_subject ON timers (kind, subject)
        tokens
          id BLOB!*, digest BLOB!, name BLOB!, role TEXT!, scopes BLOB!
          created INTEGER!, created_by BLOB!, expires INTEGER, revoked INTEGER, last_used INTEGER
        """
}
