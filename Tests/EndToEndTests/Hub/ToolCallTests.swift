import BelfryCore
import Foundation
import Testing

/// Tools of agents, with the real binary: what a person sees and says, and what a crash leaves behind.
@Suite(.timeLimit(.minutes(2))) struct ToolCallTests {
    private static func documents(_ provider: ScriptedProvider, _ folder: TemporaryFolder, approve: Bool) -> String {
        #"""
        source: lab
        preset: none
        ---
        agent: model
        kind: openai
        base_url: URL
        model: scripted
        ---
        rule: mend
        when: { source: [lab] }
        run:
          steps:
            - step: mend
              agent: model
              prompt: "Look after {{data.pump}}."
              tools:
                - tool: restart
                  about: Begins a pump anew.
                  command: [sh, "-c", 'echo "$1" >> FOLDER/done; sleep "$2"', x, "{{input.pump}}", "{{input.seconds}}"]
                  input: { schema: { type: object, properties: { pump: { type: string }, seconds: { type: integer } }, required: [pump, seconds] } }
                  approve: APPROVE
        """#
        .replacing("URL", with: provider.baseURL).replacing("FOLDER", with: folder.path)
        .replacing("APPROVE", with: "\(approve)")
    }

    private func withHub(
        _ provider: ScriptedProvider, approve: Bool, _ body: (HubProcess, String, TemporaryFolder) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("commands:\n  sh: /bin/sh\n", to: "belfry.yaml")
        let documents = Self.documents(provider, folder, approve: approve)
        try await HubProcess.start(documents: documents, arguments: ["--config", file]).use { hub in
            let posted = try await hub.client.request("POST", "/hooks/lab", json: ["pump": "p7"])
            try await body(hub, try #require(posted.json["runs"]?.array?.first?.string, "\(posted.text)"), folder)
        }
    }

    private func done(_ folder: TemporaryFolder) -> String? {
        try? String(contentsOfFile: folder.path + "/done", encoding: .utf8)
    }

    @Test("a person sees the exact call, changes it after a crash of the hub, and that alone is done")
    func asks() async throws {
        let provider = try ScriptedProvider(
            [ScriptedProvider.calls(("restart", #"{"pump":"p7","seconds":0}"#))], [.text("All is well.")])
        try await withHub(provider, approve: true) { hub, run, folder in
            let approval = try await eventually(within: .seconds(20), "the question") {
                try await hub.client.request("GET", "/v1/approvals?state=open").json["items"]?.array?.first?["id"]?
                    .string
            }
            let shown = try await hub.belfry("approvals", "show", approval).output
            #expect(shown.hasPrefix(#"Step mend wants to call restart with {"pump":"p7","seconds":0}"#), "\(shown)")
            #expect(
                shown.contains(#"call        restart {"pump":"p7","seconds":0}"#)
                    && shown.contains("[--value ARGUMENTS]"))
            let timeline = try await hub.belfry("runs", "show", run).output
            #expect(timeline.contains(#"  → restart {"pump":"p7","seconds":0} (asked)"#), "\(timeline)")
            try await hub.kill9()
            try await hub.restart()
            #expect(done(folder) == nil)
            let value = #"{"pump":"p8; touch x","seconds":0}"#
            let wrong = try await hub.belfry("approvals", "approve", approval, "--value", #"{"pump":7}"#)
            #expect(
                wrong.code == 1 && wrong.output.hasPrefix("rejected: the arguments do not fit: arguments"), "\(wrong)")
            #expect(try await hub.belfry("approvals", "approve", approval, "--value", value).code == 0)
            let ended = try await hub.ended(run)
            #expect(ended["state"] == "succeeded" && ended["steps"]?.array?.first?["output"] == "All is well.")
            #expect(done(folder) == "p8; touch x\n")
            #expect(provider.exchanges.last?.body.contains("A person has changed the arguments") == true)
            let watched = try await hub.belfry("runs", "watch", run, "--output", "json").output
            #expect(watched.contains("TOOL_CALL_RESULT") && watched.contains("TOOL_CALL_ARGS"))
            #expect(try await hub.belfry("audit", "verify").code == 0)
        }
    }

    @Test("a crash in the middle of a call with effects ends the run: it is not done again, and its process is gone")
    func interrupted() async throws {
        let seconds = Int.random(in: 100_000...999_999)
        let provider = try ScriptedProvider(
            [ScriptedProvider.calls(("restart", #"{"pump":"p7","seconds":\#(seconds)}"#))], [.text("never said")])
        try await withHub(provider, approve: false) { hub, run, folder in
            _ = try await eventually(within: .seconds(20), "the tool") { done(folder) }
            try await hub.kill9()
            try await hub.restart()
            let ended = try await hub.ended(run)
            #expect(ended["state"] == "failed" && ended["reason"] == "interrupted", "\(ended.text)")
            #expect(done(folder) == "p7\n" && provider.exchanges.count == 1)
            #expect(!Processes.isSleeping("\(seconds)"))
        }
    }

    @Test("a stop in the middle of a call ends the tool's processes before it is acknowledged")
    func stopped() async throws {
        let seconds = Int.random(in: 100_000...999_999)
        let provider = try ScriptedProvider([
            ScriptedProvider.calls(("restart", #"{"pump":"p7","seconds":\#(seconds)}"#))
        ])
        try await withHub(provider, approve: false) { hub, run, folder in
            _ = try await eventually(within: .seconds(20), "the tool") { done(folder) }
            let stop = try await hub.belfry("runs", "stop", run)
            #expect(stop.output.hasPrefix("applied"), "\(stop)")
            #expect(!Processes.isSleeping("\(seconds)"))
            #expect(try await hub.ended(run)["state"] == "stopped")
        }
    }
}
