import ArgumentParser
import BelfryCore

struct SourcesAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a source, and say how to set up its sender.",
        discussion: """
            The hub makes the secret, unless the sender gives its own (Stripe, Slack, Svix): then --secret-file names a file \
            that holds it (- for stdin). What has more settings is a document: belfry rules apply FILE.

            EXAMPLE
              belfry sources add billing --preset stripe --secret-file stripe.secret
              belfry sources add forge --preset github
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The source's name: it stands in the URL.") var name: String
    @Option(help: "What the sender speaks: \(Preset.allCases.map(\.rawValue).joined(separator: ", ")).")
    var preset: String
    @Option(help: "What it is for, in a line.") var about: String?
    @Option(help: ArgumentHelp("File that holds the sender's secret (- for stdin).", valueName: "file"))
    var secretFile: String?
    @Option(help: ArgumentHelp("Where the secret stands instead: env:NAME or file:PATH.", valueName: "reference"))
    var secret: String?
    @Option(help: ArgumentHelp("For hmac: the header that carries the signature.", valueName: "header"))
    var signatureHeader: String?

    func validate() throws {
        guard Name.isValid(name) else { throw ValidationError("a name is \(Name.form)") }
        guard secret == nil || secretFile == nil else {
            throw ValidationError("either --secret or --secret-file")
        }
        guard secret.map({ SecretReference($0) != nil }) ?? true else {
            throw ValidationError("--secret is env:NAME or file:PATH; the secret itself never stands in a command")
        }
        guard preset != Preset.none.rawValue || (secret == nil && secretFile == nil) else {
            throw ValidationError("preset none verifies nothing and takes no secret; take the preset token or hmac")
        }
        guard preset != Preset.hmac.rawValue || signatureHeader != nil else {
            throw ValidationError("preset hmac needs --signature-header: the header that carries the signature")
        }
    }

    func run() async throws {
        let client = try self.client.client()
        let given = try secretFile.map(SecretInput.read)
        let path = "/v1/sources/\(PercentEncoding.component(name))"
        let answer = try await client.exchange(
            "PUT", path, headers: [("Content-Type", "application/json"), ("If-None-Match", "*")],
            body: document.encoded())
        if answer.status == 412 {
            let next = secretFile.map { "belfry sources rotate \(name) --secret-file \($0) enters the secret" }
            throw Failure(
                .negative, "there is a source \(name) already; \(next ?? "belfry sources show \(name) shows it")")
        }
        guard (200..<300).contains(answer.status) else { throw client.failure(answer, at: "PUT \(path)") }
        var source = answer.body
        if let given {
            do {
                try await client.post("\(path)/rotate", ["secret": .string(given), "keep": "0s"])
            } catch let failure as Failure {
                _ = try await client.call("DELETE", path)
                throw failure
            }
            source = try await client.get(path)
        }
        self.client.output.show(source) { source in
            let problem = source["problem"]?.string.map { "\nIt is disabled: \($0)\n" } ?? ""
            let setUp = source["set_up"]?.string.map { "\n\($0)\n" } ?? ""
            return Terminal.harmless("added \(name): \(source.cell("url"))\n\(problem)\(setUp)")
        }
    }

    private var document: JSONValue {
        var document: JSONObject = ["source": .string(name), "preset": .string(preset)]
        if let about { document["about"] = .string(about) }
        if preset != Preset.none.rawValue { document["secret"] = .string(secret ?? "generate") }
        if let signatureHeader { document["signature"] = ["header": .string(signatureHeader)] }
        return .object(document)
    }
}
