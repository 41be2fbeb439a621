extension Limits {
    // MARK: What senders speak

    /// Fields of one form: a body of ampersands must not become millions of strings.
    public static let formFieldsMax = 1000
    /// The name of a form's field: names become keys of an object, values are bounded by the body alone.
    public static let formNameBytesMax = 1024
    /// Attributes of one CloudEvent: each is looked up by name and kept beside the data.
    public static let cloudEventAttributesMax = 64
    /// A challenge that is said back to who asked for it.
    public static let challengeBytesMax = 1024
}
