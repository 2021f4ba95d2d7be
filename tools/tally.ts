/** What ran, what failed, what was left out: summed over the parts of `npm test`. Pure. */

export interface Tally {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Tests that were left out, by name. */
  readonly skips: readonly string[]
}

/**
 * Why a test may be left out even where everything has to run: what it needs is an outside collection that no registry carries.
 * The title of the test says so. Nothing else belongs here that a package manager can bring.
 */
export const STANDING_REASONS: readonly string[] = ['(WYCHEPROOF_DIR is not set)']

interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

/**
 * The tally of one vitest run, from its JSON report and exit code. Without a report the run itself is what failed, and
 * so it is where no test did but the run ended badly: a file that does not load, an error nobody handled.
 */
export function vitestTally(report: string | undefined, code: number): Tally {
  const read = report === undefined ? undefined : (JSON.parse(report) as VitestReport)
  if (read === undefined) return { passed: 0, failed: 1, skipped: 0, skips: [] }
  const { numPassedTests: passed, numFailedTests, testResults } = read
  const skips = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ fullName, status }) => `${name}: ${fullName.trim()} (${status})`),
  )
  const failed = code === 0 ? numFailedTests : Math.max(1, numFailedTests)
  return { passed, failed, skipped: skips.length, skips }
}

export function addTallies(...tallies: readonly Tally[]): Tally {
  return tallies.reduce((sum, { passed, failed, skipped, skips }) => ({
    passed: sum.passed + passed,
    failed: sum.failed + failed,
    skipped: sum.skipped + skipped,
    skips: [...sum.skips, ...skips],
  }))
}

export function closingLine({ passed, failed, skipped }: Tally): string {
  const line = `${passed} passed, ${failed} failed`
  return skipped > 0 ? `${line}, ${skipped} skipped` : line
}

/** 0 only where something ran and nothing failed; with `isWhole`, only where nothing was left out but for a standing reason. */
export function exitCodeOf({ passed, failed, skipped, skips }: Tally, isWhole: boolean): 0 | 1 {
  const standing = skips.filter((skip) => STANDING_REASONS.some((why) => skip.includes(why)))
  return passed > 0 && failed === 0 && (skipped === standing.length || !isWhole) ? 0 : 1
}
