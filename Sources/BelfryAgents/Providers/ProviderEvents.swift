import BelfryCore
import BelfryHTTP

/// Reads an event stream whose events are JSON.
struct ProviderEvents: Sendable {
    private var decoder = SSEDecoder()

    /// The events that the next piece of the stream completes.
    mutating func events(_ bytes: [UInt8]) throws(ProviderFailure) -> [SSEEvent] {
        do {
            return try decoder.decode(bytes)
        } catch {
            throw .lineTooLong(error)
        }
    }

    static func value(_ data: [UInt8]) throws(ProviderFailure) -> JSONValue {
        do {
            return try JSONValue(parsing: data)
        } catch {
            throw ProviderFailure("the provider sent a chunk that is \(error)")
        }
    }
}

extension ProviderFailure {
    static func lineTooLong(_ overflow: SSEDecoder.Overflow) -> ProviderFailure {
        ProviderFailure("the provider sent a line longer than \(overflow.bytesMax) bytes")
    }
}

extension JSONValue {
    /// A count of tokens as a provider reports it; nil for what is none: a negative one, or one that no answer can
    /// have used.
    var tokenCount: Int? {
        guard let count = number?.double, (0...Double(Limits.ruleTokensPerDayMax)).contains(count) else { return nil }
        return Int(count.rounded())
    }
}

/// Puts a path behind the address of a provider.
enum Endpoint {
    /// A query of the base stays behind the path (`…/deployments/x?api-version=1`).
    static func url(_ base: String, _ path: String) -> String {
        let parts = base.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var front = String(parts[0])
        while front.hasSuffix("/") { front.removeLast() }
        return front + path + (parts.count > 1 ? "?\(parts[1])" : "")
    }
}
