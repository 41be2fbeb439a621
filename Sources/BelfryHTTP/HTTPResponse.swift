public import BelfryCore

/// A response whose head has come; its body is still on the way.
public struct HTTPResponse: Sendable {
    public let status: Int
    /// In the order they came, names as they were written.
    public let headers: [(name: String, value: String)]
    public let body: HTTPBody

    /// The first value of a header, whatever the case of its name.
    public func header(_ name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.name.lowercased() == name }?.value
    }

    /// What `Retry-After` asks for (RFC 9110, 10.2.3): seconds, or a date seen from `now`. Nil without one or with
    /// one that is neither; never negative.
    public func retryAfter(now: Timestamp) -> Duration? {
        header("Retry-After").flatMap { RetryAfter.duration($0, now: now) }
    }
}

/// Reads the value of `Retry-After`.
enum RetryAfter {
    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

    static func duration(_ text: String, now: Timestamp) -> Duration? {
        let trimmed = String(text.drop { $0 == " " })
        if !trimmed.isEmpty, trimmed.utf8.allSatisfy({ $0 &- 0x30 < 10 }) {
            // More digits than fit is a wait without end, which the caller's cap meets.
            return .seconds(Int64(trimmed.prefix(9)) ?? 0)
        }
        return date(trimmed).map { max(.zero, $0 - now) }
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`: the one form that senders still use.
    private static func date(_ text: String) -> Timestamp? {
        let parts = text.lowercased().split { $0 == " " || $0 == "," }
        guard parts.count == 6, parts[5] == "gmt", let month = months.firstIndex(of: String(parts[2])) else {
            return nil
        }
        let number = String(month + 1)
        let day = parts[1].count == 1 ? "0" + parts[1] : String(parts[1])
        return Timestamp("\(parts[3])-\(number.count == 1 ? "0" : "")\(number)-\(day)T\(parts[4])Z")
    }
}
