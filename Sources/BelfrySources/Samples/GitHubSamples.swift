import BelfryCore

/// Bodies of GitHub deliveries at their real size, most of which is the repository and its links.
enum GitHubSamples {
    static let repositoryName = "harbour/checkout"

    static func ping(now: Timestamp) -> JSONValue {
        [
            "zen": "Ring once, and listen.",
            "hook_id": 440_044_001,
            "hook": [
                "type": "Repository", "id": 440_044_001, "name": "web", "active": true, "events": ["issues", "push"],
                "config": [
                    "content_type": "json", "insecure_ssl": "0", "secret": "********",
                    "url": "https://hub.example/hooks/github",
                ],
                "updated_at": .string(seconds(now)), "created_at": .string(seconds(now)),
                "url": .string("\(GitHubParts.api)/repos/\(repositoryName)/hooks/440044001"),
                "last_response": ["code": nil, "status": "unused", "message": nil],
            ],
            "repository": GitHubParts.repository(now),
            "sender": GitHubParts.user("mira-b", 1001),
        ]
    }

    static func issues(now: Timestamp) -> JSONValue {
        [
            "action": "opened",
            "issue": GitHubParts.issue(number: 731, now: now),
            "repository": GitHubParts.repository(now),
            "sender": GitHubParts.user("okonkwo", 1002),
        ]
    }

    static func push(now: Timestamp) -> JSONValue {
        let commits = GitHubParts.commitMessages.enumerated().map { index, message in
            GitHubParts.commit(index, message, now - .seconds(Int64(60 * (9 - index))))
        }
        return [
            "ref": "refs/heads/main",
            "before": .string(GitHubParts.sha(90)),
            "after": .string(GitHubParts.sha(commits.count - 1)),
            "repository": GitHubParts.repository(now),
            "pusher": ["name": "mira-b", "email": "mira@harbour.example"],
            "sender": GitHubParts.user("mira-b", 1001),
            "created": false, "deleted": false, "forced": false, "base_ref": nil,
            "compare": .string("https://github.com/\(repositoryName)/compare/\(GitHubParts.sha(90).prefix(12))...main"),
            "commits": .array(commits),
            "head_commit": commits.last ?? nil,
        ]
    }

    static func pullRequest(now: Timestamp) -> JSONValue {
        [
            "action": "opened",
            "number": 732,
            "pull_request": GitHubParts.pullRequest(number: 732, now: now),
            "repository": GitHubParts.repository(now),
            "sender": GitHubParts.user("mira-b", 1001),
        ]
    }

    /// GitHub writes times in whole seconds.
    static func seconds(_ time: Timestamp) -> String { time.description.prefix(19) + "Z" }
}
