import BelfryCore
import Foundation
import Testing

/// The client commands against a real hub.
@Suite(.timeLimit(.minutes(2)))
struct CLITests {
    private static let documents = Documents.plant("preset: sensor\nsecret: generate")

    /// A hub that holds the documents as the API's own, with their file.
    private func withPlant(_ body: (HubProcess, String) async throws -> Void) async throws {
        try await withHub { hub in
            let file = try hub.folder.write(Self.documents, to: "pump.yaml")
            let applied = try await hub.belfry("rules", "apply", file)
            #expect(applied.output.hasSuffix("applied: 3 created, 0 changed, 0 unchanged\n"), "\(applied)")
            try await body(hub, file)
        }
    }

    @Test("an agent goes to a model, keeps what no flag changes, and goes back to echo")
    func agents() async throws {
        try await withPlant { hub, _ in
            let refused = try await hub.belfry("agents", "use", "openai")
            #expect(refused.code == 2)
            #expect(refused.errors.contains("api.openai.com needs a key: --key-file F"))

            let key = try hub.folder.write("sk-one\n", to: "openai.key")
            let used = try await hub.belfry("agents", "use", "openai", "--key-file", key, "--model", "m1")
            #expect(used.code == 0, "\(used.errors)")
            #expect(try await hub.belfry("agents", "use", "openai", "--agent", "fitter", "--model", "m2").code == 0)
            let document = try await hub.belfry("agents", "show", "fitter", "--output", "json").json["document"]
            #expect(document?["model"]?.string == "m2")
            #expect(document?["key"]?.string?.hasPrefix("file:\(hub.dataFolder)/secrets/openai-") == true)
            let list = try await hub.belfry("agents", "list")
            #expect(list.output.contains("m2") && list.output.contains("https://api.openai.com/v1"))

            let withUser = try await hub.belfry(
                "agents", "use", "openai", "--agent", "fitter", "--base-url", "http://u:p@127.0.0.1:1/v1")
            #expect(withUser.code == 1 && withUser.errors.contains("--base-url: must not hold a user"), "\(withUser)")

            let moved = try await hub.belfry(
                "agents", "use", "openai", "--agent", "fitter", "--base-url", "http://127.0.0.1:1/v1")
            #expect(moved.code == 0 && moved.errors.contains("no longer uses the key"))
            #expect(try await hub.belfry("agents", "use", "echo", "--agent", "fitter").code == 0)
            #expect(try await hub.belfry("agents", "show", "fitter").output.contains("kind: \"echo\""))
        }
    }

    @Test("a run that fails says so on stderr, in the list, and with exit code 1")
    func failedRun() async throws {
        try await withPlant { hub, _ in
            _ = try await hub.belfry(
                "agents", "use", "openai", "--agent", "fitter", "--base-url", "http://127.0.0.1:1/v1")
            let reading = try hub.folder.write(#"{"sensor": "pump-7", "celsius": 96}"#, to: "reading.json")
            let sent = try await hub.belfry("send", "sensor", "--file", reading, "--watch")
            #expect(sent.code == 1)
            #expect(
                sent.errors.contains(#/run_\w+ failed \(error\): nothing listens on 127.0.0.1:1/#), "\(sent.errors)")
            #expect(try await hub.belfry("runs", "list").output.contains("nothing listens on 127.0.0.1:1"))
        }
    }

    @Test("rules test: with a hub and without one, its verdicts and exit codes")
    func rulesTest() async throws {
        try await withPlant { hub, file in
            let event = try hub.folder.write(#"{"source": "plant", "data": {"celsius": 96}}"#, to: "event.json")
            #expect(try await hub.belfry("rules", "test", file, "--event", event).code == 0)
            let cold = try hub.folder.write(#"{"source": "plant", "data": {"celsius": 71.25}}"#, to: "cold.json")
            let named = try await hub.belfry("rules", "test", "hot-pump", "--event", cold)
            #expect(named.code == 1)
            #expect(
                named.output == """
                    ✗ hot-pump (v1): not matched
                      ✓ source: "plant" — saw "plant"
                      ✗ data.celsius: numeric [">",90] — saw 71.25

                    """, "\(named)")
            #expect(try await hub.belfry("rules", "test", "cold-pump", "--event", cold).code == 2)
            let wrong = Self.documents.replacing("when:", with: "whem:")
            let broken = try hub.folder.write(wrong, to: "broken.yaml")
            let invalid = try await hub.belfry("rules", "test", broken, "--event", event)
            #expect(invalid.code == 2 && invalid.errors.contains("broken.yaml:9: whem:"))
            let rule = Self.documents.split(separator: "---\n").last.map(String.init) ?? ""
            let both = try hub.folder.write(rule + "\n---\n" + rule.replacing("hot-pump", with: "b"), to: "both.yaml")
            let json = try await hub.belfry("rules", "test", both, "--event", event, "--output", "json")
            #expect(json.code == 0 && json.json["rules"]?.array?.count == 2, "\(json)")
            let reading = try hub.folder.write(#"{"sensor": "pump-7", "celsius": 85}"#, to: "reading.json")
            let sent = try await hub.belfry("send", "sensor", "--file", reading, "--output", "json")
            let id = sent.json["event"]?.string ?? ""
            #expect(try await hub.belfry("rules", "test", both, "--event", id).code == 1)
            let gone = try await hub.belfry("rules", "test", both, "--event", "evt_01h455vb4pex5vsknk084sn02q")
            #expect(gone.code == 2, "\(gone)")
            let offline = try await hub.belfry("rules", "test", both, "--event", event, "--url", "http://127.0.0.1:1")
            #expect(offline.code == 0, "\(offline)")
            let payload = try hub.folder.write(#"{"celsius": 96}"#, to: "reading.json")
            let bare = try await hub.belfry("rules", "test", file, "--event", payload)
            #expect(bare.code == 2 && bare.errors.contains("looks like a payload"))
        }
    }

    @Test("send tells a viewer, a wrong preset and a missing source apart")
    func send() async throws {
        try await withPlant { hub, _ in
            let token = try await hub.belfry("tokens", "create", "v", "--role", "viewer", "--output", "json").json[
                "token"]
            let viewer = try await hub.belfry("send", "sensor", "--token", token?.string ?? "")
            #expect(viewer.code == 4)
            #expect(
                viewer.errors.contains(
                    "your token (viewer) may not read plant's secret; use an admin token or --secret-file"))
            let wrong = try await hub.belfry("send", "github", "--source", "plant")
            #expect(wrong.code == 2 && wrong.errors.contains("plant is a source of preset sensor, not github"))
            let none = try await hub.belfry("send", "hmac")
            #expect(none.code == 1 && none.errors.contains("belfry sources add NAME --preset hmac"))
            let lost = try await hub.belfry("runs", "list", "--data", "/nowhere")
            #expect(lost.code == 4 && lost.errors.hasPrefix("belfry: no token at /nowhere/admin.token"))
            let bogus = try await hub.belfry("runs", "list", "--state", "bogus")
            #expect(bogus.code == 2 && bogus.errors.contains("succeeded"))
        }
    }

    @Test("why says that a rule matches only today; doctor says what is paused")
    func whyAndDoctor() async throws {
        try await withPlant { hub, file in
            let reading = try hub.folder.write(#"{"sensor": "pump-7", "celsius": 85}"#, to: "reading.json")
            let sent = try await hub.belfry("send", "sensor", "--file", reading, "--output", "json")
            try hub.folder.write(Self.documents.replacing("90", with: "80"), to: "pump.yaml")
            _ = try await hub.belfry("rules", "apply", file)
            let why = try await hub.belfry("events", "why", sent.json["event"]?.string ?? "")
            #expect(why.output.contains("~ hot-pump (v2) would match today; it did not when the event came"), "\(why)")

            let one = try await hub.belfry("events", "why", sent.json["event"]?.string ?? "", "--rule", "hot-pump")
            #expect(
                one.output.hasSuffix(
                    """
                    ✗ hot-pump (v1, then): not matched
                      ✓ source: "plant" — saw "plant"
                      ✗ data.celsius: numeric [">",90] — saw 85
                    ✓ hot-pump (v2, now): matched
                      ✓ source: "plant" — saw "plant"
                      ✓ data.celsius: numeric [">",80] — saw 85

                    """), "\(one)")

            _ = try await hub.belfry("pause")
            _ = try await hub.belfry("sources", "pause", "plant")
            let doctor = try await hub.belfry("doctor")
            #expect(doctor.output.contains(#/warn +paused +everything.*belfry resume/#), "\(doctor.output)")
            #expect(doctor.output.contains(#/warn +paused +source plant/#))
        }
    }

    @Test("events tail also shows a source that came after it began")
    func tail() async throws {
        try await withHub { hub in
            let tail = try ChildProcess(
                try BuildProducts.belfry(), ["events", "tail", "--after", "0"],
                environment: ["BELFRY_URL": hub.url, "BELFRY_DATA": hub.dataFolder],
                outputPath: "\(hub.folder.path)/tail.out", errorPath: "\(hub.folder.path)/tail.err")
            let file = try hub.folder.write(Self.documents, to: "pump.yaml")
            _ = try await hub.belfry("rules", "apply", file)
            #expect(try await hub.belfry("send", "sensor").code == 0)
            _ = try await eventually("the event in the tail") { tail.output.contains("sensor.reading") ? true : nil }
            tail.send(SIGKILL)
            _ = try await tail.end()
        }
    }

    @Test("a hub that cannot start says why in plain lines, with a fitting exit code")
    func serveErrors() async throws {
        let folder = try TemporaryFolder()
        try folder.write("rule: x\nwhem: 1\n---\nagent: a\nkind: odd\n", to: "rules/bad.yaml")
        func serve(_ arguments: String..., environment: [String: String] = [:]) async throws -> CommandResult {
            try await CommandResult.of(
                ["serve", "--data", folder.path + "/data", "--port", "0"] + arguments, environment: environment,
                in: folder)
        }
        let invalid = try await serve("--rules", folder.path + "/rules", environment: ["BELFRY_PROT": "1"])
        #expect(invalid.code == 1)
        let lines = invalid.errors.split(separator: "\n")
        #expect(lines.first == "belfry: the variable BELFRY_PROT means nothing; is it BELFRY_PORT?")
        #expect(lines.contains("belfry: the documents are not valid:"))
        #expect(lines.contains { $0.hasPrefix("  \(folder.path)/rules/bad.yaml:2: whem: ") })
        #expect(lines.contains { $0.hasPrefix("  \(folder.path)/rules/bad.yaml:5: kind: ") })
        #expect(!invalid.errors.contains("Error:"))
        #expect(try await serve("--rules", folder.path + "/none").code == 2)
        #expect(try await serve("--config", folder.path + "/none.yaml").code == 2)
    }
}
