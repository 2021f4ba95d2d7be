/** RFC 6750 and RFC 9068 §4 at a resource server: requests with a token, and tokens made wrong in one thing. */
import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { FORM_TYPE, form, type Reply, type Sent, send } from './http.ts'
import {
  altered,
  type Claims,
  encode,
  epoch,
  newKey,
  type SigningKey,
  signature,
  signingKey,
  signJwt,
  tampered,
} from './jwt.ts'
import { agents, api, call, newId, ownToken, second, tokenOf } from './scenario.ts'
import {
  hasVectors,
  timed,
  vector,
  vectorClaims,
  vectorKey,
  vectorProfile,
} from './vectors-issuer.ts'
import { verifies } from './verifies.ts'

const { server, ...played } = vectorProfile()
const files = `${server.uri}/files`
const key = vectorKey()
const withVectors = describe.runIf(hasVectors)

/** A call with a bearer token, where bearer tokens are taken. */
function present(token: string, sent: Sent = {}): Promise<Reply> {
  return send(files, { ...sent, headers: { authorization: `Bearer ${token}`, ...sent.headers } })
}

async function accepted(token: string): Promise<void> {
  const reply = await present(token)
  expect({ status: reply.status, reason: reply.json['reason'] }).toEqual({ status: 200 })
}

async function refused(token: string, what: unknown = ''): Promise<void> {
  const { status, json, headers } = await present(token)
  expect({ what, status, error: json['error'] }).toEqual({
    what,
    status: 401,
    error: 'invalid_token',
  })
  expect(headers['www-authenticate']).toContain('error="invalid_token"')
}

test.runIf(hasVectors)('a right token is accepted', async () => {
  await accepted(vector())
})

withVectors('the request', () => {
  verifies('6750-2-01', 'a token in the header and in the body is refused', async () => {
    const token = vector()
    const body = form({ access_token: token, name: 'a', text: 'b' })
    const headers = { 'content-type': FORM_TYPE }
    const reply = await present(token, { method: 'POST', headers, body })
    expect([reply.status, reply.json['error']]).toEqual([400, 'invalid_request'])
    const inQuery = await send(`${files}?access_token=${token}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    expect([inQuery.status, inQuery.json['error']]).toEqual([400, 'invalid_request'])
  })

  verifies('6750-2.1-01', 'the header works, its scheme in any case', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const headers = { authorization: `${scheme} ${vector()}` }
      expect((await send(files, { headers })).status).toBe(200)
    }
    expect((await call(second, await ownToken(), { scheme: 'dpop' })).status).toBe(200)
  })

  verifies('6750-2.1-02', 'what is no token is refused quietly', async () => {
    for (const value of [
      'Bearer',
      'Bearer  ',
      'Bearer a b',
      'Bearer "a"',
      'Bearer a=b',
      'Basic YTpi',
      ',',
    ]) {
      const { status } = await send(files, { headers: { authorization: value } })
      expect({ value, refused: [400, 401].includes(status) }).toEqual({ value, refused: true })
    }
  })

  verifies('6750-2.3-01', 'a token in the query is no credential', async () => {
    const reply = await send(`${files}?access_token=${vector()}`)
    expect([reply.status, reply.json['error']]).toEqual([401, undefined])
    expect(reply.headers['www-authenticate']).not.toContain('error=')
  })

  verifies(['6750-3-01', '6750-3.1-01'], 'no credentials, a challenge without error', async () => {
    const bare = await send(files)
    expect(bare.status).toBe(401)
    expect(bare.headers['www-authenticate']).toMatch(/\bBearer realm="[^"]+"/)
    const bound = await send(`${api.uri}/files`)
    expect(bound.headers['www-authenticate']).toMatch(/(?:^|, )DPoP realm="[^"]+"/)
    for (const { headers, json } of [bare, bound]) {
      expect(headers['www-authenticate']).not.toMatch(/\berror/)
      expect(json['error']).toBeUndefined()
    }
  })

  verifies('6750-3.1-04', 'two sets of credentials are a bad request', async () => {
    const authorization = [`Bearer ${vector()}`, `Bearer ${vector()}`]
    const reply = await send(files, { headers: { authorization } })
    expect([reply.status, reply.json['error']]).toEqual([400, 'invalid_request'])
  })

  verifies(['6750-3.1-03', '6749-7-01', '9700-2.3-03'], 'too little scope is 403', async () => {
    const body = JSON.stringify({ name: 'a', text: 'b' })
    const headers = { 'content-type': 'application/json' }
    const token = tokenOf(await second.alone({ resource: api.uri, scope: api.read }))
    const reply = await call(second, token, { method: 'POST', headers, body })
    expect([reply.status, reply.json['error']]).toEqual([403, 'insufficient_scope'])
    expect(reply.headers['www-authenticate']).toContain(`scope="${api.write}"`)
    const wider = tokenOf(await second.alone({ resource: api.uri, scope: api.write }))
    expect((await call(second, wider, { method: 'POST', headers, body })).status).toBe(201)
    expect((await call(second, wider)).status).toBe(403)
  })

  verifies('9700-4.9-01', 'a refusal repeats no token and no proof', async () => {
    const token = tampered(vector())
    const proof = second.proof()
    const replies = [
      await present(token),
      await present(token, { headers: { dpop: proof } }),
      await call(second, await ownToken(), { proof: tampered(proof) }),
      await present('a"b'),
    ]
    for (const { text, headers, status } of replies) {
      expect(status).toBeGreaterThanOrEqual(400)
      const told = text + JSON.stringify(headers)
      for (const secret of [token, proof, ...token.split('.'), ...proof.split('.')]) {
        expect(told).not.toContain(secret)
      }
    }
  })
})

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

withVectors('type', () => {
  verifies(['9068-4-02', '8725-3.11-01'], 'at+jwt and nothing else', async () => {
    const others = [
      'JWT',
      undefined,
      'dpop+jwt',
      'oauth-id-jag+jwt',
      'secevent+jwt',
      'id+jwt',
      'jwt',
    ]
    for (const typ of [...others, '', 7, 'at+jwt ', 'text/at+jwt', 'client-authentication+jwt']) {
      await refused(vector({}, { typ }), typ)
    }
  })

  verifies('8725bis-3.11-02', 'with or without its prefix, in any case', async () => {
    for (const typ of ['at+jwt', 'application/at+jwt', 'at+JWT', 'AT+JWT', 'Application/At+Jwt']) {
      await accepted(vector({}, { typ }))
    }
  })
})

/** The payload of a right token with one member written as it stands. */
function rawClaims(member: string, header: Claims = {}): string {
  const [name] = member.split(':')
  const rest = Object.entries(vectorClaims()).filter(([other]) => `"${other}"` !== name)
  const text = `{${member},${JSON.stringify(Object.fromEntries(rest)).slice(1)}`
  return signJwt(key, { alg: 'ES256', typ: 'at+jwt', kid: key.kid, ...header }, text)
}

withVectors('signature', () => {
  verifies(
    ['9068-4-06', '8725-3.2-01'],
    'by the issuer, never by none or a shared secret',
    async () => {
      const [, payload] = vector().split('.')
      for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
        const header = encode({ alg, typ: 'at+jwt', kid: key.kid })
        await refused(`${header}.${payload}.`, alg)
        await refused(`${header}.${payload}.${signature(key, `${header}.${payload}`)}`, alg)
      }
      await refused(tampered(vector()), 'tampered')
      await refused(vector().replace(/[^.]*$/, ''), 'stripped')
      const secrets = [JSON.stringify(key.publicJwk), key.kid ?? '', '']
      for (const secret of secrets) {
        const input = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: key.kid })}.${payload}`
        const mac = createHmac('sha256', secret).update(input).digest('base64url')
        await refused(`${input}.${mac}`, 'HS256')
      }
    },
  )

  verifies('8725-3.1-01', 'by an algorithm of the list', async () => {
    const outside = ['ES384', 'PS256', 'ES256K', 'HS512', 'RS1', 'es256', 'ES256 ', undefined, 7]
    for (const alg of outside) await refused(vector({}, { alg }), alg)
  })

  verifies('8725-3.1-02', 'by the algorithm of the key', async () => {
    for (const alg of ['RS256', 'EdDSA', 'PS256']) await refused(vector({}, { alg }), alg)
  })

  verifies('8725-3.8-01', 'by a key of its own issuer, whatever the kid', async () => {
    const other = signingKey(played.other_jwk)
    expect(other.kid).toBe(key.kid)
    await refused(vector({}, {}, other), 'the other issuer’s key')
    await refused(vector({ iss: played.other_issuer }, {}, other), 'the other issuer')
    await refused(vector({ iss: played.other_issuer }), 'its name')
  })

  verifies('8725-3.10-01', 'by the key its id names, and only that', async () => {
    const names = [
      '../../x',
      "' or 1=1 --",
      'x'.repeat(10_000),
      7,
      '__proto__',
      'constructor',
      [key.kid],
    ]
    for (const kid of [...names, 'https://evil.example/k', '\u0000', null]) {
      await refused(vector({}, { kid }, newKey()), kid)
    }
  })

  verifies('8725-3.10-02', 'by no key the token brings or points to', async () => {
    const own = newKey()
    const { port } = played.site
    const trap = `https://127.0.0.1:${port}/${newId()}`
    const pointers: readonly Claims[] = [
      { jku: trap, kid: own.kid },
      { x5u: trap, kid: own.kid },
      { jwk: own.publicJwk, kid: undefined },
      { x5c: ['AAAA'], kid: own.kid },
      { jwk: own.publicJwk },
    ]
    for (const header of pointers) await refused(vector({}, header, own), header)
    const { text } = await send(`https://127.0.0.1:${port}/seen`)
    expect(text).toContain('oauth-authorization-server')
    expect(text).not.toContain(new URL(trap).pathname)
  })
})

withVectors('form', () => {
  const right = (): string => vector()

  verifies('7515-4.1.11-01', 'critical extensions', async () => {
    const headers = [
      { crit: [] },
      { crit: ['x'] },
      { crit: ['x'], x: 1 },
      { crit: ['exp'], exp: 1 },
    ]
    for (const header of [
      ...headers,
      { crit: ['b64'], b64: false },
      { b64: false },
      { crit: 'x' },
    ]) {
      await refused(vector({}, header), header)
    }
  })

  verifies('7519-7.2-01', 'whole JSON objects', async () => {
    const header = encode({ alg: 'ES256', typ: 'at+jwt', kid: key.kid })
    for (const text of ['[]', '7', 'null', '"x"', '', '{', `${JSON.stringify(vectorClaims())}x`]) {
      await refused(signText(key, header, encode(text)), text)
    }
    for (const text of ['[]', 'null', '{"alg":"ES256"', `{"alg":"ES256","typ":"at+jwt"} {}`]) {
      await refused(signText(key, encode(text), encode(vectorClaims())), text)
    }
  })

  verifies('7515-4-01', 'members that come twice', async () => {
    await refused(rawClaims(`"sub":"alice","sub":"bob"`))
    await refused(rawClaims(`"iss":"x","iss":"${played.issuer}"`))
    const header = `{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"${key.kid}"}`
    await refused(signText(key, encode(header), encode(vectorClaims())))
  })

  verifies('8725-3.7-01', 'UTF-8, and no mark before it', async () => {
    const text = JSON.stringify(vectorClaims())
    const header = encode({ alg: 'ES256', typ: 'at+jwt', kid: key.kid })
    const payloads = [
      Buffer.from(`\ufeff${text}`),
      Buffer.from(text, 'utf16le'),
      Buffer.concat([
        Buffer.from(text.slice(0, -1)),
        Buffer.from([0x2c, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      ]),
    ]
    for (const payload of payloads) await refused(signText(key, header, encode(payload)))
  })

  verifies(
    ['8725bis-3.14-01', '7515-2-01'],
    'one spelling, of the characters of a JWT',
    async () => {
      const token = right()
      const [header, payload, proof] = token.split('.')
      const spellings = [
        `${token}=`,
        `${token}==`,
        `${header}=.${payload}.${proof}`,
        `${header}.${payload}=.${proof}`,
        `${token}.`,
        `.${token}`,
        `${token.slice(0, -1)}${lastSpelling(token)}`,
        `${header}.${payload}.${proof?.replace(/[-_]/g, '+')}/`,
      ]
      for (const text of spellings) await rejected(text)
      const json = JSON.stringify({ protected: header, payload, signature: proof })
      await rejected(json)
      await rejected(`${header}.${payload?.slice(0, 4)} ${payload?.slice(4)}.${proof}`)
    },
  )

  /** 401, or 400 where it is not even a credential. */
  async function rejected(text: string): Promise<void> {
    const { status } = await present(text)
    expect({ text: text.slice(-8), refused: [400, 401].includes(status) }).toEqual({
      text: text.slice(-8),
      refused: true,
    })
  }
})

/** The last character with its unused bits changed. */
function lastSpelling(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(token.at(-1) ?? 'A') ^ 1] ?? ''
}

function signText(by: SigningKey, header: string, payload: string): string {
  const input = `${header}.${payload}`
  return `${input}.${signature(by, input)}`
}
