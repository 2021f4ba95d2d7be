/**
 * Threats group H where it is a race: many exchanges under a task while something of it is revoked, at one server or at two
 * processes of one store. What was answered before the acknowledgement or after it is dead once that is there.
 */
import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { createVerifier, VerificationError, type Verifier } from '@actchain/verifier'
import { statusLists } from '@actchain/verifier/status'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AgentClient, Parameters } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { clientOf } from '../support/manage-client.ts'
import { payloadOf } from '../support/signing.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'
import { find, tokenOf } from './fixture.ts'
import { type SecondNode, startSecondNode } from './second-node.ts'
import {
  type Agents,
  type Audience,
  chanceOf,
  exchangeOn,
  type Held,
  openTask,
  rage,
  type Task,
} from './storm.ts'

/** A thousand in the long mode: `npm run test:long`. */
const ROUNDS = Number(process.env['RACE_ROUNDS'] ?? 20)
const SEED = Number(process.env['RACE_SEED'] ?? 4)
const EXCHANGES = 200
const ONE_ROUND = { timeout: 120_000 }

const URIS: Readonly<Record<Audience, string>> = {
  'researcher-a2a': 'https://researcher.agents/a2a',
  'coder-a2a': 'https://coder.agents/a2a',
  'rogue-a2a': 'https://rogue.agents/a2a',
  'files-api': 'https://files.api',
}

let server: TestServer
let node: SecondNode
let agents: Agents
beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: withoutLimits } })
  node = await startSecondNode(server)
  const [planner, researcher, coder] = ['planner', 'researcher', 'coder'].map((id) =>
    server.client(id),
  )
  agents = { planner: planner!, researcher: researcher!, coder: coder! }
})
afterAll(async () => {
  await node?.close()
  await server?.close()
})

function withoutLimits({ tenant, agents: { agents: list }, taskTypes }: TenantDocuments): void {
  tenant['limits'] = {
    max_depth: 4,
    tokens_per_place: 4096,
    tokens_per_task: 65_536,
    requests_per_client: 10_000_000,
    requests_per_tenant: 10_000_000,
    requests_per_task: 10_000_000,
  }
  const fileWork = find(taskTypes.task_types, 'file-work')
  Object.assign(fileWork, { max_depth: 4, reach: [...fileWork['reach'], 'rogue-a2a'] })
  for (const id of ['planner', 'researcher', 'coder']) {
    const agent = find(list, id)
    agent['may_reach'] = [...agent['may_reach'], 'rogue-a2a']
  }
}

/** A verifier that holds nothing yet, of what this node serves. */
function newVerifier(audience: Audience, at: SecondNode | undefined): Verifier {
  const { publicUrl } = server.config
  const origin = at?.origin ?? publicUrl
  return createVerifier({
    issuer: server.issuer(),
    audience: URIS[audience],
    allowInsecureLoopback: true,
    revocation: statusLists({ feed: 'off' }),
    fetch: (url, init) => fetch(url.replace(publicUrl, origin), init),
  })
}

/** What a resource server that cannot tell says. On a machine that is busy enough it may: never yes, and not for long. */
const CANNOT_TELL = ['revocation_unknown', 'keys_unavailable']
const PATIENCE_MILLISECONDS = 30_000

/** The verdict of a resource server, once it can tell. */
async function verdictOf(verifier: Verifier, held: Held): Promise<string> {
  const deadline = Date.now() + PATIENCE_MILLISECONDS
  for (;;) {
    const verdict = await judge(verifier, held)
    if (!CANNOT_TELL.includes(verdict) || Date.now() > deadline) return verdict
    await pause(100)
  }
}

/** Shown the token with its holder's proof. */
async function judge(verifier: Verifier, held: Held): Promise<string> {
  const url = `${URIS[held.audience]}/entries`
  const ath = createHash('sha256').update(held.token).digest('base64url')
  const proof = held.holder.proof({ proof: { htm: 'GET', htu: url, ath } })
  const need = held.audience === 'files-api' ? { scope: 'files:read' } : { handover: true as const }
  try {
    await verifier.verify({ token: held.token, proof, method: 'GET', url, scheme: 'DPoP' }, need)
    return 'accepted'
  } catch (error) {
    if (error instanceof VerificationError) return error.reason
    throw error
  }
}

/** What every door says of these tokens; one line for all that are told the same. */
async function standingOf(
  tokens: readonly Held[],
  at: SecondNode | undefined,
): Promise<readonly string[]> {
  const verifiers = Object.fromEntries(
    Object.keys(URIS).map((audience) => [audience, newVerifier(audience as Audience, at)]),
  ) as Record<Audience, Verifier>
  const lines = await Promise.all(
    tokens.map(async (held) => {
      const { holder, token, audience } = held
      const { body } = await holder.introspect(token)
      const verdict = await verdictOf(verifiers[audience], held)
      const [client, form] = wayIn(held)
      const again = await exchangeOn(at, client, token, form)
      return `active ${body['active']}, ${verdict}, exchange ${again.status === 200 ? 'granted' : 'refused'}`
    }),
  )
  for (const verifier of Object.values(verifiers)) verifier.close()
  return [...new Set(lines)]
}

const ALIVE = 'active true, accepted, exchange granted'
/** An API's token, or one whose recipient has no place any more. */
const ALIVE_TO_CALL = 'active true, accepted, exchange refused'
const DEAD = 'active false, token_revoked, exchange refused'

/** Who would make something of it: its recipient, or its holder where an API's token has none. */
function wayIn({ holder, audience }: Held): readonly [AgentClient, Parameters] {
  if (audience === 'coder-a2a') return [agents.coder, { audience: 'files-api' }]
  if (audience === 'researcher-a2a') return [agents.researcher, { audience: 'coder-a2a' }]
  if (audience === 'rogue-a2a') return [server.client('rogue'), { audience: 'files-api' }]
  return [holder, { audience: 'files-api' }]
}

interface Revoking {
  /** Resolves when it is acknowledged. */
  readonly revoke: (task: Task, at: SecondNode | undefined) => Promise<void>
  readonly isDead: (held: Held) => boolean
}

/** By its opener, at this node. */
async function revokeTask(
  { one }: Task,
  at: SecondNode | undefined,
  wish: Readonly<Record<string, string>>,
): Promise<void> {
  const opener = await clientOf(one.holder)
  const there = at === undefined ? opener : opener.at(at.origin)
  const path = `tasks/${payloadOf(one.token)['txn']}/revoke`
  const { status, text } = await there.post(path, { reason: 'a storm', ...wish })
  expect({ status, text }).toMatchObject({ status: 200 })
}

const PLACE = 'planner/researcher'

const REVOKINGS: Readonly<Record<string, Revoking>> = {
  /** RFC 7009, by its holder. All others were made from it. */
  'its first token': {
    revoke: async ({ one }) => {
      const answer = await one.holder.revoke(one.token)
      expect(answer.status).toBe(200)
    },
    isDead: () => true,
  },
  'the task': {
    revoke: (task, at) => revokeTask(task, at, {}),
    isDead: () => true,
  },
  'a place': {
    revoke: (task, at) => revokeTask(task, at, { place: PLACE }),
    isDead: ({ place }) => place === PLACE || place.startsWith(`${PLACE}/`),
  },
}
const KINDS = Object.keys(REVOKINGS)

describe('a storm of exchanges', () => {
  const seen = { answered: 0, refused: 0 }
  const rounds = Array.from({ length: ROUNDS }, (_, at) => ({
    round: at + 1,
    what: KINDS[at % KINDS.length]!,
    where: at % (2 * KINDS.length) < KINDS.length ? 'one process' : 'two processes',
  }))

  test.each(rounds)(
    'H03 round $round: $what is revoked in the middle, at $where',
    ONE_ROUND,
    async ({ round, what, where }) => {
      const { revoke, isDead } = REVOKINGS[what]!
      const chance = chanceOf(SEED * 1_000_003 + round)
      const nodes = where === 'one process' ? [undefined] : [undefined, node]
      const [task, other] = [await newTask(), await newTask()]
      const raging = { agents, task, nodes, chance }
      const { answered, refused } = await rage(raging, EXCHANGES, () =>
        revoke(task, chance.of(nodes)),
      )
      expect(answered.length + refused.length).toBe(EXCHANGES)
      seen.answered += answered.length
      seen.refused += refused.length
      expect(refused.filter(({ status }) => status !== 400)).toEqual([])
      const all = [task.one, task.two, ...answered]
      const at = chance.of(nodes)
      expect(await standingOf(all.filter(isDead), at)).toEqual([DEAD])
      const spared = await standingOf(
        all.filter((held) => !isDead(held)),
        at,
      )
      for (const line of spared) expect([ALIVE, ALIVE_TO_CALL]).toContain(line)
      expect(await standingOf([other.one, other.two], at)).toEqual([ALIVE])
    },
  )

  test('was in the middle: some exchanges were granted, some refused', () => {
    expect(seen.answered).toBeGreaterThan(EXCHANGES / 4)
    expect(seen.refused).toBeGreaterThan(EXCHANGES / 4)
  })
})

describe('a tree of five levels, twenty tokens on each but the first', () => {
  const WIDTH = 20
  let home: string
  /** The same branch has the same index on every level. */
  let levels: readonly (readonly Held[])[]
  beforeAll(async () => {
    const rogue = server.client('rogue')
    const { planner, researcher, coder } = agents
    home = tokenOf(await planner.open(server.idToken('user-of-the-tree')))
    const parents = Array.from({ length: WIDTH }, () => home)
    const two = await level(parents, planner, 'planner', 'researcher-a2a')
    const three = await level(textsOf(two), researcher, 'planner/researcher', 'coder-a2a')
    const place = 'planner/researcher/coder'
    const four = await level(textsOf(three), coder, place, 'rogue-a2a')
    const five = await level(textsOf(four), rogue, `${place}/rogue`, 'files-api')
    levels = [two, three, four, five]
  })

  const textsOf = (level: readonly Held[]): readonly string[] => level.map(({ token }) => token)

  function level(
    parents: readonly string[],
    holder: AgentClient,
    place: string,
    audience: Audience,
  ): Promise<readonly Held[]> {
    return Promise.all(
      parents.map(async (parent) => {
        const answer = await holder.exchange(parent, { audience, scope: 'files:read' })
        return { token: tokenOf(answer), holder, place, audience }
      }),
    )
  }

  test('H04 a cut in the middle takes its own branch, and the others live', async () => {
    const [cut, ...others] = levels[1]!
    expect((await cut!.holder.revoke(cut!.token)).status).toBe(200)
    const branch = levels.slice(1).map((level) => level[0]!)
    expect(await standingOf(branch, undefined)).toEqual([DEAD])
    expect(await standingOf(levels[0]!, undefined)).toEqual([ALIVE])
    expect(await standingOf(others, node)).toEqual([ALIVE])
    expect(await standingOf(levels[3]!.slice(1), node)).toEqual([ALIVE_TO_CALL])
  })

  test('H01 the first one takes everything, at once', async () => {
    const { planner } = agents
    expect((await planner.revoke(home)).status).toBe(200)
    expect((await planner.introspect(home)).body).toEqual({ active: false })
    expect(await standingOf(levels.flat(), undefined)).toEqual([DEAD])
    expect(await standingOf(levels.flat(), node)).toEqual([DEAD])
    const again = await planner.exchange(home, { audience: 'researcher-a2a' })
    expect({ status: again.status, reason: again.body['reason'] }).toEqual({
      status: 400,
      reason: 'subject_token_revoked',
    })
  })
})

function newTask(): Promise<Task> {
  users += 1
  return openTask(agents, server.idToken(`user-${users}`))
}
let users = 0
