import BelfryCore
import GRDB

extension WriteTransaction {
    /// A notice if a source refuses so much that its sender must be set up wrong.
    /// - Returns: whether there was reason.
    func noticeRefusals(of source: String) throws -> Bool {
        let window = Limits.refusalNoticeWindow
        let rows = try rows(
            "SELECT code, sum(count) AS count FROM refusals WHERE source = ? AND minute > ? GROUP BY code ORDER BY code",
            [source, (now - window).milliseconds]
        )
        var most: (code: String, count: Int64, mend: String)?
        var total: Int64 = 0
        for row in rows {
            let (code, count) = (row.text("code"), row.int("count"))
            guard let mend = mends[BelfryError.Code(rawValue: code)] else { continue }
            total += count
            if count > most?.count ?? 0 { most = (code, count, mend) }
        }
        guard total >= Limits.refusalNoticeThreshold, let most else { return false }
        let notice = Notice(
            .sourceRefusing, .warning, title: "\(source) refuses deliveries",
            text: "\(total) in \(window.milliseconds / 60_000) minutes, "
                + (most.count == total ? "" : "\(most.count) of them ") + "\(most.code): \(most.mend); "
                + "belfry sources show \(source)",
            source: source
        )
        try append(notice.frame(at: now))
        return true
    }
}

/// Refusals that a person can mend, by their codes. What is the hub's own state (overload, a full disk) is not here.
private let mends: [BelfryError.Code: String] = [
    .signatureInvalid: "the secret at the sender differs from the one here",
    .signatureMissing: "the sender does not sign; give it the secret",
    .signatureStale: "the clock of the sender or of this machine is wrong, or old deliveries are sent again",
    .unauthorized: "the sender's token is missing or wrong",
    .forbidden: "an unverified source takes deliveries from this machine alone",
    .secretUnavailable: "its secret can't be read here",
    .malformed: "the sender speaks something else than the source's preset",
    .invalidJSON: "the sender's bodies are no JSON",
    .missingAttribute: "the sender speaks something else than the source's preset",
    .payloadTooLarge: "the bodies are larger than its body_max",
    .unsupportedMediaType: "the sender's content type is not among its accepts",
]
