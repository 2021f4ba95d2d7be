/** Threats M: limits that are evaded by nobody, and spent by nobody but whom they are of. Work is counted, never timed. */
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { FAILURES_PER_PEER } from '../../server/oauth/peer-limits.ts'
import type { AgentClient, Answer } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { epoch, newKey, signJwt } from '../support/signing.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'
import { type FaultyServer, PROXY, startFaultyServer } from '../use-cases/faulty-server.ts'
import { find, tokenOf } from './fixture.ts'
import { tokenAt } from './live.ts'
import { PROD, svid, svidKey } from './platform.ts'
import { OWN_WORK } from './positions.ts'
import { auditMark, auditSince, expectRefused } from './refusal.ts'
import { startSecondNode } from './second-node.ts'
import { JWT_SPIFFE } from './workload-stage.ts'

const CLIENT = 20
const TENANT = 50
const TASK = 10

function limited({ tenant, taskTypes }: TenantDocuments): void {
  tenant['limits'] = {
    max_depth: 4,
    requests_per_client: CLIENT,
    requests_per_tenant: TENANT,
    requests_per_task: TASK,
  }
  const [fileWork] = taskTypes.task_types
  taskTypes.task_types.push({
    ...fileWork,
    id: 'own-work',
    basis: 'client',
    openers: ['planner', 'researcher', 'coder', 'rogue'],
    subjects_from: [],
    scopes: ['files:read'],
  })
}

const platform = newKey('platform-1')
const WORKLOAD = `spiffe://${PROD}/rogue`

/** rogue has a JWT-SVID, which is good for the key it first came with. */
function withWorkload(documents: TenantDocuments): void {
  limited(documents)
  const { tenant, agents } = documents
  tenant['trust_domains'] = [{ name: PROD, bundle: { keys: [svidKey(platform)] } }]
  find(agents.agents, 'rogue')['auth'] = { method: 'spiffe_jwt', spiffe_id: WORKLOAD }
}

let server: TestServer
let minute = Math.floor(Date.now() / 60_000)
beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: limited, globex: withWorkload } })
})
afterAll(() => server.close())
beforeEach(() => {
  // Minutes of its own for every test, ten seconds in.
  minute += 5
  vi.useFakeTimers({ toFake: ['Date'], now: minute * 60_000 + 10_000 })
})
afterEach(() => {
  vi.restoreAllMocks()
  syncBuiltinESMExports()
  vi.useRealTimers()
})

/** Signature checks of this process from now on. */
function countVerifications(): () => number {
  const check = vi.spyOn(crypto, 'verify')
  syncBuiltinESMExports()
  return () => check.mock.calls.length
}

const statuses = (answers: readonly Answer[]): readonly number[] =>
  answers.map(({ status }) => status)
const isGranted = (status: number): boolean => status === 200

async function inTurn(count: number, ask: (at: number) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let at = 0; at < count; at++) answers.push(await ask(at))
  return answers
}

const own = (client: AgentClient, headers: Readonly<Record<string, string>> = {}) =>
  client.token(OWN_WORK, { headers })

describe('M01 limits of a client and of a tenant', () => {
  test('M01 a client has as many requests as its tenant says, whatever its headers say of where it is', async () => {
    const planner = server.client('planner')
    const answers = await inTurn(CLIENT + 10, (at) =>
      own(planner, {
        'x-forwarded-for': `198.51.100.${at}, 10.0.0.${at}`,
        forwarded: `for=198.51.100.${at}`,
        'x-real-ip': `198.51.100.${at}`,
      }),
    )
    expect(statuses(answers)).toEqual([
      ...Array.from({ length: CLIENT }, () => 200),
      ...Array.from({ length: 10 }, () => 429),
    ])
    const refused = answers.slice(CLIENT)
    for (const answer of refused) {
      expectRefused(answer, 'rate_limited')
      expect(answer.headers.get('retry-after')).toBe('50')
    }
    tokenOf(await own(server.client('researcher')))
    vi.setSystemTime(Date.now() + 50_000)
    tokenOf(await own(planner))
  })

  test('M01 at every endpoint alike, whichever it began with', async () => {
    const planner = server.client('planner')
    const answers = await inTurn(CLIENT, () => planner.introspect('x'))
    expect(statuses(answers).every(isGranted)).toBe(true)
    expectRefused(await planner.introspect('x'), 'rate_limited')
    expectRefused(await planner.revoke('x'), 'rate_limited')
    expectRefused(await own(planner), 'rate_limited')
  })

  test('M01 two hundred at once are no more', async () => {
    const planner = server.client('planner')
    const answers = await Promise.all(Array.from({ length: 200 }, () => own(planner)))
    expect(statuses(answers).filter(isGranted)).toHaveLength(CLIENT)
  })

  test('M01 many clients have no more together than their tenant, and other tenants no less', async () => {
    const agents = ['planner', 'researcher', 'coder', 'rogue'].map((id) => server.client(id))
    const answers = await inTurn(TENANT + 10, (at) => own(agents[at % agents.length]!))
    expect(statuses(answers).filter(isGranted)).toHaveLength(TENANT)
    expectRefused(answers.at(-1)!, 'rate_limited')
    tokenOf(await own(server.client('planner', 'globex')))
  })

  test('M01 over the limit one signature is checked, nothing is claimed, and one entry and one line say so', async () => {
    const planner = server.client('planner')
    await inTurn(CLIENT, () => own(planner))
    const before = auditMark(server)
    const logged = server.logged.length
    expectRefused(await own(planner), 'rate_limited')
    const jti = 'an-id-for-later'
    const count = countVerifications()
    const more = 15
    await inTurn(more, () => planner.token(OWN_WORK, { assertion: { jti }, proof: { jti } }))
    expect(count()).toBe(more)
    expect(auditSince(server, before)).toEqual([
      expect.objectContaining({
        outcome: 'refuse',
        reason: 'rate_limited',
        guard: 'requests_per_client',
        client: 'planner',
      }),
    ])
    expect(server.logged.slice(logged)).toEqual([
      { event: 'rate_limited', tenant: 'acme', client: 'planner', reason: 'requests_per_client' },
    ])
    vi.setSystemTime(Date.now() + 50_000)
    tokenOf(await planner.token(OWN_WORK, { assertion: { jti }, proof: { jti } }))
  })

  test('M01 a task has a limit of its own, whoever of it asks', async () => {
    const [planner, researcher] = [server.client('planner'), server.client('researcher')]
    const open = async () =>
      tokenOf(await planner.open(server.idToken(), { audience: 'researcher-a2a' }))
    const [one, other] = [await open(), await open()]
    const form = { audience: 'files-api', scope: 'files:read' }
    const answers = await inTurn(TASK, (at) =>
      at % 2 === 0 ? planner.exchange(one, form) : researcher.exchange(one, form),
    )
    expect(statuses(answers).every(isGranted)).toBe(true)
    expectRefused(await researcher.exchange(one, form), 'rate_limited')
    expectRefused(await planner.exchange(one, form), 'rate_limited')
    tokenOf(await researcher.exchange(other, form))
  })

  test('M01 two processes have one limit', async () => {
    vi.useRealTimers()
    const node = await startSecondNode(server)
    try {
      const coder = server.client('coder', 'globex')
      // Once more where a minute ended in the middle of it.
      for (let tries = 0; tries < 3; tries++) {
        const began = Math.floor(epoch() / 60)
        const answers = await inTurn(CLIENT + 6, (at) =>
          at % 2 === 0 ? own(coder) : tokenAt(node, coder, OWN_WORK),
        )
        if (Math.floor(epoch() / 60) !== began && tries < 2) continue
        expect(statuses(answers).filter(isGranted)).toHaveLength(CLIENT)
        expect(statuses(answers.slice(-6))).toEqual([429, 429, 429, 429, 429, 429])
        break
      }
    } finally {
      await node.close()
    }
  })
})

describe('M03 nobody spends what is another\u2019s', () => {
  test('M03 junk that names planner spends none of planner\u2019s requests', async () => {
    const planner = server.client('planner')
    const stranger = newKey()
    const junk = await Promise.all([
      ...Array.from({ length: 40 }, () => planner.token(OWN_WORK, { assertionKey: stranger })),
      ...Array.from({ length: 40 }, () => planner.token({ ...OWN_WORK, client_assertion: 'x' })),
      ...Array.from({ length: 40 }, () =>
        planner.token(OWN_WORK, { assertion: { aud: 'https://evil.example' } }),
      ),
    ])
    for (const answer of junk) expectRefused(answer, 'client_authentication_failed')
    const answers = await inTurn(CLIENT, () => own(planner))
    expect(statuses(answers).every(isGranted)).toBe(true)
  })

  test('M03 nor does planner\u2019s own request, sent again', async () => {
    const planner = server.client('planner')
    const form = { ...OWN_WORK, client_assertion: planner.assertion() }
    tokenOf(await planner.token(form))
    for (const answer of await inTurn(40, () => planner.token(form))) {
      expectRefused(answer, 'client_authentication_failed')
    }
    const answers = await inTurn(CLIENT - 1, () => own(planner))
    expect(statuses(answers).every(isGranted)).toBe(true)
  })

  test('M03 nor does a stranger with planner\u2019s token spend the task\u2019s', async () => {
    const [planner, rogue] = [server.client('planner'), server.client('rogue')]
    const first = tokenOf(await planner.open(server.idToken(), { audience: 'researcher-a2a' }))
    for (const answer of await inTurn(TASK + 5, () => rogue.exchange(first))) {
      expectRefused(answer, 'subject_token_unacceptable')
    }
    const form = { audience: 'files-api', scope: 'files:read' }
    const answers = await inTurn(TASK, () => server.client('researcher').exchange(first, form))
    expect(statuses(answers).every(isGranted)).toBe(true)
  })
})

describe('M01 failures from one address', () => {
  let peers: FaultyServer
  beforeEach(async () => {
    peers = await startFaultyServer()
  })
  afterEach(() => peers.close())

  /** So many from addresses that a callback names, with headers that name others. */
  async function fail(count: number, address: (at: number) => string): Promise<void> {
    const { issuer } = peers.planner
    for (let at = 0; at < count; at++) {
      peers.comeFrom(address(at))
      await fetch(`${issuer}/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        headers: { 'x-forwarded-for': `198.51.100.${at}`, forwarded: `for="[2001:db8:${at}::1]"` },
      })
    }
  }

  const open = () => peers.planner.open(peers.idToken(), { audience: 'researcher-a2a' })
  const refusals = () => peers.entries().filter(({ reason }) => reason === 'rate_limited')

  test('M01 an IPv6 network is one peer: over the limit nothing of it is verified, one entry says so', async () => {
    await fail(FAILURES_PER_PEER, (at) => `2001:db8:1:2:${at.toString(16)}::1`)
    expect(refusals()).toEqual([])
    peers.comeFrom('2001:db8:1:2:ffff::1')
    const count = countVerifications()
    for (let at = 0; at < 20; at++) {
      const answer = await open()
      expectRefused(answer, 'rate_limited')
      expect(answer.headers.get('retry-after')).toBe('50')
    }
    expect(count()).toBe(0)
    expect(refusals()).toEqual([
      expect.objectContaining({ guard: 'failures_per_peer', outcome: 'refuse' }),
    ])
    peers.comeFrom('2001:db8:1:3::1')
    tokenOf(await open())
    vi.setSystemTime(Date.now() + 50_000)
    peers.comeFrom('2001:db8:1:2::1')
    tokenOf(await open())
  })

  test('M01 forged headers make no other peer of one, and none of a stranger\u2019s failures planner\u2019s', async () => {
    await fail(FAILURES_PER_PEER + 30, () => '192.0.2.66')
    peers.comeFrom('192.0.2.66')
    expectRefused(await open(), 'rate_limited')
    // One entry for each that failed, one for all that were refused after them.
    expect(peers.entries()).toHaveLength(FAILURES_PER_PEER + 1)
    peers.comeFrom('198.51.100.7')
    tokenOf(await open())
  })

  test('M01 an assertion that is sent again is a failure', async () => {
    const { planner } = peers
    peers.comeFrom('192.0.2.67')
    const client_assertion = planner.assertion()
    await planner.introspect('x', { client_assertion })
    await inTurn(FAILURES_PER_PEER, () => planner.introspect('x', { client_assertion }))
    expectRefused(await open(), 'rate_limited')
  })

  test.each(['127.0.0.1', '::1', PROXY, `::ffff:${PROXY}`])(
    'M01 %s speaks for many: failures of one close it for nobody',
    async (address) => {
      await fail(FAILURES_PER_PEER + 5, () => address)
      tokenOf(await open())
      expect(refusals()).toEqual([])
    },
  )

  test('M03 what fails after authentication is no failure of the address', async () => {
    peers.comeFrom('192.0.2.68')
    const foreign = signJwt(newKey(), { alg: 'ES256' }, { iss: 'https://evil.example' })
    await inTurn(FAILURES_PER_PEER + 5, () => peers.planner.open(foreign))
    tokenOf(await open())
  })
})

describe('M01 credentials that are good more than once', () => {
  test('M01 a stolen one, refused for want of its key, has no more requests than its owner', async () => {
    const rogue = server.client('rogue', 'globex')
    const claims = { sub: WORKLOAD, aud: [rogue.issuer] }
    const credential = {
      client_assertion_type: JWT_SPIFFE,
      client_assertion: svid(platform, claims, { kid: 'platform-1' }),
    }
    tokenOf(await rogue.token({ ...OWN_WORK, ...credential }))
    const steal = () => rogue.token({ ...OWN_WORK, ...credential }, { proof: { htm: 'GET' } })
    const answers = await inTurn(CLIENT + 5, steal)
    expectRefused(answers[0]!, 'proof_invalid')
    expect(statuses(answers).filter((status) => status === 400)).toHaveLength(CLIENT - 1)
    expectRefused(answers.at(-1)!, 'rate_limited')
  })
})

describe('M05 what a flood leaves behind', () => {
  test('M05 two hundred requests too many leave nothing on record', async () => {
    const planner = server.client('planner')
    await inTurn(CLIENT + 1, () => own(planner))
    const before = auditMark(server)
    await Promise.all(Array.from({ length: 200 }, () => own(planner)))
    expect(auditMark(server)).toEqual(before)
  })
})
