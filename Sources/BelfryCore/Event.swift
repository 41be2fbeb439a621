/// What an accepted delivery says, normalised. Rules match it, templates read it, the store keeps it.
public struct Event: Sendable, Hashable {
    public var id: EventID
    /// The name of our source that received it.
    public var source: String
    /// The sender's own source (CloudEvents `source`, a repository, an Alertmanager receiver), if it says one.
    public var origin: String?
    /// The sender's id, by which repeated deliveries are recognised within the source.
    public var key: String?
    public var type: String
    public var subject: String?
    /// The sender's time, else `received`.
    public var time: Timestamp
    public var received: Timestamp
    /// Address of the peer that delivered it.
    public var remote: String
    /// Extension attributes (CloudEvents), and `same_body_as`.
    public var ext: JSONObject
    /// Lower-case names; only those the preset and `keep_headers` allow.
    public var headers: JSONObject
    /// The payload as the sender wrote it, after `redact`.
    public var data: RawJSON
    /// How many runs led to this event (``Hops``). Beside the event, not in it: patterns and templates do not see it.
    public var hops = 0

    /// The source of the events that agents make with their `emit` tools.
    public static let ownSource = "belfry"

    public init(
        id: EventID, source: String, origin: String? = nil, key: String? = nil, type: String, subject: String? = nil,
        time: Timestamp, received: Timestamp, remote: String = "", ext: JSONObject = JSONObject(),
        headers: JSONObject = JSONObject(), data: RawJSON
    ) {
        self.id = id
        self.source = source
        self.origin = origin
        self.key = key
        self.type = type
        self.subject = subject
        self.time = time
        self.received = received
        self.remote = remote
        self.ext = ext
        self.headers = headers
        self.data = data
    }

    /// The members that ``value`` may have.
    public static let fieldNames = [
        "id", "source", "origin", "key", "type", "subject", "time", "received", "remote", "ext", "headers", "data",
    ]

    /// The event as the object that patterns match and templates read: ``json`` as a tree, the payload parsed once.
    public var value: JSONValue {
        var members: JSONObject = ["id": .string(id.description), "source": .string(source)]
        if let origin { members["origin"] = .string(origin) }
        if let key { members["key"] = .string(key) }
        members["type"] = .string(type)
        if let subject { members["subject"] = .string(subject) }
        members["time"] = .string(time.description)
        members["received"] = .string(received.description)
        members["remote"] = .string(remote)
        if !ext.isEmpty { members["ext"] = .object(ext) }
        members["headers"] = .object(headers)
        members["data"] = data.value
        return .object(members)
    }

    /// The event as the API shows it and programs get it.
    public var json: RawJSON {
        var writer = JSONWriter(reservingCapacity: data.bytes.count + 1024)
        writer.beginObject()
        writer.member("id", id.description)
        writer.member("source", source)
        writer.member("origin", ifPresent: origin)
        writer.member("key", ifPresent: key)
        writer.member("type", type)
        writer.member("subject", ifPresent: subject)
        writer.member("time", time.description)
        writer.member("received", received.description)
        writer.member("remote", remote)
        if !ext.isEmpty { writer.member("ext", .object(ext)) }
        writer.member("headers", .object(headers))
        writer.member("data", raw: data)
        writer.endObject()
        return RawJSON(trusted: writer.bytes)
    }
}
