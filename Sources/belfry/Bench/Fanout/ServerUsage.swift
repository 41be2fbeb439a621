import Foundation
import Glibc

/// Processor time and memory of processes and their descendants, from Linux's /proc (proc_pid_stat(5)).
struct ServerUsage: Sendable {
    /// User and system, of threads that have ended too; the kernel counts it in steps of 10 ms.
    var processorSeconds = 0.0
    var residentBytes = 0
    var processes = 0

    /// Nil if none of them is there.
    static func of(_ roots: [Int32]) -> ServerUsage? {
        guard !roots.isEmpty else { return nil }
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let entries = all.compactMap(Int32.init).compactMap(Entry.init(id:))
        var members = Set(roots)
        var count = -1
        while members.count != count {
            count = members.count
            for entry in entries where members.contains(entry.parent) { members.insert(entry.id) }
        }
        var usage = ServerUsage()
        for entry in entries where members.contains(entry.id) {
            usage.processorSeconds += entry.processorSeconds
            usage.residentBytes += entry.residentBytes
            usage.processes += 1
        }
        return usage.processes > 0 ? usage : nil
    }

    /// What this process has used itself, in seconds.
    static func own() -> Double {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }

    private struct Entry {
        let id: Int32
        let parent: Int32
        let processorSeconds: Double
        let residentBytes: Int

        init?(id: Int32) {
            guard let bytes = try? LocalFile.prefix(of: "/proc/\(id)/stat", count: 4096) else { return nil }
            // The name, in parentheses, may hold anything.
            guard let name = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
            let fields = String(decoding: bytes[(name + 1)...], as: UTF8.self).split(separator: " ")
            guard fields.count > 21, let parent = Int32(fields[1]) else { return nil }
            let ticks = (11...14).compactMap { Double(fields[$0]) }.reduce(0, +)
            self.id = id
            self.parent = parent
            processorSeconds = ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
            residentBytes = (Int(fields[21]) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
        }
    }
}
