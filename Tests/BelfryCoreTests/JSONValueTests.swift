import BelfryCore
import Testing

struct JSONValueTests {
    @Test("of duplicate keys the later wins, in lookup, comparison, hash and canonical form")
    func duplicates() throws {
        let value = try JSONValue(parsing: #"{"a":1,"b":2,"a":3}"#)
        #expect(value["a"] == 3)
        #expect(value == value)
        #expect(value == ["b": 2, "a": 3])
        #expect(value.hashValue == (["b": 2, "a": 3] as JSONValue).hashValue)
        #expect(value != ["a": 1, "b": 2])
        #expect(String(decoding: value.canonicalEncoded(), as: UTF8.self) == #"{"a":3,"b":2}"#)
    }

    @Test("strings compare by bytes, not by what they look like")
    func bytes() {
        #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
        #expect((["\u{E9}": 1] as JSONValue) != ["e\u{301}": 1])
        let both = JSONObject([.init(key: "\u{E9}", value: 1), .init(key: "e\u{301}", value: 2)])
        #expect(both["\u{E9}"] == 1)
        #expect(both["e\u{301}"] == 2)
    }

    @Test("the canonical form sorts by bytes, at every level, and keeps numbers as they are written")
    func canonical() throws {
        let value = try JSONValue(parsing: #"{ "b" : [ {"z":1e400,"y":1.0} ], "Z":"\u0041", "é":null, "a":{} }"#)
        #expect(
            String(decoding: value.canonicalEncoded(), as: UTF8.self)
                == #"{"Z":"A","a":{},"b":[{"y":1.0,"z":1e400}],"é":null}"#)
    }

    @Test("canonical form and comparison of many members take no quadratic time", .timeLimit(.minutes(3)))
    func manyMembers() {
        let members = (0..<50_000).map { JSONObject.Member(key: "key\($0)", value: .int($0)) }
        let forward = JSONValue.object(JSONObject(members)), backward = JSONValue.object(JSONObject(members.reversed()))
        #expect(forward == backward)
        #expect(forward.canonicalEncoded() == backward.canonicalEncoded())
    }

    @Test("members are set, replaced and removed")
    func members() {
        var object = JSONObject()
        object["a"] = 1
        object["b"] = 2
        object["a"] = 3
        #expect(object.members.map(\.key) == ["a", "b"])
        object["a"] = nil
        object["c"] = nil
        #expect(object == JSONObject([.init(key: "b", value: 2)]))
    }

    @Test("numbers keep their literal and are read as far as they go")
    func numbers() throws {
        func number(_ text: String) throws -> JSONNumber { try #require(JSONValue(parsing: text).number) }
        #expect(try number("1e400").double == .infinity)
        #expect(try number("-1e400").double == -.infinity)
        #expect(try number("-1e400").text == "-1e400")
        #expect(try number("1e-400").double == 0)
        #expect(try number("123456789012345678901234567890").int64 == nil)
        #expect(try number("9223372036854775807").int64 == .max)
        #expect(try number("-0").int64 == 0)
        #expect(try number("1.0").int64 == nil)
        #expect(try number("1e2").int64 == nil)
        #expect(try number("0.1").double == 0.1)
        #expect(JSONNumber(Double.nan) == nil)
        #expect(JSONNumber(-.infinity) == nil)
    }

    @Test(
        "doubles are written so that the same double is read",
        arguments: [
            0.0, -0.0, 1, -1.5, 1e15, 1e16, 1e300, .leastNonzeroMagnitude, 0.1, 123456.789, .greatestFiniteMagnitude,
        ])
    func doubles(value: Double) throws {
        let number = try #require(JSONNumber(value))
        #expect(number.double == value)
        #expect(try JSONValue(parsing: number.text).number == number)
    }

    @Test("control characters are escaped, and line ends never stand in the text")
    func controls() throws {
        let all = String(String.UnicodeScalarView((0..<0x80).compactMap { Unicode.Scalar($0) }))
        let bytes = JSONValue.string(all).encoded()
        #expect(!bytes.contains { $0 < 0x20 || $0 == 0x7F })
        #expect(try JSONValue(parsing: bytes) == .string(all))
    }

    @Test("the writer puts the commas")
    func writer() throws {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("a", "x\"y")
        writer.member("b", ifPresent: nil)
        writer.key("c")
        writer.beginArray()
        writer.int(1)
        writer.bool(true)
        writer.null()
        writer.beginObject()
        writer.endObject()
        writer.value(["k": []])
        writer.endArray()
        writer.member("d", raw: RawJSON(trusted: Array("[1e400]".utf8)))
        writer.endObject()
        #expect(
            String(decoding: writer.bytes, as: UTF8.self) == #"{"a":"x\"y","c":[1,true,null,{},{"k":[]}],"d":[1e400]}"#)
        _ = try RawJSON(validating: writer.bytes)
    }
}
