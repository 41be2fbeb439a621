import BelfryCore
import Glibc

/// Room on a disk, in bytes.
public struct DiskSpace: Sendable, Hashable {
    /// For who is not root.
    public var free: Int64
    public var total: Int64

    public init(free: Int64, total: Int64) {
        self.free = free
        self.total = total
    }

    /// Of the disk that a folder is on; nil if it can't be asked.
    public static func of(_ folder: String) -> DiskSpace? {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return nil }
        let unit = Int64(clamping: status.f_frsize)
        return DiskSpace(
            free: Int64(clamping: status.f_bavail).multipliedReportingOverflow(by: unit).partialValue,
            total: Int64(clamping: status.f_blocks).multipliedReportingOverflow(by: unit).partialValue
        )
    }
}

/// What is to be told of the room on the disk. Pure.
struct DiskWatch {
    enum Level { case good, low, full }

    /// What was told last.
    var told = Level.good
    private var hasFailed = false

    /// A commit has failed for want of room: also a quota can be full.
    mutating func noteFull() { hasFailed = true }

    /// Good again is a quarter more than low, so that it does not go back and forth.
    mutating func level(of space: DiskSpace) -> Level {
        defer { hasFailed = false }
        if hasFailed || space.free < Limits.diskFullBytes { return .full }
        let low = max(space.total / Limits.diskLowPart, Limits.diskLowBytes)
        return space.free < (told == .good ? low : low / 4 * 5) ? .low : .good
    }

    func notice(of level: Level, _ space: DiskSpace) -> Notice {
        let left = "\(space.free / 1_048_576) MiB of \(space.total / 1_048_576) MiB are left"
        return switch level {
        case .good: Notice(.disk, .info, title: "The disk has room again", text: left)
        case .low:
            Notice(
                .disk, .warning, title: "The disk is nearly full",
                text:
                    "\(left) where the data folder is; when nothing is left, deliveries are refused until there is room"
            )
        case .full:
            Notice(
                .disk, .error, title: "The disk is full",
                text: "\(left) where the data folder is; deliveries are refused with 503 until there is room")
        }
    }
}
