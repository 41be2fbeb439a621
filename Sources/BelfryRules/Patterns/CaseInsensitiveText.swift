/// Text to be compared without regard to case.
///
/// event-ruler's rule: each character of the pattern matches its lower-case or its upper-case form, as bytes. There is no
/// normalisation and no folding across characters: `ß` matches `ß` and `SS`, never `ss`. (Java works on UTF-16 units and
/// so loses characters beyond U+FFFF; here they are compared like all others.)
struct CaseInsensitiveText: Hashable, Sendable {
    /// Where the two forms of a character stand; they are the same bytes where it has one.
    private struct Character {
        var lower: Range<Int>
        var upper: Range<Int>
    }

    /// Character by character: the lengths of both forms, their bytes, and the lengths again, so that it is read from
    /// either end. A rule set keeps many of these: ASCII takes six bytes a character.
    private let forms: [UInt8]

    init(_ text: String) {
        var forms: [UInt8] = []
        for scalar in text.unicodeScalars {
            let lower = Array(scalar.properties.lowercaseMapping.utf8)
            let upper = Array(scalar.properties.uppercaseMapping.utf8)
            // Unicode's longest mapping is three characters, twelve bytes.
            let lengths = [UInt8(truncatingIfNeeded: lower.count), UInt8(truncatingIfNeeded: upper.count)]
            forms += lengths + lower + upper + lengths
        }
        self.forms = forms
    }

    /// The text in lower case if it is ASCII, where a letter's two cases are all the forms there are.
    var lowercasedASCII: [UInt8]? {
        var text: [UInt8] = []
        var position = 0
        while let character = next(&position) {
            guard character.lower.count == 1, character.upper.count == 1, forms[character.lower.lowerBound] < 0x80,
                forms[character.upper.lowerBound] < 0x80
            else { return nil }
            text.append(forms[character.lower.lowerBound])
        }
        return text
    }

    func equals(_ text: UnsafeBufferPointer<UInt8>) -> Bool { ends(in: text, isBackward: false).contains(text.count) }

    func isPrefix(of text: UnsafeBufferPointer<UInt8>) -> Bool { !ends(in: text, isBackward: false).isEmpty }

    func isSuffix(of text: UnsafeBufferPointer<UInt8>) -> Bool { !ends(in: text, isBackward: true).isEmpty }

    /// Every place where the whole pattern may end when it begins with the text, or, backward, where it may begin when it ends
    /// with the text. More than one only where one form of a character begins, or ends, with its other form.
    private func ends(in text: UnsafeBufferPointer<UInt8>, isBackward: Bool) -> [Int] {
        func end(of form: Range<Int>, from place: Int) -> Int? {
            let start = isBackward ? place - form.count : place
            guard start >= 0, start + form.count <= text.count else { return nil }
            for offset in 0..<form.count where text[start + offset] != forms[form.lowerBound + offset] { return nil }
            return isBackward ? start : start + form.count
        }
        var ends = [isBackward ? text.count : 0]
        var position = isBackward ? forms.count : 0
        while let character = isBackward ? last(&position) : next(&position) {
            if ends.count == 1 {
                let (lower, upper) = (end(of: character.lower, from: ends[0]), end(of: character.upper, from: ends[0]))
                guard let only = lower ?? upper else { return [] }
                if lower == upper || lower == nil || upper == nil {
                    ends[0] = only
                    continue
                }
            }
            var next: [Int] = []
            for place in ends {
                let (lower, upper) = (end(of: character.lower, from: place), end(of: character.upper, from: place))
                for end in [lower, upper].compactMap({ $0 }) where !next.contains(end) { next.append(end) }
            }
            if next.isEmpty { return [] }
            ends = next
        }
        return ends
    }

    // MARK: Reading

    private func next(_ position: inout Int) -> Character? {
        guard position < forms.count else { return nil }
        let (lower, upper) = (Int(forms[position]), Int(forms[position + 1]))
        let start = position + 2
        position = start + lower + upper + 2
        return Character(lower: start..<(start + lower), upper: (start + lower)..<(start + lower + upper))
    }

    private func last(_ position: inout Int) -> Character? {
        guard position > 0 else { return nil }
        let (lower, upper) = (Int(forms[position - 2]), Int(forms[position - 1]))
        let start = position - 2 - upper - lower
        position = start - 2
        return Character(lower: start..<(start + lower), upper: (start + lower)..<(start + lower + upper))
    }
}
