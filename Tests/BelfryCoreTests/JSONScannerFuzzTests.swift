import Foundation
import Testing

@testable import BelfryCore

/// Spoiled documents: the scanner neither crashes nor reads beyond them, and calls those valid that Foundation does.
@Suite(.timeLimit(.minutes(2)))
struct JSONScannerFuzzTests {
    @Test("no spoiled document is read beyond its ends, and its verdict is Foundation's", arguments: 0..<40)
    func mutations(seed: UInt64) throws {
        let memory = try GuardedBytes(room: 64 * 1024)
        var documents = RandomDocument(seed: seed + 1000)
        var mutator = TextMutator(generator: SeededGenerator(seed: seed))
        var valid = 0
        for _ in 0..<10 {
            let value = documents.value(depth: 5)
            let (one, other) = (value.encoded(), documents.value(depth: 5).encoded())
            let walker = Walker(everyKeyOf: value)
            for _ in 0..<20 {
                let text = Array(mutator.mutated(one, with: other).prefix(64 * 1024))
                let verdicts = memory.withBytes(text) { Self.isValid($0) }
                let verdict = verdicts[0]
                let shown = String(decoding: text, as: UTF8.self)
                #expect(verdicts[1] == verdict, "\(shown)")
                #expect(memory.withBytes(text) { walker.isValid($0) } == verdicts, "\(shown)")
                #expect(Self.readersAgree(text, verdict), "\(shown)")
                let foundation = Self.foundationAccepts(text)
                #expect(verdict == foundation || Self.isArgued(text, ours: verdict), "ours \(verdict): \(shown)")
                if verdict { valid += 1 }
            }
        }
        #expect(valid > 5, "hardly any text is valid: the cases mean little")
    }

    /// What stands behind a slice must not make a difference.
    private static func readersAgree(_ text: [UInt8], _ verdict: Bool) -> Bool {
        let inside = Array("[1,".utf8) + text + Array("\"}]0".utf8)
        let slice = inside[3..<(3 + text.count)]
        func takes(_ read: () throws -> Void) -> Bool {
            do {
                try read()
                return true
            } catch {
                return false
            }
        }
        return takes { _ = try RawJSON(validating: text) } == verdict
            && takes { _ = try JSONValue(parsing: slice) } == verdict
            && takes { _ = try PickedJSON(slice, JSONPaths(["a", "b.c"])) } == verdict
            && takes { _ = try RawJSON.members(of: slice, max: .max) } == verdict
    }

    private static func isValid(_ bytes: UnsafeBufferPointer<UInt8>, depthMax: Int = Limits.jsonDepthMax) -> Bool {
        let result: Void? = try? JSONScanner.scanDocument(bytes) { scanner throws(JSONError) in
            try scanner.skipValue(depthLeft: depthMax)
        }
        return result != nil
    }

    /// The reader that picks fields out of events, asked for every key of a document.
    private struct Walker {
        private var tree = KeyTree()

        init(everyKeyOf value: JSONValue) { add(value, []) }

        private mutating func add(_ value: JSONValue, _ path: [[UInt8]]) {
            for element in value.array ?? [] { add(element, path) }
            for member in value.object?.members ?? [] {
                let keys = member.key.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
                let path = path + keys.map(Array.init)
                _ = tree.leaf(of: path)
                add(member.value, path)
            }
        }

        func isValid(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
            var fields = FieldList()
            fields.begin(tree)
            do throws(JSONError) {
                try FieldWalker(tree).walk(text, into: &fields)
                return true
            } catch {
                return false
            }
        }
    }

    // MARK: Foundation

    private static func foundationAccepts(_ text: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(text), options: [.fragmentsAllowed])) != nil
    }

    /// Where we differ on purpose. Each time the text is mended in that one respect, and then both must agree.
    ///
    /// - We take what RFC 8259 allows and senders send: escapes of half a surrogate pair, numbers beyond a double.
    /// - We refuse what it does not allow, and Foundation takes: a comma before a closing bracket, a byte-order mark, UTF-16 and
    ///   UTF-32; and what is nested deeper than ``Limits/jsonDepthMax``.
    private static func isArgued(_ text: [UInt8], ours: Bool) -> Bool {
        if ours { return foundationAccepts(withTamedEscapesAndExponents(text)) }
        let isUTF8Alone =
            !text.contains(0)
            && ![[0xEF, 0xBB, 0xBF], [0xFE, 0xFF], [0xFF, 0xFE]].contains { text.starts(with: $0) }
        guard isUTF8Alone else { return true }
        return withoutLastCommas(text).withUnsafeBufferPointer { isValid($0, depthMax: 512) }
    }

    /// The text with every escape of a surrogate as one of `A`, and every exponent as zero.
    private static func withTamedEscapesAndExponents(_ text: [UInt8]) -> [UInt8] {
        var tamed = text
        var isInString = false
        var index = 0
        while index < tamed.count {
            switch tamed[index] {
            case UInt8(ascii: "\""): isInString.toggle()
            case UInt8(ascii: "\\"):
                if tamed[index...].prefix(3).elementsEqual(#"\ud"#.utf8)
                    || tamed[index...].prefix(3).elementsEqual(#"\uD"#.utf8),
                    index + 6 <= tamed.count
                {
                    tamed.replaceSubrange((index + 2)..<(index + 6), with: Array("0041".utf8))
                }
                index += 1
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                guard !isInString else { break }
                var digit = index + 1
                while digit < tamed.count, "+-0123456789".utf8.contains(tamed[digit]) {
                    if tamed[digit] >= UInt8(ascii: "0") { tamed[digit] = UInt8(ascii: "0") }
                    digit += 1
                }
            default: break
            }
            index += 1
        }
        return tamed
    }

    private static func withoutLastCommas(_ text: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = []
        var isInString = false
        var isEscaped = false
        for byte in text {
            if isInString {
                isInString = isEscaped || byte != UInt8(ascii: "\"")
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
            } else if byte == UInt8(ascii: "\"") {
                isInString = true
            } else if byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") {
                let last = kept.lastIndex { ![0x20, 0x0A, 0x0D, 0x09].contains($0) }
                if let last, kept[last] == UInt8(ascii: ",") { kept.remove(at: last) }
            }
            kept.append(byte)
        }
        return kept
    }
}
