import type { Reporter, TestModule } from 'vitest/node'

/** Closes a run with one plain line that scripts and CI can read: `N passed, N failed`. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 }
    for (const module of modules) {
      let broken = module.errors().length > 0
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed' || state === 'failed') count[state] += 1
        else count.skipped += 1
        broken &&= state !== 'failed'
      }
      // A file that could not be loaded, or a hook that failed, has no failed test of its own.
      if (broken) count.failed += 1
    }
    // A global set-up that failed runs no file at all: that is no success.
    count.failed += errors.length || (modules.length === 0 ? 1 : 0)
    console.log(`${count.passed} passed, ${count.failed} failed${count.skipped ? `, ${count.skipped} skipped` : ''}`)
  }
}
