/**
 * A storm of exchanges under one task, in the middle of which something of it is revoked: who asked for what, what was
 * answered, and what of that has to be dead. Everything random comes of one seed.
 */
import type { AgentClient, Answer, Parameters } from '../support/agent-client.ts'
import { ACCESS_TOKEN, EXCHANGE } from '../support/agent-client.ts'
import { tokenOf } from './fixture.ts'
import { tokenAt } from './live.ts'
import type { SecondNode } from './second-node.ts'

export interface Chance {
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number
  of<Item>(items: readonly Item[]): Item
}

/** Mulberry32: the same numbers for the same seed. */
export function chanceOf(seed: number): Chance {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return { below, of: (items) => items[below(items.length)]! }
}

export interface Agents {
  readonly planner: AgentClient
  readonly researcher: AgentClient
  readonly coder: AgentClient
}

/** A token that an exchange answered with. */
export interface Held {
  readonly token: string
  readonly holder: AgentClient
  /** Agent ids from the root. */
  readonly place: string
  readonly audience: Audience
}

export type Audience = 'researcher-a2a' | 'coder-a2a' | 'rogue-a2a' | 'files-api'

export interface Task {
  /** planner's, addressed to researcher: everything else is made from it. */
  readonly one: Held
  /** researcher's, addressed to coder. */
  readonly two: Held
}

interface Wish {
  readonly by: keyof Agents
  readonly from: keyof Task
  readonly place: string
  readonly audience: Audience
}

/** Recipients' and holders' exchanges, for agents and for an API. */
const WISHES: readonly Wish[] = [
  { by: 'researcher', from: 'one', place: 'planner/researcher', audience: 'coder-a2a' },
  { by: 'researcher', from: 'one', place: 'planner/researcher', audience: 'files-api' },
  { by: 'planner', from: 'one', place: 'planner', audience: 'researcher-a2a' },
  { by: 'planner', from: 'one', place: 'planner', audience: 'files-api' },
  { by: 'researcher', from: 'two', place: 'planner/researcher', audience: 'coder-a2a' },
  { by: 'coder', from: 'two', place: 'planner/researcher/coder', audience: 'files-api' },
]

/** Where a request goes: this node, or another of the same store. */
export type Nodes = readonly (SecondNode | undefined)[]

export function exchangeOn(
  node: SecondNode | undefined,
  client: AgentClient,
  subject: string,
  form: Parameters,
): Promise<Answer> {
  if (node === undefined) return client.exchange(subject, form)
  const exchange = { grant_type: EXCHANGE, subject_token_type: ACCESS_TOKEN }
  return tokenAt(node, client, { ...exchange, subject_token: subject, ...form })
}

export async function openTask(agents: Agents, idToken: string): Promise<Task> {
  const { planner, researcher } = agents
  const scope = 'files:read files:write'
  const one = tokenOf(await planner.open(idToken, { audience: 'researcher-a2a', scope }))
  const two = tokenOf(await researcher.exchange(one, { audience: 'coder-a2a' }))
  return {
    one: { token: one, holder: planner, place: 'planner', audience: 'researcher-a2a' },
    two: { token: two, holder: researcher, place: 'planner/researcher', audience: 'coder-a2a' },
  }
}

export interface Storm {
  /** What exchanges answered with, whenever they did. */
  readonly answered: readonly Held[]
  /** Of the others: each has to be a refusal. */
  readonly refused: readonly Answer[]
}

/**
 * So many exchanges at once; `revoke` is called when a random number of them was answered. Resolves when all were, and
 * the revocation is acknowledged.
 */
export async function rage(
  { agents, task, nodes, chance }: Raging,
  exchanges: number,
  revoke: () => Promise<void>,
): Promise<Storm> {
  const answered: Held[] = []
  const refused: Answer[] = []
  const moment = chance.below(exchanges)
  let done = 0
  let revoking: Promise<void> | undefined
  const isTime = (): void => {
    if (done >= moment) revoking ??= revoke()
  }
  const wishes = Array.from({ length: exchanges }, () => ({
    ...chance.of(WISHES),
    node: chance.of(nodes),
  }))
  const asking = wishes.map(async ({ by, from, place, audience, node }) => {
    const holder = agents[by]
    const answer = await exchangeOn(node, holder, task[from].token, { audience })
    if (answer.status === 200) answered.push({ token: tokenOf(answer), holder, place, audience })
    else refused.push(answer)
    done += 1
    isTime()
  })
  isTime()
  await Promise.all(asking)
  await revoking
  return { answered, refused }
}

export interface Raging {
  readonly agents: Agents
  readonly task: Task
  readonly nodes: Nodes
  readonly chance: Chance
}
