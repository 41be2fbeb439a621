import BelfryCore
import BelfryStore

/// One attempt at a step, as a task of its run: makes the step ready, performs it, and reports its end to the mailbox.
struct StepAttempt: Sendable {
    let preparation: StepPreparation
    let step: Int
    let mailbox: RunMailbox
    /// Ends when the step is to be cut.
    let cut: AsyncStream<Never>

    /// Returns when the step is gone: its socket closed, its process group ended.
    func perform() async {
        let (isCut, noteCut) = AsyncStream.makeStream(of: Never.self)
        await withTaskGroup(of: StepResult?.self) { group in
            group.addTask { await cuttableResult(noteCut) }
            group.addTask {
                for await _ in isCut {}
                guard (try? await ContinuousClock().sleep(for: Limits.stopConfirmTimeout)) != nil else { return nil }
                mailbox.post(.stopUnconfirmed(step: step))
                return nil
            }
            for await case let result? in group {
                group.cancelAll()
                mailbox.post(.stepEnded(step: step, result))
            }
        }
    }

    /// - Parameter noteCut: ended when the step was told to end.
    private func cuttableResult(_ noteCut: AsyncStream<Never>.Continuation) async -> StepResult? {
        await withTaskGroup(of: StepResult?.self) { group in
            group.addTask { await result() }
            group.addTask {
                for await _ in cut {}
                return nil
            }
            var ended: StepResult?
            for await result in group {
                if let result { ended = result } else { noteCut.finish() }
                group.cancelAll()
            }
            return ended
        }
    }

    private func result() async -> StepResult {
        var missing: [String] = []
        do throws(BelfryError) {
            let work = try await preparation.work(for: step, missing: &missing)
            var result = await StepPerformance(
                record: preparation.steps[step], rule: preparation.run.rule, work: work, services: preparation.services
            ).perform()
            result.missing = missing
            return result
        } catch {
            var result = StepResult(end: error.code == .cancelled ? .stopped : .failed(.error), error: error)
            result.missing = missing
            return result
        }
    }
}
