/// The addresses of an `ip-whitelist`: addresses and blocks with spaces between them.
enum HookAddresses {
    /// - Throws: for what webhook could not read either.
    static func tests(of text: String) throws(NotExpressible) -> [FieldTest] {
        var tests: [FieldTest] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            let test = try test(of: String(word))
            if !tests.contains(test) { tests.append(test) }
        }
        return tests
    }

    private static func test(of word: String) throws(NotExpressible) -> FieldTest {
        let parts = word.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let hasLeadingZero =
            !word.contains(":") && parts[0].split(separator: ".").contains { $0.hasPrefix("0") && $0 != "0" }
        guard let address = IPAddress(parts[0]), !hasLeadingZero else { throw unreadable(word) }
        guard parts.count == 2 else { return .network(word) }
        // One address is written without a mask here.
        if parts[1] == String(address.bitCount) { return .network(parts[0]) }
        guard (try? IPNetwork(word)) != nil, parts[1] == "0" || !parts[1].hasPrefix("0") else { throw unreadable(word) }
        return .network(word)
    }

    private static func unreadable(_ word: String) -> NotExpressible {
        NotExpressible(
            reason: "'\(word.prefix(80))' is no address or block of addresses, and webhook refuses every request",
            mend: "write addresses like 192.0.2.7 and 2001:db8::/32")
    }

    /// Single IPv6 addresses without a mask, which webhook reads as a block of 2⁹⁶ (it adds `/32`).
    static func widened(in text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init).filter { $0.contains(":") && !$0.contains("/") }
    }
}
