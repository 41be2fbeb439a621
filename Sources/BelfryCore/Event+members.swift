extension Event {
    /// The members of an event as an object (``Event/value``).
    public static let memberNames: Set<String> = [
        "id", "source", "origin", "key", "type", "subject", "time", "received", "remote", "ext", "headers", "data",
    ]

    /// An event that somebody gives as JSON, as rules would see it: of one that the API has shown
    /// (`belfry events show ID > event.json`), what stands beside the event is left out.
    public static func value(of json: JSONValue) -> JSONValue {
        guard let object = json.object, object["ruleset_version"] != nil,
            let id = object["id"]?.string, EventID(id) != nil
        else { return json }
        return .object(JSONObject(object.members.filter { memberNames.contains($0.key) }))
    }
}
