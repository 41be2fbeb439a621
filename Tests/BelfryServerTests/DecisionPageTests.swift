import Testing

@testable import BelfryServer

/// What others have written, on the page where somebody decides about it.
struct DecisionPageTests {
    @Test("nothing is markup, and nothing turns the direction of what is read")
    func escaped() {
        #expect(DecisionPage.escaped(#"<a href="x" id='y'>&"#) == "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;")
        #expect(DecisionPage.escaped("p7\u{202E}8\u{2066}9\u{200F}\u{61C}") == #"p7\u202e8\u20669\u200f\u061c"#)
        #expect(DecisionPage.escaped("grün 🟢") == "grün 🟢")
    }
}
