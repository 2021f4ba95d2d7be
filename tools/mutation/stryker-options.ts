/** What Stryker is told of a group. Paths are the project’s. */
import type { PartialStrykerOptions } from '@stryker-mutator/api/core'
import type { MutationGroup } from './groups.ts'

export function strykerOptions(group: MutationGroup, folder: string): PartialStrykerOptions {
  return {
    mutate: [...group.files],
    testRunner: 'same-process',
    plugins: ['./tools/mutation/runner.ts'],
    testRunnerNodeArgs: ['--conditions=actchain:source'],
    coverageAnalysis: 'perTest',
    concurrency: 2,
    // Loops that never end are counted out; this is for what waits for ever, and no busy machine is that slow.
    timeoutMS: 20_000,
    // Processes collect an instance of every module for each time they are loaded anew.
    maxTestRunnerReuse: 400,
    // Its reader of tsconfig.json needs the API of an older compiler than TypeScript 7: it is shown none.
    tsconfigFile: 'tools/mutation/no-tsconfig.json',
    // All the tests need of the tree, and nothing else.
    ignorePatterns: [
      '**',
      '!server/{core,policy}/**',
      '!lib/**',
      '!keys/**',
      '!test/**',
      '!tools/mutation/**',
      '!package.json',
    ],
    tempDirName: `${folder}/copies`,
    reporters: ['json', 'progress-append-only'],
    jsonReporter: { fileName: `${folder}/${group.name}.json` },
    incrementalFile: `${folder}/${group.name}-incremental.json`,
  }
}
