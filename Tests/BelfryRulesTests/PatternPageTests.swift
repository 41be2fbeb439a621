import BelfryCore
import Foundation
import Testing

@testable import BelfryRules

/// `Rules/PATTERNS.md` says what the language means; what it shows is run here.
struct PatternPageTests {
    /// A fence of the page: a pattern, and events with their verdicts or the diagnostics of a pattern that is refused.
    struct Example: Sendable, CustomTestStringConvertible {
        var line: Int
        var heading: String
        var pattern: String
        var events: [(text: String, matches: Bool)] = []
        var diagnostics: [String] = []
        var testDescription: String { "PATTERNS.md:\(line)" }
    }

    private static let text: String = {
        let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        let root = file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return (try? String(contentsOf: root.appendingPathComponent("Rules/PATTERNS.md"), encoding: .utf8)) ?? ""
    }()

    static let examples: [Example] = {
        var examples: [Example] = []
        var heading = ""
        var isInside = false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("#") { heading = String(line.drop { $0 == "#" || $0 == " " }) }
            if line.hasPrefix("```") {
                isInside = line == "```pattern"
                if isInside { examples.append(Example(line: index + 1, heading: heading, pattern: "")) }
                continue
            }
            guard isInside else { continue }
            let last = examples.count - 1
            switch line.prefix(2) {
            case "+ ", "- ": examples[last].events.append((String(line.dropFirst(2)), line.hasPrefix("+")))
            case "! ": examples[last].diagnostics.append(String(line.dropFirst(2)))
            default: examples[last].pattern += line
            }
        }
        return examples
    }()

    @Test("every example means what the page says", arguments: examples)
    func example(_ example: Example) throws {
        let node = DocumentNode(try JSONValue(parsing: example.pattern))
        guard example.diagnostics.isEmpty else {
            let errors = try #require(throws: PatternErrors.self) { try EventPattern(parsing: node) }
            #expect(errors.errors.map(\.description) == example.diagnostics)
            return
        }
        #expect(!example.events.isEmpty, "an example without an event")
        let pattern = try EventPattern(parsing: node)
        let rule = RuleDefinition(name: "r", pattern: pattern, steps: [])
        let rules = RuleSet(version: 1, rules: [Rule(definition: rule, version: 1)])
        for (text, matches) in example.events {
            let event = try JSONValue(parsing: text)
            #expect(pattern.matches(event) == matches, "\(text)")
            #expect(pattern.explain(event).matched == matches, "\(text), explained")
            let json = try RawJSON(validating: Array(text.utf8))
            #expect(rules.matches(json: json).count == (matches ? 1 : 0), "\(text), in a rule set")
        }
    }

    @Test("every operator has a section with a MUST, an event it matches and one it does not")
    func operators() throws {
        for name in ValueTestParser.operators {
            let section = try #require(Self.text.split(separator: "\n### \(name)\n").dropFirst().first, "\(name)")
            #expect(section.split(separator: "\n#").first?.contains("MUST") == true, "\(name)")
            let examples = Self.examples.filter { $0.heading == name }
            #expect(examples.contains { $0.pattern.contains("\"\(name)\"") }, "\(name)")
            #expect(examples.contains { $0.events.contains(where: \.matches) }, "\(name)")
            #expect(examples.contains { $0.events.contains { !$0.matches } }, "\(name)")
        }
    }

    @Test("every bound of the language stands on the page")
    func bounds() {
        let bounds = [
            Limits.documentDepthMax, Limits.wildcardsPerStringMax, Limits.patternSearchesMax, Limits.jsonDepthMax,
            Limits.patternLeavesMax, Limits.patternStepsMax, Limits.patternJoinsMax,
        ]
        for bound in bounds {
            let digits = String(bound)
            let grouped = stride(from: digits.count, to: 0, by: -3)
                .map { digits.prefix($0).suffix(3) }.reversed().joined(separator: ",")
            #expect(Self.text.contains("| \(grouped) |"), "\(grouped)")
        }
        #expect(Self.text.contains("| \(Limits.documentBytesMax / 1024) KiB |"))
    }
}
