import BelfryCore
import BelfryRules
import Foundation
import Testing

/// The cases of adnanh/webhook's own tests: what is converted decides as they say, and what is not is disabled.
@Suite(.enabled(if: AdnanhCases.areThere, "the cases of adnanh/webhook are not beside the repository"))
struct AdnanhConformanceTests {
    @Test("every rule decides as it does there, or its hook is reported and disabled")
    func rules() throws {
        let cases = try AdnanhCases.read("rules.json")["rules"]?.array ?? []
        #expect(cases.count == 38)
        var reported = 0
        for (index, test) in cases.enumerated() {
            let file: JSONValue = [
                ["id": "deploy", "execute-command": "/bin/true", "trigger-rule": test["rule"] ?? .null]
            ]
            let (result, documents) = try ImportedDocuments.all(file.text)
            let converted = try #require(documents.first, "\(index)")
            let headers = (test["headers"]?.object?.members ?? []).map { (name: $0.key, value: $0.value.string ?? "") }
            let remote = AdnanhCases.address(test["remote_addr"]?.string ?? "")
            let fires = converted.fires(
                headers: headers + [("Content-Type", "application/json")],
                body: Array((test["body"]?.string ?? "").utf8),
                remote: remote)
            let expected = test["ok"]?.bool ?? false
            if result.isComplete {
                // An empty body is no JSON; webhook reads no payload from it and goes on.
                let isRead = test["body"]?.string?.isEmpty == false
                let seen = isRead ? fires : converted.fires(headers: headers, body: Array("{}".utf8), remote: remote)
                #expect(seen == expected, "\(index): \(test.text)\n\(converted.hook.text)")
            } else {
                reported += 1
                #expect(!fires && !converted.rule.isEnabled, "\(index): \(test.text)")
                #expect(!expected, "\(index): a rule that holds is not converted: \(result.findings)")
            }
        }
        // What cannot hold there either: broken expressions and addresses, and an empty rule.
        #expect(reported == 6)
    }

    @Test("addresses are in a whitelist exactly where they are there")
    func addresses() throws {
        for test in try AdnanhCases.read("rules.json")["ip_whitelist"]?.array ?? [] {
            let file: JSONValue = [
                [
                    "id": "deploy", "execute-command": "/bin/true",
                    "trigger-rule": ["match": ["type": "ip-whitelist", "ip-range": test["range"] ?? ""]],
                ]
            ]
            let converted = try #require(try ImportedDocuments.all(file.text).documents.first)
            let fires = converted.fires(
                headers: [], body: Array("{}".utf8), remote: AdnanhCases.address(test["addr"]?.string ?? ""))
            #expect(fires == test["expect"]?.bool, "\(test.text)\n\(converted.hook.text)")
        }
    }

    /// Hooks as those cases need them, by their id; what they ask for can be read off the cases.
    private static let hooks: [String: String] = [
        "github": #"""
        {"id": "github", "execute-command": "/bin/echo", "http-methods": ["Post "],
         "trigger-rule": {"and": [
           {"match": {"type": "payload-hash-sha1", "secret": "mysecret",
             "parameter": {"source": "header", "name": "X-Signature"}}},
           {"match": {"type": "value", "value": "refs/heads/master",
             "parameter": {"source": "payload", "name": "ref"}}}]}}
        """#,
        "gitlab": #"""
        {"id": "gitlab", "execute-command": "/bin/echo",
         "trigger-rule": {"match": {"type": "value", "value": "refs/heads/master",
           "parameter": {"source": "payload", "name": "ref"}}}}
        """#,
        "issue-471": #"""
        {"id": "issue-471", "execute-command": "/bin/echo", "trigger-rule": {"or": [
          {"match": {"type": "value", "value": "bar", "parameter": {"source": "payload", "name": "foo"}}},
          {"match": {"type": "value", "value": "1", "parameter": {"source": "payload", "name": "exists"}}}]}}
        """#,
        "issue-471-and": #"""
        {"id": "issue-471-and", "execute-command": "/bin/echo", "trigger-rule": {"and": [
          {"match": {"type": "value", "value": "bar", "parameter": {"source": "payload", "name": "foo"}}},
          {"match": {"type": "value", "value": "1", "parameter": {"source": "payload", "name": "exists"}}}]}}
        """#,
        "sendgrid": #"""
        {"id": "sendgrid", "execute-command": "/bin/echo",
         "trigger-rule": {"match": {"type": "value", "value": "processed",
           "parameter": {"source": "payload", "name": "root.0.event"}}}}
        """#,
    ]

    @Test("deliveries are decided as they are there, or not at all")
    func deliveries() throws {
        var decided = 0
        for test in try AdnanhCases.read("http_cases.json").array ?? [] {
            guard let hook = Self.hooks[test["id"]?.string ?? ""], test["method"]?.string == "POST" else { continue }
            let (result, documents) = try ImportedDocuments.all("[\(hook)]")
            let converted = try #require(documents.first)
            var headers = [(name: "Content-Type", value: test["contentType"]?.string ?? "")]
            for member in test["headers"]?.object?.members ?? [] where member.key != "Content-Type" {
                headers.append(
                    (member.key == "X-Hub-Signature" ? "X-Signature" : member.key, member.value.string ?? ""))
            }
            if let type = test["headers"]?["Content-Type"]?.string { headers[0].value = type }
            let fires = converted.fires(headers: headers, body: Array((test["body"]?.string ?? "").utf8))
            let isRefused = test["respBody"]?.string == "Hook rules were not satisfied."
            // Only an element of a list, which has no equivalent, is not converted.
            #expect(result.isComplete == (test["id"] != "sendgrid"))
            if result.isComplete {
                #expect(fires == !isRefused, "\(test["desc"]?.string ?? "")\n\(converted.hook.text)")
            }
            if fires { #expect(!isRefused) }
            decided += 1
        }
        #expect(decided >= 9)
    }
}

struct ImportReferenceTests {
    @Test("the example of the reference page becomes what the page says")
    func example() throws {
        let text = try String(contentsOfFile: BuildProducts.root + "/ops/reference/import.md", encoding: .utf8)
        func block(_ language: String) throws -> String {
            let start = try #require(text.range(of: "```\(language)\n"))
            let end = try #require(text[start.upperBound...].range(of: "```"))
            return String(text[start.upperBound..<end.lowerBound])
        }
        let (result, documents) = try ImportedDocuments.all(try block("json"))
        #expect(result.isComplete)
        let lines = try #require(documents.first).hook.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines.joined(separator: "\n") + "\n" == (try block("yaml")))
        #expect(documents.first?.hook.script?.contains("exec env '/var/scripts/redeploy.sh'") == true)
    }
}

enum AdnanhCases {
    private static let folder = BuildProducts.root + "/../shared/conformance/adnanh"

    static var areThere: Bool { FileManager.default.fileExists(atPath: folder + "/rules.json") }

    static func read(_ name: String) throws -> JSONValue {
        try JSONValue(parsing: Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))))
    }

    /// The address of ` [ 10.0.0.1:1234 ] `, as webhook takes it apart.
    static func address(_ text: String) -> String {
        let trimmed = text.filter { !" []".contains($0) }
        return trimmed.lastIndex(of: ":").map { String(trimmed[..<$0]) } ?? trimmed
    }
}
