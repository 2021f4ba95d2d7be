/**
 * Random sequences of opens, exchanges, revocations and clock steps in two tenants, against the reference model: the server
 * grants what the model grants, refuses what it refuses, and no token is more than its parent.
 */
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type Stage, setStage } from '../attacks/fixture.ts'
import { actorsOf } from '../attacks/refusal.ts'
import { ACCESS_TOKEN, type AgentClient, type Answer } from '../support/agent-client.ts'
import { epoch, payloadOf } from '../support/signing.ts'
import { AGENTS, exchange, type ModelToken, open, RESOURCES, type Wish } from './exchange-model.ts'

const RUNS = Number(process.env['ACTCHAIN_PROPERTY_RUNS'] ?? 60)
const TENANTS = ['acme', 'globex']

let stage: Stage
const clients = new Map<string, AgentClient>()
const own = new Map<string, string>()

beforeAll(async () => {
  stage = await setStage()
  for (const tenant of TENANTS) {
    for (const id of Object.keys(AGENTS))
      clients.set(`${tenant} ${id}`, stage.server.client(id, tenant))
  }
})
afterEach(() => {
  vi.useRealTimers()
})
afterAll(() => stage.close())

interface Held {
  readonly model: ModelToken
  readonly text: string
}

interface Step extends Wish {
  readonly kind: 'open' | 'exchange' | 'revoke' | 'wait'
  /** Which of the tokens held so far; any number. */
  readonly of: number
  readonly user: string
  readonly seconds: number
  /** Bits: name the target by URI, by id or by both; send an actor token; name the requested type. */
  readonly spelling: number
}

const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom('open', 'exchange', 'exchange', 'exchange', 'exchange', 'revoke', 'wait'),
    of: fc.nat(20),
    tenant: fc.constantFrom('acme', 'acme', 'acme', 'acme', 'globex'),
    caller: fc.constantFrom('planner', 'planner', 'researcher', 'researcher', 'coder', 'rogue'),
    target: fc.option(fc.constantFrom(...Object.keys(RESOURCES)), { nil: undefined }),
    scope: fc.option(
      fc.subarray(['files:read', 'files:write', 'mail:send', 'pay:transfer'], { minLength: 1 }),
      { nil: undefined },
    ),
    user: fc.constantFrom('alice', 'bob'),
    seconds: fc.nat(250),
    spelling: fc.nat(15),
  }),
  { minLength: 6, maxLength: 16 },
)

test('no sequence widens scope, reach or lifetime, drops or reorders a chain, or crosses a tenant', async () => {
  let granted = 0
  let deepest = 0
  vi.useFakeTimers({ toFake: ['Date'], now: Math.floor(Date.now() / 1000) * 1000 })
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const held: Held[] = []
      // A sequence begins with something to work on.
      await run({ ...START, user: 'alice' }, held)
      for (const step of sequence) await run(step, held)
      granted += held.length
      deepest = Math.max(deepest, ...held.map(({ model }) => model.chain.length))
    }),
    { numRuns: RUNS },
  )
  // A model that refuses everything would agree with a server that does.
  expect(granted).toBeGreaterThan(RUNS * 1.5)
  expect(deepest).toBeGreaterThanOrEqual(2)
}, 600_000)

const START: Omit<Step, 'user'> = {
  kind: 'open',
  of: 0,
  tenant: 'acme',
  caller: 'planner',
  target: 'researcher-a2a',
  scope: undefined,
  seconds: 0,
  spelling: 0,
}

async function run(step: Step, held: Held[]): Promise<void> {
  const parent = held[step.of % Math.max(held.length, 1)]
  if (step.kind === 'wait') {
    vi.setSystemTime(Date.now() + step.seconds * 1000)
  } else if (step.kind === 'revoke') {
    if (parent !== undefined) await revoke(step, parent)
  } else if (step.kind === 'open') {
    const expected = open(step, step.user, epoch())
    const { server } = stage
    const idToken = server.idToken(step.user, step.caller)
    const answer = await client(step).open(idToken, {
      ...(await formOf(step)),
      task_type: 'file-work',
    })
    check(answer, expected, undefined, held)
  } else if (parent !== undefined) {
    const expected = exchange(parent.model, step, epoch())
    const answer = await client(step).exchange(parent.text, await formOf(step))
    check(answer, expected, parent, held)
  }
}

/** By its holder it counts; by anybody else it changes nothing. */
async function revoke(step: Step, { model, text }: Held): Promise<void> {
  expect((await client(step).revoke(text)).status).toBe(200)
  if (step.tenant === model.tenant && step.caller === model.chain.at(-1)) model.isRevoked = true
}

function check(
  answer: Answer,
  expected: ModelToken | undefined,
  parent: Held | undefined,
  held: Held[],
): void {
  expect(answer.status, answer.text.slice(0, 300)).toBe(expected === undefined ? 400 : 200)
  if (expected === undefined) return
  const text = String(answer.body['access_token'])
  const claims = payloadOf(text)
  const { root, hops } = claims['act_bounds']
  expect(claims).toMatchObject({
    iss: stage.server.issuer(expected.tenant),
    sub: expected.subject,
    aud: uriOf(expected.audience),
    exp: expected.expires,
    cnf: {
      jkt: client({ tenant: expected.tenant, caller: String(expected.chain.at(-1)) }).proofKey
        .thumbprint,
    },
  })
  expect(new Set(claims['scope'].split(' '))).toEqual(expected.scope)
  expect(actorsOf(claims).toReversed()).toEqual(expected.chain)
  const reach = root.reach.filter((_: string, bit: number) => (hops[0].reach & (1 << bit)) !== 0)
  expect(new Set(reach)).toEqual(new Set([...expected.reach].map(uriOf)))
  expect(claims['exp']).toBeLessThanOrEqual(root.exp)
  if (parent !== undefined) expectWithin(claims, payloadOf(parent.text))
  held.push({ model: expected, text })
}

/** Said again without the model: a child is within its parent, and carries its chain. */
function expectWithin(
  child: ReturnType<typeof payloadOf>,
  parent: ReturnType<typeof payloadOf>,
): void {
  const [mine, ...below] = child['act_bounds'].hops
  const [theirs, ...beneath] = parent['act_bounds'].hops
  expect(mine.scope & ~theirs.scope).toBe(0)
  expect(mine.reach & ~theirs.reach).toBe(0)
  expect(child['exp']).toBeLessThanOrEqual(parent['exp'])
  expect(child['iat']).toBeGreaterThanOrEqual(parent['iat'])
  expect(child['txn']).toBe(parent['txn'])
  expect(child['act_bounds'].root).toEqual(parent['act_bounds'].root)
  const isHolder = child['client_id'] === parent['client_id']
  expect(below).toEqual(isHolder ? beneath : [theirs, ...beneath])
  expect(child['act'].act).toEqual(isHolder ? parent['act'].act : parent['act'])
}

function client({ tenant, caller }: Pick<Step, 'tenant' | 'caller'>): AgentClient {
  const found = clients.get(`${tenant} ${caller}`)
  if (found === undefined) throw new Error(`there is no ${caller} at ${tenant}`)
  return found
}

/** Optional parameters, spelled in one of several ways that mean the same. */
async function formOf(step: Step): Promise<Record<string, string>> {
  const { target, scope, spelling } = step
  const form: Record<string, string> = {}
  if (target !== undefined && (spelling & 1) === 0) form['audience'] = target
  if (target !== undefined && (spelling & 3) !== 0) form['resource'] = uriOf(target)
  if (scope !== undefined) form['scope'] = scope.join(' ')
  if ((spelling & 4) !== 0) form['requested_token_type'] = ACCESS_TOKEN
  if ((spelling & 8) !== 0) {
    form['actor_token'] = await ownToken(step)
    form['actor_token_type'] = ACCESS_TOKEN
  }
  return form
}

/** An agent's own token; it bounds a child's life, so a fresh one ends with no child of ours. */
async function ownToken(step: Step): Promise<string> {
  const key = `${step.tenant} ${step.caller} ${epoch()}`
  const known = own.get(key)
  if (known !== undefined) return known
  const answer = await client(step).token({ grant_type: 'client_credentials' })
  const text = String(answer.body['access_token'])
  own.set(key, text)
  return text
}

function uriOf(id: string): string {
  const [name, kind] = id.split('-')
  return kind === 'a2a' ? `https://${name}.agents/a2a` : `https://${name}.api`
}
