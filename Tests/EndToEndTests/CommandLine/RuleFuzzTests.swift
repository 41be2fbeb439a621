import BelfryCore
import BelfryRules
import Testing

@testable import belfry

/// The rule set against the plain matcher, on random cases. `belfry bench fuzz-rules` runs any number of them.
@Suite(.timeLimit(.minutes(2)))
struct RuleFuzzTests {
    @Test("the rule set and the plain matcher say the same", arguments: 0..<8)
    func agreement(batch: UInt64) throws {
        var patterns = 0, refused = 0, matches = 0
        for seed in (batch * 1000)..<(batch * 1000 + 150) {
            let fuzzCase = FuzzGenerator.makeCase(seed: seed)
            let finding = try fuzzCase.check()
            if let difference = finding.difference {
                let least = fuzzCase.minimised()
                Issue.record("seed \(seed): \(difference)\n\(least.patterns.map(\.text))\n\(least.event.text)")
            }
            patterns += fuzzCase.patterns.count
            refused += finding.refused
            matches += finding.matches
        }
        // Else the cases would mean little.
        #expect(refused * 8 < patterns, "\(refused) of \(patterns) patterns are none")
        #expect(matches * 8 > patterns, "only \(matches) of \(patterns) patterns match")
    }

    @Test("a seed makes its case again")
    func seeds() {
        let (one, again) = (FuzzGenerator.makeCase(seed: 5), FuzzGenerator.makeCase(seed: 5))
        #expect(one.event.text == again.event.text && one.patterns.map(\.text) == again.patterns.map(\.text))
        #expect(FuzzGenerator.makeCase(seed: 6).event.text != one.event.text)
    }

    @Test("a matcher that is wrong is found, and the case is cut down to what shows it")
    func minimising() throws {
        // Takes the first of duplicate keys.
        let wrong = FuzzCase.Subject(
            bare: { rules, json in rules.matches(Self.withoutLaterDuplicates(json.value)) },
            enveloped: { $0.matches($1) })
        let found = (0..<2000).lazy.map { FuzzGenerator.makeCase(seed: $0) }
            .first { (try? $0.check(wrong))?.difference != nil }
        let least = try #require(found).minimised(wrong)
        #expect(try least.check(wrong).difference != nil)
        #expect(try least.check().difference == nil)
        #expect(least.patterns.count == 1, "\(least.patterns.map(\.text))")
        #expect(least.event.text.utf8.count < 40, "\(least.event.text)")
    }

    private static func withoutLaterDuplicates(_ value: JSONValue) -> JSONValue {
        guard case .object(let object) = value else { return value }
        var kept: [JSONObject.Member] = []
        for member in object.members where !kept.contains(where: { $0.key.hasSameBytes(as: member.key) }) {
            kept.append(.init(key: member.key, value: withoutLaterDuplicates(member.value)))
        }
        return .object(JSONObject(kept))
    }

    @Test("the command says how many cases it ran")
    func command() async throws {
        let ran = try await CommandResult.of(
            ["bench", "fuzz-rules", "--cases", "100", "--seed", "77", "--output", "json"], in: TemporaryFolder())
        #expect(ran.code == 0, "\(ran)")
        #expect(ran.json["cases"] == 100 && ran.json["seed"] == 77 && ran.json["differ"] == 0)
    }
}
