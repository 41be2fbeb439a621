import BelfryCore
import Testing

/// Notices are for people; what stands in them may be anybody's.
@Suite struct NoticeTests {
    @Test("text is one line without control characters or turned directions, and bounded on a whole character")
    func hostile() throws {
        let hostile = "a\u{1B}[31m\n\u{202E}b\u{2028}\u{7F}\u{85}<script>"
        let notice = Notice(.event, .info, title: hostile, text: String(repeating: "é", count: 5000))
        #expect(notice.title == "a [31m  b   <script>")
        #expect(notice.text.utf8.count <= Limits.noticeTextBytesMax + 3 && notice.text.hasSuffix("é…"))
        let frame = notice.frame(at: Timestamp(milliseconds: 0))
        #expect(frame.topic == .alerts && frame.data.value["title"]?.string == notice.title)
    }

    @Test("the link leads to the nearest thing there is")
    func links() throws {
        let run = try #require(RunID("run_01h455vb4pex5vsknk084sn02q"))
        let event = try #require(EventID("evt_01h455vb4pex5vsknk084sn02q"))
        func link(event: EventID? = nil, run: RunID? = nil, rule: String? = nil, source: String? = nil) -> String? {
            let notice = Notice(
                .event, .info, title: "t", text: "x", event: event, run: run, rule: rule, source: source)
            return notice.frame(at: Timestamp(milliseconds: 0)).data.value["link"]?.string
        }
        #expect(link(event: event, run: run, rule: "r", source: "s") == "/#run/\(run)")
        #expect(link(event: event, rule: "r") == "/#event/\(event)")
        #expect(link(rule: "r", source: "s") == "/#rule/r")
        #expect(link(source: "s") == "/#source/s")
        #expect(link() == "/")
    }
}
