/** What the page of metrics says, and how many series callers can make. */
import { beforeEach, describe, expect, test } from 'vitest'
import { METRICS } from '../../server/telemetry/metric-table.ts'
import { createMetrics, type Levels, type Metrics } from '../../server/telemetry/metrics.ts'
import type { AnsweredRequest, AuditEntry } from '../../server/use-cases/ports.ts'

const QUIET: Levels = {
  isAuditFailing: false,
  journalOctets: 0,
  feedListeners: 0,
  damagedLogs: [],
  conflictingLogs: [],
}

const yes = (): boolean => true

let metrics: Metrics
beforeEach(() => {
  metrics = createMetrics({ version: '1.2.3' })
})

async function lines(levels: Partial<Levels> = {}): Promise<readonly string[]> {
  const text = await metrics.text({ ...QUIET, ...levels })
  return text.split('\n').filter((line) => line.startsWith('actchain_'))
}

const answer = (more: Partial<AnsweredRequest> = {}): AnsweredRequest => ({
  ref: 'r',
  tenant: 'acme',
  status: 200,
  outcome: 'permit',
  ...more,
})

const entry = (more: Partial<AuditEntry> = {}): AuditEntry => ({
  time: 1,
  ref: 'r',
  tenant: 'acme',
  tenant_version: 'v',
  event: 'token',
  outcome: 'permit',
  ...more,
})

describe('requests', () => {
  test('are counted by endpoint, tenant and public reason, and timed', async () => {
    metrics.answered('token', answer(), 3)
    metrics.answered('token', answer(), 30)
    metrics.answered('token', answer({ outcome: 'refuse', reason: 'task_ended' }), 3)
    metrics.answered('token', answer({ outcome: 'ask', reason: 'approval_required' }), 3)
    const found = await lines()
    const series = (labels: string, count: number) => `actchain_requests_total{${labels}} ${count}`
    expect(found).toContain(
      series('endpoint="token",tenant="acme",outcome="permit",reason="none"', 2),
    )
    expect(found).toContain(
      series('endpoint="token",tenant="acme",outcome="refuse",reason="task_ended"', 1),
    )
    const timed = 'actchain_request_duration_seconds_bucket'
    expect(found).toContain(`${timed}{le="0.005",endpoint="token",outcome="permit"} 1`)
    expect(found).toContain(`${timed}{le="0.05",endpoint="token",outcome="permit"} 2`)
  })

  test('name no client, no request and no task', async () => {
    metrics.answered('token', answer({ ref: 'sentinel', client: 'sentinel', txn: 'sentinel' }), 1)
    expect((await lines()).join()).not.toContain('sentinel')
  })

  test('M05 of the hundred and first tenant, and of every later one, are those of others', async () => {
    for (let at = 0; at < 1000; at += 1) {
      const tenant = `tenant-${at}`
      metrics.answered('token', answer({ tenant }), 1)
      metrics.recorded(entry({ tenant }), yes)
      metrics.checkpointed(tenant, 1, 1)
    }
    const found = await lines({ damagedLogs: ['tenant-0', 'tenant-999'] })
    const requests = found.filter((line) => line.startsWith('actchain_requests_total'))
    expect(requests).toHaveLength(101)
    expect(requests.at(-1)).toContain('tenant="_other"')
    expect(requests.at(-1)).toMatch(/ 900$/)
    expect(found.filter((line) => line.startsWith('actchain_audit_damaged'))).toEqual([
      'actchain_audit_damaged{log="tenant-0"} 1',
      'actchain_audit_damaged{log="_other"} 1',
    ])
  })
})

describe('the record', () => {
  test('N05 of a tenant there is not is the platform’s: its name is a text of the caller', async () => {
    metrics.recorded(entry({ tenant: 'sentinel', outcome: 'refuse' }), () => false)
    const found = await lines()
    expect(found).toContain(
      'actchain_audit_entries_total{tenant="_platform",code="token.refused"} 1',
    )
    expect(found.join()).not.toContain('sentinel')
  })

  test('is counted by event code; tokens by their way in; endings', async () => {
    metrics.recorded(entry({ way_in: 'root' }), yes)
    metrics.recorded(entry({ outcome: 'refuse', reason: 'task_ended' }), yes)
    metrics.revoked(entry({ event: 'revocation' }))
    const found = await lines()
    expect(found).toContain('actchain_audit_entries_total{tenant="acme",code="token.issued"} 1')
    expect(found).toContain('actchain_audit_entries_total{tenant="acme",code="token.refused"} 1')
    expect(found).toContain('actchain_tokens_issued_total{tenant="acme",way_in="root"} 1')
    expect(found).toContain('actchain_revocations_total{tenant="acme"} 1')
  })

  test('says how many share a write, how long it takes, and that it fails', async () => {
    metrics.committed({ entries: 3, ms: 4, failed: false })
    metrics.committed({ entries: 9, ms: 9, failed: true })
    metrics.checkpointed('acme', 12, 1700)
    const found = await lines({ isAuditFailing: true, journalOctets: 77, feedListeners: 5 })
    expect(found).toContain('actchain_audit_commit_entries_sum 3')
    expect(found).toContain('actchain_audit_commit_duration_seconds_sum 0.004')
    expect(found).toContain('actchain_audit_commit_failures_total 1')
    expect(found).toContain('actchain_audit_failing 1')
    expect(found).toContain('actchain_audit_journal_octets 77')
    expect(found).toContain('actchain_feed_listeners 5')
    expect(found).toContain('actchain_audit_checkpoint_entries{log="acme"} 12')
    expect(found).toContain('actchain_audit_checkpoint_timestamp_seconds{log="acme"} 1700')
  })

  test('that fits its checkpoint again is not damaged any more', async () => {
    expect(await lines({ damagedLogs: ['acme'] })).toContain('actchain_audit_damaged{log="acme"} 1')
    expect((await lines()).join()).not.toContain('actchain_audit_damaged{')
  })

  test('that fits what its anchors have again is in no conflict any more', async () => {
    const conflict = 'actchain_audit_anchor_conflict{log="acme"} 1'
    expect(await lines({ conflictingLogs: ['acme'] })).toContain(conflict)
    expect((await lines()).join()).not.toContain('actchain_audit_anchor_conflict{')
  })
})

test('every metric is of the table, with its help, its type and its labels', async () => {
  metrics.answered('management', answer(), 1)
  metrics.answeredPublic('status', 304)
  metrics.recorded(entry(), yes)
  metrics.revoked(entry())
  metrics.checkpointed('acme', 1, 1)
  const text = await metrics.text({
    ...QUIET,
    damagedLogs: ['acme'],
    conflictingLogs: ['acme'],
  })
  for (const { name, type, help, labels } of Object.values(METRICS)) {
    expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`)
    const [, found = ''] = new RegExp(`^${name}(?:_sum)?(?:{([^}]*)})? `, 'm').exec(text) ?? []
    const names = found.split(',').flatMap((pair) => /^(\w+)=/.exec(pair)?.[1] ?? [])
    expect({ name, labels: names.toSorted() }).toEqual({ name, labels: [...labels].sort() })
  }
  const ours = text.matchAll(/^# TYPE (actchain_\w+)/gm)
  expect(new Set([...ours].map(([, name]) => name))).toEqual(
    new Set(Object.values(METRICS).map(({ name }) => name)),
  )
})

test('the process tells of itself once, however many servers it runs', async () => {
  createMetrics({ version: '1.2.3' })
  const text = await metrics.text(QUIET)
  for (const name of ['process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds']) {
    expect(text.split(`# TYPE ${name} `)).toHaveLength(2)
  }
})
