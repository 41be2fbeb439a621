import Foundation

/// One line for the shell, to its end.
enum Shell {
    static func run(_ line: String) async throws -> Int32 {
        let folder = try TemporaryFolder()
        let process = try ChildProcess(
            "/bin/sh", ["-c", line], outputPath: "\(folder.path)/out", errorPath: "\(folder.path)/err")
        return try await process.end()
    }
}
