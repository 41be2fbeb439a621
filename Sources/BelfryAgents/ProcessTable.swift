import Glibc

/// The processes of this machine as /proc shows them. Reading it whole costs a directory scan and two small files per
/// process, 10 to 20 microseconds each: some milliseconds on a busy machine, once per command that ends.
enum ProcessTable {
    struct Entry: Sendable {
        var process: Int32
        var processGroup: Int32
        var session: Int32
        /// A zombie runs nothing and holds nothing; it only waits for its parent to read its end.
        var isZombie: Bool
    }

    static func processes() -> [Int32] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var processes: [Int32] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let process = Int32(name) { processes.append(process) }
        }
        return processes
    }

    /// Nil if the process is gone.
    static func entry(_ process: Int32) -> Entry? {
        // pid (comm) state ppid pgrp session …; comm may hold anything, also ")".
        let text = read("/proc/\(process)/stat")
        guard let end = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = text[(end + 1)...].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard fields.count > 3, let group = Int32(fields[2]), let session = Int32(fields[3]) else { return nil }
        return Entry(
            process: process, processGroup: group, session: session, isZombie: ["Z", "X", "x"].contains(fields[0])
        )
    }

    /// The variables a process was started with; empty if it is gone, a zombie, or another user's.
    static func environment(of process: Int32) -> [ArraySlice<UInt8>] {
        read("/proc/\(process)/environ").split(separator: 0)
    }

    private static func read(_ path: String) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        // An environment is bounded by the kernel (128 KiB a variable, a quarter of the stack in all).
        while case let count = Glibc.read(file, &buffer, buffer.count), count > 0 {
            bytes.append(contentsOf: buffer[..<count])
        }
        return bytes
    }
}
