import Testing

@testable import belfry

/// What finds tokens in the frames of a run.
struct TokenPartsTests {
    private let format = FanoutMark.Format(run: 7)

    private func mark(_ number: Int) -> String {
        var bytes: [UInt8] = []
        format.append(FanoutMark(number: number, sent: 42), to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func frame(_ delta: String) -> String {
        #"data: {"position":1,"type":"TEXT_MESSAGE_CONTENT","data":{"step":"talk","delta":"\#(delta)"}}"# + "\n\n"
    }

    private func scan(_ pieces: [[UInt8]]) -> [Int] {
        var scanner = DeltaScanner()
        var marks: [FanoutMark] = []
        for piece in pieces { piece.withUnsafeBytes { scanner.feed($0, format, &marks) } }
        return marks.map(\.number)
    }

    @Test("a delta holds several tokens, and one that deltas cut in two is found")
    func deltas() {
        let text = "so " + mark(0) + mark(1) + ", belfry-bench=8,1,42; belfry-bench=7,x " + mark(2) + "b"
        #expect(scan([Array(frame(text).utf8)]) == [0, 1, 2])
        for cut in 0...text.utf8.count {
            let place = text.index(text.startIndex, offsetBy: cut)
            let frames = frame(String(text[..<place])) + "id: 4\n\n" + frame(String(text[place...]))
            #expect(scan([Array(frames.utf8)]) == [0, 1, 2], "cut at \(cut)")
        }
        let letters = text.map { frame(String($0)) }.joined()
        #expect(scan([Array(letters.utf8)]) == [0, 1, 2])
        #expect(scan(letters.utf8.map { [$0] }) == [0, 1, 2])
    }

    @Test("a token counts when its frame is complete")
    func incomplete() {
        #expect(scan([Array(frame(mark(0)).utf8.dropLast())]) == [])
        #expect(scan([Array("data: {\"delta\":\"\(mark(0))".utf8)]) == [])
    }

    @Test("each delivery has an id of its own")
    func ids() throws {
        let id = DeliveryTarget.newID()
        let request = "POST /hooks/x HTTP/1.1\r\nX-GitHub-Delivery: \(id)\r\n\r\n{}"
        var template = try #require(PacedIngest.Template(Array(request.utf8), id: id))
        template.number(1_204)
        let expected = request.replacing(id, with: id.dropLast(12) + "000000001204")
        #expect(String(decoding: template.request, as: UTF8.self) == expected)
        #expect(PacedIngest.Template(Array("POST".utf8), id: id) == nil)
    }
}
