/** The thread of `check-in-worker.ts`: one check of one tenant's files, and its end. */
import { parentPort, workerData } from 'node:worker_threads'
import { buildTenant } from './build-tenant.ts'
import type { CheckInput, CheckOutput } from './check-in-worker.ts'
import { checkTenant } from './check-tenant.ts'
import { addProblems, emptyReport, sortedReport } from './report.ts'
import { caseProblems, runCases } from './test-cases.ts'

parentPort?.postMessage(check(workerData as CheckInput))

function check({ place, sources }: CheckInput): CheckOutput {
  const report = emptyReport()
  const checked = checkTenant(report, place, sources)
  if (checked !== undefined) {
    const results = runCases(buildTenant(place, checked), checked.cases)
    addProblems(report, caseProblems(place.label, results))
  }
  const { problems, warnings } = sortedReport(report)
  return { problems, warnings, ...(checked !== undefined && problems.length === 0 && { checked }) }
}
