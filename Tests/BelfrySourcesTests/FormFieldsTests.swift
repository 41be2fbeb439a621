import BelfryCore
import Testing

@testable import BelfrySources

struct FormFieldsTests {
    private func read(_ text: String) throws -> FormFields { try FormFields(Array(text.utf8)[...]) }

    @Test("fields are read in their order, escapes and plus signs undone")
    func reads() throws {
        let form = try read("command=%2Fdeploy&text=checkout+to+the+sea&=none&flag&empty=&a%3Db=%E2%82%AC%26&&")
        #expect(form.fields.map(\.name) == ["command", "text", "", "flag", "empty", "a=b"])
        #expect(form.fields.map(\.value) == ["/deploy", "checkout to the sea", "none", "", "", "€&"])
        #expect(try form.theOnly("text") == "checkout to the sea")
        #expect(try form.theOnly("nothing") == nil)
        #expect(try read("").fields.isEmpty)
        #expect(try read("a=1=2").theOnly("a") == "1=2")
    }

    @Test("a repeated name is a list, and refused where one value must stand")
    func repeated() throws {
        let form = try read("a=1&b=2&a=3&c=4&a=5")
        #expect(JSONValue.object(form.object()).text == #"{"a":["1","3","5"],"b":"2","c":"4"}"#)
        #expect(JSONValue.object(form.object(without: ["a"])).text == #"{"b":"2","c":"4"}"#)
        #expect(throws: BelfryError.self) { try form.theOnly("a") }
    }

    @Test("names that only look alike are different names")
    func canonicallyEquivalent() throws {
        let form = try read("%C3%A9=1&e%CC%81=2")
        #expect(form.object().members.count == 2)
        #expect(try form.theOnly("\u{E9}") == "1")
    }

    @Test(
        "a broken escape or text that is not UTF-8 refuses the whole",
        arguments: ["a=%", "a=%4", "a=%zz", "%G0=1", "a=%FF", "a=%C3", "a=%ED%A0%80", "a=%+1"])
    func broken(text: String) {
        #expect(throws: BelfryError.self) { try read("ok=1&" + text) }
    }

    @Test("fields and names are bounded, values only by the body")
    func bounds() throws {
        let most = Array(repeating: "a=1", count: Limits.formFieldsMax)
        #expect(try read(most.joined(separator: "&")).fields.count == Limits.formFieldsMax)
        #expect(throws: BelfryError.self) { try read((most + ["b=2"]).joined(separator: "&")) }
        #expect(try read(String(repeating: "&", count: 100_000)).fields.isEmpty)
        let name = String(repeating: "n", count: Limits.formNameBytesMax)
        #expect(try read(name + "=1").theOnly(name) == "1")
        #expect(throws: BelfryError.self) { try read(name + "n=1") }
        let value = String(repeating: "v", count: 1_000_000)
        #expect(try read("payload=" + value).theOnly("payload")?.utf8.count == 1_000_000)
    }
}
