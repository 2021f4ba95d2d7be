/**
 * Collects what is wrong with a tenant, so that one run shows all of it. A warning does not stop the start.
 */
import { compareProblems, type Problem } from '../core/problem.ts'
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

export function emptyReport(): Report {
  return { problems: [], warnings: [] }
}

/** Adds a problem at a value of the document. */
export function refuse(report: Report, document: YamlDocument, path: Path, finding: Finding): void {
  report.problems.push(problemAt(document.file, document.at(path), finding))
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
  report.problems.push(problemAt(document.file, document.atKey(path), finding))
}

/** Adds a problem of a whole file or folder. */
export function refuseFile(report: Report, file: string, finding: Finding): void {
  report.problems.push(problemAt(file, { line: 1, column: 1 }, finding))
}

export function warn(report: Report, document: YamlDocument, path: Path, finding: Finding): void {
  report.warnings.push(problemAt(document.file, document.at(path), finding))
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
