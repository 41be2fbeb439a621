/// What was spent, in millionths of the unit that an operator's prices are in, dollars most often.
public struct Cost: Sendable, Hashable, Comparable {
    public var millionths: Int64

    public init(millionths: Int64 = 0) { self.millionths = millionths }

    /// - Parameter units: finite, from 0 to ``Limits/costPerDayMax``; what is beyond is taken as that.
    public init(units: Double) {
        let bounded = units.isFinite ? min(max(units, 0), Limits.costPerDayMax) : 0
        millionths = Int64((bounded * 1_000_000).rounded(.up))
    }

    /// `1.25`
    public var text: String {
        let (whole, rest) = millionths.quotientAndRemainder(dividingBy: 1_000_000)
        guard rest > 0 else { return "\(whole)" }
        var digits = String(String(1_000_000 + rest).dropFirst())
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole).\(digits)"
    }

    /// `1.25` as a JSON number.
    public var json: JSONValue { (try? JSONValue(parsing: Array(text.utf8))) ?? .int(0) }

    public static func < (left: Cost, right: Cost) -> Bool { left.millionths < right.millionths }

    public static func + (left: Cost, right: Cost) -> Cost {
        let (sum, isOver) = left.millionths.addingReportingOverflow(right.millionths)
        return Cost(millionths: isOver ? .max : sum)
    }
}

/// What an agent's tokens cost, for a million of them.
public struct TokenPrice: Sendable, Hashable {
    public var input: Double
    public var output: Double

    public init(input: Double, output: Double) {
        self.input = input
        self.output = output
    }

    public func cost(inputTokens: Int, outputTokens: Int) -> Cost {
        Cost(units: (Double(inputTokens) * input + Double(outputTokens) * output) / 1_000_000)
    }
}

/// What a step, an attempt or a rule's day has used.
public struct Spending: Sendable, Hashable {
    public var tokens: Int
    public var cost: Cost

    public init(tokens: Int = 0, cost: Cost = Cost()) {
        self.tokens = tokens
        self.cost = cost
    }

    public static func + (left: Spending, right: Spending) -> Spending {
        Spending(tokens: min(left.tokens + right.tokens, Limits.ruleTokensPerDayMax), cost: left.cost + right.cost)
    }
}
