import BelfryCore
import Foundation
import Testing

/// The real binary dies just before and just after every commit of a run's way, and is started again.
@Suite(.timeLimit(.minutes(4))) struct TransitionCrashTests {
    private static let documents = """
        source: lab
        preset: none
        ---
        agent: parrot
        kind: echo
        words_per_second: 1000
        ---
        rule: way
        when: { source: [lab], data: { file: [{ exists: true }] } }
        run:
          steps:
            - { step: look, agent: parrot, prompt: "two words" }
            - { step: act, command: [sh, "-c", "echo done >> '{{data.file}}'"] }
            - parallel:
                - { step: rest, wait: 200ms }
                - { step: ask, approve: "Go on?", expires: 1s, on_deny: continue }
                - { step: talk, agent: parrot, prompt: "meanwhile" }
                - { step: found, wait: { for: { source: [lab] }, by: { data.before: data.file }, within: 1m, look_back: 10m } }
                - { step: heard, wait: { for: { source: [lab] }, by: { data.later: data.file }, within: 1m } }
                - { step: inform, send: { to: peer, body: { said: "{{steps.look.output}}" } } }
            - { step: tell, agent: parrot, prompt: "and more" }
        """

    @Test("finished steps never run again, row and last frame agree, and the audit chain holds, wherever it died")
    func everywhere() async throws {
        let configuration = try TemporaryFolder()
        let peer = try ScriptedProvider([.status(200, "{}")])
        let targets = "targets:\n  peer: { url: \"http://127.0.0.1:\(peer.port)/\", allow_private: true }\n"
        let file = try configuration.write("commands:\n  sh: /bin/sh\n\(targets)", to: "belfry.yaml")
        var points = 0
        var interrupted = 0
        while true {
            points += 1
            let isOver = try await dies(at: points, configuration: file, interrupted: &interrupted)
            if isOver { break }
        }
        #expect(points > 12, "such a run has seven transitions")
        #expect(interrupted > 0, "nowhere was the command cut")
        let sent = peer.exchanges.compactMap { exchange in
            exchange.head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("webhook-id:") }
        }
        #expect(
            sent.count >= points - interrupted && Set(sent).count <= points, "each run says one thing, under one id")
    }

    /// - Returns: whether the run ended before it got there.
    private func dies(at point: Int, configuration: String, interrupted: inout Int) async throws -> Bool {
        let flags = ["--test-crash", "\(point)"]
        let hub = try await HubProcess.start(
            documents: Self.documents, arguments: ["--config", configuration] + flags)
        var isOver = false
        var wasInterrupted = false
        try await hub.use { hub in
            let done = "\(hub.folder.path)/done"
            _ = try await hub.client.request("POST", "/hooks/lab", json: ["before": .string(done)])
            // It may die before the answer is written.
            _ = try? await hub.client.request("POST", "/hooks/lab", json: ["file": .string(done)])
            isOver = try await eventually(within: .seconds(20), "the hub to die or the run to end") {
                guard hub.process.isRunning else { return false }
                _ = try? await hub.client.request("POST", "/hooks/lab", json: ["later": .string(done)])
                return try? await newestRun(hub)["state"]?.string == "succeeded" ? true : nil
            }
            if hub.process.isRunning { try await hub.kill9() }
            try await hub.restart(leavingOut: flags)
            let row = try await eventually(within: .seconds(20), "the run to end") {
                _ = try await hub.client.request("POST", "/hooks/lab", json: ["later": .string(done)])
                let row = try await newestRun(hub)
                return RunState(rawValue: row["state"]?.string ?? "")?.isEnded == true ? row : JSONValue?.none
            }
            let run = try #require(row["id"]?.string)
            let stream = try await hub.client.stream("/v1/runs/\(run)/stream?after=0")
            let frames = try await stream.blocks().map(\.frame)
            wasInterrupted = try check(frames, row, done: done, point)
            #expect(try await hub.belfry("audit", "verify").code == 0, "died at \(point)")
        }
        if wasInterrupted { interrupted += 1 }
        return isOver
    }

    private func newestRun(_ hub: HubProcess) async throws -> JSONValue {
        let runs = try await hub.client.request("GET", "/v1/runs?limit=1").json["items"]?.array
        return try #require(runs?.first)
    }

    /// - Returns: whether the run was ended because its command was interrupted.
    private func check(_ frames: [JSONValue], _ row: JSONValue, done: String, _ point: Int) throws -> Bool {
        var over: Set<String> = []
        for frame in frames {
            let step = frame["data"]?["step"]?.string ?? ""
            switch frame["type"]?.string {
            case "STEP_STARTED": #expect(!over.contains(step), "died at \(point): \(step) ran again")
            case "STEP_FINISHED": #expect(over.insert(step).inserted, "died at \(point): \(step) ended twice")
            default: break
            }
        }
        let ends = frames.filter { ["RUN_FINISHED", "RUN_ERROR"].contains($0["type"]?.string) }
        #expect(ends.count == 1, "died at \(point)")
        #expect(ends.first?["data"]?["state"] == row["state"], "died at \(point)")
        #expect(ends.first?["data"]?["reason"] == row["reason"], "died at \(point)")
        let times = ((try? String(contentsOfFile: done, encoding: .utf8)) ?? "").split(separator: "\n").count
        switch row["state"]?.string {
        case "succeeded":
            #expect(times == 1, "died at \(point): the command ran \(times) times")
            return false
        case "failed":
            #expect(row["reason"] == "interrupted" && times <= 1, "died at \(point): \(row.text)")
            return true
        default:
            Issue.record("died at \(point): \(row.text)")
            return false
        }
    }
}
