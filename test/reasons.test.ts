/** Every reason of the closed table is really produced, each with its OAuth error, status and text. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isRefusal, REASONS, type Reason, refuse } from '../server/core/refusal.ts'
import { loadTenants } from '../server/tenants/load-tenants.ts'
import { actAlone } from '../server/use-cases/act-alone.ts'
import { DecisionRecord } from '../server/use-cases/decision-record.ts'
import { type Stage, setStage } from './attacks/fixture.ts'
import { PRODUCERS, type Reachable } from './attacks/producers.ts'
import { expectRefused } from './attacks/refusal.ts'
import { openEmbeddedStore } from './support/embedded-store.ts'
import { NO_USAGE } from './support/no-usage.ts'
import { epoch } from './support/signing.ts'
import { writeTenantFolder } from './support/tenant-folder.ts'

let stage: Stage
beforeAll(async () => {
  stage = await setStage()
})
afterAll(() => stage.close())

const REACHABLE = Object.keys(PRODUCERS) as Reachable[]
const UNREACHABLE: readonly Reason[] = ['facts_changed']

test('the table of reasons and the table of producers name the same', () => {
  expect([...REACHABLE, ...UNREACHABLE].sort()).toEqual(Object.keys(REASONS).sort())
})

test.each(REACHABLE)('%s is produced by a real request', async (reason) => {
  expectRefused(await PRODUCERS[reason](stage), reason)
})

test('the errors and statuses are those of RFC 6585, RFC 6749, RFC 8693, RFC 9396 and RFC 9449', () => {
  const statuses = new Map<string, Set<number>>()
  for (const { error, status } of Object.values(REASONS)) {
    statuses.set(error, (statuses.get(error) ?? new Set()).add(status))
  }
  expect(Object.fromEntries([...statuses].map(([error, set]) => [error, [...set]]))).toEqual({
    invalid_request: [400],
    invalid_target: [400],
    invalid_scope: [400],
    invalid_authorization_details: [400],
    invalid_client: [401],
    unauthorized_client: [400],
    unsupported_grant_type: [400],
    invalid_dpop_proof: [400],
    use_dpop_nonce: [400],
    temporarily_unavailable: [429, 503],
  })
})

test('facts_changed: the tenant changes between the decision and the signature, which no client can time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-reasons-'))
  writeTenantFolder(join(folder, 'tenants'), 'acme', {
    change: ({ taskTypes }) => {
      const [fileWork] = taskTypes.task_types
      taskTypes.task_types.push({ ...fileWork, id: 'own', basis: 'client', subjects_from: [] })
    },
  })
  const loaded = loadTenants({ folder: join(folder, 'tenants'), publicUrl: 'https://as.example' })
  if (loaded.kind === 'refused') throw new Error(JSON.stringify(loaded.problems))
  const tenant = loaded.tenants.get('acme')?.tenant
  const caller = tenant?.agents.get('planner')
  if (tenant === undefined || caller === undefined) throw new Error('the fixture has no planner')
  const clock = { now: epoch }
  const store = await openEmbeddedStore({ dataFolder: join(folder, 'data'), clock })
  let ids = 0
  let signed = 0
  const outcome = await actAlone(
    {
      clock,
      ...store,
      usage: NO_USAGE,
      tenants: { find: () => ({ ...tenant, version: 'newer' }) },
      randomId: () => `id-${++ids}`,
      mint: () => {
        signed += 1
        return Promise.resolve('')
      },
    },
    {
      tenant,
      caller,
      key: undefined,
      target: { audience: [], resource: [] },
      scope: undefined,
      taskType: undefined,
      purpose: undefined,
      record: new DecisionRecord({ ref: 'r', tenant: 'acme', tenant_version: 'v', event: 'token' }),
    },
  )
  expect(isRefusal(outcome) && outcome).toEqual(refuse('facts_changed'))
  expect(signed).toBe(0)
  const [, txn, jti] = ['id-1', 'id-2', 'id-3']
  expect((await store.tasks.findHop('acme', String(txn), String(jti)))?.hop.revoked).toBe(true)
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})
