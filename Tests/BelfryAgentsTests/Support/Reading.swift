import BelfryCore

@testable import BelfryAgents

/// What an answer's reader made of a stream.
struct Reading: Equatable {
    struct Call: Equatable {
        var id: String
        var name: String
        var arguments = ""
        var isEnded = false
    }

    var text = ""
    var calls: [Call] = []
    var usage: Usage?
    var finish: FinishReason?
    /// What the stream was refused for.
    var error: String?
    var code: BelfryError.Code?
    var mayPass = false
    var isDone = false
    var items: [AgentOutput] = []

    /// Reads a stream in pieces of so many bytes, to its end.
    init(_ answer: any ProviderAnswer, _ bytes: [UInt8], by size: Int) {
        self.init(
            answer,
            pieces: stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) })
    }

    init(_ answer: any ProviderAnswer, _ text: String) { self.init(answer, pieces: [Array(text.utf8)]) }

    init(_ answer: any ProviderAnswer, pieces: [[UInt8]]) {
        var answer = answer
        var items: [AgentOutput] = []
        do throws(ProviderFailure) {
            for piece in pieces where !answer.isDone { try answer.read(piece, into: &items) }
            if !answer.isDone { try answer.finish(into: &items) }
        } catch {
            self.error = error.error.message
            code = error.error.code
            mayPass = error.mayPass
        }
        isDone = answer.isDone
        self.items = items
        for item in items { take(item) }
    }

    private mutating func take(_ item: AgentOutput) {
        switch item {
        case .text(let piece): text += piece
        case .toolCallStarted(let id, let name): calls.append(Call(id: id, name: name))
        case .toolCallArguments(let id, let delta):
            guard let place = calls.firstIndex(where: { $0.id == id && !$0.isEnded }) else {
                return text += "<arguments without a call>"
            }
            calls[place].arguments += delta
        case .toolCallEnded(let id):
            guard let place = calls.firstIndex(where: { $0.id == id && !$0.isEnded }) else {
                return text += "<end without a call>"
            }
            calls[place].isEnded = true
        case .usage(let last): usage = last
        case .finished(let reason): finish = reason
        case .log, .started: text += "<not a provider's>"
        }
    }
}

/// Events as a server would send them: a `data:` line each.
func stream(_ events: String...) -> String { events.map { "data: \($0)\n\n" }.joined() }
