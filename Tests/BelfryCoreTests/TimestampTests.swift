import BelfryCore
import Foundation
import Testing

struct TimestampTests {
    @Test("texts are Foundation's, from the year 1 to 9999, and come back", arguments: 0..<300)
    func roundTrip(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let milliseconds = Int64.random(in: -62_135_596_800_000...253_402_300_799_999, using: &generator)
        let time = Timestamp(milliseconds: milliseconds)
        #expect(Timestamp(time.description) == time)
        // Foundation's calendar is Julian before 1582.
        guard milliseconds > -12_219_292_800_000 else { return }
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime]
        let seconds = Date(timeIntervalSince1970: Double(time.seconds))
        #expect(time.description.prefix(19) + "Z" == formatter.string(from: seconds))
    }

    @Test("offsets, fractions and cases of RFC 3339 are read")
    func reads() {
        let expected = Timestamp(milliseconds: 1_767_323_045_678)
        #expect(Timestamp("2026-01-02T03:04:05.678Z") == expected)
        #expect(Timestamp("2026-01-02t04:34:05.678901234+01:30") == expected)
        #expect(Timestamp("2026-01-01 22:04:05.678-05:00") == expected)
        #expect(Timestamp("2026-01-02T03:04:05.6z") == Timestamp(milliseconds: 1_767_323_045_600))
        #expect(Timestamp("2024-02-29T00:00:00Z") != nil)
        #expect(Timestamp("1970-01-01T00:00:00Z") == Timestamp(milliseconds: 0))
        #expect(Timestamp(milliseconds: -1).description == "1969-12-31T23:59:59.999Z")
    }

    @Test(
        "impossible or half times are refused",
        arguments: [
            "", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z", "2026-02-29T03:04:05Z",
            "2026-00-01T00:00:00Z",
            "2026-01-32T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T03:60:00Z", "2026-01-02T03:04:61Z",
            "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05+0100", "2026-01-02T03:04:05Zx", "20260102T030405Z",
            "2026-01-02T03:04:05.1234567890Z", "+026-01-02T03:04:05Z",
        ])
    func refused(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("durations have a unit")
    func durations() {
        #expect(Duration(shorthand: "250ms") == .milliseconds(250))
        #expect(Duration(shorthand: "30s") == .seconds(30))
        #expect(Duration(shorthand: "5m") == .seconds(300))
        #expect(Duration(shorthand: "2h") == .seconds(7200))
        #expect(Duration(shorthand: "7d") == .seconds(604_800))
        for text in ["", "5", "m", "-5m", "1.5h", "5 m", "5M", "1h30m", "9999999999s", "٣m"] {
            #expect(Duration(shorthand: text) == nil)
        }
    }
}
