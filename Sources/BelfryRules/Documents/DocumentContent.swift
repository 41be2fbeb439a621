package import BelfryCore

/// A document's text at one moment, to be held against that of another.
package struct DocumentContent: Sendable {
    /// Which moment this is, for a person.
    package var label: String
    package var text: String
    package var canonical: RawJSON

    package init(label: String, text: String, canonical: RawJSON) {
        self.label = label
        self.text = text
        self.canonical = canonical
    }

    /// Written for a program: JSON, whose lines say nothing.
    private var isJSON: Bool { text.utf8.first { $0 > 0x20 } == UInt8(ascii: "{") }

    /// The difference of two as ``UnifiedDiff`` writes it; if one was written as JSON, that of what both mean.
    /// - Parameters:
    ///   - old: nil: nothing was there.
    ///   - new: nil: nothing is there.
    package static func difference(from old: DocumentContent?, to new: DocumentContent?) -> String {
        let comparesMeaning = old?.isJSON == true || new?.isJSON == true
        func text(_ content: DocumentContent?) -> String {
            guard let content else { return "" }
            guard comparesMeaning else { return content.text.hasSuffix("\n") ? content.text : content.text + "\n" }
            return content.canonical.value.indentedText
        }
        return UnifiedDiff.text(
            text(old), text(new), oldLabel: old?.label ?? "nothing", newLabel: new?.label ?? "nothing")
    }
}
