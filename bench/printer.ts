/** Lines as they come, one JSON value each; on a terminal a table instead, unless JSON is asked for. */
import { type Cell, isMet, type Line, type Target } from './area.ts'

export interface Printer {
  line(line: Line): void
  target(target: Target): void
  note(text: string): void
}

type Write = (text: string) => void

export function jsonPrinter(write: Write): Printer {
  const print = (value: object): void => write(`${JSON.stringify(value)}\n`)
  return {
    line: print,
    target: (target) => print(targetLine(target)),
    note: (text) => print({ name: 'note', text }),
  }
}

/** The last lines of a run. */
export function targetLine(target: Target): Readonly<Record<string, Cell>> {
  const { bound, value } = target
  const limit = 'least' in bound ? { at_least: bound.least } : { at_most: bound.most }
  return {
    name: 'target',
    target: target.target,
    value,
    ...limit,
    met: isMet(target),
    ...target.more,
  }
}

export function tablePrinter(write: Write): Printer {
  return {
    line: ({ name, value, unit, ratio, ratio_to, ...more }) => {
      const against = ratio === undefined ? '' : `${ratio} x ${ratio_to ?? ''}`
      const rest = Object.entries(more).map(([member, cell]) => `${member} ${String(cell)}`)
      const columns = [name.padEnd(42), String(value).padStart(10), unit.padEnd(28)]
      write(`${[...columns, against.padEnd(24), rest.join(', ')].join(' ').trimEnd()}\n`)
    },
    target: (target) => {
      const { bound } = target
      const limit = 'least' in bound ? `at least ${bound.least}` : `at most ${bound.most}`
      const verdict = isMet(target) ? 'met   ' : 'MISSED'
      write(`${verdict} ${target.target}: ${target.value} (${limit})\n`)
    },
    note: (text) => write(`${text}\n`),
  }
}
