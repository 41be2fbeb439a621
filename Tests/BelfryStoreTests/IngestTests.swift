import BelfryCore
import Foundation
import Testing

@testable import BelfryStore

/// One delivery, one event, one run per rule, told truthfully to its sender.
@Suite(.timeLimit(.minutes(3))) struct IngestTests {
    @Test("a matched delivery is an event, a queued run, a frame for each and an audit entry")
    func matched() async throws {
        let fixture = try Fixture()
        let event = fixture.event("k")
        let accepted = try await fixture.accept(event, matching: [.rule("cool")])
        #expect(accepted.status == .matched)
        #expect(accepted.outcomes == [RuleOutcome(rule: "cool", outcome: .started)])
        let run = try await fixture.store.run(try #require(accepted.runs.first))
        #expect(run.state == .queued && run.event == event.id && run.rule == "cool" && run.attempt == 1)
        #expect(fixture.recorder.frames.map(\.draft.type) == [.runState, .event])
        let data = try #require(fixture.recorder.frames.last?.draft.data.value)
        #expect(data["status"] == "matched" && data["type"] == "sensor.reading")
        #expect(data["runs"] == .array([.string(run.id.description)]))
        #expect(fixture.recorder.all.allSatisfy { $0.hasQueuedRuns })
        let stored = try await fixture.store.event(event.id)
        #expect(stored.event == event && stored.summary.runs == [run.id] && stored.summary.verifiedBy == "generate")
        let audit = try await fixture.store.audit(after: 0)
        #expect(audit.map(\.action) == ["event.accepted"])
        #expect(audit.allSatisfy { $0.detail.bytes == $0.detail.value.canonicalEncoded() })
        await fixture.store.close()
    }

    @Test("the same delivery again is a duplicate, also after a restart")
    func duplicate() async throws {
        let fixture = try Fixture()
        let first = try await fixture.accept(fixture.event("k"), matching: [.rule("cool")])
        let seen = fixture.clock.now
        fixture.clock.advance(by: .seconds(5))
        let second = try await fixture.accept(fixture.event("k"), matching: [.rule("cool")])
        #expect(second == AcceptedEvent(event: first.event, status: .duplicate, firstSeen: seen, runs: first.runs))
        let again = try await fixture.reopen()
        let item = AcceptedDelivery.Item(event: fixture.event("k"), matches: [.rule("cool")])
        let third = try await again.accept(fixture.delivery([item]))
        #expect(third == [second])
        #expect(try await again.events().items.count == 1)
        #expect(try await again.runs().items.count == 1)
        await again.close()
    }

    @Test("keys belong to their source, and compare by every byte")
    func distinctKeys() async throws {
        let fixture = try Fixture()
        let keys = ["a", "a\0", "a\0b", "a\0c", "A", "caf\u{E9}", "cafe\u{301}"]
        for key in keys {
            #expect(try await fixture.accept(fixture.event(key)).status == .filtered, "\(key.debugDescription)")
        }
        #expect(try await fixture.accept(fixture.event("a", source: "other")).status == .filtered)
        let stored = try await fixture.store.events(EventFilter(source: "plant")).items.compactMap(\.key)
        #expect(stored.reversed().map { Array($0.utf8) } == keys.map { Array($0.utf8) })
        await fixture.store.close()
    }

    @Test("events without a key are never duplicates")
    func noKey() async throws {
        let fixture = try Fixture()
        for _ in 0..<2 { #expect(try await fixture.accept(fixture.event(nil)).status == .filtered) }
        await fixture.store.close()
    }

    @Test("an identity is kept seven days from its last sighting, a windowed one for its window")
    func retention() async throws {
        let fixture = try Fixture()
        try await fixture.accept(fixture.event("long"))
        func windowed() async throws -> EventStatus? {
            let item = AcceptedDelivery.Item(event: fixture.event("short"), keyWindow: .seconds(600))
            return try await fixture.store.accept(fixture.delivery([item])).first?.status
        }
        #expect(try await windowed() == .filtered)
        fixture.clock.advance(by: .seconds(400))
        #expect(try await windowed() == .duplicate)
        fixture.clock.advance(by: .seconds(400))
        #expect(try await windowed() == .filtered)
        fixture.clock.advance(by: .seconds(6 * 86400))
        #expect(try await fixture.accept(fixture.event("long")).status == .duplicate)
        fixture.clock.advance(by: .seconds(6 * 86400))
        #expect(try await fixture.accept(fixture.event("long")).status == .duplicate)
        fixture.clock.advance(by: .seconds(8 * 86400))
        #expect(try await fixture.accept(fixture.event("other")).status == .filtered)
        #expect(try fixture.number("SELECT count(*) FROM identities") == 1, "expired ones are swept")
        await fixture.store.close()
    }

    @Test("a known body under a new unsigned key is marked, or refused where the source says so")
    func sameBody() async throws {
        let fixture = try Fixture()
        func item(_ key: String, isSigned: Bool = false, refuses: Bool = false) -> AcceptedDelivery.Item {
            .init(
                event: fixture.event(key), bodyDigest: [UInt8](repeating: 7, count: 32), refusesSameBody: refuses,
                isKeySigned: isSigned
            )
        }
        let first = try await fixture.store.accept(fixture.delivery([item("a"), item("b")]))
        for accepted in first {
            #expect(try await fixture.store.event(accepted.event).summary.sameBodyAs == nil, "one delivery, one body")
        }
        let copy = try await fixture.store.accept(fixture.delivery([item("c")]))
        let stored = try await fixture.store.event(copy[0].event)
        #expect(stored.summary.sameBodyAs == first[0].event)
        #expect(stored.event.ext["same_body_as"] == .string(first[0].event.description))
        let signed = try await fixture.store.accept(fixture.delivery([item("d", isSigned: true)]))
        #expect(try await fixture.store.event(signed[0].event).summary.sameBodyAs == nil)
        let refused = await belfryError {
            _ = try await fixture.store.accept(fixture.delivery([item("x"), item("e", refuses: true)]))
        }
        #expect(refused?.code == .sameBody && refused?.details["index"] == 1)
        #expect(try await fixture.store.events().items.count == 4, "nothing of the refused delivery is kept")
        fixture.clock.advance(by: .seconds(8 * 86400))
        #expect(try await fixture.store.accept(fixture.delivery([item("f", refuses: true)]))[0].status == .filtered)
        await fixture.store.close()
    }

    @Test("two rules of one event have two runs; the same rule has one, whatever asks for it")
    func oneRunPerRule() async throws {
        let fixture = try Fixture()
        let event = fixture.event("k")
        let accepted = try await fixture.accept(event, matching: [.rule("one"), .rule("two")])
        #expect(Set(accepted.runs).count == 2)
        #expect(accepted.runs.first == RunID(derivedFrom: event.id, rule: "one", retry: 0))
        let twice = fixture.event("l")
        let error = await belfryError { try await fixture.accept(twice, matching: [.rule("one"), .rule("one")]) }
        #expect(error?.code == .storageFailed)
        let missing = await belfryError { _ = try await fixture.store.event(twice.id) }
        #expect(missing?.code == .notFound)
        await fixture.store.close()
    }

    @Test("refusals are added up: one row and one audit entry per source, reason and minute")
    func refusals() async throws {
        let fixture = try Fixture()
        for index in 0..<500 {
            let code: BelfryError.Code = index.isMultiple(of: 2) ? .signatureInvalid : .signatureStale
            fixture.store.recordRefusal(source: "plant", code: code, remote: "192.0.2.\(index % 9)")
        }
        try await fixture.store.append([fixture.delta()])
        try await fixture.store.post(fixture.delta())
        let rows = try await fixture.store.refusals(since: fixture.clock.now - .seconds(120))
        #expect(rows.map(\.count) == [250, 250])
        #expect(try await fixture.store.audit(after: 0).map(\.action) == ["delivery.refused", "delivery.refused"])
        #expect(try await fixture.store.sourceActivity().first?.refusals == 500)
        await fixture.store.close()
    }
}
