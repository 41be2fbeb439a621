/// The version that `--version` prints and the client names in `User-Agent`.
enum Version {
    static let text = "0.1.0"
}
