/** Threats F: one tenant, one issuer, one key set, one key space. */
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AgentClient, ASSERTION_TYPE } from '../support/agent-client.ts'
import { newKey, payloadOf, signJwt } from '../support/signing.ts'
import { type Stage, setStage, signerAt, tokenOf } from './fixture.ts'
import { expectGranted, expectRefusal } from './refusal.ts'

const UNACCEPTABLE = 'subject_token_unacceptable'
const OWN_WORK = { grant_type: 'client_credentials' } as const

let stage: Stage
let first: string
beforeAll(async () => {
  stage = await setStage()
  first = await stage.first()
})
afterAll(() => stage.close())

describe('F01 foreign subject', () => {
  test('F01 refuses the token of one tenant at another, as subject and as actor', async () => {
    const { server } = stage
    const researcher = server.client('researcher', 'globex')
    const planner = server.client('planner', 'globex')
    const expected = { reason: UNACCEPTABLE, guard: 'key_unknown' } as const
    for (const client of [researcher, planner]) {
      await expectRefusal(server, expected, () => client.exchange(first))
    }
  })

  test('F01 refuses a client of one tenant at another', async () => {
    const { server, planner } = stage
    const url = server.issuer('globex')
    const reason = 'client_authentication_failed'
    const there = server.client('planner', 'globex')
    for (const aud of [server.issuer(), url]) {
      const client_assertion = planner.assertion({ assertion: { aud } })
      await expectRefusal(server, { reason }, () => there.token({ ...OWN_WORK, client_assertion }))
    }
  })

  test('F01 a token of one tenant is unknown and cannot be revoked at another', async () => {
    const { server, planner, researcher } = stage
    const there = server.client('planner', 'globex')
    expect((await there.introspect(first)).text).toBe('{"active":false}')
    expect((await there.revoke(first)).status).toBe(200)
    expect((await planner.introspect(first)).body['active']).toBe(true)
    await expectGranted(server, () => researcher.exchange(first))
  })
})

describe('F02 issuer mix-up', () => {
  test.each<[string, (issuer: string) => unknown]>([
    ['a slash at the end', (issuer) => `${issuer}/`],
    ['an escaped slash', (issuer) => `${issuer}%2f`],
    ['upper case', (issuer) => issuer.replace('acme', 'ACME')],
    ['a longer name', (issuer) => `${issuer}.evil`],
    ['dot segments', (issuer) => `${issuer}/../globex`],
    ['another tenant', (issuer) => issuer.replace('acme', 'globex')],
    ['a list of the issuer', (issuer) => [issuer]],
    ['null', () => null],
    ['nothing', () => undefined],
  ])('F02 refuses a token of our own key whose iss is ours with %s', async (_, iss) => {
    const { server, researcher } = stage
    const claims = { ...payloadOf(first), iss: iss(server.issuer()) }
    const token = await stage.signAsTenant(stage.tokenHeader(), claims)
    const expected = { reason: UNACCEPTABLE, guard: 'issuer_mismatch' } as const
    await expectRefusal(server, expected, () => researcher.exchange(token))
  })

  test.each([
    '/t/acme/',
    '/t/acme%2f',
    '/t/ACME',
    '/t/acme.evil',
    '/t/globex/../acme',
    '/t//acme',
    '/T/acme',
    '/t/acme;x',
    '/t/acm%65',
    '/t/acme/token/..',
    'http://evil.example/t/acme',
    '/t/__proto__',
    '/t/constructor',
    '/t/nobody',
  ])('F02 there is no token endpoint under %s', async (path) => {
    const { planner } = stage
    const answer = await rawPost(planner, `${path}/token`)
    expect(answer.status).toBe(404)
    expect(answer.text).not.toContain('access_token')
  })

  test('F02 the Host header chooses nothing', async () => {
    const { server, planner } = stage
    for (const headers of [
      { host: 'evil.example' },
      { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
      { forwarded: 'host=evil.example;proto=https' },
    ]) {
      const { status, text } = await rawPost(planner, '/t/acme/token', headers)
      expect(status).toBe(200)
      expect(payloadOf(String(JSON.parse(text)['access_token']))['iss']).toBe(server.issuer())
    }
  })
})

describe('F03 key crossing', () => {
  test('F03 refuses a token of our issuer signed by another tenant, under either key id', async () => {
    const { server, researcher } = stage
    const claims = payloadOf(first)
    const acmeKid = stage.tokenHeader()['kid']
    const globexKid = stage.tokenHeader('globex')['kid']
    expect(acmeKid).not.toBe(globexKid)
    for (const [kid, guard] of [
      [acmeKid, 'signature_invalid'],
      [globexKid, 'key_unknown'],
      [undefined, 'key_unknown'],
    ] as const) {
      const token = await stage.signAsTenant({ alg: 'ES256', typ: 'at+jwt', kid }, claims, 'globex')
      await expectRefusal(server, { reason: UNACCEPTABLE, guard }, () => researcher.exchange(token))
      expect((await researcher.introspect(token)).text).toBe('{"active":false}')
    }
  })

  test('F03 refuses a user token signed by another trusted issuer', async () => {
    const { server, planner } = stage
    for (const kid of ['idp-1', 'partner-1']) {
      const header = { alg: 'ES256', kid, typ: 'JWT' }
      const token = signJwt(stage.partnerKey, header, payloadOf(server.idToken()))
      await expectRefusal(server, { reason: UNACCEPTABLE }, () => planner.open(token))
    }
  })

  test('F03 each tenant publishes its own keys alone', async () => {
    const { server } = stage
    for (const tenant of ['acme', 'globex']) {
      const jwks = await (await fetch(`${server.issuer(tenant)}/jwks`)).json()
      expect(jwks).toEqual({ keys: [signerAt(server, tenant).publicJwk] })
    }
  })
})

describe('F04 key-space tricks', () => {
  const IDS = ['a:b', 'a/b', '{acme}', '*', 'a\nb', 'a\0b', '..', 'x'.repeat(2000), 'acme:t1', '']

  test.each(IDS)(
    'F04 a task id or token id %j that was never issued is on no record',
    async (id) => {
      const { server, researcher } = stage
      const tricked = payloadOf(first)
      tricked['txn'] = id
      const token = await stage.signAsTenant(stage.tokenHeader(), tricked)
      await expectRefusal(
        server,
        { reason: /./.test(id) ? 'subject_token_revoked' : UNACCEPTABLE },
        () => researcher.exchange(token),
      )
      const renamed = payloadOf(first)
      renamed['jti'] = id
      renamed['act_bounds']['hops'][0]['jti'] = id
      const other = await stage.signAsTenant(stage.tokenHeader(), renamed)
      const reason = id === '' ? UNACCEPTABLE : 'subject_token_revoked'
      await expectRefusal(server, { reason }, () => researcher.exchange(other))
      expect((await researcher.introspect(other)).text).toBe('{"active":false}')
    },
  )

  test.each(IDS.filter((id) => id !== ''))(
    'F04 a target or task type named %j is nothing',
    async (id) => {
      const { server, researcher, planner } = stage
      await expectRefusal(server, { reason: 'target_not_permitted', guard: 'target_unknown' }, () =>
        researcher.exchange(first, { audience: id }),
      )
      await expectRefusal(server, { reason: 'task_type_not_permitted' }, () =>
        planner.open(server.idToken(), { task_type: id }),
      )
    },
  )

  test.each(IDS.filter((id) => id !== ''))(
    'F04 an assertion or proof id %j is used once, like any',
    async (id) => {
      const { server, planner } = stage
      const jti = `${id.slice(0, 100)}`
      const overrides = { assertion: { jti }, proof: { jti } }
      await expectGranted(server, () => planner.token(OWN_WORK, overrides))
      await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
        planner.token(OWN_WORK, { assertion: { jti } }),
      )
      await expectRefusal(server, { reason: 'proof_replayed' }, () =>
        planner.token(OWN_WORK, { proof: { jti } }),
      )
    },
  )

  test('F04 two ids that join to one text are two', async () => {
    const { server, planner } = stage
    const proofKey = newKey()
    for (const jti of ['ab', 'a', 'b', 'a:b', 'a/b', 'planner:a', 'a\u0000b']) {
      await expectGranted(server, () => planner.token(OWN_WORK, { proof: { jti }, proofKey }))
    }
  })
})

describe('F06 shared process state', () => {
  test('F06 the ids used once in one tenant are unused in another', async () => {
    const { server, planner } = stage
    const there = server.client('planner', 'globex')
    const shared = { assertion: { jti: 'shared-assertion' }, proof: { jti: 'shared-proof' } }
    await expectGranted(server, () => planner.token(OWN_WORK, shared))
    const sameKey = { ...shared, proofKey: planner.proofKey }
    await expectGranted(server, () => there.token(OWN_WORK, sameKey))
    await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
      there.token(OWN_WORK, shared),
    )
  })

  test('F06 a flood of failures in one tenant costs the other nothing', async () => {
    const { server, planner } = stage
    const there = server.client('planner', 'globex')
    await Promise.all(
      Array.from({ length: 40 }, () => there.exchange('x', {}, { assertion: { aud: 'x' } })),
    )
    await expectGranted(server, () => planner.token(OWN_WORK))
  })

  test('F06 a task revoked in one tenant leaves the other\u2019s alone', async () => {
    const { server, planner, researcher } = stage
    const there = server.client('planner', 'globex')
    const theirs = tokenOf(
      await there.open(server.idToken(), { audience: 'researcher-a2a', scope: 'files:read' }),
    )
    const ours = tokenOf(await planner.open(server.idToken(), { audience: 'researcher-a2a' }))
    await there.revoke(theirs)
    await expectRefusal(server, { reason: 'subject_token_revoked' }, () =>
      server.client('researcher', 'globex').exchange(theirs),
    )
    await expectGranted(server, () => researcher.exchange(ours))
  })
})

interface RawAnswer {
  readonly status: number
  readonly text: string
}

/** A request whose path and Host are sent as written. */
function rawPost(
  client: AgentClient,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(client.issuer)
  const form = new URLSearchParams({
    ...OWN_WORK,
    client_assertion: client.assertion(),
    client_assertion_type: ASSERTION_TYPE,
  })
  const type = 'application/x-www-form-urlencoded'
  const all = { 'content-type': type, dpop: client.proof(), ...headers }
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method: 'POST', headers: all }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      )
    })
    sent.once('error', reject)
    sent.end(form.toString())
  })
}
