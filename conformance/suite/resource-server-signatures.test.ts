/** RFC 7515, RFC 7519 and RFC 8725 at a resource server: types, signatures and spellings made wrong in one thing. */
import { createHmac } from 'node:crypto'
import { describe, expect } from 'vitest'
import { send } from './http.ts'
import {
  type Claims,
  encode,
  newKey,
  type SigningKey,
  signature,
  signingKey,
  tampered,
} from './jwt.ts'
import { accepted, present, refused } from './played-resource-server.ts'
import { newId } from './scenario.ts'
import {
  hasVectors,
  rawClaims,
  vector,
  vectorClaims,
  vectorKey,
  vectorProfile,
} from './vectors-issuer.ts'
import { verifies } from './verifies.ts'

const played = vectorProfile()
const key = vectorKey()
const withVectors = describe.runIf(hasVectors)

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
