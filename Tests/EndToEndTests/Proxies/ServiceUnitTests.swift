import BelfryCore
import Foundation
import Testing

/// The unit that ops/systemd ships.
struct ServiceUnitTests {
    private static let analyze = "/usr/bin/systemd-analyze"
    private static let path = BuildProducts.root + "/ops/systemd/belfry.service"

    @Test(
        "systemd has nothing to say against the unit",
        .enabled(if: FileManager.default.isExecutableFile(atPath: analyze), "systemd-analyze is not installed"))
    func verify() async throws {
        let folder = try TemporaryFolder()
        let text = try String(contentsOfFile: Self.path, encoding: .utf8)
        #expect(text.contains("ExecStart=/usr/local/bin/belfry serve "))
        // The program need not be installed here.
        let unit = try folder.write(
            text.replacing("/usr/local/bin/belfry", with: try BuildProducts.belfry()), to: "belfry.service")
        let process = try ChildProcess(
            Self.analyze, ["verify", unit], outputPath: "\(folder.path)/out", errorPath: "\(folder.path)/err")
        #expect(try await process.end() == 0)
        #expect(process.output + process.errors == "")
    }

    @Test("systemd waits longer for the end than the hub takes")
    func stopTimeout() throws {
        let text = try String(contentsOfFile: Self.path, encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("TimeoutStopSec=") })
        let seconds = try #require(Int(line.dropFirst("TimeoutStopSec=".count).dropLast()))
        #expect(Duration.seconds(seconds) > Limits.drainTimeout + Limits.runDrainTimeout)
    }

    @Test("the unit's command line is one that belfry takes")
    func commandLine() async throws {
        let text = try String(contentsOfFile: Self.path, encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("ExecStart=") })
        let arguments = line.split(separator: " ").dropFirst().map(String.init)
            .map { $0 == "/etc/belfry/belfry.yaml" ? BuildProducts.root + "/ops/belfry.yaml" : $0 }
        let result = try await CommandResult.of(arguments + ["--print-config"], in: TemporaryFolder())
        #expect(result.code == 0)
        #expect(result.output.contains(#"data: "/var/lib/belfry""#))
    }
}
