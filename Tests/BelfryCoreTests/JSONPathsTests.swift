import BelfryCore
import Testing

/// Looking up places while checking must find what a tree finds.
struct JSONPathsTests {
    private func pick(_ text: String, _ paths: [String]) throws -> PickedJSON {
        try PickedJSON(Array(text.utf8)[...], JSONPaths(paths))
    }

    @Test("strings, literals, objects and what is not there")
    func kinds() throws {
        let picked = try pick(
            #"{"a":{"b":"x\u00e9","n":1.50,"t":true,"z":null},"o":{"p":[1, 2]},"":7}"#,
            ["a.b", "a.n", "a.t", "a.z", "a", "o.p", "o.p.q", "gone", ""])
        #expect(picked.string("a.b") == "xé")
        #expect(picked.scalar("a.n") == "1.50")
        #expect(picked.string("a.n") == nil)
        #expect(picked.scalar("a.t") == "true")
        #expect(picked.scalar("a.z") == nil)
        #expect(picked.raw("a.z").map { String(decoding: $0, as: UTF8.self) } == "null")
        #expect(picked.scalar("a") == nil)
        #expect(picked.elements("o.p", max: 10)?.map { String(decoding: $0, as: UTF8.self) } == ["1", "2"])
        #expect(picked.elements("a", max: 10) == nil)
        #expect(picked.elements("o.p", max: 0)?.count == 1)
        #expect(picked.raw("o.p.q") == nil)
        #expect(picked.raw("gone") == nil)
        #expect(picked.scalar("") == "7")
    }

    @Test("of duplicate keys the later wins, also where it holds less")
    func duplicates() throws {
        let picked = try pick(#"{"a":{"b":1,"b":2},"c":1,"a":{"d":3},"c":{}}"#, ["a.b", "a.d", "c"])
        #expect(picked.raw("a.b") == nil)
        #expect(picked.scalar("a.d") == "3")
        #expect(picked.scalar("c") == nil)
    }

    @Test("keys that are written with escapes are found")
    func escapedKeys() throws {
        #expect(try pick(#"{"\u0061":{"b\/c":5}}"#, ["a.b/c"]).scalar("a.b/c") == "5")
    }

    @Test("a slice of a larger text is looked up in its own place")
    func slices() throws {
        let text = Array(#"xx{"a":"y"}zz"#.utf8)
        let picked = try PickedJSON(text[2..<11], JSONPaths(["a"]))
        #expect(picked.string("a") == "y")
        #expect(picked.json.text == #"{"a":"y"}"#)
    }

    @Test("in random documents every place is what the tree says", arguments: 0..<100)
    func agreesWithTree(seed: Int) throws {
        var documents = RandomDocument(seed: UInt64(seed) + 5000)
        let value: JSONValue = ["a": ["b": documents.value(), "c": documents.value()], "d": documents.value()]
        let picked = try PickedJSON(value.encoded()[...], JSONPaths(["a", "a.b", "a.c", "d", "d.e"]))
        #expect(try picked.raw("a.b").map { try JSONValue(parsing: $0) } == value[path: ["a", "b"]])
        #expect(try picked.raw("a.c").map { try JSONValue(parsing: $0) } == value[path: ["a", "c"]])
        #expect(try picked.raw("d").map { try JSONValue(parsing: $0) } == value["d"])
        #expect(picked.string("d") == value["d"]?.string)
    }

    @Test("bad text is refused as without looking up", arguments: ["{", "[1,]", "{\"a\":1} x", "{\"a\":tru}"])
    func refused(text: String) {
        #expect(throws: JSONError.self) { try pick(text, ["a"]) }
    }
}
