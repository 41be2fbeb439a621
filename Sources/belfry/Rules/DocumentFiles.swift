import BelfryCore
import Foundation

/// Finds and reads the document files that paths mean.
enum DocumentFiles {
    /// Every document file of these files and folders, with its text.
    static func read(_ paths: [String]) throws -> [(path: String, text: String)] {
        let files = try paths.flatMap(list)
        guard !files.isEmpty else {
            throw Failure(.usage, "no .yaml, .yml or .json file in \(paths.joined(separator: ", "))")
        }
        return try files.map { ($0, try LocalFile.text(at: $0, bytesMax: Limits.documentBytesMax)) }
    }

    /// The file itself, or all document files below a folder in the order of their names.
    static func list(_ path: String) throws -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure(.usage, "\(path) does not exist")
        }
        guard isFolder.boolValue else { return [path] }
        let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
        return (FileManager.default.subpaths(atPath: folder) ?? [])
            .filter { name in [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) } }
            .sorted()
            .map { "\(folder)/\($0)" }
    }
}
