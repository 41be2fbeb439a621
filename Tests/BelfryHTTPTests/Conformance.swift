import BelfryCore
import Foundation

/// Third-party cases that stand beside the repository where they are there; never a part of it.
enum Conformance {
    /// Tests/XTests/File.swift → the repository → its neighbour.
    private static let folder = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "../shared/conformance")

    /// Its content comes as lists of parts, which the SDK that wrote the verdicts does not read.
    static let listContent = "openai-compatible/pydantic-ai__test_mistral_model_thinking_part_iter_0"

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: path).path)
    }

    static func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: folder.appending(path: path))) }

    static func json(_ path: String) throws -> JSONValue { try JSONValue(parsing: try bytes(path)) }
}
