/** Entries in the forms of OCSF and OpenTelemetry, and as lines. */
import { describe, expect, test } from 'vitest'
import { AUDIT_CODES } from '../../server/core/audit-code.ts'
import { toOcsf } from '../../server/core/audit-ocsf.ts'
import { toOtlp } from '../../server/core/audit-otlp.ts'
import type { ExportedEntry } from '../../server/core/exported-entry.ts'
import { jsonLine } from '../../server/core/json-line.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

function anEntry(parts: Partial<ExportedEntry> = {}): ExportedEntry {
  return {
    time: 1790000000.25,
    ref: 'ref-1',
    tenant: 'acme',
    code: 'token.issued',
    event: 'token',
    outcome: 'permit',
    client: 'coder',
    subject: 'alice',
    txn: 'task-1',
    target: 'https://files.api',
    scope_after: ['files:read'],
    expires_at: 1790000300,
    ...parts,
  }
}

const ocsf = (parts: Partial<ExportedEntry> = {}) => toOcsf({ index: 7, entry: anEntry(parts) })

describe('OCSF', () => {
  test('a token is privileges given to a session, on behalf of the subject', () => {
    const entry = anEntry()
    expect(ocsf()).toEqual({
      activity_id: 1,
      category_uid: 3,
      class_uid: 3003,
      type_uid: 300301,
      time: 1790000000250,
      severity_id: 1,
      status_id: 1,
      metadata: {
        version: '1.5.0',
        product: { name: 'Actchain', vendor_name: 'Actchain' },
        log_name: 'audit',
        event_code: 'token.issued',
        sequence: 7,
        tenant_uid: 'acme',
        uid: 'ref-1',
        correlation_uid: 'task-1',
      },
      actor: { app_uid: 'coder', user: { uid: 'alice' } },
      user: { uid: 'alice' },
      privileges: ['files:read'],
      session: { uid: 'task-1', expiration_time: 1790000300000 },
      dst_endpoint: { uid: 'https://files.api' },
      unmapped: entry,
    })
  })

  test('a refusal is a failure with its reason, and a question neither', () => {
    const refused = { code: 'token.refused', outcome: 'refuse', reason: 'scope_not_permitted' }
    expect(ocsf(refused)).toMatchObject({
      status_id: 2,
      status_detail: 'scope_not_permitted',
      severity_id: 2,
    })
    expect(ocsf({ code: 'token.asked', outcome: 'ask' })).toMatchObject({ status_id: 99 })
  })

  test.each([
    ['agent.disabled', { agent: 'coder' }, { type: 'Agent', uid: 'coder' }, 9],
    ['key.killed', { kid: 'k1' }, { type: 'Key', uid: 'k1' }, 11],
    ['version.activated', { version_after: 'v2' }, { type: 'Version', uid: 'v2' }, 10],
    ['task.suspended', {}, { type: 'Task', uid: 'task-1' }, 12],
  ])('%s is a change of an entity', (code, parts, entity, activity) => {
    expect(ocsf({ code, ...parts })).toMatchObject({
      class_uid: 3004,
      activity_id: activity,
      entity,
    })
  })

  test('what a resource server did is activity at its API', () => {
    const done = { event: 'record', code: 'action.recorded', tool: 'write_file', object: '/a' }
    expect(ocsf(done)).toMatchObject({
      class_uid: 6003,
      api: { operation: 'write_file' },
      resources: [{ uid: 'https://files.api', name: '/a' }],
    })
  })

  test.each(Object.keys(AUDIT_CODES))('%s has all that its class asks for', (code) => {
    const bare: ExportedEntry = {
      time: 1,
      ref: 'r',
      tenant: 'acme',
      code,
      event: 'management',
      outcome: 'permit',
    }
    const event = toOcsf({ index: 0, entry: bare }) as Readonly<Record<string, unknown>>
    const required: Readonly<Record<number, readonly string[]>> = {
      3002: ['user', 'service'],
      3003: ['user'],
      3004: ['entity'],
      6003: ['actor', 'api', 'src_endpoint'],
    }
    const classId = Number(event['class_uid'])
    expect(Object.keys(event)).toEqual(
      expect.arrayContaining(['time', 'severity_id', 'metadata', ...(required[classId] ?? [])]),
    )
    expect(event['type_uid']).toBe(classId * 100 + Number(event['activity_id']))
  })
})

describe('OpenTelemetry', () => {
  const recordOf = (parts: Partial<ExportedEntry> & Readonly<Record<string, unknown>>) => {
    const exported = toOtlp({ index: 7, entry: { ...anEntry(), ...parts } }) as {
      resourceLogs: [{ scopeLogs: [{ logRecords: [Readonly<Record<string, unknown>>] }] }]
    }
    return exported.resourceLogs[0].scopeLogs[0].logRecords[0]
  }

  test('a record has its time, its place in a trace, and every member as an attribute', () => {
    const traceparent = `00-${TRACE}-${SPAN}-01`
    const record = recordOf({ traceparent, digests: { purpose: 'd' }, guessed: true, share: 0.5 })
    expect(record).toMatchObject({
      timeUnixNano: '1790000000250000000',
      severityText: 'INFO',
      eventName: 'actchain.token.issued',
      body: { stringValue: 'token.issued' },
      traceId: TRACE,
      spanId: SPAN,
      flags: 1,
    })
    const attribute = (key: string, value: object) => ({ key: `actchain.${key}`, value })
    expect(record['attributes']).toEqual(
      expect.arrayContaining([
        attribute('index', { intValue: '7' }),
        attribute('client', { stringValue: 'coder' }),
        attribute('expires_at', { intValue: '1790000300' }),
        attribute('scope_after', { arrayValue: { values: [{ stringValue: 'files:read' }] } }),
        attribute('guessed', { boolValue: true }),
        attribute('share', { doubleValue: 0.5 }),
        attribute('digests', {
          kvlistValue: { values: [{ key: 'purpose', value: { stringValue: 'd' } }] },
        }),
      ]),
    )
  })

  test('without a trace it has none, and a refusal warns', () => {
    const record = recordOf({ outcome: 'refuse' })
    expect(record).not.toHaveProperty('traceId')
    expect(record).toMatchObject({ severityText: 'WARN', severityNumber: 13 })
  })
})

describe('a line', () => {
  const HOSTILE = 'a\nb\r\u001b[31m\u0000}{\u2028\u2029\u0085\u202e\ufeff=HYPERLINK("x")\ud800'

  test('N01 is one line of printable text whatever stands in it, and means the same', () => {
    for (const value of [{ index: 0, subject: HOSTILE }, ocsf({ subject: HOSTILE })]) {
      const line = jsonLine(value)
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)))
    }
  })
})
