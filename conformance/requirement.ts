/** What a requirement is: where it is written, how strong it is, what it asks in our words, and why no test cites it. */

export type Strength = 'MUST' | 'MUST NOT' | 'SHOULD' | 'SHOULD NOT' | 'MAY' | 'defined' | 'ours'
/** Who has to do it: authorization server, resource server, both, or a client. */
export type Party = 'AS' | 'RS' | 'AS/RS' | 'CL'
export type Priority = 'P0' | 'P1'

export interface Requirement {
  readonly spec: string
  readonly section: string
  readonly strength: Strength
  readonly behaviour: string
  readonly tested: Party
  readonly priority: Priority
  /** Why it cannot be tested here, and until when. A requirement with a test has none. */
  readonly reason?: string
}

export type Row = Omit<Requirement, 'spec'>
type More = Partial<Pick<Requirement, 'priority' | 'reason'>>

export function row(
  section: string,
  strength: Strength,
  behaviour: string,
  { tested = 'AS', priority = 'P0', ...rest }: More & { readonly tested?: Party } = {},
): Row {
  return { section, strength, behaviour, tested, priority, ...rest }
}

export function table(
  spec: string,
  rows: Readonly<Record<string, Row>>,
): Readonly<Record<string, Requirement>> {
  return Object.fromEntries(Object.entries(rows).map(([id, one]) => [id, { spec, ...one }]))
}
