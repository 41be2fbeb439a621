import ArgumentParser
import BelfryCore
import BelfryRules
import Foundation

struct RulesTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Ask whether rules match an event, and why, without starting anything.",
        discussion: """
            With files for both no hub is needed: a repository of rules can test them anywhere. A file may hold several \
            rules, and sources and agents beside; agents that are defined elsewhere are no error. All rules are tested, \
            or the one that --rule names.

            Ends with 0 if any of them matches, with 1 if none does, and with 2 if there is no verdict: a file that is \
            not valid, no such rule or event.

            EXAMPLE
              belfry rules test ./my-rule.yaml --event ./event.json
              belfry rules test ./my-rule.yaml --event evt_01h455vb4pex5vsknk084sn02q
              belfry rules test github-issue-triage --event evt_01h455vb4pex5vsknk084sn02q
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "A stored rule's name, or a file or folder of rules.") var rules: String
    @Option(help: ArgumentHelp("A stored event's id, or a JSON file that holds an event.", valueName: "event"))
    var event: String
    @Option(help: "Of several rules only this one.") var rule: String?

    func run() async throws {
        let answer: JSONValue
        do throws(any Error) {
            let event = try Self.eventValue(event)
            if try DocumentFiles.mean(rules) {
                let files = try DocumentFiles.read([rules])
                answer = try Self.test(files, only: rule, event: try await stored(event))
            } else {
                guard Name.isValid(rules) else {
                    throw Failure(.usage, "\(rules) is no file, and no name of a rule")
                }
                answer = try await client.client().post("/v1/rules/test", ["rule": .string(rules), "event": event])
            }
        } catch let failure as Failure where failure.code == .negative {
            // 1 is a verdict; this is none.
            throw Failure(.usage, failure.message)
        }
        client.output.show(answer) { answer in
            (answer["rules"]?.array ?? []).map { RuleVerdict.text($0) }.joined()
        }
        if answer["matched"]?.bool != true { throw ExitCode(Failure.Code.negative.rawValue) }
    }

    /// The event of an id; any other stays as it is.
    private func stored(_ event: JSONValue) async throws -> JSONValue {
        guard let id = event.string else { return event }
        return try await client.client().get("/v1/events/\(PercentEncoding.component(id))")
    }

    /// Tests the rules of files as the hub does.
    /// - Throws: `usage` with every diagnostic; for files without a rule, or without the one that is asked for.
    static func test(
        _ files: [(path: String, text: String)], only name: String?, event: JSONValue
    ) throws -> JSONValue {
        let documents: [Document]
        do {
            documents = try DocumentLoader.load(files, knownAgents: nil)
        } catch {
            throw Failure(.usage, "not valid:\n" + error.diagnostics.map { "  \($0)" }.joined(separator: "\n"))
        }
        let rules = documents.compactMap { document in
            if case .rule(let rule) = document.content { rule } else { nil }
        }
        let asked = rules.filter { name == nil || $0.name == name }
        for document in documents where asked.contains(where: { $0.name == document.name }) {
            for warning in document.warnings { Terminal.complain("warning: \(warning)") }
            for assumption in document.assumptions { Terminal.complain("note: \(assumption)") }
        }
        guard !asked.isEmpty else {
            let names = rules.map(\.name).joined(separator: ", ")
            let path = files.count == 1 ? files[0].path : "\(files.count) files"
            throw Failure(
                .usage, rules.isEmpty ? "no rule in \(path)" : "no rule \(name ?? "") in \(path), but \(names)")
        }
        let value = Event.value(of: event)
        return .object(asked.map { $0.explain(value) }.json)
    }

    /// An id as it is, or the event in a file (- for stdin). A payload alone is refused: no pattern on `data` could
    /// match it.
    static func eventValue(_ event: String) throws -> JSONValue {
        if EventID(event) != nil { return .string(event) }
        guard event == "-" || FileManager.default.fileExists(atPath: event) else {
            throw Failure(
                .usage, "\(event) is no file, and no id of an event; ids look like evt_01h455vb4pex5vsknk084sn02q")
        }
        let bytes = try LocalFile.bytes(at: event)
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw Failure(.usage, "\(event): \(error)")
        }
        guard value.object != nil else { throw Failure(.usage, "\(event): no JSON object") }
        guard value["source"] != nil || value["data"] != nil else {
            throw Failure(
                .usage,
                "\(event) has neither source nor data: this looks like a payload, not an event "
                    + "(belfry events show prints one)")
        }
        return value
    }
}
