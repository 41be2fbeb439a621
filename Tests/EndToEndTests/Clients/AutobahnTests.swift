import BelfryCore
import Foundation
import Testing

/// Autobahn's fuzzing client, which tries what a WebSocket server may be sent.
@Suite(.timeLimit(.minutes(10))) struct AutobahnTests {
    private static let isInstalled = FileManager.default.fileExists(
        atPath: BuildProducts.root + "/.build/autobahn/installed.txt")

    @Test(
        "every case of sections 1 to 10 passes",
        .enabled(if: isInstalled, "the suite is not installed (ops/autobahn/run --install, needs Python 2.7)"))
    func passes() async throws {
        let folder = try TemporaryFolder()
        let suite = try ChildProcess(
            BuildProducts.root + "/ops/autobahn/run", [], environment: ["BELFRY_BIN": try BuildProducts.belfry()],
            outputPath: "\(folder.path)/out", errorPath: "\(folder.path)/err")
        let code = try await suite.end(within: .seconds(540))
        #expect(code == 0, "\(suite.output)\(suite.errors)")
        let count = try #require(suite.output.firstMatch(of: #/belfry: (\d+) cases/#)?.1)
        #expect(try #require(Int(count)) >= 301)
    }
}
