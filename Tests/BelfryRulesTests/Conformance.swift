import BelfryCore
import Foundation

/// Cases collected from other implementations. They lie beside the repository where they are there at all, and are no
/// part of it.
enum Conformance {
    static let folder: String = {
        // A build through links sees the linked path; the real one counts.
        let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        let root = file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return root.appendingPathComponent("../shared/conformance/rules").standardizedFileURL.path
    }()

    static var isThere: Bool { FileManager.default.fileExists(atPath: folder + "/cases.jsonl") }

    static func lines(_ name: String) throws -> [JSONValue] {
        let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
        return try data.split(separator: UInt8(ascii: "\n")).map { try JSONValue(parsing: Array($0)) }
    }
}

extension JSONValue {
    /// JSON text in a test.
    static func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }
}
