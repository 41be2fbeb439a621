import BelfryCore
import Foundation

/// Finds and reads the document files that paths mean.
enum DocumentFiles {
    /// Whether an argument means a file or folder, and not a rule's name.
    /// - Throws: `usage` for what is written as a file and is not there.
    static func mean(_ argument: String) throws -> Bool {
        if FileManager.default.fileExists(atPath: argument) { return true }
        let isWrittenAsFile = argument.contains("/") || endings.contains { argument.hasSuffix($0) }
        guard !isWrittenAsFile else { throw Failure(.usage, "\(argument) does not exist") }
        return false
    }

    private static let endings = [".yaml", ".yml", ".json"]

    /// Every document file of these files and folders, with its text.
    static func read(_ paths: [String]) throws -> [(path: String, text: String)] {
        let files = try paths.flatMap(list)
        guard !files.isEmpty else {
            throw Failure(.usage, "no .yaml, .yml or .json file in \(paths.joined(separator: ", "))")
        }
        return try files.map { ($0, try LocalFile.text(at: $0, bytesMax: Limits.documentBytesMax)) }
    }

    /// The same as `/v1/documents` takes it.
    static func json(_ paths: [String]) throws -> JSONValue {
        .array(try read(paths).map { ["path": .string($0.path), "text": .string($0.text)] })
    }

    /// The file itself, or all document files below a folder in the order of their names. Hidden files and folders are
    /// not looked into: `.git`, and the `..data` of a mounted ConfigMap, hold the same documents once more.
    static func list(_ path: String) throws -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure(.usage, "\(path) does not exist")
        }
        guard isFolder.boolValue else { return [path] }
        let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
        // A link to a folder is not followed by itself.
        let target = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        return (FileManager.default.subpaths(atPath: target) ?? [])
            .filter { name in endings.contains { name.hasSuffix($0) } }
            .filter { name in !name.split(separator: "/").contains { $0.hasPrefix(".") } }
            .sorted()
            .map { "\(folder)/\($0)" }
    }
}
