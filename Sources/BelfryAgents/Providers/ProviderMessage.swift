import BelfryCore

/// A provider's own words about an error, made fit for a message.
enum ProviderMessage {
    /// From `{"error": {"message": …}}`, `{"error": "…"}`, `{"message": …}` or `{"detail": …}`; else all of it.
    static func text(of value: JSONValue) -> String {
        let candidates = [
            value["error"]?["message"], value["error"], value["message"], value["detail"], value["error"]?["code"],
        ]
        let text = candidates.lazy.compactMap { $0?.string }.first { !$0.isEmpty }
        return cut(text ?? value.text)
    }

    /// From a body that may be no JSON at all (a proxy's HTML page).
    static func text(ofBody body: [UInt8]) -> String {
        if let value = try? JSONValue(parsing: body) { return text(of: value) }
        return cut(String(decoding: body, as: UTF8.self))
    }

    /// One line of at most ``Limits/errorTextBytesMax`` bytes.
    static func cut(_ text: String) -> String { text.plain(bytesMax: Limits.errorTextBytesMax) }
}

extension BelfryError {
    /// The error without the secrets of the request, should a provider repeat them. Where the provider's words were
    /// cut, the beginning of a secret at the cut goes too.
    func hiding(_ secrets: [Secret]) -> BelfryError {
        var error = self
        for secret in secrets where secret.bytes.count >= Limits.secretBytesMin {
            let text = secret.text
            error.message = message(error.message, without: text)
        }
        return error
    }

    private func message(_ message: String, without secret: String) -> String {
        let shown = message.replacing(secret, with: "<secret>")
        guard shown.hasSuffix("…") else { return shown }
        let body = shown.dropLast()
        for length in stride(from: min(secret.utf8.count, body.utf8.count), through: 4, by: -1)
        where body.utf8.suffix(length).elementsEqual(secret.utf8.prefix(length)) {
            return String(decoding: Array(body.utf8.dropLast(length)), as: UTF8.self) + "<secret>…"
        }
        return shown
    }
}
