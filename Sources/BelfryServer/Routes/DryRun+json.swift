import BelfryCore
import BelfryEngine
import BelfrySources

extension DryRun {
    /// `{source, verification: {ok, by?, code?, detail?}, paused?, answered?, error?, events: [{event, duplicate_of?, rules,
    /// rules_left_out?}]}`
    var json: RawJSON {
        var writer = JSONWriter(reservingCapacity: 4096)
        writer.beginObject()
        writer.member("source", source)
        writer.member("verification", .object(verification.json))
        if isPaused { writer.member("paused", .bool(true)) }
        if let answer { writer.member("answered", .object(answer.json)) }
        if let refusal { writer.member("error", raw: Problem(refusal).json) }
        writer.key("events")
        writer.beginArray()
        for item in events {
            writer.beginObject()
            writer.member("event", raw: item.event.json)
            writer.member("duplicate_of", ifPresent: item.duplicateOf?.description)
            writer.member("rules", .array(item.rules.map(JSONValue.object)))
            if item.rulesLeftOut > 0 { writer.member("rules_left_out", Int64(item.rulesLeftOut)) }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return RawJSON(trusted: writer.bytes)
    }
}

extension Rehearsal.Verification {
    fileprivate var json: JSONObject {
        switch self {
        case .passed(let secret):
            guard let secret else { return ["ok": .bool(true)] }
            return ["ok": .bool(true), "by": .string(secret)]
        case .notChecked:
            return [
                "ok": .bool(false), "code": "not_checked",
                "detail": "the source verifies by Authorization, which holds your own token here",
            ]
        case .refused(let error):
            return ["ok": .bool(false), "code": .string(error.code.rawValue), "detail": .string(error.message)]
        }
    }
}

extension DeliveryAnswer {
    /// Its body as text; answers to senders are texts.
    fileprivate var json: JSONObject {
        let type = headers.first { $0.name.lowercased() == "content-type" }?.value
        return [
            "status": .int(status), "content_type": .optional(type),
            "body": .string(String(decoding: body, as: UTF8.self)),
        ]
    }
}
