/**
 * What can be said in the name of a resource server: of its own tokens alone, once, and in no form that breaks the log. Whoever is
 * none says nothing at all.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Answer } from '../support/agent-client.ts'
import { readLog } from '../support/embedded-store.ts'
import {
  clientOf,
  type ManageClient,
  operatorAt,
  personAt,
  presenting,
} from '../support/manage-client.ts'
import { payloadOf } from '../support/signing.ts'
import { type Stage, setStage, tokenOf } from './fixture.ts'

const PATH = 'audit/records'

let stage: Stage
/** The resource server of files-api. */
let files: ManageClient
/** A token for files-api, in alice's task. */
let token: string
beforeAll(async () => {
  stage = await setStage()
  files = await clientOf(stage.server.client('files-api'))
  token = await tokenFor('files-api', 'files:read')
})
afterAll(() => stage.close())

async function tokenFor(audience: string, scope: string): Promise<string> {
  return tokenOf(await stage.researcher.exchange(await stage.first(), { audience, scope }))
}

const newId = (): string => randomBytes(16).toString('base64url')

interface Told {
  readonly id: string
}

function aRecord(parts: Readonly<Record<string, unknown>> = {}): Told & Record<string, unknown> {
  const { jti, txn } = payloadOf(token)
  const told = { tool: 'write_file', target: '/plan.txt', outcome: 'succeeded' }
  return { id: newId(), jti, txn, ...told, at: new Date().toISOString(), ...parts }
}

const reasonOf = ({ status, body }: Answer): string => `${status} ${String(body['reason'])}`

/** Lines of acme's log that name this record. */
function linesOf({ id }: Told): readonly string[] {
  const lines = readLog(stage.server.config.dataFolder, 'acme')
  return lines.filter((line) => line.includes(id))
}

describe('a resource server', () => {
  test('records its own token’s use: it is in the log when the answer comes', async () => {
    const record = aRecord({ change_ref: 'row 7', input_digest: `sha-256:${'d'.repeat(43)}` })
    const { status, body } = await files.post(PATH, { records: [record] })
    expect([status, body]).toEqual([200, { accepted: [record.id], refused: [] }])
    const [line = '', ...others] = linesOf(record)
    expect(others).toEqual([])
    const { jti, txn } = payloadOf(token)
    expect(JSON.parse(line)).toMatchObject({
      event: 'record',
      code: 'action.recorded',
      outcome: 'permit',
      author: 'resource:files-api',
      client: 'files-api',
      target: 'https://files.api',
      subject: 'alice',
      chain: ['planner', 'researcher'],
      jti,
      txn,
      tool: 'write_file',
      object: '/plan.txt',
      result: 'succeeded',
      change_ref: 'row 7',
      input_digest: record['input_digest'],
    })
  })

  test('F05 of another’s token it is told nothing but that it is none of its own', async () => {
    const globex = payloadOf(await tokenOfGlobex())
    const handed = payloadOf(await stage.first())
    const strange = [globex, handed].map(({ jti, txn }) => aRecord({ jti, txn }))
    const mixed = [
      aRecord({ jti: newId() }),
      aRecord({ txn: newId() }),
      aRecord({ jti: handed['jti'] }),
      aRecord({ jti: payloadOf(files.token)['jti'] }),
    ]
    for (const record of [...strange, ...mixed]) {
      const { status, body } = await files.post(PATH, { records: [record] })
      const refused = [{ id: record.id, reason: 'token_unknown' }]
      expect([status, body]).toEqual([200, { accepted: [], refused }])
    }
  })

  test('F05 another resource server records nothing of this one’s token', async () => {
    const mail = await clientOf(stage.server.client('mail-api'))
    const record = aRecord()
    const { body } = await mail.post(PATH, { records: [record] })
    expect(body).toEqual({ accepted: [], refused: [{ id: record.id, reason: 'token_unknown' }] })
    const [line = ''] = linesOf(record)
    expect(JSON.parse(line)).toMatchObject({ outcome: 'refuse', client: 'mail-api' })
    expect(JSON.parse(line)).not.toHaveProperty('tool')
  })

  test('what was refused stays refused', async () => {
    const record = aRecord({ jti: newId() })
    const send = async (): Promise<unknown> => (await files.post(PATH, { records: [record] })).body
    const first = await send()
    expect(await send()).toEqual(first)
  })

  test('a body that is sent again is acknowledged and stands there once', async () => {
    const records = [aRecord(), aRecord()]
    const ids = records.map(({ id }) => id)
    const answers = await Promise.all([1, 2, 3].map(() => files.post(PATH, { records })))
    answers.push(await files.post(PATH, { records: records.toReversed() }))
    for (const { body } of answers) expect(new Set(body['accepted'])).toEqual(new Set(ids))
    expect(records.map((record) => linesOf(record).length)).toEqual([1, 1])
  })

  test('its request, sent again by somebody else as it is, is refused', async () => {
    const body = JSON.stringify({ records: [aRecord()] })
    const dpop = files.proof('POST', `${files.issuer}/${PATH}`)
    const send = () => files.send('POST', PATH, { body, proof: null, headers: { dpop } })
    expect((await send()).status).toBe(200)
    expect(reasonOf(await send())).toBe('401 proof_replayed')
  })

  test('once its task is revoked it still says what it did', async () => {
    const used = payloadOf(await tokenFor('files-api', 'files:read'))
    const { txn, jti } = used
    const operator = await operatorAt(stage.server)
    expect((await operator.post(`tasks/${txn}/revoke`, { reason: 'it went wrong' })).status).toBe(
      200,
    )
    const record = aRecord({ txn, jti, outcome: 'refused' })
    expect((await files.post(PATH, { records: [record] })).body['accepted']).toEqual([record.id])
  })
})

async function tokenOfGlobex(): Promise<string> {
  const { server } = stage
  return tokenOf(
    await server.client('planner', 'globex').open(server.idToken(), {
      audience: 'researcher-a2a',
      scope: 'files:read',
    }),
  )
}

describe('who is no resource server', () => {
  test('agents, receivers, people and operators record nothing', async () => {
    const { server, planner } = stage
    const strangers = await Promise.all([
      clientOf(planner),
      personAt(server, 'alice'),
      personAt(server, 'dave', { roles: ['admin', 'reviewer'] }),
      operatorAt(server),
    ])
    for (const client of strangers) {
      const record = aRecord()
      expect(reasonOf(await client.post(PATH, { records: [record] }))).toBe('403 role_required')
      expect(linesOf(record)).toEqual([])
    }
  })

  test('nor does whoever has another token, or another key, or none', async () => {
    const { server, researcher } = stage
    const body = { records: [aRecord()] }
    const globex = await clientOf(server.client('files-api', 'globex'))
    const clients = [
      presenting(files.issuer, globex.token, globex.key),
      presenting(files.issuer, token, researcher.proofKey),
    ]
    for (const client of clients) {
      expect(reasonOf(await client.post(PATH, body))).toBe('401 token_unacceptable')
    }
    expect(reasonOf(await presenting(files.issuer, files.token).post(PATH, body))).toBe(
      '401 proof_invalid',
    )
    const bare = { authorization: `Bearer ${files.token}`, proof: null }
    expect(reasonOf(await files.post(PATH, body, bare))).toBe('401 token_required')
    expect(reasonOf(await files.post(PATH, body, { authorization: null }))).toBe(
      '401 token_required',
    )
    expect(reasonOf(await globex.post(PATH, body))).toBe('200 undefined')
    expect(body.records.flatMap(linesOf)).toEqual([])
  })

  test('and a resource server does nothing else', async () => {
    for (const [method, path] of [
      ['GET', 'tasks'],
      ['GET', `tasks/${payloadOf(token)['txn']}`],
      ['POST', `tasks/${payloadOf(token)['txn']}/revoke`],
      ['GET', 'ssf/stream'],
    ] as const) {
      const answer = await files.send(
        method,
        path,
        method === 'POST' ? { body: { reason: 'x' } } : {},
      )
      expect([path, reasonOf(answer)]).toEqual([path, '403 role_required'])
    }
    expect(reasonOf(await files.get(PATH))).toBe('405 method_not_allowed')
  })
})

describe('N01 what would break the log', () => {
  test.each([
    ['a line break', { tool: 'a\nb' }],
    ['a carriage return', { target: 'a\rb' }],
    ['a terminal’s escape', { tool: '\u001b[31mroot\u001b[0m' }],
    ['a line separator', { change_ref: 'a\u2028b' }],
    ['a NUL', { tool: 'a\u0000b' }],
    ['half a character', { tool: '\ud800' }],
    ['a megabyte', { tool: 'x'.repeat(1_000_000) }],
    ['an input', { input_digest: 'pay alice' }],
    ['an object for a name', { tool: { $gt: '' } }],
    ['a member of its own', { outcome_text: 'x' }],
    ['a prototype', JSON.parse('{"__proto__":{"tool":"x"}}')],
    ['a subject', { subject: 'bob' }],
    ['another resource’s name', { client: 'mail-api' }],
    ['an id of its own making', { id: 'admin' }],
    ['a time that is none', { at: '2026-02-30' }],
    ['a long time', { at: `2026-01-01T00:00:00.${'0'.repeat(64)}Z` }],
  ])('N01 %s is refused, and nothing of it is written', async (_, parts) => {
    const id = newId()
    const answer = await files.post(PATH, { records: [aRecord({ id, ...parts }), aRecord()] })
    expect(['400 request_malformed', '413 request_too_large']).toContain(reasonOf(answer))
    expect(linesOf({ id })).toEqual([])
  })

  test.each([
    '}{"event":"token"',
    '=HYPERLINK("x")',
    '","outcome":"permit',
    '\u202edrop',
    '漢字 😀',
  ])('N01 %j is a name, on one line', async (tool) => {
    const record = aRecord({ tool, target: tool, change_ref: tool })
    expect((await files.post(PATH, { records: [record] })).status).toBe(200)
    const [line = '', ...others] = linesOf(record)
    expect(others).toEqual([])
    expect(JSON.parse(line)).toMatchObject({
      tool,
      object: tool,
      change_ref: tool,
      event: 'record',
    })
  })

  test('N01 a flood in one request', async () => {
    const many = (count: number) => ({ records: Array.from({ length: count }, () => aRecord()) })
    expect(reasonOf(await files.post(PATH, many(0)))).toBe('400 request_malformed')
    expect(reasonOf(await files.post(PATH, many(101)))).toBe('400 request_malformed')
    expect((await files.post(PATH, many(100))).body['accepted']).toHaveLength(100)
  })
})

describe('when it was', () => {
  test.each([
    ['yesterday and an hour', -25],
    ['in an hour', 1],
  ])('%s is not believed', async (_, hours) => {
    const at = new Date(Date.now() + hours * 3_600_000).toISOString()
    const record = aRecord({ at })
    const { body } = await files.post(PATH, { records: [record] })
    expect(body['refused']).toEqual([{ id: record.id, reason: 'time_unacceptable' }])
  })
})
