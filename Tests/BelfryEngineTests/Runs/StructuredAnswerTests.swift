import BelfryCore
import Testing

@testable import BelfryEngine

@Suite struct StructuredAnswerTests {
    private static let schema: JSONValue = [
        "type": "object", "required": ["tone"], "properties": ["tone": ["enum": ["terse", "full"]]],
    ]

    @Test(
        "JSON is found where models put it",
        arguments: [
            #"{"tone":"full"}"#, "```json\n{\"tone\": \"full\"}\n```", #"Here it is: {"tone":"full"} Is that all?"#,
            "\n  {\"tone\":\"full\"}\n",
        ])
    func found(text: String) throws {
        guard case .value(let value) = StructuredAnswer(text, try JSONSchema(Self.schema)) else {
            Issue.record("not found in \(text)")
            return
        }
        #expect(value["tone"] == "full")
    }

    @Test(
        "what does not fit says why",
        arguments: [
            ("no", "not JSON"), ("", "not JSON"), ("}{", "not JSON"), (#"{"tone":"loud"}"#, "output.tone"),
            ("[1]", "output"), (#"{"tone":"full"#, "not JSON"),
        ])
    func faulty(text: String, why: String) throws {
        guard case .faulty(let faults) = StructuredAnswer(text, try JSONSchema(Self.schema)) else {
            Issue.record("taken: \(text)")
            return
        }
        #expect(faults.contains(why), "\(faults)")
    }
}
