public import BelfryCore

extension SourceDefinition {
    /// The events of CloudEvents that a token speaks for, read with what this source's document says of its bodies.
    ///
    /// Nothing is verified here: whoever calls this knows who is asking.
    /// - Throws: what a delivery of preset `cloudevents` is refused with, but for its signature.
    public func published(_ delivery: Delivery) throws(BelfryError) -> [IncomingEvent] {
        var source = self
        source.preset = .cloudevents
        source.accepts = nil
        if case .refused(let error)? = try source.verdictBeforeVerification(delivery, secrets: []) { throw error }
        switch try source.read(delivery, Verification(verifiedBy: nil)) {
        case .accepted(_, let events): return events
        case .refused(let error): throw error
        case .answered: throw BelfryError(.malformed, "this is a handshake and no event")
        }
    }
}
