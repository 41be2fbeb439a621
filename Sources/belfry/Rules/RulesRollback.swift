import ArgumentParser
import BelfryCore

struct RulesRollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Bring the content of an old version back, as a new version; also of a rule that was removed.",
        discussion: """
            Agents that the old version names must be there. A rule of the rules folder is changed there, or taken \
            over with --adopt; then take it out of the folder, or the folder can't be applied any more.

            EXAMPLE
              belfry rules rollback github-issue-triage
              belfry rules rollback github-issue-triage 3 --if-version 5
            """
    )

    @OptionGroup var client: ClientOptions
    @OptionGroup var condition: VersionCondition
    @Argument(help: "The rule.") var name: String
    @Argument(help: "The version to bring back; default: the one before the last.") var version: Int64?
    @Flag(help: "Take over a rule that comes from the rules folder, instead of refusing it.") var adopt = false

    func run() async throws {
        let client = try self.client.client()
        let path = "/v1/rules/\(PercentEncoding.component(name))"
        var version = self.version
        if version == nil {
            let last = try await client.get(path + "/versions", [("limit", "2")]).items
            version = last.dropFirst().first?["version"]?.number?.int64
        }
        guard let version else {
            throw Failure(.negative, "\(name) has one version only; there is nothing to go back to")
        }
        let body: JSONValue = ["version": .int(version), "adopt": .bool(adopt)]
        let answer = try await client.call("POST", path + "/rollback", headers: condition.headers, body: body).body
        self.client.output.show(answer) { answer in
            guard answer["changed"]?.bool == true else {
                return "\(name) is as in version \(version) already (version \(answer.cell("version")))\n"
            }
            let keys = answer["keys"]?.array?.isEmpty == false ? "; changed: \(answer.cell("keys"))" : ""
            return "\(name) is as in version \(version) again, now version \(answer.cell("version"))\(keys)\n"
        }
    }
}
