import Glibc

/// What can be seen of this machine and a data folder without a hub.
enum Machine {
    static func findings(folder: String) -> [Finding] {
        [openFiles, clock(folder)] + (access(folder, F_OK) == 0 ? inFolder(folder) : [missing(folder)])
    }

    private static func missing(_ folder: String) -> Finding {
        Finding(
            .warn, "data folder", "\(folder) does not exist", mend: "name it with --data, or let belfry serve make it")
    }

    private static func inFolder(_ folder: String) -> [Finding] {
        [rights(folder), room(folder), sync(folder)]
            + [database(folder), secretFile(folder, "secret.key")].compactMap { $0 }
            + [secretFile(folder, "admin.token")].compactMap { $0 }
    }

    private static func rights(_ folder: String) -> Finding {
        var status = stat()
        guard stat(folder, &status) == 0, access(folder, R_OK | W_OK | X_OK) == 0 else {
            return Finding(
                .fail, "data folder", "\(folder) is not readable and writable", mend: "chown it to the hub's user")
        }
        guard status.st_mode & 0o022 == 0 else {
            return Finding(.fail, "data folder", "\(folder) can be written by others", mend: "chmod 700 \(folder)")
        }
        return Finding(.ok, "data folder", folder)
    }

    private static func secretFile(_ folder: String, _ name: String) -> Finding? {
        var status = stat()
        guard stat("\(folder)/\(name)", &status) == 0 else { return nil }
        guard status.st_mode & 0o077 == 0 else {
            return Finding(.fail, name, "others may read it", mend: "chmod 600 \(folder)/\(name)")
        }
        return Finding(.ok, name, "only its owner may read it")
    }

    private static func room(_ folder: String) -> Finding {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return Finding(.fail, "disk room", LocalFile.lastError()) }
        let free = Int(status.f_bavail) * Int(status.f_frsize) / (1024 * 1024)
        let grade: Finding.Grade = free < 128 ? .fail : free < 1024 ? .warn : .ok
        return Finding(
            grade, "disk room", "\(free) MiB free",
            mend: grade == .ok ? nil : "make room: nothing is accepted on a full disk")
    }

    /// What each 2xx waits for.
    private static func sync(_ folder: String) -> Finding {
        guard let times = SyncTimer.measure(in: folder, rounds: 100) else {
            return Finding(.warn, "fdatasync", "could not be measured in \(folder)")
        }
        let p50 = times.quantile(0.5).asMilliseconds, p99 = times.quantile(0.99).asMilliseconds
        let isSlow = p99 > 20
        return Finding(
            isSlow ? .warn : .ok, "fdatasync", "p50 \(p50) ms, p99 \(p99) ms",
            mend: isSlow ? "a slow disk makes every acknowledgement slow" : nil
        )
    }

    /// From the header of the file (sqlite.org/fileformat2.html, 1.3).
    private static func database(_ folder: String) -> Finding? {
        guard let header = try? LocalFile.prefix(of: "\(folder)/belfry.db", count: 100), header.count == 100 else {
            return nil
        }
        let pageBytes = Int(header[16]) << 8 | Int(header[17])
        guard header[18] == 2, header[19] == 2 else {
            return Finding(.fail, "database", "it is not in WAL mode", mend: "start belfry serve, which sets it")
        }
        return Finding(.ok, "database", "WAL, \(pageBytes == 1 ? 65536 : pageBytes) byte pages")
    }

    private static var openFiles: Finding {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let count = Int(clamping: limit.rlim_cur)
        let isSmall = count < 4096
        return Finding(
            isSmall ? .warn : .ok, "open files", "at most \(count) per process here",
            mend: isSmall ? "each viewer takes one: ulimit -n, or LimitNOFILE in the service unit" : nil
        )
    }

    /// A clock that is wrong makes signed timestamps stale.
    private static func clock(_ folder: String) -> Finding {
        var status = stat()
        let now = time(nil)
        if stat("\(folder)/belfry.db", &status) == 0, status.st_mtim.tv_sec > now + 5 {
            return Finding(.fail, "clock", "it stands before the database's last change", mend: "set the clock")
        }
        // systemd-timesyncd leaves this mark when it has set the clock.
        guard access("/run/systemd/timesync/synchronized", F_OK) == 0 else {
            return Finding(
                .warn, "clock", "not known to be synchronised",
                mend: "run an NTP client: signed timestamps are refused when the clock is 5 minutes off"
            )
        }
        return Finding(.ok, "clock", "synchronised")
    }
}
