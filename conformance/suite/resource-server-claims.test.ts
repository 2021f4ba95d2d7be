/** RFC 9068 §4 and the chain at a resource server: tokens with claims made wrong in one thing. */
import { describe, expect } from 'vitest'
import { altered, epoch } from './jwt.ts'
import { accepted, present, refused } from './played-resource-server.ts'
import { agents, call, second, tokenOf } from './scenario.ts'
import {
  hasVectors,
  rawClaims,
  timed,
  vector,
  vectorClaims,
  vectorKey,
  vectorProfile,
} from './vectors-issuer.ts'
import { verifies } from './verifies.ts'

const { server, ...played } = vectorProfile()
const key = vectorKey()
const withVectors = describe.runIf(hasVectors)

withVectors('claims', () => {
  verifies(['6750-3.1-02', '9068-4-08'], 'bad tokens are 401 invalid_token', async () => {
    const now = epoch()
    await refused(vector(timed({ iat: -400, exp: -60 })), 'expired')
    await refused('no-token', 'malformed')
    await refused(altered(vector(), { exp: now + 9999 }), 'altered')
    await refused(vector({ aud: 'https://elsewhere.example' }), 'audience')
  })

  verifies('9068-4-04', 'the issuer, exactly', async () => {
    const { issuer } = played
    const names = [`${issuer}/`, issuer.toUpperCase(), issuer.replace('https', 'http'), undefined]
    for (const iss of [
      ...names,
      [issuer],
      '',
      `${issuer}.evil`,
      `${issuer}%2f`,
      `${issuer}/../x`,
    ]) {
      await refused(vector({ iss }), iss)
    }
  })

  verifies(['9068-4-05', '9700-2.3-02', '8725-3.9-01'], 'the audience, exactly', async () => {
    const { uri } = server
    const names = [undefined, '', [], 7, null, uri.slice(0, -1), `${uri}/`, `${uri}x`]
    // Several, or one in a list: a token of this profile has one string.
    for (const aud of [...names, uri.toUpperCase(), [uri, 'https://other.example'], [uri]]) {
      await refused(vector({ aud }), aud)
    }
    await refusedThere(tokenOf(await second.alone({ resource: agents.third.endpoint })))
  })

  /** At the resource server of the issuer under test. */
  async function refusedThere(token: string): Promise<void> {
    const { status, json } = await call(second, token)
    expect([status, json['error']]).toEqual([401, 'invalid_token'])
  }

  verifies(['9068-4-07', '7519-4.1.4-01'], 'times are numbers, and now is among them', async () => {
    const now = epoch()
    await accepted(vector(timed({ iat: 0, exp: 60 })))
    await refused(vector(timed({ iat: -400, exp: -30 })), 'past')
    await refused(vector(timed({ iat: 60, exp: 300 })), 'future')
    await refused(vector({ nbf: now + 600 }), 'nbf')
    for (const value of [undefined, null, `${now + 60}`, true, -1, 1e300, 1.5, [now], {}]) {
      await refused(vector({ exp: value }), { exp: value })
      await refused(vector({ iat: value }), { iat: value })
    }
    for (const text of ['1e999', 'NaN', 'Infinity', '0x1', '01']) {
      await refused(rawClaims(`"exp":${text}`), text)
    }
  })

  verifies('8725-3.8-02', 'a subject is a name', async () => {
    for (const sub of [undefined, '', 7, null, ['alice'], {}, 'x'.repeat(10_000)]) {
      await refused(vector({ sub }), sub)
    }
  })

  verifies('7800-3-01', 'a binding that cannot be checked is no bearer token', async () => {
    const bindings = [{ kid: 'k1' }, { jwe: 'x' }, {}, 'x', null, [], { jkt: 7 }, { jkt: '' }]
    for (const cnf of [...bindings, { 'x5t#S256': 'x'.repeat(43) }, { jkt: key.thumbprint }]) {
      await refused(vector({ cnf }), cnf)
    }
  })

  verifies('8693-4.2-01', 'a list is no scope', async () => {
    for (const scope of [[server.scope], { a: 1 }, 7, null, undefined, `${server.scope} `]) {
      await refused(vector({ scope }), scope)
    }
  })
})

withVectors('the chain', () => {
  verifies('8693-4.1-04', 'the current actor decides, earlier ones do not', async () => {
    await accepted(vector())
    // The allowed agent comes first in the chain, another one calls.
    const claims = vectorClaims()
    const iss = played.issuer
    const act = { sub: 'other', iss, act: { sub: server.actor, iss } }
    expect((await present(vector({ ...claims, client_id: 'other', act }))).status).toBe(403)
  })

  verifies('8693-4.1-07', 'the same name of another issuer is another actor', async () => {
    const iss = 'https://elsewhere.example'
    const opener = { sub: 'opener', iss: played.issuer }
    await refused(vector({ act: { sub: server.actor, iss, act: opener } }))
    const act = { sub: server.actor, iss: played.issuer, act: { ...opener, iss } }
    await refused(vector({ act }))
  })

  verifies('8693-4.1-09', 'an act that is no object', async () => {
    const nested = (act: unknown) => ({ sub: server.actor, iss: played.issuer, act })
    for (const act of ['coder', [], null, 7, true, {}, { sub: 7 }, nested('x'), nested([])]) {
      await refused(vector({ act }), act)
    }
  })
})
