/** Threats E: an agent is who its key says, once per assertion, for this issuer, now. */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ACCESS_TOKEN,
  type AgentClient,
  type Answer,
  ASSERTION_TYPE,
  EXCHANGE,
  type Overrides,
  type Parameters,
} from '../support/agent-client.ts'
import { encode, epoch, newKey, signJwt } from '../support/signing.ts'
import { type Stage, setStage } from './fixture.ts'
import { auditMark, auditSince, expectGranted, expectRefusal, expectRefused } from './refusal.ts'
import { postForm, type SecondNode, startSecondNode } from './second-node.ts'

const FAILED = 'client_authentication_failed'
const OWN_WORK = { grant_type: 'client_credentials' } as const
const EVIL_AS = 'https://evil.example'

let stage: Stage
beforeAll(async () => {
  stage = await setStage()
})
afterAll(() => stage.close())

describe('E01 weak methods', () => {
  const basic = (text: string) => ({
    authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  })
  const none = { client_assertion: undefined, client_assertion_type: undefined }

  test.each<[string, Parameters, Readonly<Record<string, string>>]>([
    ['none', { ...none, client_id: 'planner' }, {}],
    ['no client at all', none, {}],
    ['client_secret_basic', none, basic('planner:secret')],
    ['client_secret_basic of an unknown client', none, basic('nobody:secret')],
    ['an empty basic secret', none, basic('planner:')],
    ['a malformed basic value', none, { authorization: 'Basic ?' }],
    ['a bearer token', none, { authorization: 'Bearer x' }],
    ['client_secret_post', { ...none, client_id: 'planner', client_secret: 'secret' }, {}],
    ['an assertion without a type', { client_assertion_type: undefined }, {}],
    ['an assertion of another type', { client_assertion_type: `${ASSERTION_TYPE}x` }, {}],
    [
      'a SAML assertion type',
      { client_assertion_type: ASSERTION_TYPE.replace('jwt', 'saml2') },
      {},
    ],
    [
      'an attestation header',
      none,
      { 'oauth-client-attestation': 'x', 'oauth-client-attestation-pop': 'y' },
    ],
  ])('E01 refuses %s', async (_, form, headers) => {
    const { server, planner } = stage
    const answer = await expectRefusal(server, { reason: FAILED }, () =>
      planner.token({ ...OWN_WORK, ...form }, { headers }),
    )
    // RFC 6749 §5.2: the scheme a client tried by header.
    const scheme = 'authorization' in headers ? `Basic realm="${server.issuer()}"` : null
    expect(answer.headers.get('www-authenticate')).toBe(scheme)
  })

  test('E01 refuses client_secret_jwt keyed with the public key of the client', async () => {
    const { server, planner } = stage
    const { x, y } = planner.key.publicJwk
    for (const secret of [JSON.stringify(planner.key.publicJwk), String(x), String(y), '']) {
      const [header, payload] = [{ alg: 'HS256', typ: 'jwt' }, claimsOf(planner)]
      const input = `${encode(header)}.${encode(payload)}`
      const mac = createHmac('sha256', secret).update(input).digest('base64url')
      await expectRefusal(server, { reason: FAILED }, () =>
        planner.token({ ...OWN_WORK, client_assertion: `${input}.${mac}` }),
      )
    }
  })

  test('E01 refuses several methods in one request', async () => {
    const { server, planner } = stage
    const headers = basic('planner:secret')
    await expectRefusal(server, { reason: FAILED }, () => planner.token(OWN_WORK, { headers }))
    // The assertion is good: the secret beside it is not ignored.
    await expectRefusal(server, { reason: FAILED, guard: 'two_methods' }, () =>
      planner.token({ ...OWN_WORK, client_secret: 'a' }),
    )
    await expectRefusal(server, { reason: 'request_malformed', guard: 'two_methods' }, () =>
      planner.token({ ...OWN_WORK, ...none, client_secret: 'a' }, { headers }),
    )
  })

  test.each(['client_id', 'client_assertion', 'client_assertion_type'])(
    'E01 refuses a repeated %s',
    async (name) => {
      const { server, planner } = stage
      const form: Record<string, string> = {
        client_id: 'planner',
        client_assertion: planner.assertion(),
        client_assertion_type: ASSERTION_TYPE,
      }
      const value = String(form[name])
      const expected = { reason: 'request_malformed', guard: 'client_parameters_repeated' } as const
      await expectRefusal(server, expected, () =>
        planner.token({ ...OWN_WORK, ...form, [name]: [value, value] }),
      )
    },
  )

  test('E01 refuses a client_id that is not the one that signed', async () => {
    const { server, planner } = stage
    await expectRefusal(server, { reason: FAILED }, () =>
      planner.token({ ...OWN_WORK, client_id: 'coder' }),
    )
  })

  test('E01 the metadata offers what this tenant’s agents have: keys, and no secrets', async () => {
    const { server } = stage
    const url = `${server.issuer()}/.well-known/oauth-authorization-server`
    const metadata = (await (await fetch(url)).json()) as Record<string, unknown>
    const methods = metadata['token_endpoint_auth_methods_supported']
    expect(methods).toEqual(['private_key_jwt', 'spiffe_jwt'])
  })
})

describe('E02 assertion audience', () => {
  test.each<[string, (issuer: string) => unknown]>([
    ['the token endpoint', (issuer) => `${issuer}/token`],
    ['a list of the issuer and an evil server', (issuer) => [issuer, EVIL_AS]],
    ['a list of an evil server and the issuer', (issuer) => [EVIL_AS, issuer]],
    ['a list of the issuer twice', (issuer) => [issuer, issuer]],
    ['a list of the issuer and its token endpoint', (issuer) => [issuer, `${issuer}/token`]],
    ['an empty list', () => []],
    ['an evil server', () => EVIL_AS],
    ['another tenant', (issuer) => issuer.replace('acme', 'globex')],
    ['the issuer with a slash', (issuer) => `${issuer}/`],
    ['the issuer in upper case', (issuer) => issuer.toUpperCase()],
    ['the origin', (issuer) => new URL(issuer).origin],
    ['an object', (issuer) => ({ 0: issuer })],
    ['nothing', () => undefined],
    ['null', () => null],
    ['an empty text', () => ''],
    ['a list in a list', (issuer) => [[issuer]]],
  ])('E02 refuses an assertion addressed to %s', async (_, aud) => {
    const { server, planner } = stage
    const assertion = { aud: aud(server.issuer()) }
    await expectRefusal(server, { reason: FAILED }, () => planner.token(OWN_WORK, { assertion }))
  })

  test('E02 takes the issuer, as a string and as a list of one', async () => {
    const { server, planner } = stage
    for (const aud of [server.issuer(), [server.issuer()]]) {
      await expectGranted(server, () => planner.token(OWN_WORK, { assertion: { aud } }))
    }
  })

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['another iss', { iss: 'coder' }],
    ['another sub', { sub: 'coder' }],
    ['no iss', { iss: undefined }],
    ['no sub', { sub: undefined }],
    ['no jti', { jti: undefined }],
    ['an empty jti', { jti: '' }],
    ['a jti of a kilobyte', { jti: 'j'.repeat(1024) }],
  ])('E02 refuses an assertion with %s', async (_, assertion) => {
    const { server, planner } = stage
    await expectRefusal(server, { reason: FAILED }, () => planner.token(OWN_WORK, { assertion }))
  })
})

describe('E03 assertion replay', () => {
  const replayed = { reason: FAILED, guard: 'assertion_replayed' } as const

  test('E03 the second use of an assertion is refused, at every endpoint', async () => {
    const { server, planner } = stage
    const form = { ...OWN_WORK, client_assertion: planner.assertion() }
    await expectGranted(server, () => planner.token(form))
    await expectRefusal(server, replayed, () => planner.token(form))
    const { client_assertion } = form
    await expectRefusal(server, replayed, () =>
      planner.post('introspect', { token: 'x', client_assertion }),
    )
    await expectRefusal(server, replayed, () =>
      planner.post('revoke', { token: 'x', client_assertion }),
    )
  })

  test('E03 another assertion with the same jti is the same use', async () => {
    const { server, planner, coder } = stage
    const assertion = { jti: 'once-and-never-again', exp: epoch() + 60 }
    await expectGranted(server, () => planner.token(OWN_WORK, { assertion }))
    await expectRefusal(server, replayed, () =>
      planner.token(OWN_WORK, { assertion: { ...assertion, iat: epoch() - 1 } }),
    )
    // The id is the client's own: another client's use of it is another id.
    await expectGranted(server, () => coder.token(OWN_WORK, { assertion }))
  })

  test('E03 of 50 copies at once exactly one succeeds', async () => {
    const { planner } = stage
    const form = { ...OWN_WORK, client_assertion: planner.assertion() }
    await expectOneOf(50, () => planner.token(form))
  })

  test('E03 across two nodes exactly one succeeds', async () => {
    const { server, planner } = stage
    const node = await startSecondNode(server)
    try {
      await onBothNodes(node)
    } finally {
      await node.close()
    }
    async function onBothNodes({ origin }: SecondNode): Promise<void> {
      const form = { ...OWN_WORK, client_assertion: planner.assertion() }
      const other = `${origin}/t/acme/token`
      const full = { ...form, client_assertion_type: ASSERTION_TYPE }
      await expectOneOf(50, (copy) =>
        copy % 2 === 0 ? planner.token(form) : postForm(other, full, { dpop: planner.proof() }),
      )
      // And the node that did not see it first knows it as well.
      expectRefused(await postForm(other, full, { dpop: planner.proof() }), FAILED)
      expectRefused(await planner.token(form), FAILED)
    }
  })

  test('E03 an assertion for one tenant is none for another', async () => {
    const { server, planner } = stage
    const client_assertion = planner.assertion()
    const globex = server.client('planner', 'globex')
    await expectRefusal(server, { reason: FAILED }, () =>
      globex.token({ ...OWN_WORK, client_assertion }),
    )
    await expectGranted(server, () => planner.token({ ...OWN_WORK, client_assertion }))
  })

  async function expectOneOf(
    copies: number,
    send: (copy: number) => Promise<Answer>,
  ): Promise<void> {
    const before = auditMark(stage.server)
    const answers = await Promise.all(Array.from({ length: copies }, (_, copy) => send(copy)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    for (const answer of answers.filter(({ status }) => status !== 200))
      expectRefused(answer, FAILED)
    const entries = auditSince(stage.server, before)
    expect(entries).toHaveLength(copies)
    expect(entries.filter(({ guard }) => guard === 'assertion_replayed')).toHaveLength(copies - 1)
  }
})

describe('E04 assertion times', () => {
  test.each<[string, () => Readonly<Record<string, unknown>>]>([
    ['no exp', () => ({ exp: undefined })],
    ['exp six minutes ahead', () => ({ exp: epoch() + 360 })],
    ['exp in the year 2300', () => ({ exp: 10_413_792_000 })],
    ['exp 1e300', () => ({ exp: 1e300 })],
    ['a negative exp', () => ({ exp: -1 })],
    ['exp zero', () => ({ exp: 0 })],
    ['exp as a string', () => ({ exp: String(epoch() + 60) })],
    ['exp null', () => ({ exp: null })],
    ['exp as a list', () => ({ exp: [epoch() + 60] })],
    ['an exp that has passed', () => ({ exp: epoch() - 10, iat: epoch() - 60 })],
    ['iat in the future', () => ({ iat: epoch() + 60 })],
    ['iat an hour ago', () => ({ iat: epoch() - 3600 })],
    ['iat as a string', () => ({ iat: String(epoch()) })],
    ['a negative iat', () => ({ iat: -1 })],
    ['nbf in the future', () => ({ nbf: epoch() + 60 })],
    ['nbf as a string', () => ({ nbf: String(epoch()) })],
  ])('E04 refuses an assertion with %s', async (_, assertion) => {
    const { server, planner } = stage
    await expectRefusal(server, { reason: FAILED }, () =>
      planner.token(OWN_WORK, { assertion: assertion() }),
    )
  })

  test('E04 refuses exp as 1e999, which JSON reads as infinity', async () => {
    const { server, planner } = stage
    const text = JSON.stringify(claimsOf(planner)).replace(/"exp":\d+/, '"exp":1e999')
    await expectRefusal(server, { reason: FAILED }, () =>
      planner.token({ ...OWN_WORK, client_assertion: signAs(planner, text) }),
    )
  })
})

describe('E11 probing for clients', () => {
  const stranger = (of: AgentClient, id: string, overrides: Overrides = {}): string =>
    of.assertion({ ...overrides, assertion: { iss: id, sub: id } })

  test('E11 unknown, known with a bad key and disabled client read the same', async () => {
    const { server, planner } = stage
    const rogue = server.client('rogue', 'initech')
    const expired = server.client('coder', 'initech')
    const bad = { assertionKey: newKey() }
    const answers = [
      await refusal(planner, stranger(planner, 'no-such-client')),
      await refusal(planner, stranger(planner, 'no-such-client', bad)),
      await refusal(planner, planner.assertion(bad)),
      await refusal(rogue, rogue.assertion()),
      await refusal(rogue, rogue.assertion(bad)),
      await refusal(expired, expired.assertion()),
    ]
    const [first] = answers
    for (const answer of answers) expect(answer).toEqual(first)

    async function refusal(client: AgentClient, client_assertion: string): Promise<unknown> {
      const form = { ...OWN_WORK, client_assertion }
      const answer = await expectRefusal(server, { reason: FAILED }, () => client.token(form))
      const headers = Object.fromEntries(answer.headers)
      delete headers['date']
      return { ...answer, headers, text: '', body: { ...answer.body, error_ref: '' } }
    }
  })

  test('E11 a stranger does not learn who exists at introspection and revocation', async () => {
    const { server, planner } = stage
    for (const endpoint of ['introspect', 'revoke']) {
      for (const client_assertion of [
        stranger(planner, 'nobody'),
        planner.assertion({ assertionKey: newKey() }),
      ]) {
        await expectRefusal(server, { reason: FAILED }, () =>
          planner.post(endpoint, { token: 'x', client_assertion }),
        )
      }
    }
  })

  test.each([
    '__proto__',
    'constructor',
    'a'.repeat(5000),
    'pla\u0000nner',
    'plänner',
    '../planner',
    'planner ',
    ' ',
  ])('E11 refuses the client id %j as an unknown one', async (id) => {
    const { server, planner } = stage
    const form = {
      grant_type: EXCHANGE,
      subject_token: 'x',
      subject_token_type: ACCESS_TOKEN,
      client_assertion: stranger(planner, id),
    }
    await expectRefusal(server, { reason: FAILED }, () => planner.token(form))
  })
})

function claimsOf(client: AgentClient): Record<string, unknown> {
  const now = epoch()
  const { id } = client
  return { iss: id, sub: id, aud: client.issuer, jti: newKey().thumbprint, iat: now, exp: now + 60 }
}

function signAs(client: AgentClient, payload: unknown): string {
  const header = { alg: 'ES256', typ: 'jwt', kid: client.key.publicJwk['kid'] }
  return signJwt(client.key, header, payload)
}
