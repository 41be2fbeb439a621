import BelfryCore
import Testing

@testable import BelfryAgents

/// The reader of whatever answers over HTTP.
@Suite(.timeLimit(.minutes(3)))
struct HTTPAnswerTests {
    private typealias Settings = AgentDefinition.HTTPSettings

    private func answer(
        _ format: AgentDefinition.HTTPSettings.Format, delta: [EventPath.Part]? = nil, done: [EventPath.Part]? = nil,
        error: [EventPath.Part]? = nil
    ) -> HTTPAnswer {
        var settings = Settings(url: "http://x")
        settings.delta = delta
        settings.done = done
        settings.error = error
        return HTTPAnswer(settings, as: format)
    }

    @Test("text, cut anywhere: a character in two pieces is one, what is no UTF-8 is shown as such")
    func text() {
        let bytes = Array("Grüße \u{1F600}!".utf8) + [0xFF, 0x41, 0xF0, 0x9F]
        for size in 1...bytes.count {
            let reading = Reading(answer(.text), bytes, by: size)
            #expect(reading.text == "Grüße \u{1F600}!\u{FFFD}A\u{FFFD}", "\(size)")
            #expect(reading.finish == .stop)
        }
    }

    @Test("an event stream: the data, or a place in it; [DONE] ends it")
    func events() {
        #expect(Reading(answer(.sse), stream("one ", "two", "[DONE]", "three")).text == "one two")
        let choices = [EventPath.Part.key("choices"), .index(0), .key("delta"), .key("content")]
        let reading = Reading(
            answer(.sse, delta: choices),
            stream(
                #"{"choices":[{"delta":{"content":"a"}}]}"#, #"{"choices":[]}"#, #"{"other":1}"#,
                #"{"choices":[{"delta":{"content":7}}]}"#))
        #expect(reading.text == "a7" && reading.finish == .stop)
    }

    @Test("lines of JSON: empty ones are none, the last needs no end; without a path the line is the text")
    func lines() {
        let done = [EventPath.Part.key("done")]
        let lines = "{\"r\":\"a\",\"done\":false}\r\n\n  \n{\"r\":\"b\"}\n{\"r\":\"c\",\"done\":true}"
        let reading = Reading(answer(.ndjson, delta: [.key("r")], done: done), lines)
        #expect(reading.text == "abc" && reading.error == nil)
        #expect(Reading(answer(.ndjson), "one\ntwo").text == "one\ntwo\n")
        let cut = Reading(answer(.ndjson, delta: [.key("r")], done: done), "{\"r\":\"a\"}\n")
        #expect(cut.text == "a" && cut.error?.contains("early") == true && cut.mayPass)
        let broken = Reading(answer(.ndjson, delta: [.key("r")]), "{\"r\":\"a\"}\n<html>\n")
        #expect(broken.text == "a" && broken.error?.contains("not valid JSON") == true)
    }

    @Test("one JSON, with line ends in it")
    func json() {
        let document = "{\n  \"out\": {\n \"text\": \"yes\" } }\n"
        #expect(Reading(answer(.json, delta: [.key("out"), .key("text")]), Array(document.utf8), by: 3).text == "yes")
        #expect(Reading(answer(.json), document).text == document)
        #expect(Reading(answer(.json, delta: [.key("out")]), document).text == #"{"text":"yes"}"#)
    }

    @Test("an error's place: what stands there ends the answer, null and false do not")
    func errors() {
        let error = [EventPath.Part.key("err")]
        func reading(_ lines: String) -> Reading {
            Reading(answer(.ndjson, delta: [.key("t")], error: error), lines)
        }
        #expect(
            reading("{\"t\":\"a\",\"err\":null}\n{\"t\":\"b\",\"err\":false}\n{\"err\":\"\",\"t\":\"c\"}").text == "abc"
        )
        let words = reading("{\"t\":\"a\"}\n{\"err\":\"too\\nbad\",\"t\":\"b\"}")
        #expect(words.text == "a" && words.error == "the provider broke off: too bad")
        let object = reading("{\"err\":{\"message\":\"busy\",\"code\":503}}")
        #expect(object.error?.contains("busy") == true && object.mayPass)
        #expect(reading("{\"err\":true}").error?.contains("true") == true)
    }

    @Test("an answer without text says what it lacks")
    func empty() {
        for format in AgentDefinition.HTTPSettings.Format.allCases {
            #expect(Reading(answer(format), "").error == "the answer was empty", "\(format)")
        }
        let lacking = Reading(answer(.sse, delta: [.key("x")]), stream("{}", #"{"x":null}"#, #"{"x":""}"#))
        #expect(lacking.error?.contains("nothing stood at `delta` in any of its 3 items") == true)
    }

    @Test("a line and a document without end do not gather")
    func bounded() {
        let piece = [UInt8](repeating: 0x61, count: 64 * 1024)
        for (format, word) in [(Settings.Format.sse, "line"), (.ndjson, "line"), (.json, "bytes of JSON")] {
            var answer: any ProviderAnswer = answer(format)
            var items: [AgentOutput] = []
            var failure: ProviderFailure?
            for _ in 0..<1000 where failure == nil {
                do throws(ProviderFailure) { try answer.read(piece, into: &items) } catch { failure = error }
            }
            #expect(failure?.error.message.contains(word) == true, "\(format)")
        }
    }
}
