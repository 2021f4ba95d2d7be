/**
 * Collects what is wrong with a tenant, so that one run shows all of it. A warning does not stop the start.
 */
import { compareProblems, type Problem } from '../core/problem.ts'
import { findNearest } from '../core/suggestion.ts'
import type { Path, Position } from './place.ts'
import type { YamlDocument } from './yaml-document.ts'

/** A sentence, and a known name to suggest. */
export interface Finding {
  readonly text: string
  readonly suggestion?: string | undefined
}

export interface Report {
  readonly problems: Problem[]
  readonly warnings: Problem[]
}

/** Of each kind. A hostile file could have one for every character, and each one costs. */
const MOST = 1000
/** Looking for a near name takes time with every name there is. */
const MOST_SUGGESTIONS = 100

export function emptyReport(): Report {
  return { problems: [], warnings: [] }
}

/** As many problems as are told. Whoever goes through a long list may stop looking. */
export function isFull(report: Report): boolean {
  return report.problems.length > MOST
}

/** The nearest known name, in a report that is still short. */
export function suggest(report: Report, name: string, known: Iterable<string>): string | undefined {
  return report.problems.length < MOST_SUGGESTIONS ? findNearest(name, known) : undefined
}

/** Adds a problem at a value of the document. */
export function refuse(report: Report, document: YamlDocument, path: Path, finding: Finding): void {
  if (!isFull(report)) add(report, problemAt(document.file, document.at(path), finding))
}

/** Whether there is a problem at this place already: one fault is told once. */
export function reported(report: Report, document: YamlDocument, path: Path): boolean {
  const { line, column } = document.at(path)
  return report.problems.some(
    (problem) =>
      problem.file === document.file && problem.line === line && problem.column === column,
  )
}

/** Adds a problem at the key of a mapping's member. */
export function refuseKey(
  report: Report,
  document: YamlDocument,
  path: Path,
  finding: Finding,
): void {
  if (!isFull(report)) add(report, problemAt(document.file, document.atKey(path), finding))
}

/** Adds a problem of a whole file or folder. */
export function refuseFile(report: Report, file: string, finding: Finding): void {
  add(report, problemAt(file, { line: 1, column: 1 }, finding))
}

/** Adds problems found elsewhere. */
export function addProblems(report: Report, problems: readonly Problem[]): void {
  for (const problem of problems) add(report, problem)
}

function add(report: Report, problem: Problem): void {
  if (isFull(report)) return
  const isLast = report.problems.length === MOST
  report.problems.push(isLast ? { ...problem, text: `more than ${MOST} problems` } : problem)
}

/** Whether this file has a problem already. */
export function hasProblem(report: Report, file: string): boolean {
  return report.problems.some((problem) => problem.file === file)
}

export function warn(report: Report, document: YamlDocument, path: Path, finding: Finding): void {
  if (report.warnings.length < MOST) {
    report.warnings.push(problemAt(document.file, document.at(path), finding))
  }
}

export function warnOfFile(report: Report, file: string, text: string): void {
  report.warnings.push(problemAt(file, { line: 1, column: 1 }, { text }))
}

export function sortedReport(report: Report): Report {
  return {
    problems: report.problems.toSorted(compareProblems),
    warnings: report.warnings.toSorted(compareProblems),
  }
}

function problemAt(file: string, position: Position, finding: Finding): Problem {
  const { text, suggestion } = finding
  return { file, ...position, text, ...(suggestion === undefined ? {} : { suggestion }) }
}
