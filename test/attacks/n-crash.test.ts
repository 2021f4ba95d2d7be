/**
 * Threat N03: a server is killed in the middle of its work, again and again. What it answered for is on record, in a log that
 * verifies; what it acknowledged to be revoked stays so; and the next one is there.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openCopy } from '../../server/audit/log-copy.ts'
import { logFolder } from '../../server/audit/log-paths.ts'
import { verifyLog } from '../../server/audit/verify-log.ts'
import { type AgentClient, type Answer, ASSERTION_TYPE } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { readEntries } from '../support/embedded-store.ts'
import { payloadOf } from '../support/signing.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'
import { tokenOf } from './fixture.ts'
import { exchangeAt } from './live.ts'
import { postForm, type SecondNode, startSecondNode } from './second-node.ts'
import { type Chance, chanceOf } from './storm.ts'

/** Two hundred in the long mode: `npm run test:long`. */
const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 20)
const SEED = Number(process.env['RACE_SEED'] ?? 4)
const IN_FLIGHT = 12
/** One answer in so many is revoked. */
const REVOKED_IN = 4

let server: TestServer
beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: withoutLimits } })
})
afterAll(() => server?.close())

function withoutLimits({ tenant, taskTypes }: TenantDocuments): void {
  tenant['limits'] = {
    tokens_per_place: 4096,
    tokens_per_task: 65_536,
    requests_per_client: 10_000_000,
    requests_per_tenant: 10_000_000,
    requests_per_task: 10_000_000,
  }
  for (const type of taskTypes.task_types) delete type['triggers']
}

/** What a client was told, by the ids of the tokens. */
interface Told {
  readonly issued: Map<string, string>
  /** Asked to be revoked, answered or not. */
  readonly given: Set<string>
  readonly revoked: Set<string>
}

interface Round {
  readonly node: SecondNode
  readonly chance: Chance
  readonly told: Told
  readonly first: string
}

async function revokeAt(
  { origin }: SecondNode,
  client: AgentClient,
  token: string,
): Promise<Answer> {
  const form = { client_assertion_type: ASSERTION_TYPE, client_assertion: client.assertion() }
  return postForm(`${origin}/t/acme/revoke`, { ...form, token })
}

/** Asks on and on until nobody answers; the node is killed once it answered for some. */
async function killUnderLoad(
  client: AgentClient,
  { node, chance, told, first }: Round,
): Promise<void> {
  let answers = 0
  let isUp = true
  const moment = 1 + chance.below(3 * IN_FLIGHT)
  const pause = chance.below(4)
  const killed = Promise.withResolvers<void>()
  const count = (): void => {
    answers += 1
    // Answers come between two commits: the pause is for what lies between two answers.
    if (answers === moment) setTimeout(() => killed.resolve(node.kill()), pause)
  }
  const ask = async (): Promise<void> => {
    const { status, body } = await exchangeAt(node, client, first, { audience: 'files-api' })
    if (status !== 200) throw new Error(`refused: ${status} ${String(body['reason'])}`)
    const token = String(body['access_token'])
    const jti = String(payloadOf(token)['jti'])
    told.issued.set(jti, token)
    count()
    if (chance.below(REVOKED_IN) > 0) return
    told.given.add(jti)
    const answer = await revokeAt(node, client, token)
    if (answer.status === 200) told.revoked.add(jti)
  }
  const workers = Array.from({ length: IN_FLIGHT }, async () => {
    while (isUp) {
      await ask().catch((fault: unknown) => {
        isUp = false
        // Whoever is killed refuses nothing: it answers no more.
        if (fault instanceof Error && fault.message.startsWith('refused')) killed.reject(fault)
      })
    }
  })
  await Promise.all([killed.promise, ...workers])
}

test(`N03 of ${ROUNDS} servers that were killed under load, none took an answer with it`, {
  timeout: 60_000 + ROUNDS * 15_000,
}, async () => {
  const chance = chanceOf(SEED)
  const client = server.client('researcher')
  const told: Told = { issued: new Map(), given: new Set(), revoked: new Set() }
  let next = startSecondNode(server)
  for (let round = 0; round < ROUNDS; round += 1) {
    const node = await next
    // One is started while the other is killed: it finds what that leaves.
    if (round + 1 < ROUNDS) next = startSecondNode(server)
    const first = tokenOf(
      await server.client('planner').open(server.idToken(), { audience: 'researcher-a2a' }),
    )
    await killUnderLoad(client, { node, chance, told, first })
  }
  const entries = readEntries(server.config.dataFolder)
  const recorded = (event: string) =>
    new Set(
      entries
        .filter((entry) => entry.event === event && entry.outcome === 'permit')
        .map(({ jti }) => jti ?? ''),
    )
  expect(told.issued.size).toBeGreaterThanOrEqual(ROUNDS)
  expect(told.revoked.size).toBeGreaterThan(0)
  expect([...told.issued.keys()].filter((jti) => !recorded('token').has(jti))).toEqual([])
  expect([...told.revoked].filter((jti) => !recorded('revocation').has(jti))).toEqual([])
  await server.stop()
  const copy = openCopy(logFolder(server.config.dataFolder, 'acme'))
  const report = await verifyLog(copy)
  copy.close()
  expect(report.damages).toEqual([])
  expect(report.signed).toBe(report.entries)
  await server.start()
  for (const [jti, token] of told.issued) {
    if (told.given.has(jti) && !told.revoked.has(jti)) continue
    const { body } = await client.introspect(token)
    expect([jti, body['active']]).toEqual([jti, !told.revoked.has(jti)])
  }
})
