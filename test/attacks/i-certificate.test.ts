/** Threats I, for tokens that are bound to a certificate (RFC 8705 §3): worth nothing over any other connection. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AgentClient, type Answer, JWT_TYPE, type Overrides } from '../support/agent-client.ts'
import { makeSelfSigned, type TestCertificate } from '../support/certificates.ts'
import { newKey, payloadOf } from '../support/signing.ts'
import { startTlsServer, type TlsServer } from '../support/tls-server.ts'
import { find, tokenOf } from './fixture.ts'
import { expectGranted, expectRefusal } from './refusal.ts'

let server: TlsServer
let own: TestCertificate
let other: TestCertificate
let registered: TestCertificate
/** planner by its key, over its certificate, over another one, and over none. */
let planner: AgentClient
let stolen: AgentClient
let bare: AgentClient
/** By its certificate alone (RFC 8705 §2.2). */
let researcher: AgentClient
let coder: AgentClient
/** Bound to nothing, unless it sends a proof. */
let rogue: AgentClient

beforeAll(async () => {
  ;[own, other, registered] = await Promise.all([
    makeSelfSigned(),
    makeSelfSigned(),
    makeSelfSigned(),
  ])
  server = await startTlsServer({
    tenants: {
      acme: ({ agents, taskTypes }) => {
        Object.assign(find(agents.agents, 'planner'), { binding: 'mtls' })
        Object.assign(find(agents.agents, 'researcher'), {
          binding: 'mtls',
          auth: { method: 'self_signed_tls_client_auth', certificates: [registered.pem] },
        })
        Object.assign(find(agents.agents, 'rogue'), { binding: 'bearer' })
        const reach = find(agents.agents, 'planner')['may_reach'] as string[]
        find(agents.agents, 'planner')['may_reach'] = [...reach, 'rogue-a2a']
        const [fileWork] = taskTypes.task_types
        Object.assign(fileWork!, {
          openers: ['planner', 'rogue'],
          reach: [...(fileWork!['reach'] as string[]), 'rogue-a2a'],
        })
        taskTypes.task_types.push({
          ...fileWork,
          id: 'watched-work',
          triggers: [{ on: 'replayed_proof', more_than: 0, within: '8h', then: 'suspend' }],
        })
        taskTypes.task_types.push({
          ...fileWork,
          id: 'own-work',
          basis: 'client',
          openers: ['planner', 'coder', 'researcher'],
          subjects_from: [],
          scopes: ['files:read'],
        })
      },
    },
  })
  planner = server.client('planner').over(server.connect({ certificate: own }))
  stolen = planner.over(server.connect({ certificate: other }))
  bare = planner.over(server.connect())
  researcher = server.client('researcher').over(server.connect({ certificate: registered }))
  coder = server.client('coder').over(server.connect())
  rogue = server.client('rogue').over(server.connect())
})
afterAll(() => server.close())

const OWN_WORK = { grant_type: 'client_credentials', task_type: 'own-work' }
/** A request without a DPoP proof, and one of a client that has no assertion. */
const NO_PROOF = { proof: null } as const
const asResearcher = {
  client_assertion: undefined,
  client_assertion_type: undefined,
  client_id: 'researcher',
}
const notProven = { reason: 'subject_token_unacceptable', guard: 'subject_key_not_proven' } as const

function open(audience: string, client: AgentClient = planner, overrides: Overrides = NO_PROOF) {
  const form = { audience, task_type: 'file-work' }
  return client.open(server.idToken('alice', client.id), form, overrides)
}

const cnfOf = (answer: Answer): unknown => payloadOf(tokenOf(answer))['cnf']
const jktOf = ({ proofKey }: AgentClient): string => {
  const { crv, kty, x, y } = proofKey.publicJwk
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
}

describe('what binds it', () => {
  test('the certificate of the connection: in the token, in the answer, in introspection', async () => {
    await expectGranted(server, () => open('files-api'))
    const answer = await open('files-api')
    const cnf = { 'x5t#S256': own.thumbprint }
    expect(cnfOf(answer)).toEqual(cnf)
    expect(answer.body).toMatchObject({ token_type: 'Bearer', cnf })
    const api = server.client('files-api').over(server.connect())
    const shown = await api.introspect(tokenOf(answer))
    expect(shown.body).toMatchObject({ active: true, token_type: 'Bearer', cnf })
  })

  test('and the key of a proof that comes beside', async () => {
    const answer = await open('files-api', planner, {})
    const cnf = { jkt: jktOf(planner), 'x5t#S256': own.thumbprint }
    expect(cnfOf(answer)).toEqual(cnf)
    expect(answer.body).toMatchObject({ token_type: 'DPoP', cnf })
  })

  test('a certificate is not looked at where a key is to bind', async () => {
    const answer = await coder.over(server.connect({ certificate: other })).token(OWN_WORK)
    expect(cnfOf(answer)).toEqual({ jkt: jktOf(coder) })
  })
})

describe('I01 without a certificate', () => {
  test('I01 every grant is refused, with a proof and without', async () => {
    const home = tokenOf(await open('researcher-a2a'))
    const required = { reason: 'certificate_required' } as const
    for (const overrides of [{}, NO_PROOF]) {
      await expectRefusal(server, required, () => bare.token(OWN_WORK, overrides))
      await expectRefusal(server, required, () => bare.open(server.idToken(), {}, overrides))
      await expectRefusal(server, required, () => bare.exchange(home, {}, overrides))
    }
  })
})

describe('I02 I07 by another certificate', () => {
  test('I02 I07 the holder gets no further token, whatever else it proves', async () => {
    const first = tokenOf(await open('researcher-a2a'))
    for (const overrides of [{}, NO_PROOF]) {
      await expectRefusal(server, notProven, () => stolen.exchange(first, {}, overrides))
    }
    const again = await planner.exchange(first, { audience: 'researcher-a2a' }, NO_PROOF)
    expect(cnfOf(again)).toEqual({ 'x5t#S256': own.thumbprint })
  })

  test('I02 nor does its own actor token help', async () => {
    const first = tokenOf(await open('researcher-a2a'))
    const mine = tokenOf(await planner.token(OWN_WORK, NO_PROOF))
    const theirs = tokenOf(await stolen.token(OWN_WORK, NO_PROOF))
    const actor_token_type = 'urn:ietf:params:oauth:token-type:access_token'
    const by = (actor_token: string) => () =>
      planner.exchange(
        first,
        { actor_token, actor_token_type, audience: 'researcher-a2a' },
        NO_PROOF,
      )
    const expected = { reason: 'actor_token_unacceptable', guard: 'actor_key_not_proven' } as const
    await expectRefusal(server, expected, by(theirs))
    await expectGranted(server, by(mine))
  })

  test('I02 a registered certificate is that one, not another of the same key', async () => {
    const twin = await makeSelfSigned({ keys: registered.keys })
    const by = researcher.over(server.connect({ certificate: twin }))
    await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
      by.token({ ...OWN_WORK, ...asResearcher }, NO_PROOF),
    )
  })
})

describe('I03 replay', () => {
  test('I03 an assertion seen by another is spent, whatever certificate comes with it', async () => {
    const form = { ...OWN_WORK, client_assertion: planner.assertion() }
    await expectGranted(server, () => planner.token(form, NO_PROOF))
    const spent = { reason: 'client_authentication_failed', guard: 'assertion_replayed' } as const
    await expectRefusal(server, spent, () => stolen.token(form, NO_PROOF))
    await expectRefusal(server, spent, () => planner.token(form, NO_PROOF))
  })

  test('I03 a proof beside a certificate is good once', async () => {
    const headers = { dpop: planner.proof() }
    await expectGranted(server, () => planner.token(OWN_WORK, { headers }))
    for (const by of [planner, stolen]) {
      await expectRefusal(server, { reason: 'proof_replayed' }, () =>
        by.token(OWN_WORK, { headers }),
      )
    }
  })

  test('I03 a proof sent again with a token that is bound to a certificate ends its task, where it says so', async () => {
    const form = { audience: 'researcher-a2a', task_type: 'watched-work' }
    const first = tokenOf(await planner.open(server.idToken(), form, NO_PROOF))
    const again = { audience: 'researcher-a2a' }
    await expectGranted(server, () => planner.exchange(first, again, NO_PROOF))
    const headers = { dpop: planner.proof() }
    await planner.token(OWN_WORK, { headers })
    expect((await planner.exchange(first, again, { headers })).body['reason']).toBe(
      'proof_replayed',
    )
    await expectRefusal(server, { reason: 'task_suspended' }, () =>
      planner.exchange(first, again, NO_PROOF),
    )
  })

  test('I03 a certificate is no credential to use up: its holder comes as often as it likes', async () => {
    for (let time = 0; time < 3; time++) {
      await expectGranted(server, () =>
        researcher.token({ ...OWN_WORK, ...asResearcher }, NO_PROOF),
      )
    }
  })
})

describe('I05 laundering', () => {
  test('I05 a stolen token is nobody’s subject token, by whatever certificate', async () => {
    const first = tokenOf(await open('researcher-a2a'))
    const stranger = {
      reason: 'subject_token_unacceptable',
      guard: 'caller_neither_holder_nor_recipient',
    } as const
    for (const send of [server.connect({ certificate: other }), server.connect()]) {
      await expectRefusal(server, stranger, () => coder.over(send).exchange(first))
    }
    // A JWT of ours is not another issuer's.
    await expectRefusal(server, { reason: 'subject_token_unacceptable' }, () =>
      coder.exchange(first, { subject_token_type: JWT_TYPE }),
    )
  })

  test('I05 the honest hop is bound to the recipient’s own certificate, never to the parent’s', async () => {
    const first = tokenOf(await open('researcher-a2a'))
    const form = { audience: 'coder-a2a', ...asResearcher }
    const second = await researcher.exchange(first, form, NO_PROOF)
    expect(cnfOf(second)).toEqual({ 'x5t#S256': registered.thumbprint })
    // From a certificate to a key: the next agent's binding is its own fact.
    const third = await coder.exchange(tokenOf(second), { audience: 'files-api' })
    expect(cnfOf(third)).toEqual({ jkt: jktOf(coder) })
  })
})

describe('I06 a key and a certificate', () => {
  test('I06 both have to be proven', async () => {
    const both = tokenOf(await open('researcher-a2a', planner, {}))
    const proofKey = newKey()
    const ask = (by: AgentClient, overrides: Parameters<AgentClient['exchange']>[2]) => () =>
      by.exchange(both, { audience: 'researcher-a2a' }, overrides)
    await expectRefusal(server, notProven, ask(planner, NO_PROOF))
    await expectRefusal(server, notProven, ask(planner, { proofKey }))
    await expectRefusal(server, notProven, ask(stolen, {}))
    await expectRefusal(server, { reason: 'certificate_required' }, ask(bare, {}))
    const again = await expectGranted(server, ask(planner, {}))
    expect(again['cnf']).toEqual({ jkt: jktOf(planner), 'x5t#S256': own.thumbprint })
  })
})

describe('a binding never weakens', () => {
  test.each([
    ['a certificate', NO_PROOF],
    ['a certificate and a key', {}],
  ])(
    'a token that is bound to %s is exchanged for none that is bound to nothing',
    async (_, overrides) => {
      const first = tokenOf(await open('rogue-a2a', planner, overrides))
      const weaker = { reason: 'proof_required', guard: 'binding_weakened' } as const
      const form = { audience: 'files-api' }
      await expectRefusal(server, weaker, () => rogue.exchange(first, form, NO_PROOF))
      const bound = await expectGranted(server, () => rogue.exchange(first, form))
      expect(bound['cnf']).toEqual({ jkt: jktOf(rogue) })
    },
  )

  test('where nothing was bound nothing has to be, and every agent is bound as its fact says', async () => {
    const free = tokenOf(await open('researcher-a2a', rogue))
    expect(payloadOf(free)['cnf']).toBeUndefined()
    const again = await rogue.exchange(free, { audience: 'researcher-a2a' }, NO_PROOF)
    expect(payloadOf(tokenOf(again))['cnf']).toBeUndefined()
    const form = { audience: 'files-api', ...asResearcher }
    expect(cnfOf(await researcher.exchange(free, form, NO_PROOF))).toEqual({
      'x5t#S256': registered.thumbprint,
    })
    const toCoder = tokenOf(await open('coder-a2a', rogue))
    const required = { reason: 'proof_required', guard: 'proof_required' } as const
    await expectRefusal(server, required, () => coder.exchange(toCoder, {}, NO_PROOF))
  })
})

describe('to manage', () => {
  test('an agent proves a key of its own beside its certificate, and that is what binds', async () => {
    const form = { grant_type: 'client_credentials', resource: `${server.issuer()}/manage` }
    await expectRefusal(server, { reason: 'proof_required' }, () => planner.token(form, NO_PROOF))
    await expectRefusal(server, { reason: 'certificate_required' }, () => bare.token(form))
    const answer = await planner.token(form)
    expect(answer.body).toMatchObject({ token_type: 'DPoP', cnf: { jkt: jktOf(planner) } })
  })
})
