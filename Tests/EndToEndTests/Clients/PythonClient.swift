import BelfryCore
import Foundation
import Testing

/// A script in `Python/` that drives a client that others wrote.
enum PythonClient {
    private static let python = BuildProducts.root + "/.build/clients/bin/python"
    static let isInstalled = FileManager.default.fileExists(
        atPath: BuildProducts.root + "/.build/clients/installed.txt")
    static let needsPackages: Comment = "the Python packages are not installed (ops/test does it)"

    /// - Parameter folder: where files get what it says.
    static func start(_ name: String, _ arguments: [String], in folder: TemporaryFolder) throws -> ChildProcess {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Python/\(name)"
        let file = "\(folder.path)/\(name)-\(UUID())"
        return try ChildProcess(
            python, ["-u", path] + arguments, environment: ["NO_PROXY": "*"], outputPath: file + ".out",
            errorPath: file + ".err")
    }
}

extension ChildProcess {
    /// Its output, where each line is a JSON value.
    var jsonLines: [JSONValue] { output.split(separator: "\n").compactMap { try? JSONValue(parsing: String($0)) } }
}
