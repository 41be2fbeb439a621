/// What was seen of a stream that the hub answers at once, on which it sends a frame soon after, and that is quiet from
/// then on.
struct StreamSighting: Sendable, Equatable {
    /// Of the answer; nil as long as there is none.
    var status: Int?
    /// From the request to the first bytes of the stream. They come together with the head, so a proxy that holds back
    /// what comes later may have passed them on.
    var first: Duration?
    /// A frame was published, to see it come; the token may not be allowed to.
    var hasPublished = false
    /// From its publication until it came.
    var frame: Duration?
    /// Whether anything came after that: a keep-alive.
    var hasKeepAlive = false
    /// When the connection ended, from the first bytes on; nil if it did not.
    var end: Duration?

    /// The hub answers in milliseconds. What takes longer than this is held back on the way.
    static let promptness = Duration.seconds(3)
    /// The hub sends something every 15 s; this much later it must be here.
    static let keepAliveDue = Duration.seconds(18)

    /// - Parameter idle: for how long the quiet stream was watched.
    func findings(_ server: ProxyFault.Server?, idle: Duration) -> [Finding] {
        if let status, status != 200 {
            // Of the token more is said elsewhere.
            return status == 401
                ? [] : [Finding(.fail, "stream", "answered with \(status)", mend: "see the proxy's log")]
        }
        guard let first else { return [buffered("nothing of it came", server)] }
        guard frame != nil || !hasPublished else { return [buffered("its beginning came, and no frame", server)] }
        let latency = frame.map { ", a frame comes within \($0.asMilliseconds) ms of its publication" } ?? ""
        return [Finding(.ok, "stream", "begins after \(first.asMilliseconds) ms\(latency)")] + quiet(server, idle)
    }

    private func buffered(_ what: String, _ server: ProxyFault.Server?) -> Finding {
        Finding(
            .fail, "stream", "buffered: \(what) within \(Self.promptness.components.seconds) s",
            mend: ProxyFault.buffers.mend(server))
    }

    private func quiet(_ server: ProxyFault.Server?, _ idle: Duration) -> [Finding] {
        if let end {
            return [
                Finding(
                    .fail, "quiet stream", "cut after \(end.components.seconds) s",
                    mend: ProxyFault.cutsQuiet.mend(server))
            ]
        }
        if idle >= Self.keepAliveDue, !hasKeepAlive {
            return [
                Finding(
                    .fail, "quiet stream", "the hub's keep-alives do not come", mend: ProxyFault.buffers.mend(server))
            ]
        }
        return idle > .zero ? [Finding(.ok, "quiet stream", "lives for \(idle.components.seconds) s")] : []
    }
}
