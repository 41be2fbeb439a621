import BelfryCore

/// Bodies of GitLab's hooks.
enum GitLabSamples {
    private static let web = "https://gitlab.harbour.example/harbour/checkout"

    private static let project: JSONValue = [
        "id": 88, "name": "checkout", "description": "The till.", "web_url": .string(web),
        "git_ssh_url": "git@gitlab.harbour.example:harbour/checkout.git", "git_http_url": .string(web + ".git"),
        "namespace": "harbour", "visibility_level": 0, "path_with_namespace": "harbour/checkout",
        "default_branch": "main",
    ]

    static func issue(now: Timestamp) -> JSONValue {
        [
            "object_kind": "issue", "event_type": "issue",
            "user": ["id": 12, "name": "Ada Okonkwo", "username": "okonkwo", "email": "[REDACTED]"],
            "project": project,
            "object_attributes": [
                "id": 9731, "iid": 731, "title": "Checkout answers 500 when the cart is empty", "state": "opened",
                "action": "open", "severity": "unknown", "confidential": false, "author_id": 12, "project_id": 88,
                "created_at": .string(now.description), "updated_at": .string(now.description),
                "url": .string(web + "/-/issues/731"),
                "description": "Steps: open /checkout without a cart. Seen since 2.14.0, in all browsers.",
            ],
            "labels": [["id": 3, "title": "bug", "color": "#d9534f", "type": "ProjectLabel"]],
            "changes": [:], "assignees": [],
            "repository": ["name": "checkout", "url": "git@gitlab.harbour.example:harbour/checkout.git"],
        ]
    }

    static func push(now: Timestamp) -> JSONValue {
        let before = String(repeating: "8a", count: 20), after = String(repeating: "3f", count: 20)
        return [
            "object_kind": "push", "event_name": "push", "before": .string(before), "after": .string(after),
            "ref": "refs/heads/main", "ref_protected": true, "checkout_sha": .string(after), "user_id": 14,
            "user_name": "Mira B", "user_username": "mira-b", "project_id": 88, "project": project,
            "commits": [
                [
                    "id": .string(after), "title": "Answer an empty cart with 200",
                    "message": "Answer an empty cart with 200\n\nCloses #731\n", "timestamp": .string(now.description),
                    "url": .string("\(web)/-/commit/\(after)"),
                    "author": ["name": "Mira B", "email": "mira@harbour.example"],
                    "added": [], "modified": ["src/cart.go", "src/cart_test.go"], "removed": [],
                ]
            ],
            "total_commits_count": 1,
        ]
    }
}
