import BelfryCore

/// What a hook answers, and which requests it takes.
extension HookConversion {
    /// The source's `respond`; nil where the hook says nothing of its own.
    mutating func answer() -> JSONValue? {
        if hook.answersWithOutput {
            leaveOut(
                "include-command-output-in-response",
                "a delivery is answered when it is stored, before the command runs",
                mend: "read the run: belfry runs watch, or GET /v1/runs/ID/stream")
        }
        if hook.answersWithOutputOnError, !hook.answersWithOutput {
            differ("include-command-output-in-response-on-error", "has no effect by itself, for webhook either")
        }
        if hook.mismatchCode != 0 {
            leaveOut(
                "trigger-rule-mismatch-http-response-code",
                "what is verified is stored and answered with 2xx, whether the rule matches or not", mend: "nothing")
        }
        var answer = JSONObject()
        if hook.successCode != 0 {
            if (200...299).contains(hook.successCode) {
                answer["status"] = .int(hook.successCode)
            } else {
                leaveOut(
                    "success-http-response-code", "an accepted delivery is answered with 200 to 299",
                    mend: "set `respond.status` of the source if the sender needs another one of these")
            }
        }
        if !hook.answersWithOutput, !hook.responseMessage.isEmpty {
            if hook.responseMessage.utf8.count > Limits.answerBodyBytesMax {
                leaveOut(
                    "response-message", "it is longer than \(Limits.answerBodyBytesMax) bytes", mend: "shorten it")
            } else {
                answer["body"] = .string(hook.responseMessage)
                written(hook.responseMessage)
            }
        }
        for (index, header) in hook.responseHeaders.enumerated() {
            if header.name.lowercased() == "content-type" {
                answer["content_type"] = .string(header.value)
                written(header.value)
            } else {
                leaveOut(
                    "response-headers[\(index)]", "answers to deliveries have no headers of their own but Content-Type",
                    mend: "add it in a proxy if the sender needs it")
            }
        }
        guard !answer.isEmpty else { return nil }
        differ(
            "response-message", "it answers every delivery that is verified, also those that the rule does not match")
        return .object(answer)
    }

    /// Requests that the hook takes and a source does not, and the other way round.
    mutating func intake() {
        let methods = hook.methods.map { $0.uppercased().filter { !$0.isWhitespace } }
        if !methods.isEmpty, !methods.contains("POST") {
            disable(
                "http-methods", "the hook takes no POST, and a source nothing else", mend: "let the sender send a POST")
        } else if methods.contains(where: { $0 != "POST" }) {
            leaveOut("http-methods", "a source takes POST only", mend: "let the sender send a POST")
        }
        if !hook.contentType.isEmpty {
            leaveOut(
                "incoming-payload-content-type", "a source goes by the request's own content type",
                mend: "let the sender name it; a body without one is read as JSON if it is JSON")
        }
        for parameter in hook.parsedAsJSON {
            disable(
                "parse-parameters-as-json",
                "'\(parameter.name.prefix(80))' stays text: nothing looks for JSON inside of text",
                mend: "for GitHub's and Slack's forms use their presets; else let the sender send JSON")
        }
        for key in hook.unknownKeys {
            let reason = "webhook 2.8 does not know the key '\(key.prefix(80))' either"
            if key.hasPrefix("trigger-rule") {
                disable(key, reason, mend: "mend the hook's rule, then enable the rule")
            } else {
                leaveOut(key, reason, mend: "see what was meant")
            }
        }
    }
}
