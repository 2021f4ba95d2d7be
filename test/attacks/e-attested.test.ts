/** Threats E of attestations: an instance is an agent's where an attester the tenant trusts says so, and it proves its own key, now. */
import { createHmac, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AgentClient, Answer, Parameters } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { bareJwk, epoch, newKey, signJwt, type TestKey } from '../support/signing.ts'
import type { TenantDocuments } from '../support/tenant-folder.ts'
import { find } from './fixture.ts'
import { expectGranted, expectRefusal } from './refusal.ts'

const FAILED = 'client_authentication_failed'
const ISSUER = 'https://mdm.acme.example'
const OTHER = 'https://mdm.partner.example'
const NONE: Parameters = { client_assertion: undefined, client_assertion_type: undefined }
type Members = Readonly<Record<string, unknown>>

const attester = newKey('mdm-1')
const partner = newKey('mdm-1')
const instance = newKey()
let server: TestServer
let planner: AgentClient

beforeAll(async () => {
  server = await startAuthorizationServer({ tenants: { acme: extend, globex: extend } })
  planner = server.client('planner')
})
afterAll(() => server.close())

function extend({ tenant, agents, taskTypes }: TenantDocuments): void {
  tenant['attesters'] = [
    { id: 'mdm', issuer: ISSUER, jwks: { keys: [attester.publicJwk] } },
    { id: 'partner', issuer: OTHER, jwks: { keys: [partner.publicJwk] } },
  ]
  const attested = { method: 'attest_jwt_client_auth', attester: 'mdm' }
  find(agents.agents, 'planner')['auth'] = attested
  Object.assign(find(agents.agents, 'coder'), { auth: attested, disabled: true })
  const [fileWork] = taskTypes.task_types
  taskTypes.task_types.push({
    ...fileWork,
    id: 'own-work',
    basis: 'client',
    openers: ['planner', 'researcher', 'coder'],
    subjects_from: [],
    scopes: ['files:read'],
  })
}

interface Changes {
  readonly claims?: Members
  readonly header?: Members
  readonly signer?: TestKey
}

function attestation({ claims, header, signer = attester }: Changes = {}): string {
  const now = epoch()
  return signJwt(
    signer,
    { alg: 'ES256', typ: 'oauth-client-attestation+jwt', kid: 'mdm-1', ...header },
    {
      iss: ISSUER,
      sub: 'planner',
      iat: now,
      exp: now + 3600,
      cnf: { jwk: bareJwk(instance) },
      ...claims,
    },
  )
}

function proof({ claims, header, signer = instance }: Changes = {}): string {
  return signJwt(
    signer,
    { alg: 'ES256', typ: 'oauth-client-attestation-pop+jwt', ...header },
    { aud: server.issuer(), jti: randomUUID(), iat: epoch(), ...claims },
  )
}

interface Sent {
  readonly attested?: string
  readonly proven?: string
  readonly form?: Parameters
  readonly headers?: Readonly<Record<string, string>>
}

function work({ attested, proven, form, headers }: Sent = {}): Promise<Answer> {
  return planner.token(
    { grant_type: 'client_credentials', ...NONE, ...form },
    {
      headers: {
        'oauth-client-attestation': attested ?? attestation(),
        'oauth-client-attestation-pop': proven ?? proof(),
        ...headers,
      },
    },
  )
}

const refused = (guard: string | RegExp, sent: Sent): Promise<Answer> =>
  expectRefusal(server, { reason: FAILED, guard }, () => work(sent))

describe('an attested instance', () => {
  test('is its agent, on record by its key; its token is bound to what it proves by DPoP', async () => {
    const claims = await expectGranted(server, () => work())
    expect(claims).toMatchObject({
      client_id: 'planner',
      cnf: { jkt: planner.proofKey.thumbprint },
    })
    expect(server.audit().at(-1)).toMatchObject({
      client_auth: 'attest_jwt_client_auth',
      credential: instance.thumbprint,
    })
  })

  test('uses its attestation as often as it proves its key', async () => {
    const attested = attestation()
    for (const form of [{ client_id: 'planner' }, { client_id: '' }, {}]) {
      await expectGranted(server, () => work({ attested, form }))
    }
  })

  test('may have been made by an earlier draft, with iss, exp and nbf in its proof', async () => {
    const claims = { iss: 'planner', nbf: epoch(), exp: epoch() + 60, challenge: 'x' }
    await expectGranted(server, () => work({ proven: proof({ claims }) }))
  })

  test('is one of many: their names for proofs do not meet', async () => {
    const second = newKey()
    const claims = { jti: 'first' }
    await expectGranted(server, () => work({ proven: proof({ claims }) }))
    const cnf = { jwk: bareJwk(second) }
    await expectGranted(server, () =>
      work({
        attested: attestation({ claims: { cnf } }),
        proven: proof({ claims, signer: second }),
      }),
    )
  })
})

describe('E01 what is no attestation', () => {
  const header = (more: Members): Sent => ({ attested: attestation({ header: more }) })
  const says = (claims: Members): Sent => ({ attested: attestation({ claims }) })

  test.each<[string, string | RegExp, () => Sent]>([
    ['one half', 'attestation_malformed', () => ({ headers: { 'oauth-client-attestation': '' } })],
    [
      'the other half',
      'attestation_malformed',
      () => ({ headers: { 'oauth-client-attestation-pop': '' } }),
    ],
    ['two in one header', 'attestation_malformed', () => ({ attested: `${attestation()}, x.y.z` })],
    ['no JWT', 'attestation_malformed', () => ({ attested: 'x' })],
    ['one too long', 'attestation_malformed', () => says({ x: 'x'.repeat(8192) })],
    ['another attester', 'attester_unknown', () => says({ iss: 'https://mdm.evil.example' })],
    ['an attester with a slash', 'attester_unknown', () => says({ iss: `${ISSUER}/` })],
    ['no attester', 'attester_unknown', () => says({ iss: undefined })],
    [
      'the attester of others for an agent of this one',
      'client_unknown',
      () => ({ attested: attestation({ claims: { iss: OTHER }, signer: partner }) }),
    ],
    [
      'an attestation another attester signed',
      'attestation_signature_invalid',
      () => ({ attested: attestation({ signer: partner }) }),
    ],
    ['a key that is unknown', 'attestation_key_unknown', () => header({ kid: 'mdm-2' })],
    ['J09 another type', 'attestation_type_mismatch', () => header({ typ: 'JWT' })],
    ['J09 no type', 'attestation_type_mismatch', () => header({ typ: undefined })],
    [
      'J09 a proof as attestation',
      'attestation_type_mismatch',
      () => {
        const claims = { iss: ISSUER, sub: 'planner', exp: epoch() + 60 }
        return { attested: proof({ claims, header: { kid: 'mdm-1' }, signer: attester }) }
      },
    ],
    ['J01 no algorithm', 'attestation_algorithm_mismatch', () => header({ alg: 'none' })],
    ['J01 another algorithm', 'attestation_algorithm_mismatch', () => header({ alg: 'RS256' })],
    [
      'J03 a key of its own',
      'attestation_signature_invalid',
      () => ({
        attested: attestation({ header: { jwk: bareJwk(instance) }, signer: instance }),
      }),
    ],
    ['an agent that is none', 'client_unknown', () => says({ sub: 'nobody' })],
    ['an agent by a key of its own', 'client_unknown', () => says({ sub: 'researcher' })],
    ['a disabled agent', 'agent_inactive', () => says({ sub: 'coder' })],
    ['nobody', 'attestation_subject', () => says({ sub: undefined })],
    ['a list of agents', 'attestation_subject', () => says({ sub: ['planner'] })],
    ['E04 no exp', 'attestation_expiry', () => says({ exp: undefined })],
    ['E04 an exp as a text', 'attestation_expiry', () => says({ exp: String(epoch() + 60) })],
    ['E04 an exp in a year', 'attestation_expiry', () => says({ exp: epoch() + 365 * 86_400 })],
    ['E04 one that has ended', 'attestation_expired', () => says({ exp: epoch() - 10 })],
    ['E04 no iat', 'attestation_time', () => says({ iat: undefined })],
    ['E04 one from tomorrow', 'attestation_not_yet_valid', () => says({ iat: epoch() + 86_400 })],
    ['E04 one for tomorrow', 'attestation_not_yet_valid', () => says({ nbf: epoch() + 86_400 })],
    ['no key', 'attestation_key_unacceptable', () => says({ cnf: undefined })],
    [
      'a key by its thumbprint',
      'attestation_key_unacceptable',
      () => says({ cnf: { jkt: instance.thumbprint } }),
    ],
    [
      'a private key',
      'attestation_key_unacceptable',
      () => says({ cnf: { jwk: instance.privateKey.export({ format: 'jwk' }) } }),
    ],
    [
      'a secret as key',
      'attestation_key_unacceptable',
      () => says({ cnf: { jwk: { kty: 'oct', k: 'AAAA' } } }),
    ],
  ])('E01 refuses %s', (_, guard, sent) => refused(guard, sent()).then(() => undefined))

  test('J01 an attester’s public key is no secret of a MAC', async () => {
    const [head, payload] = attestation({ header: { alg: 'HS256' } }).split('.')
    const mac = createHmac('sha256', JSON.stringify(attester.publicJwk))
      .update(`${head}.${payload}`)
      .digest('base64url')
    await refused('attestation_algorithm_mismatch', { attested: `${head}.${payload}.${mac}` })
  })

  test('E01 client_id is the agent, or absent', async () => {
    await refused('client_id_mismatch', { form: { client_id: 'researcher' } })
  })

  test('E01 it comes alone, and what it comes with is not ignored', async () => {
    const { client_assertion_type, ...form } = {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: server.client('researcher').assertion(),
    }
    await refused('two_methods', { form: { ...form, client_assertion_type } })
    await refused('two_methods', { form: { client_secret: 'x', client_id: 'planner' } })
  })

  test('E01 an attested agent has no other way', async () => {
    const guard = /^(?:client_unknown|assertion_key_unknown)$/
    await expectRefusal(server, { reason: FAILED, guard }, () =>
      planner.token({ grant_type: 'client_credentials' }),
    )
  })
})

describe('E08 an attestation without its key', () => {
  const says = (claims: Members): Sent => ({ proven: proof({ claims }) })

  test.each<[string, string, () => Sent]>([
    [
      'the proof of another key',
      'attestation_proof_signature_invalid',
      () => ({ proven: proof({ signer: newKey() }) }),
    ],
    [
      'J03 the proof of a key it brings',
      'attestation_proof_signature_invalid',
      () => {
        const thief = newKey()
        return { proven: proof({ signer: thief, header: { jwk: bareJwk(thief) } }) }
      },
    ],
    [
      'J09 a DPoP proof by the key',
      'attestation_proof_type_mismatch',
      () => ({ proven: proof({ header: { typ: 'dpop+jwt', jwk: bareJwk(instance) } }) }),
    ],
    ['E02 no audience', 'attestation_proof_audience', () => says({ aud: undefined })],
    [
      'E02 another server',
      'attestation_proof_audience',
      () => says({ aud: 'https://as.evil.example' }),
    ],
    [
      'E02 another tenant',
      'attestation_proof_audience',
      () => says({ aud: server.issuer('globex') }),
    ],
    ['E02 a list of one', 'attestation_proof_audience', () => says({ aud: [server.issuer()] })],
    [
      'E02 the endpoint',
      'attestation_proof_audience',
      () => says({ aud: `${server.issuer()}/token` }),
    ],
    ['an iss that is not the agent', 'attestation_proof_issuer', () => says({ iss: 'researcher' })],
    ['no name', 'attestation_proof_jti', () => says({ jti: undefined })],
    ['an empty name', 'attestation_proof_jti', () => says({ jti: '' })],
    ['a long name', 'attestation_proof_jti', () => says({ jti: 'x'.repeat(257) })],
    ['E04 no time', 'attestation_proof_time', () => says({ iat: undefined })],
    ['E04 an old one', 'attestation_proof_time', () => says({ iat: epoch() - 70 })],
    ['E04 one from the future', 'attestation_proof_time', () => says({ iat: epoch() + 60 })],
    ['E04 one that has ended', 'attestation_proof_time', () => says({ exp: epoch() - 10 })],
    ['E04 an exp as a text', 'attestation_proof_time', () => says({ exp: 'never' })],
    ['E04 one not valid yet', 'attestation_proof_time', () => says({ nbf: epoch() + 60 })],
  ])('E08 refuses %s', (_, guard, sent) => refused(guard, sent()).then(() => undefined))

  test('E03 a proof counts once, of twenty at a time too', async () => {
    const proven = proof()
    const answers = await Promise.all(Array.from({ length: 20 }, () => work({ proven })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    await refused('assertion_replayed', { proven })
  })

  test('E03 what is refused spends nothing', async () => {
    const proven = proof()
    await refused('attestation_signature_invalid', {
      proven,
      attested: attestation({ signer: newKey() }),
    })
    await expectGranted(server, () => work({ proven }))
  })
})

test('F01 an attestation of one tenant is one of the other where both trust the attester, its proof is not', async () => {
  const headers = (issuer: string) => ({
    'oauth-client-attestation': attestation(),
    'oauth-client-attestation-pop': proof({ claims: { aud: issuer } }),
  })
  const there = server.client('planner', 'globex')
  const form = { grant_type: 'client_credentials', ...NONE }
  await expectRefusal(server, { reason: FAILED, guard: 'attestation_proof_audience' }, () =>
    there.token(form, { headers: headers(server.issuer()) }),
  )
  await expectGranted(server, () => there.token(form, { headers: headers(there.issuer) }))
})

test('E11 unknown, forged, disabled and another’s read the same', async () => {
  const forged = { attested: attestation({ signer: newKey() }) }
  const of = (sub: string): Sent => ({ attested: attestation({ claims: { sub } }) })
  const unknown = { attested: attestation({ claims: { iss: 'https://mdm.evil.example' } }) }
  const answers: Answer[] = []
  for (const sent of [forged, unknown, of('nobody'), of('coder'), of('researcher')]) {
    answers.push(await work(sent))
  }
  const seen = answers.map(({ status, text, headers }) => ({
    status,
    text: text.replace(/"error_ref":"[^"]*"/, ''),
    headers: [...headers.keys()].toSorted(),
  }))
  expect(new Set(seen.map((answer) => JSON.stringify(answer))).size).toBe(1)
})
