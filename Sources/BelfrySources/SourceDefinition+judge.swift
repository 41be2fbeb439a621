public import BelfryCore

extension SourceDefinition {
    /// Verifies a delivery and reads the events it carries.
    ///
    /// **Architecture Invariant**: this module knows no HTTP server, no disk and no clock; the time is
    /// ``Delivery/received``.
    ///
    /// The order is: is it a delivery at all, is it verified (over the raw bytes), what does it say. Nothing of the
    /// body is parsed before the signature is known to be right.
    /// - Parameter secrets: the active ones, resolved; any of them verifies. An empty one never does.
    public func judge(_ delivery: Delivery, secrets: [NamedSecret]) -> Verdict {
        do throws(BelfryError) {
            if let verdict = try verdictBeforeVerification(delivery, secrets: secrets) { return verdict }
            return try read(delivery, try verify(delivery, secrets: secrets))
        } catch {
            return .refused(error)
        }
    }

    /// The verdict on a request that is no delivery: a handshake, or something that is never taken.
    func verdictBeforeVerification(_ delivery: Delivery, secrets: [NamedSecret]) throws(BelfryError) -> Verdict? {
        if isRetired { throw BelfryError(.retired, "source \(name) is retired and takes nothing any more") }
        if let verdict = preset.traits.preflight?(delivery) { return verdict }
        if let answer = try answer(toChallenge: delivery, secrets: secrets) { return .answered(answer) }
        try checkRequest(delivery)
        return nil
    }

    /// What a delivery says, once it is known how far it can be trusted.
    func read(_ delivery: Delivery, _ verification: Verification) throws(BelfryError) -> Verdict {
        let verified = try VerifiedDelivery(source: self, delivery: delivery, verification: verification)
        switch try preset.traits.normalise(verified) {
        case .answer(let answer): return .answered(answer)
        case .events(let events):
            guard !events.isEmpty else { throw BelfryError(.malformed, "the delivery holds no item") }
            guard events.count <= Limits.eventsPerDeliveryMax else { throw .tooManyItems }
            return .accepted(verifiedBy: verification.verifiedBy, events: try finish(events, verified))
        }
    }

    /// How an accepted or duplicate delivery is answered; nil: with what became of its events, as JSON.
    public func answer(to delivery: Delivery) -> DeliveryAnswer? {
        respond.map(DeliveryAnswer.init) ?? preset.traits.answer(delivery)
    }

    /// Why no delivery of this source can be verified, whatever its secrets: settings that contradict each other. For
    /// `doctor` and for applying documents; ``judge(_:secrets:)`` refuses everything meanwhile.
    public var verificationFault: String? { preset.traits.scheme(self).fault }

    /// Verification alone: who signed it. Throws the refusal.
    package func verify(_ delivery: Delivery, secrets: [NamedSecret]) throws(BelfryError) -> Verification {
        let scheme = preset.traits.scheme(self)
        if let fault = scheme.fault {
            throw BelfryError(.secretUnavailable, "source \(name) cannot verify anything: \(fault)")
        }
        let usable = secrets.filter { !$0.secret.bytes.isEmpty }
        if scheme.needsSecret, usable.isEmpty {
            throw BelfryError(.secretUnavailable, "source \(name) has no secret to verify with; set its `secret`")
        }
        return try scheme.verify(delivery, secrets: usable, tolerance: tolerance)
    }

    private func checkRequest(_ delivery: Delivery) throws(BelfryError) {
        guard delivery.method == "POST" else {
            throw BelfryError(.methodNotAllowed, "deliveries are sent with POST, not \(delivery.method.prefix(16))")
        }
        guard delivery.body.count <= bodyBytesMax else {
            throw BelfryError(
                .payloadTooLarge, "the body has \(delivery.body.count) bytes; source \(name) takes \(bodyBytesMax)")
        }
    }

    /// What is the same for every preset: the headers, the identity by body, bounds on attributes, and what is redacted.
    private func finish(_ events: [IncomingEvent], _ delivery: VerifiedDelivery) throws(BelfryError) -> [IncomingEvent]
    {
        let headers = delivery.keptHeaders
        var finished: [IncomingEvent] = []
        finished.reserveCapacity(events.count)
        for (index, event) in events.enumerated() {
            var event = event
            event.headers = headers
            if event.key == nil, let window = bodyDedupeWindow {
                event.key = BodyIdentity.key(of: event.data)
                event.keyWindow = window
                event.isKeySigned = true
            }
            do throws(BelfryError) {
                try event.checkAttributes()
            } catch {
                throw events.count == 1 ? error : error.ofItem(index)
            }
            if !redact.isEmpty { event.redact(redact) }
            finished.append(event)
        }
        return finished
    }
}

extension IncomingEvent {
    /// Bounds what is indexed and shown; control characters must not reach a terminal or a log line through it.
    fileprivate mutating func checkAttributes() throws(BelfryError) {
        type = type.withoutControls
        subject = subject?.withoutControls
        origin = origin?.withoutControls
        for (name, value) in [("id", key), ("type", type), ("subject", subject), ("source", origin)] {
            guard let value else { continue }
            guard value.utf8.count <= Limits.attributeBytesMax else {
                throw BelfryError(
                    .malformed,
                    "the delivery's \(name) has \(value.utf8.count) bytes; at most \(Limits.attributeBytesMax) fit"
                )
            }
        }
        guard !type.isEmpty else { throw BelfryError(.missingAttribute, "the delivery's type is empty") }
        guard key?.isEmpty != true else { throw BelfryError(.missingAttribute, "the delivery's id is empty") }
        guard key?.utf8.contains(where: isControl) != true else {
            throw BelfryError(.malformed, "the delivery's id holds a control character")
        }
    }
}

private func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }

extension String {
    /// Each ASCII control character replaced by a space.
    fileprivate var withoutControls: String {
        guard utf8.contains(where: isControl) else { return self }
        return String(decoding: utf8.map { isControl($0) ? 0x20 : $0 }, as: UTF8.self)
    }
}
