extension BinaryInteger {
    /// `1 run`, `2 runs`, `0 matches`.
    package func counted(_ noun: String) -> String {
        self == 1 ? "1 \(noun)" : "\(self) \(noun)\(noun.hasSuffix("ch") ? "es" : "s")"
    }
}
