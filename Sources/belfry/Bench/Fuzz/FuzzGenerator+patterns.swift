import BelfryCore

extension FuzzGenerator {
    /// A pattern: one to four fields, some of them that the event has, now and then an `$or`.
    mutating func pattern(_ leaves: [Leaf]) -> SpelledJSON { .object(fields(leaves, orsLeft: 2)) }

    private mutating func fields(_ leaves: [Leaf], orsLeft: Int) -> [SpelledJSON.Member] {
        var members = (0..<int(1...4)).map { _ in field(leaves) }
        if orsLeft > 0, once(in: 4) {
            let alternatives = (0..<int(2...3)).map { _ in SpelledJSON.object(fields(leaves, orsLeft: orsLeft - 1)) }
            let or = SpelledJSON.Member(key: "\"$or\"", value: .array(alternatives))
            // Among the fields, or below one: what the alternatives ask for is then rarely there.
            members.append(once(in: 4) ? .init(key: string("a"), value: .object([or])) : or)
        }
        return members
    }

    private mutating func field(_ leaves: [Leaf]) -> SpelledJSON.Member {
        var leaf = Leaf(keys: (0..<int(1...3)).map { _ in any(Self.names) }, spelled: "1")
        if !leaves.isEmpty, !once(in: 5) { leaf = any(leaves) }
        var keys = leaf.keys
        // Dots and nesting are the same: write the path in another way than the event does.
        if once(in: 3) {
            keys = keys.joined(separator: ".").split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        }
        if once(in: 3) { keys = [keys.joined(separator: ".")] }
        if once(in: 20) { keys.removeLast() }
        if keys.isEmpty { keys = ["a"] }
        let tests = (0..<(once(in: 3) ? int(2...3) : 1)).map { _ in
            test(once(in: 4) ? spelled(any(Self.texts)) : leaf.spelled)
        }
        var value = SpelledJSON.array(tests)
        for key in keys.dropFirst().reversed() { value = .object([.init(key: string(key), value: value)]) }
        return .init(key: string(keys[0]), value: value)
    }

    private mutating func spelled(_ text: String) -> String { once(in: 3) ? any(Self.numbers) : string(text) }

    /// A test that the scalar often passes.
    private mutating func test(_ spelled: String) -> SpelledJSON {
        if once(in: 12) { return .operator("exists", .scalar(any(["true", "false"]))) }
        switch try? JSONValue(parsing: spelled) {
        case .string(let text): return test(ofText: text)
        case .number: return test(ofNumber: spelled)
        default: return once(in: 3) ? .operator("anything-but", .scalar(string(any(Self.texts)))) : .scalar(spelled)
        }
    }

    // MARK: Text

    private mutating func test(ofText text: String) -> SpelledJSON {
        switch int(0...11) {
        case 0, 1: return .scalar(string(text))
        case 2: return .operator("prefix", .scalar(string(beginning(of: text))))
        case 3: return .operator("suffix", .scalar(string(end(of: text))))
        case 4: return .operator("equals-ignore-case", .scalar(string(otherCase(text))))
        case 5:
            return .operator("prefix", .operator("equals-ignore-case", .scalar(string(otherCase(beginning(of: text))))))
        case 6: return .operator("suffix", .operator("equals-ignore-case", .scalar(string(otherCase(end(of: text))))))
        case 7: return .operator("wildcard", .scalar(string(wildcard(text))))
        case 8: return .operator("exactly", .scalar(string(text)))
        case 9: return .operator("cidr", .scalar(string(block(text))))
        default: return .operator("anything-but", excluded(once(in: 2) ? text : any(Self.texts)))
        }
    }

    private mutating func excluded(_ text: String) -> SpelledJSON {
        var other: String { Self.texts[text.utf8.count % Self.texts.count] }
        switch int(0...6) {
        case 0: return .scalar(string(text))
        case 1: return .array([.scalar(string(text)), .scalar(string(other))])
        case 2: return .operator("prefix", .scalar(string(text.isEmpty ? "a" : beginning(of: text, min: 1))))
        case 3:
            let ends = [text.isEmpty ? "b" : end(of: text, min: 1), "zz"]
            return .operator("suffix", .array(ends.map { .scalar(string($0)) }))
        case 4: return .operator("equals-ignore-case", .scalar(string(otherCase(text))))
        case 5: return .operator("wildcard", .scalar(string(wildcard(text))))
        default: return .array([.scalar(any(["0", "1", "5", "0.1"])), .scalar(any(["1e2", "90.5", "-5"]))])
        }
    }

    private mutating func beginning(of text: String, min: Int = 0) -> String {
        let scalars = text.unicodeScalars
        return String(String.UnicodeScalarView(scalars.prefix(int(Swift.min(min, scalars.count)...scalars.count))))
    }

    private mutating func end(of text: String, min: Int = 0) -> String {
        let scalars = text.unicodeScalars
        return String(String.UnicodeScalarView(scalars.suffix(int(Swift.min(min, scalars.count)...scalars.count))))
    }

    private mutating func otherCase(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch int(0...2) {
            case 0: scalar.properties.lowercaseMapping
            case 1: scalar.properties.uppercaseMapping
            default: String(scalar)
            }
        }.joined()
    }

    /// The text with pieces of it replaced by stars, and its own stars escaped.
    private mutating func wildcard(_ text: String) -> String {
        var pattern = ""
        var isAfterStar = false
        for scalar in text.unicodeScalars {
            if once(in: 4) {
                if !isAfterStar { pattern += "*" }
                isAfterStar = true
                if once(in: 2) { continue }
            }
            if scalar == "*" || scalar == "\\" { pattern += "\\" }
            pattern.unicodeScalars.append(scalar)
            isAfterStar = false
        }
        if !isAfterStar, once(in: 3) { pattern += "*" }
        return pattern
    }

    /// A block around the address, or around another one.
    private mutating func block(_ text: String) -> String {
        let address = Self.addresses.contains(text) ? text : any(Self.addresses)
        if address.hasPrefix("::f") || address.hasPrefix("::F") { return address + any(["/0", "/8", "/31"]) }
        let masks =
            address.contains(":") ? ["/0", "/16", "/64", "/97", "/127"] : ["/0", "/7", "/8", "/23", "/24", "/31"]
        return address + any(masks)
    }

    // MARK: Numbers

    private mutating func test(ofNumber spelled: String) -> SpelledJSON {
        let spelled = Self.comparableNumbers.contains(spelled) || once(in: 2) ? spelled : any(Self.comparableNumbers)
        guard Self.comparableNumbers.contains(spelled) else {
            return .scalar(once(in: 2) ? spelled : any(Self.numbers))
        }
        let other = any(Self.comparableNumbers)
        switch int(0...6) {
        case 0, 1: return .scalar(spelled)
        case 2: return .scalar(any(Self.numbers))
        case 3: return .operator("anything-but", .scalar(once(in: 2) ? spelled : other))
        case 4: return .operator("numeric", .array([.scalar("\"=\""), .scalar(spelled)]))
        case 5:
            let comparison = any(["<", "<=", ">", ">="])
            return .operator("numeric", .array([.scalar("\"\(comparison)\""), .scalar(once(in: 2) ? spelled : other)]))
        default:
            let bounds = [spelled, other].sorted { (Double($0) ?? 0) < (Double($1) ?? 0) }
            if Double(bounds[0]) == Double(bounds[1]) { return .scalar(bounds[0]) }
            return .operator(
                "numeric",
                .array([
                    .scalar(any([#"">""#, #"">=""#])), .scalar(bounds[0]), .scalar(any([#""<""#, #""<=""#])),
                    .scalar(bounds[1]),
                ]))
        }
    }
}

extension SpelledJSON {
    fileprivate static func `operator`(_ name: String, _ operand: SpelledJSON) -> SpelledJSON {
        .object([Member(key: "\"\(name)\"", value: operand)])
    }
}
