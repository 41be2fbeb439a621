import BelfryCore
import Foundation
import Testing

/// Random schemas and values against PyPI's `jsonschema`, the reference that most of Python uses.
@Suite("JSON Schema beside jsonschema")
struct JSONSchemaDifferentialTests {
    private static let script = """
        import json, sys
        from jsonschema import Draft202012Validator
        print(json.dumps([[Draft202012Validator(c["schema"]).is_valid(v) for v in c["values"]] for c in json.load(sys.stdin)]))
        """

    /// A Python that has the package: the one that `ops/test` fills, or the one in the path.
    private static let python: String? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../.."
        return ["\(root)/.build/clients/bin/python", "python3"].first { (try? run($0, script, input: "[]")) == "[]" }
    }()

    private static func run(_ python: String, _ script: String, input: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [python, "-c", script]
        let file = FileManager.default.temporaryDirectory.appending(path: "schemas-\(UUID()).json")
        try Data(input.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        process.standardInput = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test(
        "random schemas take and refuse the same random values",
        .enabled(if: python != nil, "no Python with the package jsonschema (ops/test installs one)"),
        .timeLimit(.minutes(2)), arguments: [1, 2, 3] as [UInt64])
    func sameVerdicts(seed: UInt64) throws {
        var random = RandomSchema(seed: seed)
        let cases = (0..<1000).map { _ in (schema: random.schema(), values: (0..<12).map { _ in random.value() }) }
        let input = JSONValue.array(cases.map { ["schema": $0.schema, "values": .array($0.values)] }).text
        let answer = try JSONValue(parsing: Self.run(try #require(Self.python), Self.script, input: input))
        let verdicts = try #require(answer.array)
        #expect(verdicts.count == cases.count)
        var valid = 0
        for (index, (schema, values)) in cases.enumerated() {
            let ours = try JSONSchema(schema)
            for (value, theirs) in zip(values, verdicts[index].array ?? []) {
                let faults = ours.faults(in: value)
                #expect(faults.isEmpty == theirs.bool, "\(schema.text) on \(value.text): \(faults)")
                valid += faults.isEmpty ? 1 : 0
            }
        }
        // Neither everything nor nothing passes.
        #expect((2000...10_000).contains(valid), "\(valid)")
    }
}

/// Schemas of the whole subset, and values that are likely to have to do with them.
private struct RandomSchema {
    private var generator: SeededGenerator
    private static let keys = ["a", "b", "c", "é"]
    private static let texts = ["", "a", "ab", "aab", "b1", "é", "e\u{301}", "😀😀", "x y"]
    /// What both engines read alike: no `\d` beyond ASCII, no line ends.
    private static let patterns = ["a", "^a+$", "^(a|b)*$", "^.{2}$", "[0-9]", "^[^a]", "b?1", "^$"]
    private static let types = ["null", "boolean", "integer", "number", "string", "array", "object"]

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    private mutating func chance(_ part: Int) -> Bool { Int.random(in: 0..<part, using: &generator) == 0 }
    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: elements.indices, using: &generator)]
    }
    private mutating func count(_ most: Int) -> Int { Int.random(in: 0...most, using: &generator) }

    /// Both sides read these as the same numbers.
    private mutating func number() -> JSONValue {
        let texts = ["0", "-0", "1", "1.0", "2", "3", "4", "10", "1e1", "1.5", "-1", "-2.5", "0.5", "7", "100"]
        return (try? JSONValue(parsing: pick(texts))) ?? 0
    }

    mutating func value(depth: Int = 3) -> JSONValue {
        switch count(depth > 0 ? 9 : 5) {
        case 0: return .null
        case 1: return .bool(chance(2))
        case 2, 3: return number()
        case 4, 5: return .string(pick(Self.texts))
        case 6, 7: return .array((0..<count(4)).map { _ in value(depth: depth - 1) })
        default:
            var object = JSONObject()
            for _ in 0..<count(4) { object[pick(Self.keys)] = value(depth: depth - 1) }
            return .object(object)
        }
    }

    /// A schema with two others beside it, each of which may be referred to where that is a step into the value.
    mutating func schema() -> JSONValue {
        guard case .object(var top) = part(depth: 3, mayRefer: false) else { return true }
        top["$defs"] = ["one": part(depth: 2, mayRefer: false), "two": part(depth: 2, mayRefer: false)]
        return .object(top)
    }

    private mutating func part(depth: Int, mayRefer: Bool) -> JSONValue {
        if depth == 0 || chance(12) { return .bool(!chance(3)) }
        if mayRefer, chance(6) { return ["$ref": .string(pick(["#/$defs/one", "#/$defs/two", "#"]))] }
        var schema = JSONObject()
        for _ in 0...count(2) { addKeyword(to: &schema, depth: depth - 1, mayRefer: mayRefer) }
        return .object(schema)
    }

    private mutating func addKeyword(to schema: inout JSONObject, depth: Int, mayRefer: Bool) {
        switch count(20) {
        case 0: schema["type"] = .string(pick(Self.types))
        case 1: schema["type"] = .array(Array(Set([pick(Self.types), pick(Self.types)])).sorted().map { .string($0) })
        case 2: if schema["const"] == nil { schema["enum"] = .array((0...count(4)).map { _ in value(depth: 1) }) }
        case 3: if schema["enum"] == nil { schema["const"] = value(depth: 1) }
        case 4: schema["minimum"] = number()
        case 5: schema["maximum"] = number()
        case 6: schema[pick(["exclusiveMinimum", "exclusiveMaximum"])] = number()
        case 7: schema["multipleOf"] = pick([1, 2, 3, 5])
        case 8: schema["minLength"] = .int(count(3))
        case 9: schema["maxLength"] = .int(3 + count(3))
        case 10: schema["pattern"] = .string(pick(Self.patterns))
        case 11: schema["items"] = part(depth: depth, mayRefer: true)
        case 12: schema["prefixItems"] = .array((0...count(2)).map { _ in part(depth: depth, mayRefer: true) })
        case 13: schema[pick(["minItems", "minProperties"])] = .int(count(2))
        case 14: schema[pick(["maxItems", "maxProperties"])] = .int(2 + count(2))
        case 15: schema["uniqueItems"] = .bool(true)
        case 16:
            var properties = JSONObject()
            for _ in 0...count(2) { properties[pick(Self.keys)] = part(depth: depth, mayRefer: true) }
            schema["properties"] = .object(properties)
        case 17: schema["required"] = .array([.string(pick(Self.keys))])
        case 18: schema["additionalProperties"] = part(depth: depth, mayRefer: true)
        case 19: schema["not"] = part(depth: depth, mayRefer: false)
        default:
            schema[pick(["allOf", "anyOf", "oneOf"])] = .array(
                (0...count(2)).map { _ in part(depth: depth, mayRefer: false) })
        }
    }
}
