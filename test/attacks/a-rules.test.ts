/** Threats A where the tenant's rules draw the edges, not its facts: who may be handed a task, and whom a rule trusts. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createVerifier, VerificationError, type Verifier } from '../../lib/src/index.ts'
import type { AgentClient } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { payloadOf } from '../support/signing.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'
import { find, signerAt, tokenOf } from './fixture.ts'
import { actorsOf, auditMark, auditSince, expectGranted, expectRefusal } from './refusal.ts'

/**
 * The facts let everyone hand on to rogue. By these rules nobody may but coder, and planner's way there is forbidden by
 * name; of the agents at the files API only coder may write.
 */
const RULES = {
  'rules.cedar': `
@id("open") permit (principal, action == Action::"open", resource);
@id("hand-on") permit (principal, action == Action::"delegate", resource)
  unless { context.recipient == Agent::"rogue" };
@id("coder-to-rogue") permit (principal == Agent::"coder", action == Action::"delegate", resource == Resource::"rogue-a2a");
@id("not-planner-to-rogue") forbid (principal == Agent::"planner", action == Action::"delegate", resource == Resource::"rogue-a2a");
@id("read-files") permit (principal, action == Action::"call", resource == Resource::"files-api")
  when { context.scope.tier == "read" };
@id("coder-writes") permit (principal == Agent::"coder", action == Action::"call", resource == Resource::"files-api");
@id("retrieval-reads") permit (principal, action == Action::"call", resource == Resource::"archive-api")
  when { principal.class == "retrieval" };
`,
}

let server: TestServer
let planner: AgentClient
let researcher: AgentClient
let coder: AgentClient
let rogue: AgentClient
beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: openFacts }, rules: { acme: RULES } })
  ;[planner, researcher, coder, rogue] = (['planner', 'researcher', 'coder', 'rogue'] as const).map(
    (id) => server.client(id),
  ) as [AgentClient, AgentClient, AgentClient, AgentClient]
})
afterAll(() => server.close())

function openFacts({ agents, resources, taskTypes }: TenantDocuments): void {
  const [fileWork] = taskTypes.task_types
  Object.assign(fileWork ?? {}, {
    reach: ['researcher-a2a', 'coder-a2a', 'rogue-a2a', 'files-api', 'archive-api'],
    scopes: ['files:read', 'files:write', 'archive:read'],
  })
  resources.resources.push({
    id: 'archive-api',
    uri: 'https://archive.api',
    kind: 'api',
    scopes: { 'archive:read': { tier: 'read' } },
  })
  for (const agent of agents.agents) {
    agent['scopes'] = ['files:read', 'files:write', 'archive:read']
    const others = ['researcher-a2a', 'coder-a2a', 'rogue-a2a'].filter(
      (id) => id !== `${String(agent['id'])}-a2a`,
    )
    agent['may_reach'] = [...others, 'files-api', 'archive-api']
  }
  for (const id of ['researcher-a2a', 'coder-a2a', 'rogue-a2a']) {
    find(resources.resources, id)['scopes'] = ['files:read', 'files:write', 'archive:read']
  }
}

const to = (audience: string, scope?: string) =>
  scope === undefined ? { audience } : { audience, scope }
const open = async (audience: string): Promise<string> =>
  tokenOf(await planner.open(server.idToken(), { audience }))
/** alice's token for planner, then `next`, addressed to rogue by coder. */
const throughCoder = async (): Promise<string> =>
  tokenOf(await coder.exchange(await open('coder-a2a'), to('rogue-a2a')))

describe('A05 upstream splice, by the rules', () => {
  const closed = { reason: 'target_not_permitted', guard: 'target_closed_by_rules' } as const

  test('A05 refuses the holder a token for an agent that its rules forbid, however it asks', async () => {
    const held = tokenOf(await planner.open(server.idToken()))
    const first = await open('researcher-a2a')
    for (const form of [
      to('rogue-a2a'),
      { resource: 'https://rogue.agents/a2a' },
      to('rogue-a2a', 'files:read'),
      to('rogue-a2a', 'files:read files:write'),
    ]) {
      await expectRefusal(server, closed, () => planner.open(server.idToken(), form))
      await expectRefusal(server, closed, () => planner.exchange(held, form))
      await expectRefusal(server, closed, () => planner.exchange(first, form))
    }
  })

  test('A05 refuses a recipient whom no rule permits, and names the rules on record alone', async () => {
    const first = await open('researcher-a2a')
    const before = auditMark(server)
    const unnamed = await researcher.exchange(first, to('rogue-a2a'))
    const named = await planner.exchange(first, to('rogue-a2a'))
    const [none, forbidden] = auditSince(server, before)
    expect(none).toMatchObject({ guard: 'target_closed_by_rules' })
    expect(none).not.toHaveProperty('policies')
    expect(forbidden).toMatchObject({ policies: ['not-planner-to-rogue'] })
    // To the caller an edge that rules close is as one that facts close, or that never was.
    const unknown = await researcher.exchange(first, to('nobody-a2a'))
    for (const answer of [unnamed, named, unknown]) {
      expect(answer.status).toBe(400)
      expect(answer.body).toEqual({
        ...unknown.body,
        error: 'invalid_target',
        error_ref: expect.any(String),
      })
    }
  })

  test('A05 takes the edge the rules do draw', async () => {
    const first = await open('coder-a2a')
    const claims = await expectGranted(server, () => coder.exchange(first, to('rogue-a2a')))
    expect(claims).toMatchObject({ aud: 'https://rogue.agents/a2a', client_id: 'coder' })
    expect(server.audit().at(-1)).toMatchObject({ policies: ['coder-to-rogue'] })
  })
})

describe('A13 authority from a past actor', () => {
  test('A13 a rule that trusts coder serves coder, and nobody after it', async () => {
    const coders = await open('coder-a2a')
    await expectGranted(server, () => coder.exchange(coders, to('files-api', 'files:write')))
    const rogues = await throughCoder()
    expect(actorsOf(payloadOf(rogues))).toEqual(['coder', 'planner'])
    expect(payloadOf(rogues)['scope']).toContain('files:write')
    const refusal = { reason: 'scope_not_permitted', guard: 'no_rule_permits' } as const
    await expectRefusal(server, refusal, () =>
      rogue.exchange(rogues, to('files-api', 'files:write')),
    )
    const claims = await expectGranted(server, () => rogue.exchange(rogues, to('files-api')))
    expect(claims['scope']).toBe('files:read')
  })

  test('A13 nor does the class of an earlier actor serve a later one', async () => {
    const first = await open('researcher-a2a')
    await expectGranted(server, () => researcher.exchange(first, to('archive-api')))
    const second = tokenOf(await researcher.exchange(first, to('coder-a2a')))
    const closed = { reason: 'target_not_permitted', guard: 'target_closed_by_rules' } as const
    await expectRefusal(server, closed, () => coder.exchange(second, to('archive-api')))
  })

  test('A13 the token it gets instead names rogue as the actor, and coder as history', async () => {
    const rogues = await throughCoder()
    const token = tokenOf(await rogue.exchange(rogues, to('files-api')))
    const keys = [signerAt(server, 'acme').publicJwk]
    const verifier = createVerifier({
      revocation: 'off',
      issuer: server.issuer(),
      audience: 'https://files.api',
      jwks: { keys },
      allowInsecureLoopback: true,
    })
    const report = await verify(verifier, token, 'files:read')
    expect(report).toMatchObject({ actor: { sub: 'rogue' }, subject: 'alice' })
    expect(report.chain.map(({ sub }) => sub)).toEqual(['rogue', 'coder', 'planner'])
    // What coder held on the way is in its ceiling, and opens nothing to rogue (RFC 8693 §4.1).
    expect(report.ceilings[1]?.scope).toContain('files:write')
    const beyond = verify(verifier, token, 'files:write')
    await expect(beyond).rejects.toThrow(VerificationError)
    await expect(beyond).rejects.toMatchObject({ reason: 'scope_insufficient' })
  })

  function verify(verifier: Verifier, token: string, scope: string) {
    const url = 'https://files.api/entries'
    const ath = createHash('sha256').update(token).digest('base64url')
    const proof = rogue.proof({ proof: { htm: 'GET', htu: url, ath } })
    return verifier.verify({ token, proof, method: 'GET', url, scheme: 'DPoP' }, { scope })
  }
})
