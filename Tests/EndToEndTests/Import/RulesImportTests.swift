import BelfryCore
import Foundation
import Testing

/// `belfry rules import adnanh`, from the hooks file to the command that runs.
struct RulesImportTests {
    private static func hooks(_ program: String, more: String = "") -> String {
        #"""
        [{"id": "deploy", "execute-command": "\#(program)", "command-working-directory": "/tmp",
          "response-message": "thanks",
          "pass-environment-to-command": [{"source": "payload", "name": "head.id"}],
          "pass-arguments-to-command": [{"source": "payload", "name": "ref"}, {"source": "string", "name": "--now"}],
          "trigger-rule": {"and": [
            {"match": {"type": "value", "value": "a hidden word's end",
              "parameter": {"source": "header", "name": "X-Hook-Token"}}},
            {"match": {"type": "regex", "regex": "^refs/heads/",
              "parameter": {"source": "payload", "name": "ref"}}}]}\#(more)}]
        """#
    }

    @Test("the documents can be applied, and a delivery runs the program as webhook did", .timeLimit(.minutes(3)))
    func fromFileToCommand() async throws {
        let folder = try TemporaryFolder()
        let seen = "\(folder.path)/seen"
        // A shell hands on no variable with a point in its name; it still gets it.
        let script = "{ pwd; printf '%s\\n' \"$@\"; tr '\\0' '\\n' < /proc/$$/environ | grep '^HOOK_'; } > \(seen)"
        // Written by another process: what other tests start meanwhile must not hold it open, or it can't be executed.
        let text = try folder.write("#!/bin/sh\n\(script)\n", to: "program.txt")
        let program = "\(folder.path)/program.sh"
        #expect(try await Shell.run("install -m 755 \(text) \(program)") == 0)
        let file = try folder.write(Self.hooks(program), to: "hooks.json")
        let out = "\(folder.path)/imported"
        let secrets = "\(folder.path)/secrets.env"
        let result = try await CommandResult.of(
            ["rules", "import", "adnanh", file, "--out", out, "--secrets-to", secrets], in: folder)
        #expect(result.code == 0, "\(result.errors)\(result.output)")
        #expect(!result.output.contains("hidden word") && result.output.contains("WEBHOOK_DEPLOY_SECRET"))
        let attributes = try FileManager.default.attributesOfItem(atPath: secrets)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(
            try await Shell.run("test \"$(. \(secrets); echo $WEBHOOK_DEPLOY_SECRET)\" = \"a hidden word's end\"") == 0)
        let configuration = try folder.write(
            "commands:\n  deploy: \(out)/commands/deploy.sh\nsecrets:\n  env: [WEBHOOK_DEPLOY_SECRET]\n",
            to: "belfry.yaml")
        try await withHub(
            rules: out, arguments: ["--config", configuration],
            environment: ["WEBHOOK_DEPLOY_SECRET": "a hidden word's end"]
        ) { hub in
            let client = RawClient(port: hub.port)
            let headers = [("Content-Type", "application/json"), ("X-Hook-Token", "a hidden word's end")]
            let body = Array(#"{"ref": "refs/heads/main", "head": {"id": "-f \"x\" $HOME"}}"#.utf8)
            let answer = try await client.request("POST", "/hooks/deploy", headers: headers, body: body)
            #expect(answer.status == 200 && answer.text == "thanks")
            let wrong = try await client.request("POST", "/hooks/deploy", headers: [headers[0]], body: body)
            #expect(wrong.status == 401)
            let text = try await eventually("what the program saw") {
                let text = (try? String(contentsOfFile: seen, encoding: .utf8)) ?? ""
                return text.contains("HOOK_") ? text : nil
            }
            #expect(text == "/tmp\nrefs/heads/main\n--now\nHOOK_head.id=-f \"x\" $HOME\n")
        }
    }

    @Test("documents go to standard output and the report to standard error, and something left out ends with 1")
    func toStandardOutput() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            Self.hooks("/bin/true", more: #", "include-command-output-in-response": true"#), to: "hooks.json")
        let result = try await CommandResult.of(
            ["rules", "import", "adnanh", file, "--name", "deploy=main.deploy"], in: folder)
        #expect(result.code == 1)
        #expect(
            result.output.contains("rule: main.deploy\n")
                && result.errors.contains("left out:\n  deploy: include-command"))
        let json = try await CommandResult.of(["rules", "import", "adnanh", file, "-o", "json"], in: folder).json
        #expect(json["left_out"]?.array?.first?["key"] == "include-command-output-in-response")
        #expect(json["variables"] == ["WEBHOOK_DEPLOY_SECRET"])
    }

    @Test("what cannot be read ends with 2, and nothing is overwritten")
    func refused() async throws {
        let folder = try TemporaryFolder()
        let template = try folder.write(#"[{"id": "{{ getenv "X" }}"}]"#, to: "hooks.json.tmpl")
        let refused = try await CommandResult.of(["rules", "import", "adnanh", template], in: folder)
        #expect(refused.code == 2 && refused.output.isEmpty && refused.errors.contains("Go template"))
        let file = try folder.write(Self.hooks("/bin/true"), to: "hooks.json")
        let there = try folder.write("mine", to: "out/deploy.yaml")
        let taken = try await CommandResult.of(
            ["rules", "import", "adnanh", file, "--out", folder.path + "/out", "--secrets-to", folder.path + "/s"],
            in: folder)
        #expect(taken.code == 2)
        #expect(try String(contentsOfFile: there, encoding: .utf8) == "mine")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/s"))
    }
}
