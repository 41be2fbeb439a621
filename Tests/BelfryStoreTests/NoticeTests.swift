import BelfryCore
import Foundation
import Synchronization
import Testing

@testable import BelfryStore

/// What the store itself tells people of.
@Suite(.timeLimit(.minutes(3))) struct NoticeTests {
    private func notices(_ fixture: borrowing Fixture) -> [JSONValue] {
        fixture.recorder.frames.filter { $0.draft.type == .notice }.map(\.draft.data.value)
    }

    /// Refusals ride along with a commit that nobody waits for: this waits for one behind it.
    private func refuse(
        _ count: Int, source: String = "plant", code: BelfryError.Code = .signatureInvalid, _ fixture: borrowing Fixture
    ) async throws {
        for _ in 0..<count { fixture.store.recordRefusal(source: source, code: code, remote: "192.0.2.9") }
        try await fixture.store.record([AuditDraft(actor: "x", action: "test.marked", subject: "x")])
    }

    @Test("a source that refuses again and again is told of once in a while, with the code and the mend")
    func refusing() async throws {
        let fixture = try Fixture { $0.diskSpace = { _ in nil } }
        try await refuse(Int(Limits.refusalNoticeThreshold) - 1, fixture)
        #expect(notices(fixture).isEmpty)
        try await refuse(1, fixture)
        try await refuse(100, fixture)
        let notice = try #require(notices(fixture).first)
        #expect(notices(fixture).count == 1)
        #expect(notice["kind"] == "source_refusing" && notice["severity"] == "warning")
        #expect(notice["source"] == "plant" && notice["link"] == "/#source/plant")
        let text = try #require(notice["text"]?.string)
        for part in ["10 in 5 minutes, signature_invalid: ", "secret", "belfry sources show plant"] {
            #expect(text.contains(part), "\(text)")
        }
        fixture.clock.advance(by: Limits.refusalNoticeInterval)
        try await refuse(20, fixture)
        #expect(notices(fixture).count == 2, "again after a quarter of an hour")
        try await refuse(20, source: "other", fixture)
        #expect(notices(fixture).last?["source"] == "other")
        await fixture.store.close()
    }

    @Test("neither unknown names nor the hub's own state make a notice about a source")
    func quiet() async throws {
        let fixture = try Fixture { $0.diskSpace = { _ in nil } }
        try await refuse(500, source: "*", code: .unknownSource, fixture)
        for code in [BelfryError.Code.overloaded, .storageFull, .shuttingDown, .retired, .sameBody] {
            try await refuse(50, code: code, fixture)
        }
        #expect(notices(fixture).isEmpty)
        await fixture.store.close()
    }

    @Test("a disk that is nearly full is told of as soon as something is written")
    func disk() async throws {
        let fixture = try Fixture { $0.diskSpace = { _ in DiskSpace(free: 100 << 20, total: 20 << 30) } }
        try await fixture.accept(fixture.event("a"))
        // The look at the disk comes behind the commit.
        try await fixture.accept(fixture.event("b"))
        #expect(notices(fixture).map { $0["kind"] } == ["disk"])
        #expect(notices(fixture).first?["text"]?.string?.hasPrefix("100 MiB of 20480 MiB are left") == true)
        await fixture.store.close()
    }

    @Test("low, full and good again, without going back and forth; a commit that failed for want of room is full")
    func levels() {
        var watch = DiskWatch()
        func level(_ mebibytes: Int64, of gibibytes: Int64 = 20) -> DiskWatch.Level {
            watch.level(of: DiskSpace(free: mebibytes << 20, total: gibibytes << 30))
        }
        #expect(level(513) == .good && level(511) == .low)
        #expect(level(2000, of: 100) == .low, "two parts of a hundred")
        watch.told = .low
        #expect(level(600) == .low && level(641) == .good)
        #expect(level(15) == .full)
        watch.told = .good
        watch.noteFull()
        #expect(level(10_000) == .full && level(10_000) == .good)
    }

    @Test("the room of a real folder is asked")
    func real() throws {
        let space = try #require(DiskSpace.of("/"))
        #expect(space.free > 0 && space.total >= space.free)
        #expect(DiskSpace.of("/nowhere/at/all") == nil)
    }
}
