public import BelfryCore

extension SourceDefinition {
    /// Why a given text can't be a secret of this source; nil if it can. Never says the text.
    public func secretFault(_ secret: Secret) -> String? {
        let bytes = secret.bytes
        guard (Limits.secretBytesMin...Limits.secretBytesMax).contains(bytes.count) else {
            return "has \(bytes.count) bytes; \(Limits.secretBytesMin) to \(Limits.secretBytesMax) make a secret"
        }
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }), String(validating: bytes, as: UTF8.self) != nil else {
            return "holds a line break or a control character, or is not UTF-8"
        }
        if preset.traits.scheme(self) is StandardWebhooksScheme, !StandardWebhooksScheme.reads(secret) {
            return "is not in the form whsec_BASE64 or whpk_BASE64"
        }
        return nil
    }
}
