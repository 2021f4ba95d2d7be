/** What a check found, for people and as JSON lines. */
import { formatProblem } from '../core/problem.ts'
import { type CaseResult, caseProblems } from '../tenants/test-cases.ts'
import { outcomeJson } from './case-text.ts'
import type { CheckedFolder, ValidTenant } from './checked-folder.ts'
import { shortVersion } from './live-version.ts'
import { escaped, print, printJson } from './print.ts'

/** No problem and no case that failed. */
export function isGood({ valid, results }: CheckedFolder): boolean {
  return valid !== undefined && results.every(({ passed }) => passed)
}

export function printCheck(checked: CheckedFolder): void {
  printFaults(checked)
  printWarnings(checked)
  print(escaped(`${checked.folder.id}: ${summaryText(checked)}`))
}

/** What has to be put right, by file and line. */
export function printFaults({ folder, problems, results }: CheckedFolder): void {
  for (const problem of [...problems, ...caseProblems(folder.path, results)]) {
    print(formatProblem(problem))
  }
}

export function printWarnings({ warnings }: CheckedFolder): void {
  for (const warning of warnings) {
    print(formatProblem({ ...warning, text: `warning: ${warning.text}` }))
  }
}

function summaryText({ problems, valid, results }: CheckedFolder): string {
  if (valid === undefined) return counted(problems.length, 'problem')
  const { agents, resources, policies } = countsOf(valid)
  const failed = results.filter(({ passed }) => !passed).length
  const cases =
    failed === 0
      ? `${counted(results.length, 'case')} passed`
      : `${failed} of ${counted(results.length, 'case')} failed`
  return [
    counted(agents, 'agent'),
    counted(resources, 'resource'),
    counted(policies, 'policy', 'policies'),
    cases,
    `version ${shortVersion(valid.checked.version)}`,
  ].join(', ')
}

function countsOf({ checked: { entries, policies } }: ValidTenant) {
  const { agents, resources } = entries
  return { agents: agents.length, resources: resources.length, policies: policies.length }
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** Each line has its `kind`; the last one of a tenant is its summary. */
export function printCheckJson({
  folder,
  problems,
  warnings,
  valid,
  results,
}: CheckedFolder): void {
  const tenant = folder.id
  const failed = results.filter(({ passed }) => !passed)
  for (const problem of problems) printJson({ kind: 'problem', tenant, ...problem })
  for (const warning of warnings) printJson({ kind: 'warning', tenant, ...warning })
  for (const result of failed) printJson({ kind: 'case', tenant, ...caseJson(folder.path, result) })
  printJson({
    kind: 'tenant',
    tenant,
    valid: valid !== undefined && failed.length === 0,
    ...(valid !== undefined && { ...countsOf(valid), version: valid.checked.version }),
    problems: problems.length,
    warnings: warnings.length,
    cases: results.length,
    cases_failed: failed.length,
  })
}

function caseJson(path: string, { case: named, outcome, differences }: CaseResult) {
  const { name, file, line, column, expect } = named
  return {
    name,
    file: `${path}/${file}`,
    line,
    column,
    expect,
    got: outcomeJson(outcome),
    differences,
  }
}
