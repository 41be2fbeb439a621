import ArgumentParser
import BelfryCore
import Testing

@testable import belfry

struct AgentDraftTests {
    private let stored: JSONObject = [
        "agent": "triage", "kind": "openai", "base_url": "https://api.openai.com/v1", "model": "gpt-4o",
        "key": "file:/d/secrets/a.key", "system": "Be brief.", "temperature": 0,
    ]

    private func draft(
        _ stored: JSONObject, model: String? = nil, baseURL: String? = nil, key: String? = nil
    ) throws -> AgentDraft {
        try .asking(.openai, name: "triage", stored: stored, model: model, baseURL: baseURL, key: key)
    }

    @Test("each key has a file of its own, and the same key the same one")
    func keyFiles() throws {
        let folder = try TemporaryFolder()
        let first = try KeyFile.copy(Array("sk-one".utf8), of: "openai", into: folder.path + "/secrets")
        let second = try KeyFile.copy(Array("sk-two".utf8), of: "openai", into: folder.path + "/secrets")
        #expect(first != second)
        #expect(first.hasSuffix("/secrets/openai-456f1612.key"))
        #expect(try LocalFile.text(at: first) == "sk-one")
        #expect(try LocalFile.text(at: second) == "sk-two")
        #expect(try KeyFile.copy(Array("sk-one".utf8), of: "openai", into: folder.path + "/secrets") == first)
    }

    @Test("a file that holds something else is not overwritten")
    func keyFileTaken() throws {
        let folder = try TemporaryFolder()
        let path = try KeyFile.copy(Array("sk-one".utf8), of: "openai", into: folder.path)
        try LocalFile.writeSecret(Array("of another".utf8), to: path)
        let failure = #expect(throws: Failure.self) {
            try KeyFile.copy(Array("sk-one".utf8), of: "openai", into: folder.path)
        }
        #expect(failure?.message.contains("holds another key") == true)
        #expect(try LocalFile.text(at: path) == "of another")
    }

    @Test("an openai agent keeps what no flag changes")
    func keeps() throws {
        let draft = try draft(stored, model: "gpt-5")
        var expected = stored
        expected["model"] = "gpt-5"
        #expect(draft.document == expected)
        #expect(draft.remark == nil)
    }

    @Test("another base URL drops the key of the old one, and says so")
    func dropsKey() throws {
        let draft = try draft(stored, baseURL: "http://127.0.0.1:11434/v1")
        #expect(draft.document["key"] == nil)
        #expect(draft.document["model"] == "gpt-4o")
        #expect(draft.remark?.contains("no longer uses the key") == true)
        let withKey = try self.draft(stored, baseURL: "https://other.example/v1", key: "/d/secrets/b.key")
        #expect(withKey.document["key"] == "file:/d/secrets/b.key")
        #expect(withKey.remark == nil)
        #expect(try self.draft(stored, baseURL: "https://api.openai.com/v1/").document["key"] != nil)
    }

    @Test("OpenAI itself needs a key")
    func needsKey() throws {
        let echo: JSONObject = ["agent": "triage", "kind": "echo", "text": "{{event}}", "about": "Sorts issues."]
        let failure = #expect(throws: Failure.self) { try draft(echo) }
        #expect(failure?.code == .usage)
        #expect(failure?.message == "triage: api.openai.com needs a key: --key-file F")
        let local = try draft(echo, baseURL: "http://127.0.0.1:11434/v1")
        #expect(local.document["about"] == "Sorts issues." && local.document["text"] == nil)
        let back = AgentDraft.echo(name: "triage", stored: local.document)
        #expect(back.document["kind"] == "echo" && back.document["base_url"] == nil)
    }

    @Test("Anthropic needs a model's name, Dify the kind of its app; neither takes over the other's")
    func others() throws {
        let nameless = #expect(throws: Failure.self) {
            try AgentDraft.asking(.anthropic, name: "triage", stored: [:], key: "/k")
        }
        #expect(nameless?.message == "triage: say which model: --model M")
        let claude = try AgentDraft.asking(.anthropic, name: "triage", stored: stored, model: "claude", key: "/k")
        #expect(
            claude.document == [
                "agent": "triage", "kind": "anthropic", "base_url": "https://api.anthropic.com", "model": "claude",
                "key": "file:/k",
            ])
        let keyless = #expect(throws: Failure.self) {
            try AgentDraft.asking(.anthropic, name: "triage", stored: stored, model: "claude")
        }
        #expect(keyless?.message == "triage: api.anthropic.com needs a key: --key-file F")
        let app = try AgentDraft.asking(.dify, name: "triage", stored: claude.document, app: "workflow", key: "/d")
        #expect(app.document["app"] == "workflow" && app.document["model"] == nil)
        let moved = try AgentDraft.asking(.dify, name: "triage", stored: app.document, baseURL: "http://d/v1")
        #expect(moved.document["app"] == "workflow" && moved.document["key"] == nil && moved.remark != nil)
        // Its document need not name the provider's own address, for which it has the key.
        var short = claude.document
        short["base_url"] = nil
        let again = try AgentDraft.asking(.anthropic, name: "triage", stored: short, model: "other")
        #expect(again.document["key"] == "file:/k" && again.remark == nil)
    }

    @Test(
        "flags that do not fit are refused by name",
        arguments: [
            (["echo"], "--agent"), (["echo", "--agent", "a", "--model", "m"], "--model"),
            (["openai", "--base-url", "localhost:1"], "--base-url"),
            (["openai", "--base-url", "http://h/v1/chat/completions"], "--base-url"),
            (["anthropic", "--base-url", "http://h/v1/messages"], "--base-url"), (["dify", "--model", "m"], "--model"),
            (["openai", "--app", "chat"], "--app"), (["dify", "--app", "chatbot"], "--app"),
        ])
    func flags(arguments: [String], named: String) {
        let error = #expect(throws: (any Error).self) { try AgentsUse.parse(arguments) }
        #expect(error.map { AgentsUse.message(for: $0).contains(named) } == true)
    }
}
