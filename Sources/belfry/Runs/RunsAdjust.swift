import ArgumentParser
import BelfryCore

struct RunsAdjust: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adjust",
        abstract: "Change a live run: its parameters, the prompt or agent settings of steps to come.",
        discussion: """
            Only what the rule declares under params, the prompts of steps, and what the agent lists under adjustable \
            (by default temperature and max_tokens). null takes a change back. A step that works already goes on as it \
            is, unless --restart begins it anew. An open question about steps that change is asked again. Ends with 1 \
            if the run refuses, and says why; then nothing is changed.

            EXAMPLE
              belfry runs adjust run_01h455vb4pex5vsknk084sn02q --param tone=terse
              belfry runs adjust run_01h455vb4pex5vsknk084sn02q --prompt report="Write one line."
              belfry runs adjust run_01h455vb4pex5vsknk084sn02q --agent report.temperature=0.2
              belfry runs adjust run_01h455vb4pex5vsknk084sn02q --prompt report=null --restart
            """
    )

    @OptionGroup var client: ClientOptions
    @Argument(help: "The run's id.") var id: String
    @Option(help: "A parameter of the rule: NAME=VALUE, the value as JSON or a text. May be given again.")
    var param: [String] = []
    @Option(help: "The whole prompt of a step: STEP=TEXT. May be given again.") var prompt: [String] = []
    @Option(help: "A setting of a step's agent: STEP.FIELD=VALUE. May be given again.") var agent: [String] = []
    @Flag(help: "Begin steps anew that work already and are changed.") var restart = false

    func validate() throws {
        guard !(param + prompt + agent).isEmpty else {
            throw ValidationError("say what to change: --param, --prompt or --agent")
        }
    }

    func run() async throws {
        let answer = try await client.client().post(
            "/v1/runs/\(PercentEncoding.component(id))/adjust", .object(try body()))
        try CommandText.show(answer, as: client.output)
    }

    /// `{params?, steps?: {NAME: {prompt?, agent?}}, restart?}`
    func body() throws -> JSONObject {
        var params: JSONObject = [:]
        var steps: JSONObject = [:]
        for text in param {
            let (name, value) = try JSONArgument.assignment(text, of: "--param")
            params[name] = value
        }
        for text in prompt {
            let (step, value) = try JSONArgument.pair(text, of: "--prompt")
            var members = steps[step]?.object ?? [:]
            members["prompt"] = value == "null" ? .null : .string(value)
            steps[step] = .object(members)
        }
        for text in agent {
            let (place, value) = try JSONArgument.assignment(text, of: "--agent")
            // Names of steps may have dots, fields of agents have none.
            guard let dot = place.lastIndex(of: "."), dot > place.startIndex else {
                throw Failure(.usage, "--agent takes STEP.FIELD=VALUE, and not '\(text.prefix(80))'")
            }
            let step = String(place[..<dot])
            var members = steps[step]?.object ?? [:]
            var fields = members["agent"]?.object ?? [:]
            fields[String(place[place.index(after: dot)...])] = value
            members["agent"] = .object(fields)
            steps[step] = .object(members)
        }
        var body: JSONObject = [:]
        if !params.isEmpty { body["params"] = .object(params) }
        if !steps.isEmpty { body["steps"] = .object(steps) }
        if restart { body["restart"] = true }
        return body
    }
}
