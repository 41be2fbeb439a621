import ArgumentParser
import BelfryCore
import BelfryRules
import Foundation
import Testing

@testable import belfry

struct DocumentationTests {
    private static let readme = BuildProducts.root + "/README.md"

    private func names(_ files: [(path: String, text: String)]) throws -> [String] {
        do throws(DocumentErrors) {
            return try DocumentLoader.load(files).map(\.name)
        } catch {
            throw Timeout(what: error.diagnostics.map(\.description).joined(separator: "\n"))
        }
    }

    @Test("the first rule of the README can be applied, and matches as the README says")
    func firstRule() throws {
        let text = try String(contentsOfFile: Self.readme, encoding: .utf8)
        let block = try #require(text.split(separator: "```yaml\n").last?.split(separator: "\n```").first)
        let documents = try DocumentLoader.load([(path: "pump.yaml", text: String(block))])
        #expect(documents.map(\.name) == ["workshop", "fitter", "hot-pump"])
        guard case .rule(let rule)? = documents.last?.content else { throw Timeout(what: "a rule at the end") }
        for (celsius, isMatch) in [(96, true), (80, false)] {
            let event = #"{"source": "workshop", "data": {"sensor": "pump-7", "celsius": \#(celsius)}}"#
            #expect(rule.pattern.matches(try JSONValue(parsing: event)) == isMatch)
        }
    }

    @Test("what ops/bench measures can be applied")
    func benchDocuments() throws {
        let files = try DocumentFiles.read([BuildProducts.root + "/ops/bench/documents"])
        #expect(try names(files) == ["github", "bench", "every-push"])
    }

    @Test(
        "every command of the README is one",
        arguments: [
            ["rules", "apply"], ["rules", "test"], ["sources", "show"], ["send"], ["events", "why"],
            ["events", "tail"],
            ["runs", "watch"], ["runs", "show"], ["runs", "skip"], ["runs", "adjust"], ["runs", "stop"],
            ["runs", "retry"], ["runs", "start"], ["agents", "test"], ["pause"],
            ["approvals", "list"], ["approvals", "approve"], ["agents", "use"], ["audit", "verify"], ["doctor"],
            ["bench", "ingest"],
            ["bench", "fanout"], ["bench", "match"], ["listen"],
        ])
    func commands(path: [String]) throws {
        let text = try String(contentsOfFile: Self.readme, encoding: .utf8)
        #expect(text.contains("belfry " + path.joined(separator: " ")))
        var command: any ParsableCommand.Type = Belfry.self
        for name in path {
            let groups = command.configuration.subcommands
            command = try #require(groups.first { $0._commandName == name }, "\(path)")
        }
        #expect(command.helpMessage().contains("EXAMPLE\n  belfry \(path[0])"))
    }
}
