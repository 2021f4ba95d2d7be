/** The log over its API: searched, told as a story, proven, exported, by reviewers alone; and each of these is on record. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyCheckpoint, verifyConsistency, verifyEvidence } from '../../lib/src/audit/index.ts'
import { type Stage, setStage, tokenOf } from '../attacks/fixture.ts'
import { auditMark, auditSince } from '../attacks/refusal.ts'
import { clientOf, type ManageClient, operatorAt, personAt } from '../support/manage-client.ts'
import { payloadOf } from '../support/signing.ts'

let stage: Stage
let dave: ManageClient
let txn: string
let refusedScope: string
beforeAll(async () => {
  stage = await setStage()
  dave = await personAt(stage.server, 'dave', { roles: ['reviewer'] })
  const first = await stage.first()
  txn = String(payloadOf(first)['txn'])
  const second = tokenOf(await stage.researcher.exchange(first, { audience: 'coder-a2a' }))
  tokenOf(await stage.coder.exchange(second, { audience: 'files-api' }))
  refusedScope = 'files:delete'
  await stage.coder.exchange(second, { audience: 'files-api', scope: refusedScope })
  await stage.first() // another task
  const desk = await operatorAt(stage.server)
  await desk.post(`tasks/${txn}/revoke`, { place: 'planner/researcher', reason: 'misled' })
})
afterAll(() => stage.close())

type Item = Readonly<Record<string, unknown>>

async function itemsOf(query: string): Promise<readonly Item[]> {
  const { status, body } = await dave.get(`audit/entries?${query}`)
  expect(status).toBe(200)
  return body['items'] as Item[]
}

describe('a search', () => {
  test('is newest first, by task, agent, subject, resource, outcome, reason, code and time', async () => {
    const ofTask = await itemsOf(`txn=${txn}`)
    const indexes = ofTask.map((item) => Number(item['index']))
    expect(indexes).toEqual(indexes.toSorted((a, b) => b - a))
    expect(ofTask.map((item) => item['code'])).toEqual([
      'place.revoked',
      'token.refused',
      'token.issued',
      'token.issued',
      'token.issued',
    ])
    const [, refused, last] = ofTask
    const target = encodeURIComponent(String(last?.['target']))
    const searches: Readonly<Record<string, Item | undefined>> = {
      [`txn=${txn}&agent=coder&outcome=permit`]: last,
      [`txn=${txn}&subject=alice&resource=${target}&outcome=permit`]: last,
      [`txn=${txn}&reason=${String(refused?.['reason'])}`]: refused,
      [`txn=${txn}&code=token.refused`]: refused,
      [`txn=${txn}&code=token.issued&limit=1`]: last,
    }
    for (const [query, item] of Object.entries(searches)) {
      expect([query, await itemsOf(query)]).toEqual([query, [item]])
    }
    const after = new Date((Number(last?.['time']) + 3600) * 1000).toISOString()
    expect(await itemsOf(`txn=${txn}&from=${after}`)).toEqual([])
    expect(await itemsOf(`txn=${txn}&to=${after}`)).toEqual(ofTask)
  })

  test('goes on where a page ended, and ends', async () => {
    const all = await itemsOf(`txn=${txn}`)
    const paged: Item[] = []
    let cursor = ''
    do {
      const { body } = await dave.get(`audit/entries?txn=${txn}&limit=2${cursor}`)
      paged.push(...(body['items'] as Item[]))
      const next = body['next_cursor']
      cursor = typeof next === 'string' ? `&cursor=${next}` : ''
    } while (cursor !== '')
    expect(paged).toEqual(all)
  })

  test.each([
    'cursor=abc',
    `cursor=${Buffer.from('entry.-1').toString('base64url')}`,
    `cursor=${Buffer.from('entry.07').toString('base64url')}`,
    `cursor=${Buffer.from('1790000000.aaaaaaaaaaaaaaaaaaaaaa').toString('base64url')}`,
    'limit=0',
    'limit=1000',
    'txn=x',
    'from=yesterday',
    'outcome=maybe',
    'guard=scope',
  ])('%s is not taken', async (query) => {
    const { status, body } = await dave.get(`audit/entries?${query}`)
    expect([status, body['reason']]).toEqual([400, 'request_malformed'])
  })
})

describe('the story of a task', () => {
  test('has every entry once, oldest first, and each at the place it belongs to', async () => {
    const { status, body } = await dave.get(`audit/tasks/${txn}`)
    expect(status).toBe(200)
    const entries = body['entries'] as Item[]
    expect(entries.map((item) => item['code'])).toEqual([
      'token.issued',
      'token.issued',
      'token.issued',
      'token.refused',
      'place.revoked',
    ])
    const [first, second, third, refused, ended] = entries.map((item) => item['index'])
    const nothing = { tokens: [], refusals: [], actions: [], endings: [] }
    expect(body).toMatchObject({
      txn,
      is_cut: false,
      task: [],
      places: [
        { ...nothing, place: ['planner'], tokens: [first] },
        { ...nothing, place: ['planner', 'researcher'], tokens: [second], endings: [ended] },
        {
          ...nothing,
          place: ['planner', 'researcher', 'coder'],
          tokens: [third],
          refusals: [refused],
        },
      ],
    })
  })

  test('of a task that never was is not there', async () => {
    const { status, body } = await dave.get('audit/tasks/AAAAAAAAAAAAAAAAAAAAAA')
    expect([status, body['reason']]).toEqual([404, 'not_found'])
  })
})

describe('what proves the log', () => {
  test('an evidence bundle of a task is verified without the server', async () => {
    const { status, text } = await dave.get(`audit/tasks/${txn}/evidence`)
    expect(status).toBe(200)
    const bundle: unknown = JSON.parse(text)
    const report = await verifyEvidence(bundle)
    expect(report.entries.map(({ entry }) => entry['code'])).toEqual([
      'token.issued',
      'token.issued',
      'token.issued',
      'token.refused',
      'place.revoked',
    ])
    expect(report.missingVersions).toEqual([])
    expect(report.versions).toHaveLength(1)
    expect(bundle).toMatchObject({ jwks: { keys: [{ kty: 'EC' }] }, missing_versions: [] })
    const touched = text.replace(refusedScope, 'files:browse')
    await expect(verifyEvidence(JSON.parse(touched))).rejects.toThrow()
  })

  test('a checkpoint covers its own reading, and the log grows from an older one', async () => {
    const asked = await dave.get('audit/checkpoint')
    expect(asked.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    await itemsOf('')
    const size = Number(asked.text.split('\n')[1])
    const { status, body } = await dave.get(`audit/consistency?from=${size}`)
    expect(status).toBe(200)
    const older = await verifyCheckpoint(asked.text, String(body['key']))
    const newer = await verifyCheckpoint(String(body['checkpoint']), String(body['key']))
    expect([older.size, newer.size > size]).toEqual([size, true])
    await verifyConsistency({
      from: size,
      to: newer.size,
      proof: (body['proof'] as string[]).map((hash) => Buffer.from(hash, 'base64')),
      fromRoot: older.root,
      toRoot: newer.root,
    })
    const beyond = await dave.get('audit/consistency?from=1000000')
    expect([beyond.status, beyond.body['reason']]).toEqual([400, 'request_malformed'])
  })
})

describe('an export', () => {
  const linesOf = (text: string): Item[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Item)

  test('is every entry with its index, oldest first', async () => {
    const { headers, text } = await dave.get(`audit/export?txn=${txn}`)
    expect(headers.get('content-type')).toBe('application/jsonl')
    expect(linesOf(text)).toEqual((await itemsOf(`txn=${txn}`)).toReversed())
    const all = linesOf((await dave.get('audit/export')).text)
    expect(all.map((item) => item['index'])).toEqual(all.map((_, at) => at))
  })

  test('is events of OCSF, and log records of OpenTelemetry', async () => {
    const ocsf = linesOf((await dave.get(`audit/export?format=ocsf&txn=${txn}`)).text)
    expect(ocsf.map((event) => event['class_uid'])).toEqual([3003, 3003, 3003, 3003, 3004])
    const otlp = linesOf((await dave.get(`audit/export?format=otlp&txn=${txn}`)).text)
    expect(otlp).toHaveLength(5)
    expect(otlp[0]).toHaveProperty('resourceLogs.0.scopeLogs.0.logRecords.0.timeUnixNano')
  })
})

const PATHS = [
  'audit/entries',
  'audit/tasks/AAAAAAAAAAAAAAAAAAAAAA',
  'audit/tasks/AAAAAAAAAAAAAAAAAAAAAA/evidence',
  'audit/checkpoint',
  'audit/consistency?from=0',
  'audit/export',
]

describe('who may read', () => {
  test.each(PATHS)('%s: nobody but reviewers', async (path) => {
    const others = [
      await operatorAt(stage.server),
      await clientOf(stage.planner),
      await personAt(stage.server, 'alice'),
      await personAt(stage.server, 'carol', { roles: ['admin', 'policy_author', 'helpdesk'] }),
    ]
    for (const other of others) {
      const { status, body } = await other.get(path)
      expect([status, body['reason']]).toEqual([403, 'role_required'])
    }
  })

  test('every reading is on record before it is answered, with what was asked', async () => {
    const mark = auditMark(stage.server)
    await itemsOf(`txn=${txn}&outcome=refuse`)
    await dave.get(`audit/tasks/${txn}`)
    await dave.get(`audit/tasks/${txn}/evidence`)
    await dave.get('audit/checkpoint')
    await dave.get('audit/consistency?from=1')
    await dave.get('audit/export?format=ocsf&agent=coder')
    await dave.get('audit/tasks/AAAAAAAAAAAAAAAAAAAAAA')
    const readings = auditSince(stage.server, mark)
    expect(readings).toMatchObject([
      { action: 'search_audit', query: { txn, outcome: 'refuse' }, code: 'audit.read' },
      { action: 'read_audit_task', query: { txn } },
      { action: 'read_audit_evidence', query: { txn } },
      { action: 'read_audit_checkpoint', query: {} },
      { action: 'read_audit_consistency', query: { from: '1' } },
      { action: 'export_audit', query: { format: 'ocsf', agent: 'coder' } },
      { action: 'read_audit_task', outcome: 'refuse', code: 'audit.read_refused' },
    ])
    for (const reading of readings) {
      expect(reading).toMatchObject({ event: 'audit', roles: ['reviewer', 'subject'] })
      expect(reading['author']).toMatch(/:dave$/)
      expect(reading['txn']).toBeUndefined() // a reading is no part of the story
    }
  })
})

describe('F05: the log of another tenant', () => {
  test('is not there for a token of this one', async () => {
    const globex = dave.issuer.replace(/acme$/, 'globex')
    const mallory = Object.assign(Object.create(dave) as ManageClient, { issuer: globex })
    for (const path of PATHS) {
      const { status } = await mallory.get(path)
      expect(status, path).toBe(401)
    }
  })

  test('none of its tasks and entries, by any id, is in this one', async () => {
    const eve = await personAt(stage.server, 'eve', { tenant: 'globex', roles: ['reviewer'] })
    const unknown = 'AAAAAAAAAAAAAAAAAAAAAA'
    for (const kind of ['', '/evidence']) {
      const [theirs, nobodys] = await Promise.all(
        [txn, unknown].map((id) => eve.get(`audit/tasks/${id}${kind}`)),
      )
      const told = ({ status, body }: NonNullable<typeof theirs>) => {
        const { error_ref: _, ...rest } = body
        return { status, rest }
      }
      expect(theirs && told(theirs)).toEqual(nobodys && told(nobodys))
    }
    const { body } = await eve.get(`audit/entries?txn=${txn}`)
    expect(body).toEqual({ items: [] })
    const cursor = Buffer.from('entry.100000').toString('base64url')
    const paged = await eve.get(`audit/entries?cursor=${cursor}`)
    const tenants = (paged.body['items'] as Item[]).map((item) => item['tenant'])
    expect(new Set(tenants)).toEqual(new Set(['globex']))
    const exported = await eve.get('audit/export')
    expect(exported.text).not.toContain('"acme"')
  })
})
