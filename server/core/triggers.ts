/**
 * What looks wrong in a task, and how much of it is too much: what was seen becomes counters, what they count becomes a
 * firing. Pure. Whoever counts has established the caller's way in before: a stranger who shows somebody's token is not
 * seen here, so nobody can end a task that is none of theirs (attack cases H09, M03).
 */
import { isRefusal, type Reason, type Refusal } from './refusal.ts'
import type { Signal, TaskType, Trigger } from './tenant.ts'

/** Something seen in a task, at a place of it: agent ids from the root. */
export interface Seen {
  readonly on: Signal
  readonly place: readonly string[]
}

/** What is known of an exchange once it is decided, before anything of it is recorded. */
export interface WatchedExchange {
  readonly wayIn: 'holder' | 'recipient'
  readonly caller: string
  /** Place of the token presented. */
  readonly presented: readonly string[]
  readonly task: {
    readonly state: 'open' | 'suspended' | 'closed' | 'revoked'
    readonly deadline: number
  }
  /** A refusal, or what the hop would be. */
  readonly outcome: Refusal | object
  readonly now: number
}

/** A trigger and where it counts what was seen. */
export interface Watch {
  readonly trigger: Trigger
  readonly place: readonly string[]
}

export interface Firing {
  readonly verdict: Trigger['verdict']
  /** What it saw, in a sentence that names ids and numbers of the tenant's own. */
  readonly reason: string
  readonly place: readonly string[]
}

/** Attempts at more than was given. */
const WIDENING: ReadonlySet<Reason> = new Set([
  'scope_not_permitted',
  'target_not_permitted',
  'chain_too_long',
  'actor_already_in_chain',
])

/** Past its deadline, or revoked, there is nothing left of a task to end. */
export function signalsOf(exchange: WatchedExchange): readonly Seen[] {
  const { wayIn, presented, task, outcome, now } = exchange
  if (now >= task.deadline || task.state === 'revoked') return []
  const place = placeOfCaller(exchange)
  if (task.state !== 'open') return [{ on: 'use_after_end', place }]
  const asked: Seen = { on: 'exchanges', place }
  if (isRefusal(outcome))
    return isWidening(outcome) ? [asked, { on: 'refused_widening', place }] : [asked]
  return wayIn === 'recipient' ? [asked, { on: 'fan_out', place: presented }] : [asked]
}

/** Where the hop would be. */
export function placeOfCaller({
  wayIn,
  caller,
  presented,
}: Pick<WatchedExchange, 'wayIn' | 'caller' | 'presented'>): readonly string[] {
  return wayIn === 'recipient' ? [...presented, caller] : presented
}

/** That another agent is disabled is not the caller's attempt. */
function isWidening({ reason, guard }: Refusal): boolean {
  return WIDENING.has(reason) && guard !== 'recipient_inactive'
}

/** What has to be counted; nothing where the task type has no trigger for it. */
export function watchesOf({ triggers }: TaskType, seen: readonly Seen[]): readonly Watch[] {
  return seen.flatMap(({ on, place }) =>
    triggers.filter((trigger) => trigger.on === on).map((trigger) => ({ trigger, place })),
  )
}

/**
 * Names a watch's counter. `since`: when the task's state changed last, so that a task that was resumed is counted anew
 * and not ended again by what it was resumed from.
 */
export function counterId(
  task: { readonly txn: string; readonly since: number },
  { trigger: { on, per }, place }: Watch,
): readonly string[] {
  const where = per === 'place' ? place : []
  return ['trigger', task.txn, String(task.since), on, per, ...where]
}

/** The strictest of those that counted more than they allow; undefined: none did. */
export function findFiring(
  counted: readonly { readonly watch: Watch; readonly count: number }[],
): Firing | undefined {
  const over = counted.filter(({ watch, count }) => count > watch.trigger.moreThan)
  const first = over.find(({ watch }) => watch.trigger.verdict === 'revoke') ?? over[0]
  if (first === undefined) return undefined
  const { trigger, place } = first.watch
  return { verdict: trigger.verdict, reason: describe(first.watch), place }
}

const WORDS: Readonly<Record<Signal, readonly [one: string, many: string]>> = {
  exchanges: ['exchange', 'exchanges'],
  fan_out: ['token for a recipient', 'tokens for recipients'],
  refused_widening: ['refused attempt at more', 'refused attempts at more'],
  replayed_proof: ['replayed proof', 'replayed proofs'],
  use_after_end: ['use after its end', 'uses after its end'],
}

function describe({ trigger: { on, per, moreThan, within }, place }: Watch): string {
  const [one, many] = WORDS[on]
  const where = per === 'place' ? ` at ${place.join('/')}` : ''
  return `more than ${moreThan} ${moreThan === 1 ? one : many} in ${within} s${where}`
}
