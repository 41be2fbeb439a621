import BelfryCore

/// Events for a measurement, as large and as nested as the ones that senders deliver; every word in them is made up.
enum SampleEvents {
    static let all = [
        event("reading", source: "plant", type: "sensor.reading", reading),
        event("push", source: "github", type: "push", push),
        event("issue", source: "github", type: "issues.opened", issue),
        event("alerts", source: "alertmanager", type: "alert.firing", alerts),
    ]

    private static func event(_ name: String, source: String, type: String, _ data: JSONValue) -> MatchMeter.Event {
        let envelope: JSONValue = [
            "id": "evt_01h455vb4pex5vsknk084sn02q", "source": .string(source),
            "key": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
            "type": .string(type), "subject": "city/water-works", "time": "2026-01-02T03:04:05.678Z",
            "received": "2026-01-02T03:04:05.701Z", "remote": "198.51.100.23",
            "headers": ["content-type": "application/json", "user-agent": "Sender/2.1"], "data": data,
        ]
        return MatchMeter.Event(name: name, bytes: envelope.encoded())
    }

    /// About half a kilobyte.
    private static let reading: JSONValue = [
        "sensor": "pump-7", "site": "plant-north", "seq": 48_151,
        "readings": ["celsius": .double(96.5), "bar": .double(3.25), "rpm": 1450, "vibration": [1, 2, 2, 3]],
    ]

    /// About 7 KB: a repository, a dozen commits, a sender.
    private static let push: JSONValue = [
        "ref": "refs/heads/main", "before": .string(digest(1)), "after": .string(digest(2)), "created": false,
        "deleted": false, "forced": false, "compare": .string(url("compare/1...2")), "repository": repository,
        "pusher": ["name": "mara", "email": "mara@city.example"], "sender": person(7),
        "commits": .array((0..<9).map(commit)), "head_commit": commit(8),
    ]

    /// About 11 KB: text in Markdown, labels, people, and the repository again.
    private static let issue: JSONValue = [
        "action": "opened", "repository": repository, "sender": person(3),
        "issue": [
            "number": 4211, "title": "The valve at station 4 closes \"too late\"", "state": "open", "comments": 0,
            "user": person(3), "labels": .array((0..<6).map(label)), "assignees": .array((0..<6).map(person)),
            "body": .string(
                String(repeating: "- Öffnungszeit: 12 s\n- expected: `8 s`\n\nSee \\\\logs\\valve\n", count: 60)),
            "created_at": "2026-01-02T03:04:05Z", "closed_at": nil,
        ],
    ]

    /// An array of objects, the case in which conditions have to hold in one element.
    private static let alerts: JSONValue = [
        "receiver": "belfry", "status": "firing",
        "alerts": .array(
            (0..<12).map { index in
                [
                    "status": "firing", "fingerprint": .string(String(digest(index).prefix(16))),
                    "labels": [
                        "alertname": "DiskFillsUp", "severity": .string(index % 3 == 0 ? "critical" : "warning"),
                        "instance": .string("db-\(index).example:9100"), "app.kubernetes.io/name": "store",
                    ],
                    "annotations": ["summary": .string("Disk of db-\(index) is full in \(index + 1) hours")],
                    "startsAt": "2026-01-02T03:04:05.678Z",
                ]
            }),
    ]

    private static let repository: JSONValue = .object(
        JSONObject(
            [
                .init(key: "id", value: 1_296_269), .init(key: "name", value: "water-works"),
                .init(key: "full_name", value: "city/water-works"), .init(key: "private", value: false),
                .init(key: "owner", value: person(1)),
            ]
                + [
                    "forks", "keys", "hooks", "events", "branches", "tags", "blobs", "trees", "commits", "issues",
                    "pulls",
                ].map {
                    .init(key: "\($0)_url", value: .string(url("\($0){/part}")))
                } + ["size", "stargazers", "watchers", "open_issues"].map { .init(key: $0, value: 80) }))

    private static func person(_ index: Int) -> JSONValue {
        [
            "login": .string("dev-\(index)"), "id": .int(58_000 + index), "type": "User", "site_admin": false,
            "avatar_url": .string(url("avatars/\(index)?v=4")), "url": .string(url("users/dev-\(index)")),
            "repos_url": .string(url("users/dev-\(index)/repos")),
        ]
    }

    private static func commit(_ index: Int) -> JSONValue {
        [
            "id": .string(digest(index + 10)), "message": .string("Close valve \(index) earlier\n\nIt took too long."),
            "timestamp": "2026-01-02T03:04:05+01:00", "url": .string(url("commit/\(digest(index + 10))")),
            "author": ["name": "Mara Öst", "email": "mara@city.example", "username": "dev-7"],
            "added": [], "removed": [], "modified": [.string("stations/\(index)/valve.conf"), "README.md"],
        ]
    }

    private static func label(_ index: Int) -> JSONValue {
        [
            "id": .int(208_045_946 + index), "name": .string("area/\(index)"), "color": "f29513",
            "default": .bool(index == 0),
        ]
    }

    private static func url(_ path: String) -> String { "https://forge.example/api/v3/repos/city/water-works/\(path)" }

    private static func digest(_ index: Int) -> String {
        var generator = SeededGenerator(seed: UInt64(index))
        return Hex.encode((0..<20).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }
}
