public import BelfryCore

/// What a delivery would come to, whether it is verified or not.
public struct Rehearsal: Sendable {
    public enum Verification: Sendable {
        /// By the secret of this name; nil where there is none to match.
        case passed(by: String?)
        /// The source verifies by `Authorization`, which holds the token of whoever rehearses.
        case notChecked
        case refused(BelfryError)
    }

    public var verification: Verification
    /// What the source says to the delivery; as if it were verified, if it is not.
    public var verdict: Verdict
}

extension SourceDefinition {
    /// Reads a delivery like ``judge(_:secrets:)``, but reports the verification instead of demanding it.
    /// - Parameter secrets: the active ones, or why they are not to be had.
    public func rehearse(_ delivery: Delivery, secrets: Result<[NamedSecret], BelfryError>) -> Rehearsal {
        let (outcome, verification) = rehearseVerification(delivery, secrets)
        do throws(BelfryError) {
            if let verdict = try verdictBeforeVerification(delivery, secrets: (try? secrets.get()) ?? []) {
                return Rehearsal(verification: outcome, verdict: verdict)
            }
            return Rehearsal(verification: outcome, verdict: try read(delivery, verification))
        } catch {
            return Rehearsal(verification: outcome, verdict: .refused(error))
        }
    }

    private func rehearseVerification(
        _ delivery: Delivery, _ secrets: Result<[NamedSecret], BelfryError>
    ) -> (Rehearsal.Verification, Verification) {
        if preset.traits.scheme(self).readsAuthorization(of: delivery) { return (.notChecked, Verification()) }
        do throws(BelfryError) {
            let verification = try verify(delivery, secrets: try secrets.get())
            return (.passed(by: verification.verifiedBy), verification)
        } catch {
            return (.refused(error), Verification())
        }
    }
}
