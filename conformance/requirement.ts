/** What a requirement is: where it is written, how strong it is, what it asks in our words, and why no test cites it. */
import type { Feature } from './features.ts'

export type Strength = 'MUST' | 'MUST NOT' | 'SHOULD' | 'SHOULD NOT' | 'MAY' | 'defined' | 'ours'
/** Who has to do it: authorization server, resource server, both, a client, or one side of a decision point. */
export type Party = 'AS' | 'RS' | 'AS/RS' | 'CL' | 'PDP' | 'PEP' | 'PEP/PDP'
/** P0: a failure is a hole or breaks a client. P1: a release needs it. P2: later, or only where the feature is on. */
export type Priority = 'P0' | 'P1' | 'P2'

export interface Requirement {
  readonly spec: string
  readonly section: string
  readonly strength: Strength
  /** The server may choose: by the specification alone nobody fails. What is `ours` is so anyway. */
  readonly open?: true
  readonly behaviour: string
  readonly tested: Party
  readonly priority: Priority
  /** Asked only of servers that offer it. */
  readonly feature?: Feature
  /** Why no test cites it, though the feature is offered: a row of docs/divergences.md says the same. */
  readonly gap?: string
  /** What the row was held against: the text itself unless it says otherwise. */
  readonly source: string
}

export type Row = Omit<Requirement, 'spec' | 'source'> & { readonly source?: string }
type More = Partial<Pick<Requirement, 'priority' | 'feature' | 'gap' | 'open' | 'source'>>

export function row(
  section: string,
  strength: Strength,
  behaviour: string,
  { tested = 'AS', priority = 'P0', ...rest }: More & { readonly tested?: Party } = {},
): Row {
  return { section, strength, behaviour, tested, priority, ...rest }
}

/** `source`: what its rows were read in, unless a row says otherwise; `feature` likewise. */
export function table(
  spec: string,
  given: { readonly source: string; readonly feature?: Feature },
  rows: Readonly<Record<string, Row>>,
): Readonly<Record<string, Requirement>> {
  return Object.fromEntries(
    Object.entries(rows).map(([id, one]) => [id, { spec, ...given, ...one }]),
  )
}
