/** Threats E of client secrets: none unless a tenant wants them, none that a person chose, and only where the agent says. */
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runHere } from '../cli/run-here.ts'
import type { Answer, Parameters } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'
import { find } from './fixture.ts'
import { expectGranted, expectRefusal } from './refusal.ts'

const FAILED = 'client_authentication_failed'
const NONE: Parameters = { client_assertion: undefined, client_assertion_type: undefined }
const newSecret = (): string => `acs_${randomBytes(32).toString('base64url')}`
const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url')
/** Hashed into the facts although no person may choose one: only its form stands in its way. */
const CHOSEN = 'correct-horse-battery-staple'

const [old, current, posted] = [newSecret(), newSecret(), newSecret()]
let server: TestServer

beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: extend } })
})
afterAll(() => server.close())

function extend({ tenant, agents, taskTypes }: TenantDocuments): void {
  tenant['client_secrets'] = true
  const basic = { method: 'client_secret_basic' }
  find(agents.agents, 'planner')['auth'] = {
    ...basic,
    secret_sha256: [hashOf(old), hashOf(current)],
  }
  find(agents.agents, 'researcher')['auth'] = {
    method: 'client_secret_post',
    secret_sha256: [hashOf(posted)],
  }
  Object.assign(find(agents.agents, 'rogue'), {
    auth: { ...basic, secret_sha256: [hashOf(CHOSEN)] },
    disabled: true,
  })
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

const basicOf = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`

function byHeader(authorization: string, form: Parameters = {}): Promise<Answer> {
  return server
    .client('planner')
    .token({ grant_type: 'client_credentials', ...NONE, ...form }, { headers: { authorization } })
}

function byForm(client_id: string, client_secret: Parameters[string]): Promise<Answer> {
  const form = { grant_type: 'client_credentials', ...NONE, client_id, client_secret }
  return server.client('researcher').token(form)
}

const headerRefused = (guard: string, authorization: string, form: Parameters = {}) =>
  expectRefusal(server, { reason: FAILED, guard }, () => byHeader(authorization, form))

describe('a secret', () => {
  test('in the header, each of those that are accepted, on record by its hash', async () => {
    for (const secret of [old, current]) {
      const claims = await expectGranted(server, () => byHeader(basicOf('planner', secret)))
      expect(claims).toMatchObject({ client_id: 'planner' })
      expect(server.audit().at(-1)).toMatchObject({
        client_auth: 'client_secret_basic',
        credential: `sha256:${hashOf(secret).slice(0, 12)}`,
      })
    }
    const lower = basicOf('planner', current).replace('Basic', 'basic')
    await expectGranted(server, () => byHeader(lower, { client_id: 'planner' }))
  })

  test('in the form', async () => {
    const claims = await expectGranted(server, () => byForm('researcher', posted))
    expect(claims).toMatchObject({ client_id: 'researcher' })
    expect(server.audit().at(-1)).toMatchObject({ client_auth: 'client_secret_post' })
  })

  test('is made with its hash, and is another each time', async () => {
    const made = await Promise.all([1].map(() => runHere(['agents', 'secret', '--json'])))
    const { secret, secret_sha256: digest } = JSON.parse(made[0]?.stdout ?? '')
    expect(secret).toMatch(/^acs_[A-Za-z0-9_-]{43}$/)
    expect(digest).toBe(hashOf(secret))
    const { code, stdout, stderr } = await runHere(['agents', 'secret'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [, shown = '', hashed] =
      /^secret {9}(acs_\S{43})\nsecret_sha256 {2}(\S{43})\n$/.exec(stdout) ?? []
    expect(hashOf(shown)).toBe(hashed)
    expect(shown).not.toBe(secret)
  })
})

describe('E01 where it does not belong', () => {
  test('E01 the other way round: each agent has one way', async () => {
    await expectRefusal(server, { reason: FAILED, guard: 'client_unknown' }, () =>
      byForm('planner', current),
    )
    await headerRefused('client_unknown', basicOf('researcher', posted))
    // An agent with keys has no secret, and one with a secret no keys.
    await headerRefused('client_unknown', basicOf('coder', current))
    await headerRefused('client_unknown', basicOf('files-api', current))
    await expectRefusal(server, { reason: FAILED, guard: 'assertion_key_unknown' }, () =>
      server.client('planner').token({ grant_type: 'client_credentials' }),
    )
  })

  test('E01 twice in one request', async () => {
    const coder = server.client('coder')
    await headerRefused('two_methods', basicOf('planner', current), {
      client_assertion: coder.assertion(),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })
    await expectRefusal(server, { reason: 'request_malformed', guard: 'two_methods' }, () =>
      byHeader(basicOf('planner', current), { client_id: 'planner', client_secret: current }),
    )
    const repeated = { reason: 'request_malformed', guard: 'client_parameters_repeated' } as const
    await expectRefusal(server, repeated, () => byForm('researcher', [posted, posted]))
  })

  test('E01 with the name of another', async () => {
    await headerRefused('client_id_mismatch', basicOf('planner', current), {
      client_id: 'researcher',
    })
  })
})

describe('E01 what is no secret of ours', () => {
  const raw = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

  test('E01 what a person chose is refused by its form, though its hash is in the facts', async () => {
    await headerRefused('secret_malformed', basicOf('rogue', CHOSEN))
  })

  test.each<[string, () => string]>([
    ['no value', () => 'Basic'],
    ['an empty value', () => 'Basic '],
    ['another scheme', () => `Bearer ${current}`],
    ['two spaces', () => basicOf('planner', current).replace(' ', '  ')],
    ['base64 with what it does not have', () => `${basicOf('planner', current)}!`],
    ['base64 without its end', () => raw(`planner:${current}`).replace(/=*$/, '').slice(0, -1)],
    ['no colon', () => raw(`planner${current}`)],
    ['two colons', () => raw(`planner:x:${current}`)],
    ['nobody', () => raw(`:${current}`)],
    ['an escape that is none', () => raw(`planner:%GG${current}`)],
    ['octets that are no text', () => raw(`pl%FFanner:${current}`)],
    ['a line break', () => raw(`planner:${current}\r\n`)],
    ['half of it', () => basicOf('planner', current.slice(0, 24))],
    ['more than it', () => basicOf('planner', `${current}A`)],
    ['it without its prefix', () => basicOf('planner', current.slice(4))],
    ['it in another spelling', () => basicOf('planner', `${current.slice(0, -1)}B`)],
    ['its hash', () => basicOf('planner', hashOf(current))],
    ['a header that is too long', () => basicOf('planner', 'x'.repeat(3000))],
  ])('E01 refuses %s', async (_, authorization) => {
    await headerRefused('secret_malformed', authorization())
  })

  test('E01 refuses one that differs, and an empty one in the form', async () => {
    await headerRefused('secret_unknown', basicOf('planner', newSecret()))
    for (const secret of ['', 'x', newSecret().slice(1)]) {
      await expectRefusal(server, { reason: FAILED, guard: 'secret_malformed' }, () =>
        byForm('researcher', secret),
      )
    }
    await expectRefusal(server, { reason: FAILED, guard: 'secret_unknown' }, () =>
      byForm('researcher', newSecret()),
    )
  })
})

test('E11 unknown, wrong and of another kind read the same', async () => {
  const [wrong, unknown, keyed] = [
    await byHeader(basicOf('planner', newSecret())),
    await byHeader(basicOf('nobody', newSecret())),
    await byHeader(basicOf('coder', newSecret())),
  ]
  const seen = [wrong, unknown, keyed].map(({ status, text, headers }) => ({
    status,
    text: text.replace(/"error_ref":"[^"]*"/, ''),
    headers: [...headers.keys()].toSorted(),
  }))
  expect(new Set(seen.map((answer) => JSON.stringify(answer))).size).toBe(1)
})

test('no secret is on record or in a log', () => {
  const all = JSON.stringify([server.audit(), server.logged])
  for (const secret of [old, current, posted, CHOSEN]) expect(all).not.toContain(secret)
})
