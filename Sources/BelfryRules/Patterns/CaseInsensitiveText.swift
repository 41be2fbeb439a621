/// Text to be compared without regard to case.
///
/// event-ruler's rule: each character of the pattern matches its lower-case or its upper-case form, as bytes. There is no
/// normalisation and no folding across characters: `ß` matches `ß` and `SS`, never `ss`. (Java works on UTF-16 units and
/// so loses characters beyond U+FFFF; here they are compared like all others.)
struct CaseInsensitiveText: Hashable, Sendable {
    /// For each character its one or two forms.
    let forms: [[[UInt8]]]

    init(_ text: String) {
        forms = text.unicodeScalars.map { scalar in
            let lower = Array(scalar.properties.lowercaseMapping.utf8)
            let upper = Array(scalar.properties.uppercaseMapping.utf8)
            return lower == upper ? [lower] : [lower, upper]
        }
    }

    func equals(_ text: ArraySlice<UInt8>) -> Bool { ends(in: text).contains(text.endIndex) }

    func isPrefix(of text: ArraySlice<UInt8>) -> Bool { !ends(in: text).isEmpty }

    func isSuffix(of text: ArraySlice<UInt8>) -> Bool {
        var starts: Set<Int> = [text.endIndex]
        for choices in forms.reversed() {
            var next: Set<Int> = []
            for start in starts {
                for form in choices where text[..<start].suffix(form.count).elementsEqual(form) {
                    next.insert(start - form.count)
                }
            }
            if next.isEmpty { return false }
            starts = next
        }
        return true
    }

    /// Every place where the whole pattern may end when it begins with the text. More than one only where one form of a
    /// character begins with its other form.
    private func ends(in text: ArraySlice<UInt8>) -> Set<Int> {
        var ends: Set<Int> = [text.startIndex]
        for choices in forms {
            var next: Set<Int> = []
            for end in ends {
                for form in choices where text[end...].starts(with: form) { next.insert(end + form.count) }
            }
            if next.isEmpty { return [] }
            ends = next
        }
        return ends
    }
}
