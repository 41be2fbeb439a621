import BelfryCore

/// What the hash of an audit entry is taken over.
enum AuditChain {
    /// The canonical JSON (sorted keys, no white space) of an entry.
    /// - Parameters:
    ///   - time: As the API shows it.
    ///   - detail: Canonical JSON.
    static func record(
        sequence: Int64, time: String, actor: String, action: String, subject: String, detail: [UInt8]
    ) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: detail.count + 160)
        writer.beginObject()
        writer.member("action", action)
        writer.member("actor", actor)
        writer.member("detail", raw: RawJSON(trusted: detail))
        writer.member("seq", sequence)
        writer.member("subject", subject)
        writer.member("time", time)
        writer.endObject()
        return writer.bytes
    }
}
