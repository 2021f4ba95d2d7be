import { inspect } from 'node:util'
import { base64url, CompactEncrypt, exportSPKI, importJWK } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { VerificationError } from '../../lib/src/errors.ts'
import type { RouteNeed } from '../../lib/src/verifier.ts'
import { BROKEN_CHAINS } from '../support/broken-chains.ts'
import {
  AGENTS,
  API,
  aJwt,
  aKey,
  aProof,
  type Claims,
  ISSUER,
  NOW,
  signText,
  signToken,
  withMember,
} from '../support/chain-token.ts'
import { aFixture, type Fixture, NEED, reasonOf, URL_CALLED } from '../support/verifier-fixture.ts'

let f: Fixture
beforeAll(async () => {
  f = await aFixture()
})

const accepted = (verifier = f.verifier, need: RouteNeed = NEED) => ({
  of: async (claims: Claims) => {
    const token = await signToken(f.issuerKey, claims)
    const proof = await aProof(f.agentKey, { token })
    return verifier.verify({ token, proof, method: 'GET', url: URL_CALLED }, need)
  },
})

describe('a token that holds', () => {
  test('is reported with its actor, chain, ceilings and task', async () => {
    const report = await accepted().of(f.claims({ depth: 2 }))
    expect(report).toEqual({
      subject: 'alice',
      actor: { iss: ISSUER, sub: 'researcher' },
      chain: [
        { iss: ISSUER, sub: 'researcher' },
        { iss: ISSUER, sub: 'planner' },
      ],
      scope: ['crm:read', 'ledger:read', 'ledger:propose'],
      ceilings: [
        {
          scope: ['crm:read', 'ledger:read', 'ledger:propose'],
          reach: [API],
          audience: API,
          expiresAt: NOW - 10 + 299,
        },
        {
          scope: ['docs:read', 'crm:read', 'ledger:read', 'ledger:propose'],
          reach: [...AGENTS.map((agent) => `${ISSUER}/agents/${agent}`), API],
          audience: `${ISSUER}/agents/researcher`,
          expiresAt: NOW - 10 + 300,
        },
      ],
      basis: 'policy',
      txn: 'wfSVmODM4hd52WLVa7sRoA',
      jti: 'hop-1-xxxxxxxxxxxxxxxx',
      expiresAt: NOW - 10 + 299,
      ages: { keys: undefined },
      revocation: 'not_checked',
    })
  })

  test('has a report nobody can change', async () => {
    const report = await accepted().of(f.claims())
    const parts = [report, report.actor, report.chain, report.scope, report.ceilings, report.ages]
    for (const part of [...parts, ...report.chain, ...report.ceilings])
      expect(Object.isFrozen(part)).toBe(true)
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('is accepted at depth %i', async (depth) => {
    const report = await accepted().of(f.claims({ depth }))
    expect(report.chain.length).toBe(depth)
    expect(report.ceilings.length).toBe(depth)
  })

  test('of an agent on its own behalf reports that agent as subject and oldest actor', async () => {
    const alone = await accepted().of(f.claims({ depth: 1, basis: 'client' }))
    expect(alone.actor).toEqual({ iss: ISSUER, sub: 'planner' })
    expect(alone.subject).toBe('planner')
    const two = await accepted().of(f.claims({ depth: 2, basis: 'client' }))
    expect(two.chain.map((actor) => actor.sub)).toEqual(['researcher', 'planner'])
  })

  test.each(['at+jwt', 'application/at+jwt', 'at+JWT'])('may write its typ as %s', async (typ) => {
    expect(await f.outcome(f.claims(), { typ })).toBe('accepted')
  })

  test.each([
    ['ES256', 'ES256'],
    ['EdDSA', 'EdDSA'],
    ['EdDSA', 'Ed25519'],
    ['RS256', 'RS256'],
  ])('is accepted under %s written %s by default', async (kind, alg) => {
    const key = await aKey(kind)
    const verifier = f.with({ jwks: { keys: [key.publicJwk] } })
    const token = await signToken({ ...key, alg }, f.claims())
    expect(await f.outcomeOf(token, verifier)).toBe('accepted')
  })

  test('without kid is checked with the only key of its algorithm', async () => {
    expect(await f.outcome(f.claims(), { kid: undefined })).toBe('accepted')
    const other = await aKey('ES256', 'k2')
    const verifier = f.with({ jwks: { keys: [f.issuerKey.publicJwk, other.publicJwk] } })
    expect(await f.outcome(f.claims(), { kid: undefined }, verifier)).toBe('key_unknown')
  })
})

describe('what a route asks for', () => {
  test('B05 is compared name by name, without prefix or wildcard', async () => {
    for (const scope of ['*', 'ledger:*', 'ledger', 'ledger:', 'ledger:proposed', 'LEDGER:PROPOSE'])
      expect(await f.outcome(f.claims(), {}, f.verifier, { scope })).toBe('scope_insufficient')
    expect(
      await f.outcome(f.claims(), {}, f.verifier, { scope: 'ledger:read ledger:propose' }),
    ).toBe('accepted')
  })

  test('B05 does not take a wildcard in the token for a scope either', async () => {
    const claims = f.claims()
    for (const wide of ['ledger:*', '*']) {
      const scope = ['docs:read', 'crm:read', 'ledger:read', wide]
      const widened = withMember(
        withMember(claims, 'act_bounds.root.scope', scope),
        'scope',
        `crm:read ledger:read ${wide}`,
      )
      expect(await f.outcome(widened)).toBe('scope_insufficient')
    }
  })

  test('must be declared', async () => {
    const request = { token: 'x', method: 'GET', url: '/' }
    const needs = [{}, undefined, { scope: '' }, { scope: 'a', handover: true }, { scope: ['a'] }]
    for (const need of [...needs, { handover: false }, { scope: 'a', delegated: false }])
      await expect(f.verifier.verify(request, need as RouteNeed)).rejects.toThrow(TypeError)
  })

  test('is nothing but being addressed at an agent’s own door', async () => {
    expect(await f.outcome(f.claims(), {}, f.verifier, { handover: true })).toBe('accepted')
    const elsewhere = f.claims({ audience: 'https://mail.acme.example/api' })
    expect(await f.outcome(elsewhere, {}, f.verifier, { handover: true })).toBe('audience_mismatch')
  })

  test('A13 is decided for the caller: a past actor gives nothing', async () => {
    const report = await accepted().of(f.claims({ depth: 3 }))
    expect(report.actor.sub).toBe('writer')
    expect(report.chain.slice(1).map((actor) => actor.sub)).toEqual(['researcher', 'planner'])
    // The scope an earlier hop had is in its ceiling and not in what the caller may do.
    expect(report.ceilings[2]?.scope).toContain('docs:read')
    expect(await f.outcome(f.claims(), {}, f.verifier, { scope: 'docs:read' })).toBe(
      'scope_insufficient',
    )
  })

  test('A14 may be that the token was delegated', async () => {
    const need = { ...NEED, delegated: true } as const
    expect(await f.outcome(f.claims({ depth: 1, basis: 'client' }), {}, f.verifier, need)).toBe(
      'delegation_required',
    )
    expect(await f.outcome(f.claims({ depth: 2, basis: 'client' }), {}, f.verifier, need)).toBe(
      'accepted',
    )
    const impersonated = withMember(f.claims({ depth: 1, basis: 'client' }), 'client_id', 'rogue')
    expect(await f.outcome(impersonated, {}, f.verifier, need)).toBe('client_mismatch')
    const bare = withMember(f.claims({ depth: 1 }), 'act', undefined)
    expect(await f.outcome(bare, {}, f.verifier, need)).toBe('actor_count_mismatch')
  })

  test('D04 a chain above our own limit is refused with 403, above its own with 401', async () => {
    const verifier = f.with({ maxHops: 2 })
    expect(await f.outcome(f.claims({ depth: 2 }), {}, verifier)).toBe('accepted')
    expect(await f.outcome(f.claims({ depth: 3 }), {}, verifier)).toBe('chain_too_long')
    expect(verifier.challenge(new VerificationError('chain_too_long')).status).toBe(403)
    const broken = withMember(f.claims({ depth: 3 }), 'act_bounds.root.max_depth', 2)
    expect(await f.outcome(broken, {}, verifier)).toBe('depth_exceeded')
    expect(verifier.challenge(new VerificationError('depth_exceeded')).status).toBe(401)
  })

  test('comes after token and proof', async () => {
    const verifier = f.with({ maxHops: 2 })
    const token = await signToken(f.issuerKey, f.claims())
    const need = { scope: 'mail:send' }
    const url = URL_CALLED
    expect(await reasonOf(verifier.verify({ token, method: 'GET', url }, need))).toBe(
      'proof_missing',
    )
    const proof = await aProof(f.agentKey, { token: 'x', method: 'PUT' })
    const expired = await signToken(f.issuerKey, f.claims({ now: NOW - 1000 }))
    expect(
      await reasonOf(verifier.verify({ token: expired, proof, method: 'GET', url }, need)),
    ).toBe('token_expired')
  })
})

test.each(BROKEN_CHAINS)('a signed chain is refused: %s: %s = %j', async (_, path, value) => {
  expect(await f.outcome(withMember(f.claims(), path, value))).not.toBe('accepted')
})

test.each([
  ['two in a list', [API, 'https://mail.api']],
  ['one in a list', [API]],
  ['none', undefined],
  ['empty list', []],
  ['a prefix', API.slice(0, -1)],
  ['a longer one', `${API}/`],
  ['another case', API.toUpperCase()],
  ['another resource', 'https://mail.api'],
  ['an object', { 0: API }],
  ['a number', 1],
])('C04 refuses an audience that is not exactly ours: %s', async (_, aud) => {
  expect(await f.outcome(withMember(f.claims(), 'aud', aud))).toBe('audience_mismatch')
})

const deep = (levels: number): string =>
  `${'{"sub":"a","act":'.repeat(levels)}{}${'}'.repeat(levels)}`
test.each([
  ['array', '[]'],
  ['string', '"writer"'],
  ['null', 'null'],
  ['number', '7'],
  ['no sub', `{"iss":"${ISSUER}"}`],
  ['inner string', `{"iss":"${ISSUER}","sub":"writer","act":"planner"}`],
  ['23 levels', deep(22)],
  ['10 000 levels', deep(10_000)],
  ['sub of 1 MB', `{"iss":"${ISSUER}","sub":"${'x'.repeat(1_000_000)}"}`],
])('D05 refuses a malformed act: %s', async (_, act) => {
  const payload = JSON.stringify({ ...f.claims(), act: 0 }).replace('"act":0', `"act":${act}`)
  const token = await signText(f.issuerKey, '{"alg":"ES256","typ":"at+jwt","kid":"k1"}', payload)
  expect(await f.outcomeOf(token)).toMatch(/^(actor_\w+|token_malformed)$/)
})

test.each([
  'https://as.example.com/t/globex',
  `${ISSUER}/`,
  'https://as.example.com/t%2facme',
  'https://as.example.com/t/acme%2f',
  'https://as.example.com/t/ACME',
  'https://AS.example.com/t/acme',
  'http://as.example.com/t/acme',
  `${ISSUER}.evil`,
  `${ISSUER}/../globex`,
  `${ISSUER}?x`,
  '',
  [ISSUER],
  null,
  undefined,
])('F02 refuses a token of another issuer, without asking anybody for keys: %j', async (iss) => {
  let fetches = 0
  const verifier = f.with({
    fetch: async () => {
      fetches++
      return Response.json({})
    },
  })
  expect(await f.outcome(withMember(f.claims(), 'iss', iss), {}, verifier)).toBe('issuer_mismatch')
  expect(fetches).toBe(0)
})

test('F03 refuses our issuer signed with another tenant’s key of the same kid', async () => {
  const globex = await aKey('ES256', 'k1')
  expect(await f.outcomeOf(await signToken(globex, f.claims()))).toBe('signature_invalid')
})

describe('J01 the algorithm is the key’s, whatever the header says', () => {
  test.each([
    'none',
    'None',
    'NONE',
    'nOnE',
    'HS256',
    'ES256K',
    'ES384',
    'PS256',
    'es256',
    ' ES256',
  ])('J01 refuses alg %j', async (alg) => {
    expect(await f.outcome(f.claims(), { alg })).toBe('algorithm_refused')
  })

  test.each(['', null, undefined, 1, ['ES256']])('J01 refuses alg %j as malformed', async (alg) => {
    expect(await f.outcome(f.claims(), { alg })).toBe('token_malformed')
  })

  test('J01 refuses an empty, stripped, zero or short signature', async () => {
    const token = await signToken(f.issuerKey, f.claims())
    const input = token.slice(0, token.lastIndexOf('.'))
    expect(await f.outcomeOf(`${input}.`)).toBe('token_malformed')
    expect(await f.outcomeOf(input)).toBe('token_malformed')
    for (const bytes of [64, 0o10, 1, 63, 65, 72])
      expect(await f.outcomeOf(`${input}.${base64url.encode(new Uint8Array(bytes))}`)).toBe(
        'signature_invalid',
      )
    const none = `${base64url.encode('{"alg":"none","typ":"at+jwt"}')}.${token.split('.')[1]}`
    expect(await f.outcomeOf(`${none}.`)).toBe('token_malformed')
    expect(await f.outcomeOf(`${none}.AAAA`)).toBe('algorithm_refused')
  })

  test('J01 refuses a MAC keyed with our public key in any spelling', async () => {
    const rsa = await aKey('RS256')
    const verifier = f.with({
      jwks: { keys: [f.issuerKey.publicJwk, { ...rsa.publicJwk, kid: 'r' }] },
    })
    const pem = await exportSPKI((await importJWK(rsa.publicJwk, 'RS256')) as CryptoKey)
    for (const secret of [pem, ` ${pem}`, `\n${pem}`, pem.trim(), JSON.stringify(rsa.publicJwk)]) {
      for (const alg of ['HS256', 'RS256', 'ES256']) {
        const header = base64url.encode(JSON.stringify({ alg, typ: 'at+jwt', kid: 'r' }))
        const input = `${header}.${base64url.encode(JSON.stringify(f.claims()))}`
        const mac = await crypto.subtle.sign('HMAC', await hmacKey(secret), encode(input))
        const token = `${input}.${base64url.encode(new Uint8Array(mac))}`
        expect(await f.outcomeOf(token, verifier)).not.toBe('accepted')
      }
    }
  })

  test('J01 refuses RS256 and PS256 swapped', async () => {
    const rsa = await aKey('RS256')
    const verifier = f.with({ jwks: { keys: [rsa.publicJwk] } })
    expect(await f.outcomeOf(await signToken(rsa, f.claims(), { alg: 'PS256' }), verifier)).toBe(
      'algorithm_refused',
    )
    const pss = await aKey('PS256')
    const mixed = f.with({
      jwks: { keys: [f.issuerKey.publicJwk, { ...pss.publicJwk, kid: 'p' }] },
    })
    const header = { alg: 'RS256', kid: 'p' }
    expect(await f.outcome(f.claims(), header, mixed)).toBe('key_unknown')
  })

  test('J01 refuses an algorithm outside the configured list, and of another key', async () => {
    const verifier = f.with({ algorithms: ['EdDSA'] })
    expect(await f.outcome(f.claims(), {}, verifier)).toBe('algorithm_refused')
    expect(await f.outcome(f.claims(), { alg: 'EdDSA' })).toBe('key_unknown')
    expect(await f.outcome(f.claims(), { alg: 'RS256' })).toBe('key_unknown')
  })
})

test.each([
  ['jku', { jku: 'https://evil.example/jwks' }],
  ['x5u', { x5u: 'https://evil.example/cert' }],
  ['x5c', { x5c: ['MIIB'] }],
  ['path', { kid: '../../etc/passwd' }],
  ['URL', { kid: 'https://evil.example/k' }],
  ['SQL', { kid: "' OR 1=1 --" }],
  ['NUL', { kid: 'k1\u0000' }],
  ['prototype', { kid: '__proto__' }],
  ['constructor', { kid: 'constructor' }],
  ['array', { kid: ['k1'] }],
  ['10 KB', { kid: 'k'.repeat(10_000) }],
])('J02 a pointer to a key is data and never fetched: %s', async (_, header) => {
  const attacker = await aKey('ES256')
  const jwk = attacker.publicJwk
  const requests: string[] = []
  const verifier = f.with({
    jwksUri: 'https://as.example.com/t/acme/jwks',
    fetch: async (url) => {
      requests.push(url)
      return Response.json({ keys: [f.issuerKey.publicJwk] })
    },
  })
  const token = await signToken(attacker, f.claims(), { jwk, ...header })
  expect(await f.outcomeOf(token, verifier)).toMatch(
    /^(key_unknown|token_malformed|signature_invalid)$/,
  )
  expect(requests.filter((url) => url !== 'https://as.example.com/t/acme/jwks')).toEqual([])
})

test.each([
  ['unknown', { crit: ['x'], x: 1 }],
  ['empty', { crit: [] }],
  ['exp', { crit: ['exp'], exp: 1 }],
  ['b64', { crit: ['b64'], b64: false }],
  ['b64 alone', { b64: false }],
])('J03 refuses a critical extension: %s', async (_, header) => {
  expect(await f.outcome(f.claims(), header)).toBe('token_malformed')
})

test('J04 refuses encrypted tokens, whatever is in them', async () => {
  const rsa = await aKey('RSA-OAEP-256')
  const publicKey = await importJWK(rsa.publicJwk, 'RSA-OAEP-256')
  const signed = await signToken(f.issuerKey, f.claims())
  for (const content of [signed, JSON.stringify(f.claims())]) {
    const jwe = await new CompactEncrypt(encode(content))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', typ: 'at+jwt', cty: 'JWT' })
      .encrypt(publicKey)
    expect(await f.outcomeOf(jwe)).toBe('token_malformed')
  }
  const pbes = { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31, p2s: 'AAAA', zip: 'DEF' }
  expect(await f.outcomeOf(`${base64url.encode(JSON.stringify(pbes))}.AAAA.AAAA.AAAA.AAAA`)).toBe(
    'token_malformed',
  )
})

test.each([
  ['64 KB', 65_536],
  ['1 MB', 1_000_000],
  ['50 MB', 50_000_000],
])('J05 refuses a token of %s by its length', async (_, length) => {
  const verification = f.verifier.verify(
    { token: 'a'.repeat(length), method: 'GET', url: '/' },
    NEED,
  )
  expect(await reasonOf(verification)).toBe('token_malformed')
  const dots = f.verifier.verify({ token: '.'.repeat(length), method: 'GET', url: '/' }, NEED)
  expect(await reasonOf(dots)).toBe('token_malformed')
})

test.each([
  ['iss in the payload', (text: string) => text.replace('{', `{"iss":"${ISSUER}",`), undefined],
  ['act in the payload', (text: string) => text.replace('{', '{"act":{},'), undefined],
  ['a hop’s member', (text: string) => text.replace('"aud":8', '"aud":8,"aud":8'), undefined],
  ['alg in the header', undefined, (text: string) => text.replace('{', '{"alg":"none",')],
])('J06 refuses duplicate members: %s', async (_, payload, header) => {
  const token = await signText(
    f.issuerKey,
    (header ?? String)('{"alg":"ES256","typ":"at+jwt","kid":"k1"}'),
    (payload ?? String)(JSON.stringify(f.claims())),
  )
  expect(await f.outcomeOf(token)).toBe('token_malformed')
})

test.each(['constructor', 'prototype', 'toString', 'hasOwnProperty'])(
  'J07 a claim named %s is inert data',
  async (name) => {
    expect(await f.outcome({ ...f.claims(), [name]: { polluted: 1 } })).toBe('accepted')
    expect(({} as Claims)['polluted']).toBeUndefined()
  },
)

test('J07 refuses an own __proto__ anywhere in a token', async () => {
  const header = '{"alg":"ES256","typ":"at+jwt","kid":"k1"}'
  const payload = JSON.stringify(f.claims())
  for (const text of [
    payload.replace('{', '{"__proto__":{"polluted":1},'),
    payload.replace('"root":{', '"root":{"__proto__":{"polluted":1},'),
  ])
    expect(await f.outcomeOf(await signText(f.issuerKey, header, text))).toBe('token_malformed')
  expect(({} as Claims)['polluted']).toBeUndefined()
})

test.each([
  ['sub', 7],
  ['sub', ''],
  ['sub', null],
  ['sub', undefined],
  ['sub', ['alice']],
  ['sub', 'x'.repeat(10_000)],
  ['client_id', 7],
  ['client_id', undefined],
  ['jti', 7],
  ['jti', undefined],
  ['scope', ['ledger:propose']],
  ['scope', undefined],
  ['scope', {}],
  ['exp', undefined],
  ['exp', '1795316520'],
  ['exp', 1_795_316_520.5],
  ['exp', -1],
  ['exp', true],
  ['exp', 1e300],
  ['iat', undefined],
  ['iat', '0'],
  ['nbf', 'soon'],
  ['nbf', -1],
  ['cnf', 'x'],
  ['cnf', null],
  ['cnf', []],
  ['auth_time', 'x'],
  ['acr', 1],
  ['amr', 'pwd'],
  ['amr', [1]],
  ['sub_profile', 1],
])('J08 refuses a mistyped claim: %s = %j', async (name, value) => {
  expect(await f.outcome(withMember(f.claims(), name, value))).toBe('claim_malformed')
})

test('J08 refuses an infinite exp', async () => {
  const payload = JSON.stringify(f.claims()).replace(/"exp":\d+/, '"exp":1e999')
  const header = '{"alg":"ES256","typ":"at+jwt","kid":"k1"}'
  expect(await f.outcomeOf(await signText(f.issuerKey, header, payload))).toBe('claim_malformed')
})

test.each([
  'JWT',
  'id+jwt',
  'dpop+jwt',
  'oauth-id-jag+jwt',
  'secevent+jwt',
  'client-authentication+jwt',
  'token-introspection+jwt',
  'manage+jwt',
  'statuslist+jwt',
  'text/at+jwt',
  'at+jwt ',
  'xat+jwt',
  '',
  undefined,
])('J09 refuses another kind of token: typ %j', async (typ) => {
  expect(await f.outcomeOf(await aJwt(f.issuerKey, typ, f.claims()))).toBe('token_type_wrong')
})

test('J09 refuses an access token that is not delegated in this format', async () => {
  const claims = withMember(withMember(f.claims(), 'act', undefined), 'act_bounds', undefined)
  expect(await f.outcome(claims)).toBe('bounds_missing')
})

test.each([
  ['expired', 292, 'accepted'],
  ['expired', 293, 'token_expired'],
  ['expired', 1000, 'token_expired'],
  ['issued in the future', -13, 'accepted'],
  ['issued in the future', -14, 'token_not_yet_valid'],
  ['issued in the future', -38, 'token_not_yet_valid'],
  ['issued in the future', -600, 'token_not_yet_valid'],
])('K07 tolerates 5 seconds of clock difference, not more: %s, %i', async (_, ahead, outcome) => {
  // A chain of three was issued at NOW - 8 and ends at NOW + 288.
  const now = NOW + ahead
  const verifier = f.with({ now: () => now })
  const token = await signToken(f.issuerKey, f.claims())
  const proof = await aProof(f.agentKey, { token, claims: { iat: now } })
  expect(
    await reasonOf(verifier.verify({ token, proof, method: 'GET', url: URL_CALLED }, NEED)),
  ).toBe(outcome)
})

test('refuses at exp exactly when there is no tolerance', async () => {
  const { exp } = f.claims() as { exp: number }
  for (const [now, outcome] of [
    [exp - 1, 'accepted'],
    [exp, 'token_expired'],
  ] as const) {
    const verifier = f.with({ now: () => now, clockTolerance: 0 })
    const token = await signToken(f.issuerKey, f.claims())
    const proof = await aProof(f.agentKey, { token, claims: { iat: now } })
    expect(
      await reasonOf(verifier.verify({ token, proof, method: 'GET', url: URL_CALLED }, NEED)),
    ).toBe(outcome)
  }
})

test('refuses a token before its nbf', async () => {
  expect(await f.outcome({ ...f.claims(), nbf: NOW + 6 })).toBe('token_not_yet_valid')
  expect(await f.outcome({ ...f.claims(), nbf: NOW + 5 })).toBe('accepted')
})

test('refuses invalid UTF-8, UTF-16 and a byte order mark in the payload', async () => {
  const header = '{"alg":"ES256","typ":"at+jwt","kid":"k1"}'
  const text = JSON.stringify(f.claims())
  const payloads = [
    encode(`\ufeff${text}`),
    Buffer.from(text, 'utf16le'),
    Buffer.from(text.replace('alice', 'al\u00ffice'), 'latin1'),
  ]
  for (const payload of payloads)
    expect(await f.outcomeOf(await signText(f.issuerKey, header, payload))).toBe('token_malformed')
})

test('refuses every spelling of a good token but its own', async () => {
  const token = await signToken(f.issuerKey, f.claims())
  expect(await f.outcomeOf(token)).toBe('accepted')
  const last = token.at(-1) ?? ''
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const sibling = alphabet[alphabet.indexOf(last) ^ 1]
  for (const spelling of [
    `${token}=`,
    `${token}==`,
    `${token} `,
    `${token}\n`,
    token.slice(0, -1) + sibling,
  ])
    expect(await f.outcomeOf(spelling)).toBe('token_malformed')
})

test('an error carries nothing of the token', async () => {
  const claims = withMember(f.claims(), 'sub', 'SENTINEL'.repeat(200))
  const token = await signToken(f.issuerKey, claims)
  const error = await f.verifier
    .verify({ token, method: 'GET', url: '/' }, NEED)
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(VerificationError)
  const shown = inspect(error, { depth: null, showHidden: true }) + JSON.stringify(error)
  expect(shown).not.toContain('SENTINEL')
  expect(shown).not.toContain(token.slice(0, 40))
  const { nonce, ...rest } = error as VerificationError
  expect([nonce, rest]).toEqual([
    undefined,
    { name: 'VerificationError', reason: 'claim_malformed' },
  ])
})

const encode = (text: string) => new TextEncoder().encode(text)
const hmacKey = (secret: string) =>
  crypto.subtle.importKey('raw', encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
