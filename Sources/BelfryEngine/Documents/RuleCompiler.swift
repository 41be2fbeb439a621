public import ServiceLifecycle

/// Compiles the rules whole again when many have changed one by one (`RuleSet.isFragmented`).
///
/// A change is live before that, as a layer above the rest; this only keeps the layer small.
public struct RuleCompiler: Service {
    let registry: Registry

    public func run() async {
        await cancelWhenGracefulShutdown { await registry.compileWhenFragmented() }
    }
}
