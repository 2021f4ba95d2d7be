/** Threats I: a bound token is worth nothing without its key, and a proof works once, here, now. */
import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Answer } from '../support/agent-client.ts'
import { bareJwk, epoch, newKey, payloadOf } from '../support/signing.ts'
import { type Stage, setStage, tokenOf } from './fixture.ts'
import { OWN_WORK } from './positions.ts'
import { auditMark, auditSince, expectGranted, expectRefusal, expectRefused } from './refusal.ts'
import { postForm, startSecondNode } from './second-node.ts'

let stage: Stage
let first: string
beforeAll(async () => {
  stage = await setStage()
  first = await stage.first()
})
afterAll(() => stage.close())

const notProven = { reason: 'subject_token_unacceptable', guard: 'subject_key_not_proven' } as const

describe('I01 no proof', () => {
  test('I01 refuses every grant without a proof', async () => {
    const { server, planner, researcher } = stage
    const without = { proof: null }
    const required = { reason: 'proof_required' } as const
    await expectRefusal(server, required, () => researcher.exchange(first, {}, without))
    await expectRefusal(server, required, () => planner.exchange(first, {}, without))
    await expectRefusal(server, required, () => planner.open(server.idToken(), {}, without))
    await expectRefusal(server, required, () => planner.token(OWN_WORK, without))
    const empty = { headers: { dpop: '' } }
    await expectRefusal(server, required, () => researcher.exchange(first, {}, empty))
  })

  test.each(['Bearer', 'DPoP'])(
    'I01 a token in an Authorization header of scheme %s authenticates nobody',
    async (scheme) => {
      const { server, planner } = stage
      const headers = { authorization: `${scheme} ${first}` }
      const none = { client_assertion: undefined, client_assertion_type: undefined }
      await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
        planner.exchange(first, { ...none, client_id: 'planner' }, { headers }),
      )
    },
  )
})

describe('I02 a proof by another key', () => {
  test('I02 refuses the holder without the key of its token', async () => {
    const { server, planner } = stage
    const proofKey = newKey()
    await expectRefusal(server, notProven, () => planner.exchange(first, {}, { proofKey }))
    // Its own authentication key is another key as well.
    await expectRefusal(server, notProven, () =>
      planner.exchange(first, {}, { proofKey: planner.key }),
    )
  })

  test('I02 refuses a proof that embeds one key and is signed by another', async () => {
    const { server, planner } = stage
    const expected = { reason: 'proof_invalid', guard: 'proof_signature_invalid' } as const
    const proofHeader = { jwk: bareJwk(planner.proofKey) }
    await expectRefusal(server, expected, () =>
      planner.exchange(first, {}, { proofKey: newKey(), proofHeader }),
    )
  })

  test('I02 two proofs in one request are none', async () => {
    const { server, planner } = stage
    const dpop = `${planner.proof()}, ${planner.proof()}`
    await expectRefusal(server, { reason: 'proof_invalid' }, () =>
      planner.exchange(first, {}, { headers: { dpop } }),
    )
  })
})

describe('I03 proof replay', () => {
  const replayed = { reason: 'proof_replayed' } as const

  test('I03 refuses the second use of a proof, and of its id in another proof', async () => {
    const { server, planner } = stage
    const headers = { dpop: planner.proof() }
    await expectGranted(server, () => planner.token(OWN_WORK, { headers }))
    await expectRefusal(server, replayed, () => planner.token(OWN_WORK, { headers }))
    const { jti, iat } = payloadOf(headers.dpop)
    await expectRefusal(server, replayed, () => planner.token(OWN_WORK, { proof: { jti, iat } }))
  })

  test('I03 of 50 copies at once exactly one succeeds', async () => {
    const headers = { dpop: stage.planner.proof() }
    await expectOneOf(() => stage.planner.token(OWN_WORK, { headers }))
  })

  test('I03 across two nodes exactly one succeeds', async () => {
    const { server, planner } = stage
    const node = await startSecondNode(server)
    try {
      const headers = { dpop: planner.proof() }
      const there = (): Promise<Answer> =>
        postForm(
          `${node.origin}/t/acme/token`,
          {
            ...OWN_WORK,
            client_assertion: planner.assertion(),
            client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          },
          headers,
        )
      await expectOneOf((copy) => (copy % 2 === 0 ? planner.token(OWN_WORK, { headers }) : there()))
      expectRefused(await there(), 'proof_replayed')
    } finally {
      await node.close()
    }
  })

  test('I03 a proof for one tenant is none for another', async () => {
    const { server, planner } = stage
    const there = server.client('planner', 'globex')
    const headers = { dpop: planner.proof() }
    await expectRefusal(server, { reason: 'proof_invalid', guard: 'proof_uri' }, () =>
      there.token(OWN_WORK, { headers }),
    )
    await expectGranted(server, () => planner.token(OWN_WORK, { headers }))
  })

  test('I03 a proof whose signature fails spends nothing', async () => {
    const { server, planner } = stage
    const jti = 'spent-by-nobody'
    const proofHeader = { jwk: bareJwk(planner.proofKey) }
    const forged = { proof: { jti }, proofKey: newKey(), proofHeader }
    await expectRefusal(server, { reason: 'proof_invalid' }, () => planner.token(OWN_WORK, forged))
    await expectGranted(server, () => planner.token(OWN_WORK, { proof: { jti } }))
  })

  async function expectOneOf(send: (copy: number) => Promise<Answer>): Promise<void> {
    const before = auditMark(stage.server)
    const answers = await Promise.all(Array.from({ length: 50 }, (_, copy) => send(copy)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    const refused = answers.filter(({ status }) => status !== 200)
    for (const answer of refused) expectRefused(answer, 'proof_replayed')
    expect(auditSince(stage.server, before)).toHaveLength(50)
  }
})

describe('I04 proof fields', () => {
  const privateJwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    format: 'jwk',
  })
  const shortRsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({
    format: 'jwk',
  })

  test.each<[string, Record<string, unknown>]>([
    ['htm GET', { htm: 'GET' }],
    ['htm in lower case', { htm: 'post' }],
    ['no htm', { htm: undefined }],
    ['no htu', { htu: undefined }],
    ['no jti', { jti: undefined }],
    ['an empty jti', { jti: '' }],
    ['a numeric jti', { jti: 7 }],
    ['a jti of a kilobyte', { jti: 'j'.repeat(1024) }],
    ['no iat', { iat: undefined }],
    ['iat as a string', { iat: '1' }],
    ['iat 61 seconds ago', { iat: epoch() - 3600 }],
    ['iat in an hour', { iat: epoch() + 3600 }],
    ['iat 1e300', { iat: 1e300 }],
    ['a negative iat', { iat: -1 }],
  ])('I04 refuses a proof with %s', async (_, proof) => {
    const { server, planner } = stage
    await expectRefusal(server, { reason: 'proof_invalid' }, () =>
      planner.token(OWN_WORK, { proof }),
    )
  })

  test.each<[string, (url: URL) => string]>([
    ['the path of introspection', (url) => url.href.replace('/token', '/introspect')],
    ['another tenant', (url) => url.href.replace('acme', 'globex')],
    ['the issuer alone', (url) => url.href.replace('/token', '')],
    ['a slash more', (url) => `${url.href}/`],
    ['another host', (url) => url.href.replace('127.0.0.1', 'localhost')],
    ['another port', (url) => url.href.replace(url.port, '1')],
    ['another scheme', (url) => url.href.replace('http:', 'https:')],
    ['userinfo', (url) => url.href.replace('//', '//user@')],
    ['an upper-case path', (url) => url.href.replace('acme', 'ACME')],
    ['a relative reference', (url) => url.pathname],
    ['an escaped slash', (url) => url.href.replace('/token', '%2Ftoken')],
    ['3 kilobytes', (url) => `${url.href}?${'x'.repeat(3000)}`],
  ])('I04 refuses a proof whose htu is %s', async (_, htu) => {
    const { server, planner } = stage
    const proof = { htu: htu(new URL(`${planner.issuer}/token`)) }
    await expectRefusal(server, { reason: 'proof_invalid', guard: 'proof_uri' }, () =>
      planner.token(OWN_WORK, { proof }),
    )
  })

  test('I04 takes the endpoint with a query and a fragment, as RFC 9449 says', async () => {
    const { server, planner } = stage
    for (const end of ['?a=b', '#c', '?a#c']) {
      const proof = { htu: `${planner.issuer}/token${end}` }
      await expectGranted(server, () => planner.token(OWN_WORK, { proof }))
    }
  })

  test.each<[string, Record<string, unknown>]>([
    ['typ JWT', { typ: 'JWT' }],
    ['no typ', { typ: undefined }],
    ['a private jwk', { jwk: privateJwk }],
    ['no jwk', { jwk: undefined }],
    ['jwk null', { jwk: null }],
    ['jwk as a string', { jwk: '{}' }],
    ['a symmetric jwk', { jwk: { kty: 'oct', k: 'AAAA' } }],
    [
      'a jwk off its curve',
      { jwk: { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) } },
    ],
    ['a jwk on P-384', { jwk: { kty: 'EC', crv: 'P-384', x: 'AA', y: 'AA' } }],
    ['a jwk on secp256k1', { jwk: { kty: 'EC', crv: 'secp256k1', x: 'AA', y: 'AA' } }],
    ['a short RSA jwk', { jwk: shortRsa, alg: 'RS256' }],
    [
      'an RSA jwk of 16k bits',
      { jwk: { kty: 'RSA', n: 'A'.repeat(2731), e: 'AQAB' }, alg: 'RS256' },
    ],
    [
      'an RSA jwk with a huge exponent',
      { jwk: { kty: 'RSA', n: 'u'.repeat(342), e: 'A'.repeat(342) }, alg: 'RS256' },
    ],
    ['alg HS256', { alg: 'HS256' }],
    ['alg none', { alg: 'none' }],
    ['a jwk for encryption', { jwk: { ...bareJwk(newKey()), use: 'enc' } }],
  ])('I04 refuses a proof whose header has %s', async (_, proofHeader) => {
    const { server, planner } = stage
    await expectRefusal(server, { reason: 'proof_invalid' }, () =>
      planner.token(OWN_WORK, { proofHeader }),
    )
  })

  test('I04 a key that was good before does not make a bad form of it good', async () => {
    const { server, planner } = stage
    await expectGranted(server, () => planner.token(OWN_WORK))
    const jwk = bareJwk(planner.proofKey)
    const forms = [{ use: 'enc' }, { alg: 'RS256' }, { alg: 'ES256K' }, { d: 'AA' }, { k: 'AA' }]
    for (const more of forms) {
      const proofHeader = { jwk: { ...jwk, ...more } }
      await expectRefusal(server, { reason: 'proof_invalid' }, () =>
        planner.token(OWN_WORK, { proofHeader }),
      )
    }
  })
})

describe('I05 laundering a stolen bound token', () => {
  test('I05 refuses a stolen token with a thief\u2019s own valid proof', async () => {
    const { server, rogue, coder } = stage
    const stranger = {
      reason: 'subject_token_unacceptable',
      guard: 'caller_neither_holder_nor_recipient',
    } as const
    for (const thief of [rogue, coder]) {
      await expectRefusal(server, stranger, () => thief.exchange(first))
    }
    await expectRefusal(server, notProven, () =>
      stage.planner.exchange(first, {}, { proofKey: rogue.proofKey }),
    )
  })

  test('I05 a stolen token with a proof its holder has used is a replay', async () => {
    const { server, planner, rogue } = stage
    const headers = { dpop: planner.proof() }
    await expectGranted(server, () => planner.exchange(first, {}, { headers }))
    await expectRefusal(server, { reason: 'proof_replayed' }, () =>
      rogue.exchange(first, {}, { headers }),
    )
  })

  test('I05 the child is bound to exactly the key its caller proved', async () => {
    const { server, planner, researcher } = stage
    const child = await expectGranted(server, () => researcher.exchange(first))
    expect(child['cnf']).toEqual({ jkt: researcher.proofKey.thumbprint })
    const another = newKey()
    const bound = await expectGranted(server, () =>
      researcher.exchange(first, { audience: 'coder-a2a' }, { proofKey: another }),
    )
    expect(bound['cnf']).toEqual({ jkt: another.thumbprint })
    expect(payloadOf(tokenOf(await planner.exchange(first)))['cnf']).toEqual({
      jkt: planner.proofKey.thumbprint,
    })
  })
})
