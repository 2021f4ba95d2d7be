/**
 * What is wrong with a tenant folder, as plain data: where, and one sentence. Problems are printed and sent as
 * JSON lines, so their text never holds key material, and names from files are escaped before they are shown.
 */

export interface Problem {
  /** Path as the reader was given it, with the tenant's folder. */
  readonly file: string
  /** Both count from 1. */
  readonly line: number
  readonly column: number
  readonly text: string
  /** A known name close to the one that was written. */
  readonly suggestion?: string
}

/** `tenants/acme/agents.yaml:12:5: unknown key "scope"; did you mean "scopes"?` */
export function formatProblem(problem: Problem): string {
  const place = `${escaped(problem.file)}:${problem.line}:${problem.column}`
  const hint =
    problem.suggestion === undefined ? '' : `; did you mean ${quote(problem.suggestion)}?`
  return `${place}: ${problem.text}${hint}`
}

/** A name from a file in quotes, cut to 80 characters. What is not printable ASCII is shown as `\u{…}`. */
export function quote(name: string): string {
  return `"${escaped(name.slice(0, 80))}${name.length > 80 ? '…' : ''}"`
}

// Look-alike letters, direction marks and control characters would let a name pose as another (attack case J10).
function escaped(text: string): string {
  return text.replace(/[^\x20-\x7e]|["\\]/gu, (character) =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

export function compareProblems(a: Problem, b: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1
  return a.line - b.line || a.column - b.column
}
