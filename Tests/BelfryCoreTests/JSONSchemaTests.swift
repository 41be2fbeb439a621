import BelfryCore
import Testing

@Suite("JSON Schema")
struct JSONSchemaTests {
    private static func faults(_ schema: String, _ value: String, named name: String = "") throws -> [String] {
        try JSONSchema(JSONValue(parsing: schema)).faults(in: JSONValue(parsing: value), named: name).map(\.description)
    }

    private static func issues(_ schema: String) throws -> [String] {
        let json = try JSONValue(parsing: schema)
        do throws(SchemaErrors) {
            _ = try JSONSchema(json)
            return []
        } catch {
            return error.issues.map(\.description)
        }
    }

    /// Schema, a value that satisfies it, one that does not, and what is said of that one.
    static let cases: [(String, String, String, String)] = [
        ("true", "1", "", ""),
        ("false", "", "1", "must not be there: the schema allows no value here"),
        (#"{"type":"integer"}"#, "1.0", "1.5", "must be an integer; is 1.5"),
        (#"{"type":"integer"}"#, "10e-1", "1e-1", "must be an integer; is 1e-1"),
        (#"{"type":["string","null"]}"#, "null", "true", "must be a string or null; is a boolean"),
        (#"{"enum":["terse","full"]}"#, #""full""#, #""ful""#, #"must be one of "terse", "full"; is "ful""#),
        (
            #"{"enum":[{"a":1,"b":[2]}]}"#, #"{"b":[2.0],"a":1e0}"#, #"{"b":[2]}"#,
            "must be {\"a\":1,\"b\":[2]}; is an object"
        ),
        (#"{"const":100}"#, "1e2", "101", "must be 100; is 101"),
        (#"{"const":1}"#, "1", "true", "must be 1; is true"),
        (#"{"const":"é"}"#, #""\u00e9""#, #""e\u0301""#, "must be \"é\"; is \"e\u{301}\""),
        (#"{"minimum":1}"#, "1.0", "0.99", "must be at least 1; is 0.99"),
        (
            #"{"maximum":12345678901234567890}"#, "12345678901234567890", "12345678901234567890.1",
            "must be at most 12345678901234567890; is 12345678901234567890.1"
        ),
        (#"{"exclusiveMinimum":0}"#, "1e-400", "-0", "must be greater than 0; is -0"),
        (#"{"exclusiveMaximum":1e400}"#, "1e399", "1e400", "must be less than 1e400; is 1e400"),
        (#"{"multipleOf":0.01}"#, "19.99", "19.999", "must be a multiple of 0.01; is 19.999"),
        (#"{"multipleOf":7}"#, "7e1000000000", "1e1000000000", "must be a multiple of 7; is 1e1000000000"),
        (#"{"minimum":0}"#, "1", "1e99999999999", "the number's exponent is too large to compare it"),
        (#"{"minLength":2}"#, #""😀😀""#, #""😀""#, "must be at least 2 characters long; is 1"),
        (#"{"maxLength":1}"#, #""😀""#, #""e\u0301""#, "must be at most 1 character long; is 2"),
        (#"{"pattern":"^[a-z]+$"}"#, #""abc""#, #""aBc""#, #"must match the pattern ^[a-z]+$; is "aBc""#),
        (#"{"items":{"type":"string"}}"#, #"["a"]"#, #"["a",1]"#, "[1]: must be a string; is a number"),
        (
            #"{"prefixItems":[true,{"type":"null"}],"items":false}"#, "[1,null]", "[1,null,2]",
            "[2]: must not be there: the schema allows no value here"
        ),
        (#"{"minItems":1,"maxItems":2}"#, "[1]", "[]", "must have at least 1 element; has 0"),
        (
            #"{"uniqueItems":true}"#, #"[1,"1",true,[1],[[1]]]"#, "[1,2,1.0]",
            "must not have equal elements; [0] and [2] are both 1.0"
        ),
        (#"{"required":["a"]}"#, #"{"a":null}"#, "{}", #"must have the member "a""#),
        (
            #"{"properties":{"tone":{}},"additionalProperties":false}"#, #"{"tone":1}"#, #"{"tome":1}"#,
            #"tome: is not allowed; did you mean "tone"?"#
        ),
        (
            #"{"properties":{"a":true},"additionalProperties":{"type":"string"}}"#, #"{"a":1,"b":""}"#, #"{"b c":1}"#,
            #"["b c"]: must be a string; is a number"#
        ),
        (#"{"minProperties":1}"#, #"{"a":1}"#, "{}", "must have at least 1 member; has 0"),
        (#"{"maxProperties":1}"#, #"{"a":1,"a":2}"#, #"{"a":1,"b":2}"#, "must have at most 1 member; has 2"),
        (
            #"{"properties":{"a":{"type":"string"}}}"#, #"{"a":1,"a":"x"}"#, #"{"a":"x","a":1}"#,
            "a: must be a string; is a number"
        ),
        (#"{"allOf":[{"minimum":1},{"maximum":2}]}"#, "2", "3", "must be at most 2; is 3"),
        (
            #"{"anyOf":[{"type":"object","required":["kind"],"properties":{"kind":{"const":"a"},"n":{"type":"null"}}},"#
                + #"{"properties":{"kind":{"const":"b"},"n":{"type":"integer"}}}]}"#, #"{"kind":"b","n":1}"#,
            #"{"kind":"b","n":"x"}"#,
            "must satisfy one of the 2 schemas of 'anyOf'; the nearest is number 2: n: must be an integer; is a string"
        ),
        (
            #"{"oneOf":[{"minimum":1},{"maximum":3}]}"#, "4", "2",
            "must satisfy only one of the schemas of 'oneOf'; satisfies both number 1 and number 2"
        ),
        (#"{"not":{"type":"string"}}"#, "1", #""x""#, #"must not satisfy the schema of 'not'; is "x""#),
        (##"{"$ref":"#/$defs/a~1b%20c","$defs":{"a/b c":{"type":"null"}}}"##, "null", "1", "must be null; is a number"),
        (
            ##"{"type":["object"],"properties":{"next":{"$ref":"#"}},"required":["v"]}"##,
            #"{"v":1,"next":{"v":2}}"#, #"{"v":1,"next":{}}"#, #"next: must have the member "v""#
        ),
        (
            #"{"title":"T","description":"D","default":1,"examples":[1],"format":"email","$schema":"x","$id":"y","$comment":"z"}"#,
            "1", "", ""
        ),
    ]

    @Test("each keyword takes what satisfies it and says what is wrong with the rest", arguments: cases)
    func keyword(schema: String, good: String, bad: String, message: String) throws {
        if !good.isEmpty { #expect(try Self.faults(schema, good) == [], "\(schema)") }
        if !bad.isEmpty {
            let found = try Self.faults(schema, bad)
            #expect(found.count == 1 && found.allSatisfy { $0.hasSameBytes(as: message) }, "\(schema): \(found)")
        }
    }

    static let refused: [(String, String)] = [
        ("1", "must be a schema: an object of keywords, true or false; is a number"),
        (#"{"propertys":{}}"#, "propertys: unknown keyword; did you mean 'properties'?"),
        (#"{"if":true}"#, "if: this keyword is not supported; write 'anyOf' of two schemas"),
        (#"{"definitions":{}}"#, "definitions: this keyword is not supported; write '$defs'"),
        (
            #"{"properties":{"a":{"type":"strin"}}}"#,
            "properties.a.type: must be one of null, boolean, integer, number, string, array, object, or a list of them; "
                + "did you mean 'string'?"
        ),
        (
            #"{"properties":{"a":{"required":true}}}"#,
            "properties.a.required: must be a list of names; it stands beside 'properties', not in a property's own schema"
        ),
        (#"{"items":[true]}"#, "items: must be one schema; schemas of the first elements stand in 'prefixItems'"),
        (#"{"minLength":-1}"#, "minLength: must be a whole number from 0 on; is -1"),
        (#"{"minItems":2,"maxItems":1}"#, "minItems: is greater than 'maxItems': no value would do"),
        (#"{"exclusiveMinimum":true}"#, "exclusiveMinimum: must be a number; is a boolean"),
        (#"{"multipleOf":0}"#, "multipleOf: must be greater than 0 and have at most 18 digits"),
        (#"{"minimum":1e99999999999}"#, "minimum: the number's exponent is too large"),
        (#"{"enum":[]}"#, "enum: must be a list of the values that are allowed, at least one"),
        (#"{"enum":[1],"const":2}"#, "const: is not among the values of 'enum': no value would do"),
        (#"{"anyOf":[]}"#, "anyOf: must be a list of schemas, at least one"),
        (#"{"anyOf":[true,3]}"#, "anyOf[1]: must be a schema: an object of keywords, true or false; is a number"),
        (
            #"{"$ref":"other.json"}"#,
            ##"$ref: "other.json" is not supported; write '#/$defs/NAME', or '#' for the whole"##
        ),
        (
            ##"{"$ref":"#/$defs/addres","$defs":{"address":{}}}"##,
            ##"$ref: $defs has no schema named "addres"; did you mean '#/$defs/address'?"##
        ),
        (
            ##"{"$ref":"#"}"##,
            "a $ref leads back to its own schema without a step into the value (properties, items): it would never end"
        ),
        (
            ##"{"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}}}"##,
            "a $ref leads back to its own schema without a step into the value (properties, items): it would never end"
        ),
        (#"{"items":{"$defs":{}}}"#, "items.$defs: may stand at the top of the schema only; move the schemas there"),
        (
            #"{"pattern":"(?=a)"}"#,
            "pattern: looks around ('(?=', '(?!', '(?<=', '(?<!'), which takes a way back and is not supported "
                + "(at character 3)"
        ),
        (
            #"{"pattern":"((a{100}){100}){100}"}"#,
            "pattern: comes to more than 2000 states with its repetitions written out; use maxLength"
        ),
    ]

    @Test("what is wrong with a schema is told with its place and a way to mend it", arguments: refused)
    func refusal(schema: String, message: String) throws {
        #expect(try Self.issues(schema) == [message])
    }

    @Test("everything that is wrong with a schema is told, up to a bound")
    func manyIssues() throws {
        #expect(try Self.issues(#"{"type":"x","minimum":"1","unknown":1}"#).count == 3)
        let many = "{" + (0..<100).map { "\"unknown\($0)\":1" }.joined(separator: ",") + "}"
        #expect(try Self.issues(many).count == Limits.schemaFaultsMax)
    }

    @Test("a fault's path begins with the value's name")
    func named() throws {
        let schema = #"{"properties":{"items":{"items":{"type":"string"}}},"required":["x"]}"#
        #expect(
            try Self.faults(schema, #"{"items":["",1]}"#, named: "data") == [
                "data.items[1]: must be a string; is a number", #"data: must have the member "x""#,
            ])
    }

    @Test("the faults of a value are bounded in number and length")
    func manyFaults() throws {
        let key = String(repeating: "k", count: 100_000)
        let value = JSONValue.array((0..<1000).map { _ in .object(JSONObject([.init(key: key, value: .string(key))])) })
        let schema = try JSONSchema(["items": ["additionalProperties": ["type": "null"]]])
        let faults = schema.faults(in: value)
        #expect(faults.count == Limits.schemaFaultsMax)
        #expect(faults.allSatisfy { $0.description.utf8.count < 700 })
    }

    // MARK: - Hostile schemas and values

    @Test(
        "alternatives within alternatives over a large array are given up, and the value is refused",
        .timeLimit(.minutes(3)))
    func alternatives() throws {
        var schema: JSONValue = ["type": "string"]
        for _ in 0..<6 { schema = ["anyOf": [schema, schema, schema]] }
        schema = ["anyOf": [schema, ["type": "integer"]]]
        let value = JSONValue.array(Array(repeating: 1, count: 100_000))
        for outer: JSONValue in [["items": schema], ["not": ["items": schema]]] {
            #expect(
                try JSONSchema(outer).faults(in: value, named: "v", stepsMax: 100_000).map(\.description)
                    == ["v: can't be checked: the value is too large for this schema"])
        }
    }

    @Test("a megabyte of plain values is no hostile one", .timeLimit(.minutes(3)))
    func large() throws {
        let schema = try JSONSchema(["items": ["type": "integer", "minimum": 0, "maximum": 9]])
        // A tenth of the value with a twentieth of the steps: an unoptimised build is slow.
        let value = JSONValue.array(Array(repeating: 7, count: 50_000))
        #expect(schema.faults(in: value, stepsMax: Limits.schemaStepsMax / 20) == [])
        let unique = try JSONSchema(["uniqueItems": true])
        #expect(unique.faults(in: .array((0..<20_000).map { .int($0) }), stepsMax: Limits.schemaStepsMax / 20) == [])
    }

    @Test("elements that Unicode calls equivalent are different ones, and cost no more", .timeLimit(.minutes(3)))
    func equivalents() throws {
        // 2^14 spellings of the same 14 letters.
        let texts = (0..<16384).map { number in
            JSONValue.string((0..<14).map { number >> $0 & 1 == 0 ? "\u{E9}" : "e\u{301}" }.joined())
        }
        #expect(try JSONSchema(["uniqueItems": true]).faults(in: .array(texts)) == [])
        let object = JSONValue.object(JSONObject(texts.map { .init(key: $0.string ?? "", value: 1) }))
        #expect(try JSONSchema(["minProperties": 16384, "required": [texts[5]]]).faults(in: object) == [])
    }

    @Test("long chains, deep schemas and large ones are refused")
    func bounds() throws {
        var definitions = JSONObject()
        for index in 0..<40 { definitions["d\(index)"] = ["$ref": .string("#/$defs/d\(index + 1)")] }
        definitions["d40"] = true
        let chain = JSONValue.object(["$ref": "#/$defs/d0", "$defs": .object(definitions)])
        #expect(
            try Self.issues(chain.text)
                == ["more than 32 schemas follow each other at one value ($ref, allOf, anyOf, oneOf, not)"])
        var deep: JSONValue = true
        for _ in 0..<40 { deep = ["items": deep] }
        #expect(try Self.issues(deep.text).map { $0.contains("nested deeper than 32") } == [true])
        let wide = JSONValue.object(["enum": .array((0..<2001).map { .int($0) })])
        #expect(
            try Self.issues(wide.text)
                == ["enum: the schema has more than 2000 schemas and enum values; make it smaller"])
    }

    @Test("a value that goes deeper than the stack may is refused")
    func deepValue() throws {
        let schema = try JSONSchema(
            JSONValue(
                parsing:
                    ##"{"$defs":{"a":{"allOf":[{"allOf":[{"allOf":[{"items":{"$ref":"#/$defs/a"}}]}]}]}},"$ref":"#/$defs/a"}"##
            ))
        var value: JSONValue = []
        for _ in 0..<120 { value = .array([value]) }
        #expect(
            schema.faults(in: value).map(\.message) == [
                "can't be checked: the value is nested too deep for this schema"
            ])
    }
}
