import BelfryCore
import BelfryCrypto

/// Links by which whoever has one decides what a step of a run asks: a message carries it to a person who has no token.
///
/// A link is good for the step's open question, whichever that is; once the run has ended it decides nothing.
struct DecisionLinks {
    static let purpose = "decision links"
    /// Below the public URL. The code stands in the query, which no log shows.
    static let path = "/decide?code="
    private static let codeBytes = 16

    private let key: [UInt8]
    private let base: String

    init(key: [UInt8], base: String = "") {
        self.key = key
        self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
    }

    func link(to step: Int, of run: RunID) -> String { base + Self.path + code(of: step, run) }

    /// The run, the step's place in its rule, and a code over both.
    func code(of step: Int, _ run: RunID) -> String {
        let subject = run.bytes + [UInt8(truncatingIfNeeded: step)]
        return Hex.encode(subject + signature(of: subject))
    }

    private func signature(of subject: [UInt8]) -> [UInt8] {
        Array(HMAC.code(.sha256, key: key, [subject]).prefix(Self.codeBytes))
    }

    /// What a link's last part is about; nil: it is none of ours.
    func question(of code: String) -> (run: RunID, step: Int)? {
        guard let bytes = Hex.decode(code), bytes.count == 16 + 1 + Self.codeBytes else { return nil }
        let subject = Array(bytes[..<17])
        guard ConstantTime.areEqual(signature(of: subject), Array(bytes[17...])),
            let run = RunID(bytes: Array(bytes[..<16]))
        else { return nil }
        return (run, Int(bytes[16]))
    }
}
