/** Tells on stderr how far a run is: one line that is written over on a terminal, a line for each file elsewhere. */
import { basename } from 'node:path'
import type { Reporter, TestCase, TestModule } from 'vitest/node'

export class Progress implements Reporter {
  #checks = 0
  #failed = 0
  #files = 0

  onTestCaseResult(check: TestCase): void {
    const { state } = check.result()
    if (state === 'skipped') return
    this.#checks += 1
    if (state === 'failed') this.#failed += 1
    if (process.stderr.isTTY) process.stderr.write(`\r${this.#told()}`)
  }

  onTestModuleEnd(module: TestModule): void {
    this.#files += 1
    if (!process.stderr.isTTY) {
      process.stderr.write(`${basename(module.moduleId)}: ${this.#told()}\n`)
    }
  }

  onTestRunEnd(): void {
    if (process.stderr.isTTY) process.stderr.write('\n')
  }

  #told(): string {
    return `${this.#checks} checks, ${this.#failed} failed, ${this.#files} files done`
  }
}
