import BelfryCore
import Foundation
import Testing

/// What only the system calls can show: a `kill -9` keeps the page cache, so it can't find a missing fsync.
@Suite(.timeLimit(.minutes(3))) struct DurabilityTests {
    private static let strace = "/usr/bin/strace"

    @Test(
        "each acknowledged delivery has waited for an fdatasync",
        .enabled(if: FileManager.default.isExecutableFile(atPath: strace), "strace is not installed")
    )
    func fdatasync() async throws {
        try await withHub(documents: Documents.github()) { hub in
            let folder = try TemporaryFolder()
            let tracer = try ChildProcess(
                Self.strace,
                ["-f", "-e", "trace=fdatasync,fsync", "-o", "\(folder.path)/trace", "-p", "\(hub.process.id)"],
                outputPath: "\(folder.path)/out", errorPath: "\(folder.path)/err"
            )
            _ = try await eventually(within: .seconds(10), "strace to attach") {
                tracer.errors.contains("attached") ? true : nil
            }
            func syncs() -> Int {
                let trace = (try? String(contentsOfFile: "\(folder.path)/trace", encoding: .utf8)) ?? ""
                return trace.split(separator: "\n").count { $0.contains("sync(") }
            }
            for number in 0..<5 {
                let before = syncs()
                #expect(try await hub.deliver(number, id: "sync-\(number)").status == 202)
                #expect(syncs() > before)
                _ = try await hub.allRunsEnded()
            }
            // The tracer ends with the hub.
            try await hub.kill9()
            _ = try await tracer.end()
        }
    }

    @Test("a hub whose disk is full says so, loses nothing it accepted, and works again when there is room")
    func fullDisk() async throws {
        let folder = try TemporaryFolder()
        let mount = "\(folder.path)/disk"
        try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: true)
        guard try await Shell.run("mount -t tmpfs -o size=24m belfry-test '\(mount)'") == 0 else {
            try Test.cancel("needs the right to mount a tmpfs")
        }
        let rules = try folder.write(Documents.github(), to: "rules/test.yaml")
        let hub = try await HubProcess.start(
            rules: URL(fileURLWithPath: rules).deletingLastPathComponent().path, arguments: ["--data", mount],
            environment: Documents.environment, folder: folder
        )
        let token = try String(contentsOfFile: "\(mount)/admin.token", encoding: .utf8).trimmingCharacters(
            in: .whitespacesAndNewlines)
        let client = RawClient(port: hub.port, token: token)
        var accepted: [String] = []
        var refusal: RawClient.Response?
        let filler = "\(mount)/filler"
        #expect(try await Shell.run("head -c 60m /dev/zero > '\(filler)' 2>/dev/null; true") == 0)
        for number in 0..<3000 where refusal == nil {
            let response = try await hub.deliver(number, id: "full-\(number)")
            if response.status == 202 {
                accepted.append(response.json["event"]?.string ?? "")
            } else {
                refusal = response
            }
        }
        #expect(refusal?.status == 503 || refusal?.status == 507)
        #expect(refusal?.json["code"]?.string == "storage_full")
        #expect(refusal?.header("retry-after") != nil)
        try FileManager.default.removeItem(atPath: filler)
        _ = try await eventually(within: .seconds(20), "the hub to take deliveries again") {
            try await hub.deliver(99_999, id: "after").status == 202 ? true : nil
        }
        for event in accepted { #expect(try await client.request("GET", "/v1/events/\(event)").status == 200) }
        try await hub.kill9()
        _ = try await Shell.run("umount '\(mount)'")
    }
}
