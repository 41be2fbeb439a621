import BelfryCore
import Testing

/// TypeIDs, by the examples of the specification.
struct IdentifierTests {
    @Test("the nil UUID is 26 zeros")
    func zero() throws {
        let id = try #require(RunID(bytes: [UInt8](repeating: 0, count: 16)))
        #expect(id.description == "run_" + String(repeating: "0", count: 26))
    }

    @Test("01h455vb4pex5vsknk084sn02q is 01890a5d-ac96-774b-bcce-b302099a8057")
    func example() throws {
        let bytes = try #require(Hex.decode("01890a5dac96774bbcceb302099a8057"))
        let id = try #require(RunID("run_01h455vb4pex5vsknk084sn02q"))
        #expect(id.bytes == bytes)
        #expect(RunID(bytes: bytes) == id)
        #expect(id.description == "run_01h455vb4pex5vsknk084sn02q")
    }

    @Test("the largest is 7zzzzzzzzzzzzzzzzzzzzzzzzz")
    func largest() {
        let bytes = [UInt8](repeating: 0xFF, count: 16)
        #expect(EventID(bytes: bytes)?.description == "evt_7zzzzzzzzzzzzzzzzzzzzzzzzz")
        #expect(EventID("evt_7zzzzzzzzzzzzzzzzzzzzzzzzz")?.bytes == bytes)
    }

    @Test(
        "other texts are refused",
        arguments: [
            "", "run_", "evt_01h455vb4pex5vsknk084sn02q", "run_01H455VB4PEX5VSKNK084SN02Q",
            "run_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "run_01h455vb4pex5vsknk084sn02", "run_01h455vb4pex5vsknk084sn02qq", "run_01h455vb4pex5vsknk084sn02u",
            "run-01h455vb4pex5vsknk084sn02q", "01h455vb4pex5vsknk084sn02q", " run_01h455vb4pex5vsknk084sn02q",
        ])
    func refused(text: String) {
        #expect(RunID(text) == nil)
    }

    @Test("the same time and bits make the same UUIDv7, which tells its time")
    func derived() {
        let time = Timestamp(milliseconds: 1_700_000_000_123)
        let id = EventID(at: time, bits: (.max, .max))
        #expect(id == EventID(at: time, bits: (.max, .max)))
        #expect(id.time == time)
        #expect(id.bytes[6] >> 4 == 7)
        #expect(id.bytes[8] >> 6 == 0b10)
        #expect(EventID(id.description) == id)
        #expect(EventID(at: time) != EventID(at: time))
        #expect(EventID(bytes: [1, 2, 3]) == nil)
    }
}
