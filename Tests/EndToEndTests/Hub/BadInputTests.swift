import BelfryCore
import Foundation
import Testing

/// Folders of documents made to cost much, or to slip in half, by `belfry rules apply` against a real hub.
@Suite(.timeLimit(.minutes(4)))
struct BadInputTests {
    private static func rule(_ name: String = "bad", when: String) -> String {
        "rule: \(name)\nwhen: \(when)\nrun: {steps: [{step: s, agent: fitter, prompt: hi}]}\n"
    }

    private static func many(_ count: Int, _ make: (Int) -> String) -> String {
        (0..<count).map(make).joined(separator: ", ")
    }

    private static let laughs: String = {
        var text = "a0: &a0 [x, x]\n"
        for level in 1..<40 { text += "a\(level): &a\(level) [\(many(9) { _ in "*a\(level - 1)" })]\n" }
        return text
    }()

    /// The files of a folder, and what is said of them.
    private static let folders: [(files: [String: String], expected: String)] = [
        (
            ["a.yaml": rule(when: "{f: [{wildcard: \"\(String(repeating: "a*", count: 1000))\"}]}")],
            "a.yaml:2: when.f[0]: more than 32 '*' in one text; a shorter text"
        ),
        (
            ["a.yaml": rule(when: "{f: [\(many(1000) { "{wildcard: \"*a\($0)*\"}" })]}")],
            "a.yaml:2: when.f: more than 256 wildcards with two or more '*'"
        ),
        (
            ["a.yaml": rule(when: "{f: [\(many(1_000_000) { _ in "\"0123456\"" })]}")],
            "a.yaml is larger than 262144 bytes"
        ),
        (
            ["a.yaml": rule(when: "{\(many(60) { "k\($0): {$or: [{a: [1]}, {b: [1]}]}" })}")],
            "when.k9.$or: more than 10000 values when every combination of $or is written out; make several rules"
        ),
        (["a.yaml": "rule: &r\n  - *r\n"], "a.yaml:2: anchors (&name) and aliases (*name) are not allowed"),
        (
            ["a.yaml": laughs],
            "anchors (&name) and aliases (*name) are not allowed"
        ),
        (["a.yaml": "rule: " + String(repeating: "[", count: 200_000)], "a.yaml:1: nested deeper than 64 levels"),
        (["a.yaml": "rule: bad\nwhem: {}\n"], "a.yaml:2: whem: unknown key; did you mean 'when'?"),
        (
            ["a.yaml": rule("good", when: "{source: [x]}"), "b.yaml": rule("broken", when: "{source: x}")],
            "b.yaml:2: when.source: must be a list of values or a mapping, not text; a list, even of one: [\"x\"]"
        ),
        (
            ["a.yaml": rule("twice", when: "{source: [x]}"), "b.yaml": rule("twice", when: "{source: [y]}")],
            "b.yaml:1: rule: the rule 'twice' is already at"
        ),
    ]

    @Test("each is refused with a text that says what to do; nothing is applied, and the hub stays small and quick")
    func refused() async throws {
        try await withHub { hub in
            let file = try hub.folder.write(Documents.plant("preset: sensor\nsecret: generate"), to: "pump.yaml")
            #expect(try await hub.belfry("rules", "apply", file).code == 0)
            let before = try await hub.belfry("rules", "list", "--output", "json").output
            let bytesBefore = try peakBytes(of: hub)
            for (index, folder) in Self.folders.enumerated() {
                for (name, text) in folder.files { try hub.folder.write(text, to: "bad\(index)/\(name)") }
                let start = ContinuousClock.now
                let applied = try await hub.belfry("rules", "apply", "\(hub.folder.path)/bad\(index)")
                #expect(ContinuousClock.now - start < .seconds(20), "\(folder.expected)")
                #expect(applied.code != 0)
                #expect(applied.errors.contains(folder.expected), "\(applied.errors.prefix(600))")
                #expect(applied.errors.utf8.count < 20_000)
            }
            #expect(try await hub.belfry("rules", "list", "--output", "json").output == before)
            #expect(try peakBytes(of: hub) - bytesBefore < 256 * 1024 * 1024)
            #expect(try await hub.client.request("GET", "/readyz").status == 200)
        }
    }

    /// The most memory the hub ever had.
    private func peakBytes(of hub: HubProcess) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(hub.process.id)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return (Int(line.split(separator: " ").dropLast().last ?? "") ?? 0) * 1024
    }
}
