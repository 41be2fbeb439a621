import BelfryCore

/// The objects that GitHub's deliveries are put together from.
enum GitHubParts {
    static let api = "https://api.github.com"

    static let commitMessages = [
        "checkout: answer 503 while the ledger is read-only\n\nThe till showed a blank page; now it says why.",
        "ledger: close the cursor on every way out",
        "tests: a card that is declined twice",
        "docs: how to drain a till before an update",
        "checkout: keep the basket when the session is renewed",
        "ci: run the slow tests once a night",
    ]

    /// A commit's name that looks like one and is always the same.
    static func sha(_ seed: Int) -> String {
        var state = UInt64(seed + 1) &* 0x9E37_79B9_7F4A_7C15
        return String(
            (0..<40).map { _ -> Character in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let digits = Array("0123456789abcdef")
                return digits[Int(state >> 60)]
            })
    }

    /// An object of `NAME_url` members under one base.
    private static func links(_ base: String, _ suffixes: [(String, String)]) -> [(String, JSONValue)] {
        suffixes.map { ($0.0, .string(base + $0.1)) }
    }

    private static func object(_ members: [(String, JSONValue)]) -> JSONValue {
        .object(JSONObject(members.map { .init(key: $0.0, value: $0.1) }))
    }

    static func user(_ login: String, _ id: Int64) -> JSONValue {
        let base = "\(api)/users/\(login)"
        return object(
            [
                ("login", .string(login)), ("id", .int(id)), ("node_id", .string("MDQ6VXNlcg\(id)")),
                ("avatar_url", .string("https://avatars.githubusercontent.com/u/\(id)?v=4")), ("gravatar_id", ""),
                ("url", .string(base)), ("html_url", .string("https://github.com/\(login)")),
            ]
                + links(
                    base,
                    [
                        ("followers_url", "/followers"), ("following_url", "/following{/other_user}"),
                        ("gists_url", "/gists{/gist_id}"), ("starred_url", "/starred{/owner}{/repo}"),
                        ("subscriptions_url", "/subscriptions"), ("organizations_url", "/orgs"),
                        ("repos_url", "/repos"),
                        ("events_url", "/events{/privacy}"), ("received_events_url", "/received_events"),
                    ])
                + [("type", "User"), ("site_admin", false)]
        )
    }

    private static let repositoryLinks = [
        ("forks_url", "/forks"), ("keys_url", "/keys{/key_id}"),
        ("collaborators_url", "/collaborators{/collaborator}"), ("teams_url", "/teams"), ("hooks_url", "/hooks"),
        ("issue_events_url", "/issues/events{/number}"), ("events_url", "/events"),
        ("assignees_url", "/assignees{/user}"), ("branches_url", "/branches{/branch}"), ("tags_url", "/tags"),
        ("blobs_url", "/git/blobs{/sha}"), ("git_tags_url", "/git/tags{/sha}"), ("git_refs_url", "/git/refs{/sha}"),
        ("trees_url", "/git/trees{/sha}"), ("statuses_url", "/statuses/{sha}"), ("languages_url", "/languages"),
        ("stargazers_url", "/stargazers"), ("contributors_url", "/contributors"),
        ("subscribers_url", "/subscribers"), ("subscription_url", "/subscription"),
        ("commits_url", "/commits{/sha}"), ("git_commits_url", "/git/commits{/sha}"),
        ("comments_url", "/comments{/number}"), ("issue_comment_url", "/issues/comments{/number}"),
        ("contents_url", "/contents/{+path}"), ("compare_url", "/compare/{base}...{head}"),
        ("merges_url", "/merges"), ("archive_url", "/{archive_format}{/ref}"), ("downloads_url", "/downloads"),
        ("issues_url", "/issues{/number}"), ("pulls_url", "/pulls{/number}"),
        ("milestones_url", "/milestones{/number}"), ("notifications_url", "/notifications{?since,all,participating}"),
        ("labels_url", "/labels{/name}"), ("releases_url", "/releases{/id}"), ("deployments_url", "/deployments"),
    ]

    static func repository(_ now: Timestamp) -> JSONValue {
        let name = GitHubSamples.repositoryName
        let page = "github.com/\(name)"
        return object(
            [
                ("id", 710_071_007), ("node_id", "R_kgDOKlQ7Hw"), ("name", "checkout"), ("full_name", .string(name)),
                ("private", true), ("owner", user("harbour", 1000)), ("html_url", .string("https://\(page)")),
                ("description", "Tills, baskets and the ledger behind them"), ("fork", false),
                ("url", .string("\(api)/repos/\(name)")),
            ]
                + links("\(api)/repos/\(name)", repositoryLinks)
                + [
                    ("created_at", "2021-03-04T08:00:00Z"), ("updated_at", .string(GitHubSamples.seconds(now))),
                    ("pushed_at", .string(GitHubSamples.seconds(now))), ("git_url", .string("git://\(page).git")),
                    ("ssh_url", .string("git@github.com:\(name).git")), ("clone_url", .string("https://\(page).git")),
                    ("svn_url", .string("https://\(page)")), ("homepage", nil), ("size", 18244),
                    ("stargazers_count", 12), ("watchers_count", 12), ("language", "Swift"), ("has_issues", true),
                    ("has_projects", true), ("has_downloads", true), ("has_wiki", false), ("has_pages", false),
                    ("has_discussions", false), ("forks_count", 3), ("mirror_url", nil), ("archived", false),
                    ("disabled", false), ("open_issues_count", 41), ("license", nil), ("allow_forking", true),
                    ("is_template", false), ("web_commit_signoff_required", false),
                    ("topics", ["payments", "retail"]), ("visibility", "private"), ("forks", 3), ("open_issues", 41),
                    ("watchers", 12), ("default_branch", "main"), ("custom_properties", [:]),
                ]
        )
    }

    static func issue(number: Int64, now: Timestamp) -> JSONValue {
        let base = "\(api)/repos/\(GitHubSamples.repositoryName)/issues/\(number)"
        return object(
            [("url", .string(base)), ("repository_url", .string("\(api)/repos/\(GitHubSamples.repositoryName)"))]
                + links(
                    base,
                    [
                        ("labels_url", "/labels{/name}"), ("comments_url", "/comments"), ("events_url", "/events"),
                        ("timeline_url", "/timeline"),
                    ])
                + [
                    ("html_url", .string("https://github.com/\(GitHubSamples.repositoryName)/issues/\(number)")),
                    ("id", 2_300_731), ("node_id", "I_kwDOKlQ7H86JQ731"), ("number", .int(number)),
                    ("title", "Checkout answers 500 after the card is declined twice"),
                    ("user", user("okonkwo", 1002)),
                    ("labels", [label("bug", "d73a4a"), label("checkout", "0e8a16")]), ("state", "open"),
                    ("locked", false), ("assignee", nil), ("assignees", []), ("milestone", nil), ("comments", 0),
                    ("created_at", .string(GitHubSamples.seconds(now))),
                    ("updated_at", .string(GitHubSamples.seconds(now))), ("closed_at", nil),
                    ("author_association", "MEMBER"), ("active_lock_reason", nil), ("body", .string(issueText)),
                    ("reactions", ["url": .string(base + "/reactions"), "total_count": 0]), ("state_reason", nil),
                ]
        )
    }

    private static let issueText = """
        ### What happened
        A customer's card was declined. They tried again at once, and the till showed a white page.

        ### What should have happened
        The second decline should say the same as the first, and keep the basket.

        ### How to see it
        1. Put anything into the basket.
        2. Pay with the test card `4000 0000 0000 0002`, twice within ten seconds.
        3. The second answer is `500`, and the log says:

        ```
        ledger: cursor already open (session 9f31, till 4)
          at Ledger.begin(till:) ledger/begin.swift:88
          at Checkout.pay(_:) checkout/pay.swift:142
        ```

        It began with version 2.13. Tills 4 and 7 are affected; the others have not been tried.
        """

    private static func label(_ name: String, _ color: JSONValue) -> JSONValue {
        [
            "id": .int(Int64(name.utf8.count) * 100_003),
            "url": .string("\(api)/repos/\(GitHubSamples.repositoryName)/labels/\(name)"),
            "name": .string(name), "color": color, "default": .bool(name == "bug"), "description": "",
        ]
    }

    static func commit(_ index: Int, _ message: String, _ time: Timestamp) -> JSONValue {
        let person: JSONValue = ["name": "Mira B.", "email": "mira@harbour.example", "username": "mira-b"]
        return [
            "id": .string(sha(index)), "tree_id": .string(sha(index + 50)), "distinct": true,
            "message": .string(message), "timestamp": .string(GitHubSamples.seconds(time)),
            "url": .string("https://github.com/\(GitHubSamples.repositoryName)/commit/\(sha(index))"),
            "author": person, "committer": person, "added": [],
            "removed": index == 2 ? ["Tests/LedgerTests/OldCursorTests.swift"] : [],
            "modified": ["Sources/Checkout/Pay.swift", "Sources/Ledger/Begin.swift"],
        ]
    }

    static func pullRequest(number: Int64, now: Timestamp) -> JSONValue {
        let base = "\(api)/repos/\(GitHubSamples.repositoryName)/pulls/\(number)"
        func branch(_ name: String, _ seed: Int) -> JSONValue {
            [
                "label": .string("harbour:\(name)"), "ref": .string(name), "sha": .string(sha(seed)),
                "user": user("harbour", 1000), "repo": repository(now),
            ]
        }
        return object(
            [("url", .string(base)), ("id", 1_900_732), ("node_id", "PR_kwDOKlQ7H85PQ732")]
                + links(
                    "https://github.com/\(GitHubSamples.repositoryName)/pull/\(number)",
                    [
                        ("html_url", ""), ("diff_url", ".diff"), ("patch_url", ".patch"),
                    ])
                + links(
                    base,
                    [
                        ("commits_url", "/commits"), ("review_comments_url", "/comments"),
                        ("review_comment_url", "/comments{/number}"), ("comments_url", "/comments"),
                        ("statuses_url", "/statuses"),
                    ])
                + [
                    ("number", .int(number)), ("state", "open"), ("locked", false),
                    ("title", "Close the ledger's cursor on every way out"), ("user", user("mira-b", 1001)),
                    (
                        "body",
                        "Fixes #731. The cursor stayed open when the second decline came before the first was written."
                    ),
                    ("created_at", .string(GitHubSamples.seconds(now))),
                    ("updated_at", .string(GitHubSamples.seconds(now))), ("closed_at", nil), ("merged_at", nil),
                    ("merge_commit_sha", nil), ("assignee", nil), ("assignees", []),
                    ("requested_reviewers", [user("okonkwo", 1002)]), ("requested_teams", []),
                    ("labels", [label("bug", "d73a4a")]), ("milestone", nil), ("draft", false),
                    ("head", branch("close-cursor", 5)), ("base", branch("main", 90)),
                    ("author_association", "MEMBER"), ("auto_merge", nil), ("merged", false), ("mergeable", nil),
                    ("mergeable_state", "unknown"), ("merged_by", nil), ("comments", 0), ("review_comments", 0),
                    ("maintainer_can_modify", false), ("commits", 2), ("additions", 38), ("deletions", 11),
                    ("changed_files", 3),
                ]
        )
    }
}
