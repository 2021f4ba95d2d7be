/** The demo for people: plain text of at most 100 columns, coloured only where the terminal shows it. */
import { styleText } from 'node:util'
import type { Hop } from './account.ts'
import type { AttemptVerdict, HopVerdict, RecordVerdict, TryVerdict } from './verdict.ts'

export interface Closing {
  readonly ok: boolean
  readonly hops: number
  readonly refusals: number
  readonly seconds: number
}

export interface Picture {
  gathering(): string
  opening(issuer: string): string
  hop(verdict: HopVerdict): string
  record(verdict: RecordVerdict): string
  between(): string
  refusal(verdict: TryVerdict): string
  closing(facts: Closing): string
}

type Style = Parameters<typeof styleText>[0]
type Paint = (style: Style, text: string) => string

export function createPicture({ colours }: { readonly colours: boolean }): Picture {
  const paint: Paint = (style, text) =>
    colours ? styleText(style, text, { validateStream: false }) : text
  return {
    gathering: () =>
      'Starting an authorization server, an identity provider, five agents, a thief and two APIs.',
    opening: (issuer) =>
      [
        `Each is a process of its own on loopback. Issuer: ${issuer}`,
        '',
        paint('bold', 'Alice asks planner to put a ledger entry right.'),
        '',
        'alice',
      ].join('\n'),
    hop: (verdict) => drawHop(paint, verdict),
    record: (verdict) => drawRecord(paint, verdict),
    between: () =>
      [
        '',
        paint('bold', 'The same agents, and a thief, try for more. Each has to be refused.'),
        '',
      ].join('\n'),
    refusal: (verdict) => drawRefusal(paint, verdict),
    closing: ({ ok, hops, refusals, seconds }) =>
      ok
        ? `${paint('bold', 'All as told')}: ${hops} hops, ${refusals} refusals, ${seconds.toFixed(1)} s.`
        : `${paint(['bold', 'red'], 'Not as told')}: see what was expected above.`,
  }
}

function drawHop(paint: Paint, { number, last, ok, expected, hop, refused }: HopVerdict): string {
  const rail = last ? ' ' : '│'
  const head = `${last ? '└' : '├'}─ ${number} `
  const lines = hop === undefined ? ['did not take place'] : hopLines(paint, hop)
  const more = ok ? [] : differenceLines(paint, expected, hop ?? refused ?? 'nothing')
  return [
    paint('dim', '│'),
    ...[...lines, ...more].map((line, at) => {
      const edge = at === 0 ? head : `${rail}    `
      return `${paint('dim', edge)}${line}`
    }),
  ].join('\n')
}

function hopLines(paint: Paint, hop: Hop): readonly string[] {
  const chain = [hop.subject, ...hop.chain].join(' → ')
  return [
    `${paint('bold', hop.actor)} acts for ${paint('bold', hop.subject)}`,
    `audience  ${hop.audience}`,
    `scope     ${drawScope(paint, hop)}`,
    `lifetime  ${hop.expires_in} s left`,
    `token     ${hop.token_bytes} bytes`,
    `chain     ${chain}, checked offline by ${hop.checked_by}`,
  ]
}

/** Under the last hop: what its token was used for. */
function drawRecord(paint: Paint, { ok, expected, happened }: RecordVerdict): string {
  const { client, tool, object, result } = expected
  const lines = ok
    ? [`on record ${tool} ${object} ${result}, as ${client} says`]
    : differenceLines(paint, expected, happened ?? 'nothing is on record')
  return lines.map((line) => `     ${line}`).join('\n')
}

/** What the task was opened with, in its order; what is gone is dotted out. */
function drawScope(paint: Paint, { root_scope, scope }: Hop): string {
  const left = new Set(scope.split(' '))
  return root_scope
    .map((name) => (left.has(name) ? paint('green', name) : paint('dim', '·'.repeat(name.length))))
    .join('  ')
}

function drawRefusal(paint: Paint, { tried, attempts }: TryVerdict): string {
  return [
    paint('bold', tried.title),
    `  ${tried.told}`,
    ...attempts.flatMap((attempt) => attemptLines(paint, attempt)),
    '',
  ].join('\n')
}

function attemptLines(paint: Paint, attempt: AttemptVerdict): readonly string[] {
  const { ok, expected, happened, text } = attempt
  if (!ok)
    return differenceLines(paint, expected, happened ?? 'it was let through').map(
      (line) => `  ${line}`,
    )
  const { by, error, reason } = expected
  return [`  ${paint('yellow', `refused by ${by}`)}: ${error}, ${reason}`, `    ${text}`]
}

function differenceLines(paint: Paint, expected: object, happened: object | string): string[] {
  return [
    paint(['bold', 'red'], 'not as told'),
    `  expected  ${JSON.stringify(expected)}`,
    `  happened  ${typeof happened === 'string' ? happened : JSON.stringify(happened)}`,
  ]
}
