import BelfryCore
import Foundation
import Glibc
import Testing

/// A rule from its first version to its last, by the commands that people type.
@Suite(.timeLimit(.minutes(2)))
struct RuleLifeTests {
    private static let plant = Documents.plant("preset: sensor\nsecret: generate")

    /// A hub with the plant's documents as the API's own, in a folder.
    private func withPlant(_ body: (HubProcess, String) async throws -> Void) async throws {
        try await withHub { hub in
            let folder = "\(hub.folder.path)/plant"
            try hub.folder.write(Self.plant, to: "plant/plant.yaml")
            #expect(try await hub.belfry("rules", "apply", folder).code == 0)
            try await body(hub, folder)
        }
    }

    private func send(_ hub: HubProcess, celsius: Int = 96) async throws -> JSONValue {
        let reading = try hub.folder.write(#"{"sensor": "pump-7", "celsius": \#(celsius)}"#, to: "reading.json")
        let sent = try await hub.belfry("send", "sensor", "--file", reading, "--output", "json")
        let why = try await hub.belfry("events", "why", sent.json["event"]?.string ?? "", "--output", "json")
        return why.json["matches"]?.array?.first ?? .null
    }

    @Test("create, edit, a stale edit refused, diff, rollback, removal, and back again")
    func life() async throws {
        try await withPlant { hub, _ in
            let rule = try #require(Self.plant.components(separatedBy: "---\n").last)
            let file = try hub.folder.write(rule.replacing("90", with: "80"), to: "hot.yaml")
            let edited = try await hub.belfry("rules", "apply", file, "--if-version", "1")
            #expect(edited.output == "~ rule/hot-pump  when\napplied: 0 created, 1 changed, 0 unchanged\n", "\(edited)")

            try hub.folder.write(rule.replacing("90", with: "70"), to: "hot.yaml")
            let stale = try await hub.belfry("rules", "apply", file, "--if-version", "1")
            #expect(stale.code == 1)
            #expect(
                stale.errors.contains(#/nothing was done: rule/hot-pump is at version 2 \(.*Z, by admin\), not 1/#)
                    && stale.errors.contains("belfry rules diff hot-pump shows the last change, --if-version 2"),
                "\(stale.errors)")
            let diff = try await hub.belfry("rules", "diff", "hot-pump")
            #expect(diff.output.hasPrefix("--- rule/hot-pump version 1 (") && !diff.output.contains("\u{1B}"))
            #expect(diff.output.contains("[\">\", 90]") && diff.output.contains("+when:"), "\(diff.output)")
            let ofFile = try await hub.belfry("rules", "diff", file)
            #expect(ofFile.output.contains("--- rule/hot-pump version 2\n+++ rule/hot-pump\n@@"), "\(ofFile)")

            let back = try await hub.belfry("rules", "rollback", "hot-pump", "--if-version", "2")
            #expect(
                back.output == "hot-pump is as in version 1 again, now version 3; changed: when\n", "\(back)")
            let removed = try await hub.belfry("rules", "rm", "hot-pump", "--if-version", "3")
            #expect(removed.output == "hot-pump is removed; belfry rules rollback hot-pump 3 brings it back\n")
            #expect(try await hub.belfry("rules", "show", "hot-pump").code == 1)
            #expect(try await hub.belfry("rules", "diff", "hot-pump").output.contains("+++ nothing\n"))
            #expect(try await hub.belfry("rules", "rollback", "hot-pump").output.contains("as in version 3 again"))

            try await hub.kill9()
            try await hub.restart()
            let versions = try await hub.belfry("rules", "versions", "hot-pump")
            let words = versions.output.split(separator: "\n").dropFirst().map { line in
                line.split(separator: " ", omittingEmptySubsequences: true).filter { !$0.contains(":") }
                    .map(String.init).filter { !$0.hasPrefix("20") }.joined(separator: " ")
            }
            #expect(
                words == [
                    "5 created (as 3) admin api -", "4 removed admin api -", "3 changed (as 1) admin api when",
                    "2 changed admin api when", "1 created admin api -",
                ], "\(versions.output)")
            #expect(try await hub.belfry("audit", "verify").code == 0)
            let audit = try await hub.belfry("audit", "tail")
            #expect(audit.output.contains(#/rule.rolled_back +rule/hot-pump +version 2 → 3 as 1: when, owner api/#))
            let old = try await hub.belfry("rules", "show", "hot-pump", "--version", "2")
            #expect(old.output.contains("[\">\", 80]") && old.output.contains("# changed 20"), "\(old.output)")
        }
    }

    @Test(
        "a muted rule starts nothing and says why, also after a restart; observing and disabling are seen in the list")
    func switches() async throws {
        try await withPlant { hub, _ in
            let muted = try await hub.belfry("rules", "mute", "hot-pump", "--for", "2h")
            #expect(muted.output.contains(#/^hot-pump is muted until 20.*Z by admin\n/#), "\(muted)")
            try await hub.kill9()
            try await hub.restart()
            let match = try await send(hub)
            #expect(match["outcome"]?.string == "paused", "\(match.text)")
            #expect(match["detail"]?.string?.hasPrefix("muted until 20") == true)
            #expect(match["detail"]?.string?.hasSuffix("by admin") == true)
            #expect(try await hub.belfry("rules", "list").output.contains(#/hot-pump +muted until 20/#))
            #expect(
                try await hub.belfry("rules", "mute", "hot-pump", "--for", "0s").output
                    == "hot-pump is not muted; it runs\n")
            let unitless = try await hub.belfry("rules", "mute", "hot-pump", "--for", "2")
            #expect(unitless.code == 2 && unitless.errors.contains("a duration with its unit"), "\(unitless)")
            let asked = try await hub.client.request("POST", "/v1/rules/hot-pump/mute", json: ["for": "2"])
            #expect(asked.status == 400 && asked.json["code"] == "malformed", "\(asked)")
            let long = try await hub.belfry("rules", "mute", "hot-pump", "--for", "90d")
            #expect(long.code == 1 && long.errors.contains("at most 30d"))

            #expect(try await hub.belfry("rules", "observe", "hot-pump").output == "hot-pump observes\n")
            #expect(try await send(hub)["outcome"]?.string == "observed")
            #expect(try await hub.belfry("rules", "list").output.contains(#/hot-pump +observes +api/#))
            #expect(try await hub.belfry("rules", "observe", "hot-pump", "--off").output == "hot-pump runs\n")
            #expect(try await send(hub)["outcome"]?.string == "started")
            #expect(try await hub.belfry("rules", "disable", "hot-pump").code == 0)
            #expect(try await hub.belfry("rules", "show", "hot-pump").output.contains("# disabled\n"))
            #expect(try await hub.belfry("rules", "enable", "hot-pump").output == "hot-pump is enabled\n")
            let wrong = try await hub.belfry("rules", "enable", "hot-pumb")
            #expect(wrong.code == 1 && wrong.errors.contains("did you mean 'hot-pump'?"))
        }
    }

    @Test("the plan of a folder: what is created, changed with its keys, removed; the same as a dry run says")
    func plan() async throws {
        try await withPlant { hub, folder in
            let rule = try #require(Self.plant.components(separatedBy: "---\n").last)
            let extra = rule.replacing("hot-pump", with: "cold-pump").replacing("\">\", 90", with: "\"<\", 4")
            try hub.folder.write(extra, to: "extra.yaml")
            #expect(try await hub.belfry("rules", "apply", "\(hub.folder.path)/extra.yaml").code == 0)
            let changed = Self.plant.replacing("kind: echo", with: "kind: echo\nwords_per_second: 9")
                .replacing("preset: sensor", with: "# the cellar\npreset: sensor")
            try hub.folder.write(changed, to: "plant/plant.yaml")
            try hub.folder.write(rule.replacing("hot-pump", with: "warm-pump"), to: "plant/warm.yaml")

            let lines = """
                + rule/warm-pump
                ~ source/plant  same meaning
                ~ agent/fitter  words_per_second
                - rule/cold-pump

                """
            let counts = "1 created, 2 changed, 1 removed, 1 unchanged\n"
            let dry = try await hub.belfry("rules", "apply", folder, "--prune", "--dry-run")
            #expect(dry.output == lines + "would be applied: " + counts, "\(dry)")
            let shown = try await hub.belfry("rules", "apply", folder, "--dry-run", "--diff")
            #expect(shown.output.contains("+words_per_second: 9\n") && !shown.output.contains("cold-pump"))
            #expect(try await hub.belfry("rules", "show", "cold-pump").code == 0, "without --prune nothing is removed")
            let applied = try await hub.belfry("rules", "apply", folder, "--prune")
            #expect(applied.output == lines + "applied: " + counts, "\(applied)")
            #expect(try await hub.belfry("rules", "show", "cold-pump").code == 1)
            let again = try await hub.belfry("rules", "apply", folder, "--prune")
            #expect(again.output == "applied: 0 created, 0 changed, 4 unchanged\n")
        }
    }

    @Test("a folder with one broken file changes nothing")
    func brokenFile() async throws {
        try await withPlant { hub, folder in
            try hub.folder.write(Self.plant.replacing("90", with: "80"), to: "plant/plant.yaml")
            try hub.folder.write("rule: broken\nwhem: {}\n", to: "plant/broken.yaml")
            let applied = try await hub.belfry("rules", "apply", folder)
            #expect(applied.code == 1 && applied.errors.contains("broken.yaml:2: whem: unknown key"))
            let rule = try await hub.belfry("rules", "show", "hot-pump", "--output", "json").json
            #expect(rule["version"]?.number?.int64 == 1 && rule["text"]?.string?.contains("90") == true)
            #expect(try await hub.belfry("rules", "list", "--output", "json").json["items"]?.array?.count == 1)
        }
    }

    @Test("a rule of the rules folder is rolled back there, or taken over")
    func fileOwned() async throws {
        try await withHub(documents: Documents.github()) { hub in
            let text = Documents.github(prompt: "Other")
            try hub.folder.write(text, to: "rules/test.yaml")
            hub.process.send(SIGHUP)
            _ = try await eventually(within: .seconds(20), "the second version") {
                let rule = try await hub.belfry("rules", "show", "triage", "--output", "json").json
                return rule["version"]?.number?.int64 == 2 ? true : nil
            }
            let refused = try await hub.belfry("rules", "rollback", "triage")
            #expect(refused.code == 1 && refused.errors.contains("restore version 1 there, or adopt it"), "\(refused)")
            let removal = try await hub.belfry("rules", "rm", "triage")
            #expect(removal.code == 1 && removal.errors.contains("managed_by_file"))
            let adopted = try await hub.belfry("rules", "rollback", "triage", "--adopt")
            #expect(adopted.output == "triage is as in version 1 again, now version 3; changed: run\n", "\(adopted)")
            let rule = try await hub.belfry("rules", "show", "triage", "--output", "json").json
            #expect(rule["owner"]?.string == "api")
        }
    }

    @Test("an empty rules folder removes nothing; where all was taken over, the hub starts on it")
    func emptyFolder() async throws {
        try await withHub(documents: Documents.github()) { hub in
            let folder = "\(hub.folder.path)/rules"
            func empty() throws {
                for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
                    try FileManager.default.removeItem(atPath: "\(folder)/\(file)")
                }
            }
            func rules() async throws -> Int? {
                try await hub.belfry("rules", "list", "--output", "json").json["items"]?.array?.count
            }
            try empty()
            try await hub.kill9()
            try await hub.restart()
            #expect(hub.log.contains("error=no .yaml, .yml or .json file in \(folder) "), "\(hub.log)")
            #expect(try await rules() == 1)
            try hub.folder.write(Documents.github(), to: "rules/test.yaml")
            #expect(try await hub.belfry("rules", "apply", folder, "--adopt").code == 0)
            try empty()
            try await hub.kill9()
            try await hub.restart()
            #expect(try await rules() == 1)
        }
    }
}
