/** A token report for people. All text of the token is escaped: it may come from anyone. */
import { escaped } from './print.ts'
import type { ReportedHop, ReportedRoot, TokenReport } from './token-report.ts'

const WARNING = `NOT VERIFIED. Anyone can write such a text: signature, issuer, expiry and revocation were not
checked. This is for reading, never for deciding.`

export function tokenText(report: TokenReport): string {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Subject', report.subject],
    ['Caller', report.actors.at(-1) ?? report.client],
    ['Audience', report.audience.join(', ')],
    ['Scope', report.scope],
    ['Task', report.txn],
    ['Issuer', report.issuer],
    ['Bound to', bindingText(report.cnf)],
    ['Valid', windowText(report.iat, report.exp)],
    ['Type', report.typ],
    ['Size', `${report.bytes} bytes`],
  ]
  return [
    WARNING,
    '',
    ...facts.map(([name, value]) => `${name.padEnd(10)}${value ? escaped(value) : '-'}`),
    '',
    ...chainText(report),
    ...report.faults.map((fault) => `Breaks the format: ${fault}`),
  ].join('\n')
}

function chainText({ root, hops, actors }: TokenReport): readonly string[] {
  if (root === undefined) {
    const who = actors.length > 0 ? actors.map(escaped).join(' -> ') : 'none named'
    return [`No bounds can be read: not a delegated token of this format. Actors: ${who}`]
  }
  return ['Chain, oldest first', ...rootText(root), ...hops.flatMap(hopText)]
}

function rootText(root: ReportedRoot): readonly string[] {
  return [
    `   opened by ${escaped(root.basis)}, at most ${root.max_depth} agents, for ${root.exp - root.iat} s`,
    `      scope  ${list(root.scope)}`,
    `      reach  ${list(root.reach)}`,
  ]
}

function hopText(hop: ReportedHop, at: number): readonly string[] {
  const window = windowText(hop.iat, hop.exp) ?? ''
  return [
    `${String(at + 1).padStart(2)} ${escaped(hop.agent ?? '(no actor)')} at ${escaped(hop.audience ?? '(nowhere)')}`,
    `      scope  ${list(hop.scope)}`,
    `      reach  ${list(hop.reach)}`,
    `      valid  ${window}`,
  ]
}

function list(entries: readonly string[] | undefined): string {
  return entries === undefined ? '(unreadable)' : entries.map(escaped).join(' ')
}

function bindingText(cnf: Readonly<Record<string, string>>): string {
  const names: Readonly<Record<string, string>> = { jkt: 'DPoP key', 'x5t#S256': 'certificate' }
  const members = Object.entries(cnf).map(([name, value]) => `${names[name] ?? name} ${value}`)
  return members.length > 0 ? members.join(', ') : 'nothing: a bearer token'
}

function windowText(iat: number | undefined, exp: number | undefined): string | undefined {
  if (iat === undefined || exp === undefined) return undefined
  return `${timeText(iat)} to ${timeText(exp)} (${exp - iat} s)`
}

/** RFC 3339; the bare number where it is no date. */
function timeText(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace('.000Z', 'Z')
}
