/**
 * PROF-24: one exchange is one entry, with what it came from, what came of it, for whom, by whom and how they proved it, the scopes
 * before and after, and what decided; and a refusal says as much of it as was known.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Stage, setStage, tokenOf } from './attacks/fixture.ts'
import { auditMark, auditSince } from './attacks/refusal.ts'
import { faultsOf } from './support/coded-entries.ts'
import { payloadOf } from './support/signing.ts'

let stage: Stage
beforeAll(async () => {
  stage = await setStage()
})
afterAll(() => stage.close())

const whoAsked = {
  client: 'researcher',
  client_auth: 'private_key_jwt',
  credential: 'researcher-1',
  bound_by: 'dpop',
  subject: 'alice',
  way_in: 'recipient',
  task_type: 'file-work',
  tenant: 'acme',
  tenant_version: expect.stringMatching(/^[0-9a-f]{64}$/),
  time: expect.any(Number),
  event: 'token',
}

test('PROF-24 an exchange has one entry: from which token to which, whole chain, scopes before and after, decision', async () => {
  const first = await stage.first()
  const before = auditMark(stage.server)
  const scope = 'files:read'
  const token = tokenOf(await stage.researcher.exchange(first, { audience: 'coder-a2a', scope }))
  const [parent, claims] = [payloadOf(first), payloadOf(token)]
  const entries = auditSince(stage.server, before)
  expect(entries).toEqual([
    {
      ...whoAsked,
      code: 'token.issued',
      outcome: 'permit',
      ref: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
      txn: parent['txn'],
      parent_jti: parent['jti'],
      jti: claims['jti'],
      chain: ['planner', 'researcher'],
      target: claims['aud'],
      scope_before: ['files:read', 'files:write'],
      scope_requested: ['files:read'],
      scope_after: ['files:read'],
      expires_at: claims['exp'],
      policies: expect.arrayContaining([expect.any(String)]),
      obligations: expect.any(Object),
      anomalies: [],
    },
  ])
  expect(faultsOf(entries)).toEqual([])
})

test('PROF-24 a refused one says from which token, for which target and scopes, by which rules and why', async () => {
  const first = await stage.first()
  const before = auditMark(stage.server)
  const answer = await stage.researcher.exchange(first, {
    audience: 'coder-a2a',
    scope: 'mail:send',
  })
  const parent = payloadOf(first)
  expect(auditSince(stage.server, before)).toEqual([
    expect.objectContaining({
      ...whoAsked,
      task_type: expect.any(String),
      code: 'token.refused',
      outcome: 'refuse',
      ref: answer.body['error_ref'],
      reason: 'scope_not_permitted',
      guard: expect.any(String),
      txn: parent['txn'],
      parent_jti: parent['jti'],
      chain: ['planner'],
      target: 'https://coder.agents/a2a',
      scope_before: ['files:read', 'files:write'],
      scope_requested: ['mail:send'],
      anomalies: [],
    }),
  ])
})

test('PROF-24 so does one that opens a task, and one for a task that is over', async () => {
  const first = await stage.first()
  await stage.planner.revoke(first)
  const before = auditMark(stage.server)
  await stage.planner.open(stage.server.idToken('mallory'), { audience: 'researcher-a2a' })
  await stage.researcher.exchange(first, { audience: 'coder-a2a' })
  expect(auditSince(stage.server, before)).toMatchObject([
    {
      reason: 'subject_inactive',
      subject: 'mallory',
      way_in: 'root',
      chain: ['planner'],
      target: 'https://researcher.agents/a2a',
      bound_by: 'dpop',
    },
    {
      reason: 'subject_token_revoked',
      txn: payloadOf(first)['txn'],
      task_type: 'file-work',
      chain: ['planner'],
      target: 'https://coder.agents/a2a',
      scope_before: ['files:read', 'files:write'],
    },
  ])
})
