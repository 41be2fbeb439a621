import Foundation

/// Looks at the machine's processes.
enum Processes {
    /// Whether any process is a `sleep` for this time, however it was started: tests give each a time of its own.
    static func isSleeping(_ time: String) -> Bool {
        let ids = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return ids.contains { id in
            guard Int(id) != nil, let line = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") else {
                return false
            }
            return String(decoding: line, as: UTF8.self).hasPrefix("sleep\0\(time)")
        }
    }
}
