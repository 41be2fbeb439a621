import BelfryCore

/// Rules for a measurement: of each kind that people write, all but a few for other repositories and machines than the
/// events come from, as it is in a hub that serves many teams.
enum SampleRules {
    /// As many as asked for; the first five are met by one or two of ``SampleEvents`` each.
    static func patterns(_ count: Int) -> [RawJSON] {
        (0..<count).map { index in
            RawJSON(trusted: Array((index < met.count ? met[index] : pattern(index)).utf8))
        }
    }

    private static let met = [
        #"{"source": ["github"], "type": ["push"], "data": {"ref": [{"prefix": "refs/heads/"}]}}"#,
        #"{"source": ["github"], "data": {"sender": {"login": [{"anything-but": ["release-bot", "mirror-bot"]}]}}}"#,
        #"{"data": {"repository": {"full_name": [{"suffix": "/water-works"}]}}}"#,
        #"{"remote": [{"cidr": "198.51.100.0/24"}], "type": [{"prefix": "issues."}]}"#,
        #"{"source": ["plant"], "data": {"readings": {"celsius": [{"numeric": [">", 90, "<=", 200]}]}}}"#,
    ]

    /// Nine kinds in turn.
    private static func pattern(_ index: Int) -> String {
        switch index % 9 {
        case 0:
            #"{"source": ["github"], "type": ["push"], "data": {"repository": {"full_name": ["team\#(index)/app\#(index)"]}}}"#
        case 1: #"{"type": ["push"], "data": {"ref": [{"prefix": "refs/heads/fix-\#(index)-"}]}}"#
        case 2: #"{"data": {"repository": {"full_name": [{"suffix": "/module-\#(index)"}]}}}"#
        case 3:
            #"{"type": ["push", "issues.opened"], "data": {"repository": {"name": ["app\#(index)"]}, "sender": {"login": [{"anything-but": "bot-\#(index)"}]}}}"#
        case 4: #"{"data": {"repository": {"id": [{"numeric": [">=", \#(index * 10), "<", \#(index * 10 + 5)]}]}}}"#
        case 5: #"{"data": {"issue": {"number": [{"exists": true}]}, "repository": {"name": ["lib\#(index)"]}}}"#
        case 6: #"{"data": {"repository": {"full_name": [{"wildcard": "team\#(index)/*-service"}]}}}"#
        case 7:
            #"{"source": ["plant"], "remote": [{"cidr": "10.\#(index >> 8 & 255).\#(index & 255).0/24"}]}"#
        default:
            #"{"data": {"sender": {"login": [{"equals-ignore-case": "Dev\#(index)"}]}, "$or": [{"ref": ["main"]}, {"action": ["opened"]}]}}"#
        }
    }
}
