import BelfryCore
import Testing

/// What `redact` takes out of a text, and that it leaves everything else alone.
struct RedactionTests {
    private func redacted(_ text: String, _ paths: [EventPath.Part]...) -> String {
        RawJSON(trusted: Array(text.utf8)).redacting(paths, with: RawJSON(.string("-"))).text
    }

    @Test("a value of any kind is replaced whole, and nothing beside it changes")
    func kinds() {
        for value in [#""x\"y""#, "-1.50e3", "true", "null", "{ \"a\" : [1] }", "[ ]"] {
            let text = "{ \"a\":\t\(value) ,\r\n \"b\":1.0 }"
            #expect(redacted(text, [.key("a")]) == "{ \"a\":\t\"-\" ,\r\n \"b\":1.0 }")
            #expect(redacted(text, [.key("c")], [.key("a"), .key("none")]) == text)
        }
        #expect(redacted(" 7 ", []) == " \"-\" ")
    }

    @Test("an array on the way means each of its elements, also arrays of arrays; an index means one")
    func arrays() {
        let text = #"{"a":[{"b":1},[{"b":2},[{"b":3}]],4]}"#
        #expect(redacted(text, [.key("a"), .key("b")]) == #"{"a":[{"b":"-"},[{"b":"-"},[{"b":"-"}]],4]}"#)
        #expect(redacted(text, [.key("a"), .index(0), .key("b")]) == #"{"a":[{"b":"-"},[{"b":2},[{"b":3}]],4]}"#)
        #expect(redacted(text, [.key("a"), .index(1)]) == #"{"a":[{"b":1},"-",4]}"#)
        #expect(redacted("[[1,2],[3]]", [.index(0), .index(1)]) == #"[[1,"-"],[3]]"#)
        #expect(redacted("[{\"b\":1}]", [.key("b")]) == "[{\"b\":\"-\"}]")
    }

    @Test("of duplicate keys each is meant, whatever escapes they are written with")
    func duplicates() {
        #expect(
            redacted(#"{"a":1,"\u0061":2,"A":3,"a":{"a":4}}"#, [.key("a")]) == #"{"a":"-","\u0061":"-","A":3,"a":"-"}"#)
        #expect(redacted(#"{"e\u0301":1,"é":2}"#, [.key("é")]) == #"{"e\u0301":1,"é":"-"}"#)
    }

    @Test("a key with points in it is found as patterns find it")
    func dottedKeys() {
        let path: [EventPath.Part] = [.key("a"), .key("b"), .key("c")]
        #expect(
            redacted(#"{"a.b":{"c":1},"a":{"b.c":2},"a.b.c":3,"a.bc":4}"#, path)
                == #"{"a.b":{"c":"-"},"a":{"b.c":"-"},"a.b.c":"-","a.bc":4}"#)
        #expect(redacted(#"{"a.b":1,"a":{"b":2}}"#, [.key("a.b")]) == #"{"a.b":"-","a":{"b":2}}"#)
    }

    @Test("of paths that lie in each other the outer one is what counts")
    func nested() {
        let text = #"{"a":{"b":1,"c":2}}"#
        #expect(redacted(text, [.key("a"), .key("b")], [.key("a")]) == #"{"a":"-"}"#)
        #expect(redacted(text, [.key("a"), .key("b")], [.key("a"), .key("c")]) == #"{"a":{"b":"-","c":"-"}}"#)
    }

    @Test("a text that holds JSON is no hiding place: where a path leads into it, it is taken out whole")
    func jsonInText() {
        let path: [EventPath.Part] = [.key("a"), .key("b")]
        for text in [#"{\"b\":1}"#, #" \n[{\"b\":1}]"#, #"\u007b\"b\":1}"#, #"\"{}\""#] {
            #expect(redacted("{\"a\":\"\(text)\",\"c\":\"{\"}", path) == "{\"a\":\"-\",\"c\":\"{\"}", "\(text)")
            #expect(redacted("{\"a\":[\"\(text)\",\"b\"]}", path) == "{\"a\":[\"-\",\"b\"]}", "\(text)")
        }
        for text in ["", " ", "cus_1", "b{"] {
            #expect(redacted("{\"a\":\"\(text)\"}", path) == "{\"a\":\"\(text)\"}")
        }
    }

    @Test("of bytes that are no JSON nothing is left")
    func broken() {
        #expect(redacted("{\"a\":1", [.key("a")]) == "\"-\"")
    }

    @Test("random texts: what stands at a path is gone, the rest is the same byte for byte", arguments: 0..<400)
    func random(seed: Int) {
        var writer = RandomRedaction(seed: UInt64(seed))
        writer.write([], depth: 5)
        let text = RawJSON(trusted: Array(writer.text.utf8))
        #expect((try? RawJSON(validating: text.bytes)) != nil)
        let redacted = text.redacting(writer.paths, with: RawJSON(.string("[redacted]"))).text
        #expect(redacted == writer.expected)
        for secret in writer.secrets { #expect(!redacted.contains(secret)) }
    }
}

/// Writes a random JSON text, and beside it what must be left of it.
private struct RandomRedaction {
    private var generator: SeededGenerator
    let paths: [[EventPath.Part]]
    private(set) var text = ""
    private(set) var expected = ""
    /// Scalars that stand at, or below, a path; each occurs once.
    private(set) var secrets: [String] = []
    private var count = 0
    private var isHidden = false

    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        paths = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
            (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                Int.random(in: 0..<4, using: &generator) == 0
                    ? .index(Int.random(in: 0..<3, using: &generator))
                    : .key(["a", "b", "é"].randomElement(using: &generator) ?? "a")
            }
        }
        self.generator = generator
    }

    /// The definition, told another way: where a value stands, and whether a path leads there.
    private static func leads(_ path: ArraySlice<EventPath.Part>, to place: ArraySlice<EventPath.Part>) -> Bool {
        guard let step = place.first else { return path.isEmpty }
        guard let part = path.first else { return false }
        switch (part, step) {
        case (.index(let wanted), .index(let index)):
            return wanted == index && leads(path.dropFirst(), to: place.dropFirst())
        case (.key, .index): return leads(path, to: place.dropFirst())
        case (.key(let wanted), .key(let key)):
            return wanted == key && leads(path.dropFirst(), to: place.dropFirst())
        case (.index, .key): return false
        }
    }

    private mutating func put(_ piece: String) {
        text += piece
        if !isHidden { expected += piece }
    }

    private mutating func space() {
        put(["", "", " ", "\n", "\t "].randomElement(using: &generator) ?? "")
    }

    mutating func write(_ place: [EventPath.Part], depth: Int) {
        let isRedacted = !isHidden && paths.contains { Self.leads($0[...], to: place[...]) }
        if isRedacted {
            expected += "\"[redacted]\""
            isHidden = true
        }
        writeValue(place, depth: depth)
        if isRedacted { isHidden = false }
    }

    private mutating func writeValue(_ place: [EventPath.Part], depth: Int) {
        switch Int.random(in: 0..<(depth > 0 ? 6 : 2), using: &generator) {
        case 0, 1:
            count += 1
            let word = "word<\(count)>"
            if isHidden { secrets.append(word) }
            put("\"\(word)\"")
        case 2, 3:
            put("[")
            for index in 0..<Int.random(in: 0..<4, using: &generator) {
                if index > 0 { put(",") }
                space()
                write(place + [.index(index)], depth: depth - 1)
                space()
            }
            put("]")
        default:
            put("{")
            for index in 0..<Int.random(in: 0..<5, using: &generator) {
                if index > 0 { put(",") }
                space()
                let key = ["a", "b", "c", "é"].randomElement(using: &generator) ?? "a"
                put(key == "a" && Bool.random(using: &generator) ? "\"\\u0061\"" : "\"\(key)\"")
                space()
                put(":")
                space()
                write(place + [.key(key)], depth: depth - 1)
            }
            put("}")
        }
    }
}
