/** Threats J, first half: algorithm, key pointers, extensions, encryption, size and JSON of every JWT a request can carry. */
import { createHmac, createPublicKey } from 'node:crypto'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../support/authorization-server.ts'
import { FAULTY_KEYS } from '../support/faulty-keys.ts'
import { bareJwk, encode, newKey, signJwt } from '../support/signing.ts'
import { type Stage, setStage } from './fixture.ts'
import {
  everywhere,
  type Honest,
  OWN_WORK,
  POSITION_NAMES,
  POSITIONS,
  type PositionName,
  signingInput,
  withRawMembers,
} from './positions.ts'
import { expectGranted, expectRefusal } from './refusal.ts'

type Forge = (honest: Honest) => Promise<string> | string
type Attack = readonly [string, Forge]

let stage: Stage
let calls = 0
const canary = createServer((socket) => {
  calls += 1
  socket.destroy()
})
let canaryUrl = ''

beforeAll(async () => {
  stage = await setStage()
  const port = await freePort()
  await new Promise<void>((resolve) => canary.listen(port, '127.0.0.1', resolve))
  canaryUrl = `http://127.0.0.1:${port}/jwks`
})
afterAll(async () => {
  await stage.close()
  canary.close()
})

async function expectForgeryRefused(name: PositionName, forge: Forge): Promise<void> {
  const { reason, make } = POSITIONS[name]
  const honest = await make(stage)
  const text = await forge(honest)
  await expectRefusal(stage.server, { reason }, () => honest.send(text))
}

test.each(POSITION_NAMES)('J00 an honest one is taken as %s', async (name) => {
  const honest = await POSITIONS[name].make(stage)
  const text = await honest.sign(honest.header, honest.payload)
  await expectGranted(stage.server, () => honest.send(text))
})

describe('J01 alg', () => {
  const unsigned = (alg: string, signature: string): Attack => [
    `alg ${JSON.stringify(alg)} with signature ${JSON.stringify(signature)}`,
    ({ header, payload }) => `${signingInput({ ...header, alg }, payload)}.${signature}`,
  ]
  const renamed = (alg: unknown): Attack => [
    `alg ${JSON.stringify(alg)} over an ES256 signature`,
    ({ header, payload, sign }) => sign({ ...header, alg }, payload),
  ]
  const pem = ({ publicJwk }: Honest, type: 'pem' | 'der'): string | Buffer => {
    const key = createPublicKey({ key: publicJwk as JsonWebKey, format: 'jwk' })
    return type === 'pem'
      ? key.export({ type: 'spki', format: 'pem' })
      : key.export({ type: 'spki', format: 'der' })
  }
  const keyed = (title: string, secretOf: (honest: Honest) => string | Buffer): Attack => [
    `HS256 keyed with ${title}`,
    (honest) => {
      const input = signingInput({ ...honest.header, alg: 'HS256' }, honest.payload)
      return `${input}.${createHmac('sha256', secretOf(honest)).update(input).digest('base64url')}`
    },
  ]
  const signature = (title: string, bytes: Buffer): Attack => [
    title,
    ({ header, payload }) => `${signingInput(header, payload)}.${bytes.toString('base64url')}`,
  ]
  const ATTACKS: readonly Attack[] = [
    unsigned('none', ''),
    unsigned('none', 'AA'),
    unsigned('None', ''),
    unsigned('NONE', 'AA'),
    unsigned('nOnE', 'AA'),
    unsigned('', ''),
    unsigned('', 'AA'),
    ...['', 'ES256K', 'RS256', 'PS256', 'ES384', 'ES512', 'EdDSA', 'HS256', 'es256', 'ES256 '].map(
      renamed,
    ),
    ...[['ES256'], null, 256, { name: 'ES256' }, undefined].map(renamed),
    keyed('our public PEM', (honest) => pem(honest, 'pem')),
    keyed('our public PEM without its end', (honest) => String(pem(honest, 'pem')).trim()),
    keyed('our public PEM after spaces', (honest) => `  ${String(pem(honest, 'pem'))}`),
    keyed('our public PEM after a newline', (honest) => `\n${String(pem(honest, 'pem'))}`),
    keyed('our public JWK', ({ publicJwk }) => JSON.stringify(publicJwk)),
    keyed('our public DER', (honest) => pem(honest, 'der')),
    keyed('an empty key', () => ''),
    signature('ES256 with r = s = 0', Buffer.alloc(64)),
    signature('ES256 with every bit set', Buffer.alloc(64, 255)),
    signature('ES256 with half a signature', Buffer.alloc(32, 1)),
    signature('ES256 with a signature of 65 octets', Buffer.alloc(65, 1)),
    [
      'an ES256 signature with trailing bits',
      async ({ header, payload, sign }) => twinOf(await sign(header, payload)),
    ],
    ['a padded signature', async ({ header, payload, sign }) => `${await sign(header, payload)}==`],
    ['a fourth part', async ({ header, payload, sign }) => `${await sign(header, payload)}.AA`],
    [
      'a signature over another payload',
      async ({ header, payload, sign }) => {
        const [head, , tail] = (await sign(header, { ...payload, x: 1 })).split('.')
        return `${head}.${encode(payload)}.${tail}`
      },
    ],
  ]

  test.each(everywhere(ATTACKS))('J01 refuses %s with %s', async (name, _, [, forge]) => {
    await expectForgeryRefused(name, forge)
  })
})

describe('J02 key pointers', () => {
  const pointed = (title: string, members: (key: ReturnType<typeof newKey>) => object): Attack => [
    title,
    ({ header, payload }) => {
      const key = newKey('attacker')
      return signJwt(key, { ...header, ...members(key) }, payload)
    },
  ]
  const POINTERS: readonly Attack[] = [
    pointed('jku', () => ({ jku: canaryUrl })),
    pointed('jku and its kid', () => ({ jku: canaryUrl, kid: 'attacker' })),
    pointed('x5u', () => ({ x5u: canaryUrl })),
    pointed('x5c', () => ({ x5c: ['MIIB'] })),
    pointed('kid as a URL', () => ({ kid: canaryUrl })),
  ]
  const EMBEDDED: readonly Attack[] = [
    pointed('an embedded jwk', (key) => ({ jwk: bareJwk(key) })),
    pointed('an embedded jwk and its kid', (key) => ({ jwk: key.publicJwk, kid: 'attacker' })),
  ]
  const KIDS: readonly Attack[] = [
    '../../etc/passwd',
    'https://evil.example/jwks',
    "' OR 1=1 --",
    'a\0b',
    '',
    '__proto__',
    'constructor',
    ['planner-1'],
    { kid: 1 },
    7,
    null,
    'k'.repeat(10_000),
  ].map(
    (kid): Attack => [
      `kid ${JSON.stringify(kid).slice(0, 40)}`,
      ({ header, payload, sign }) => sign({ ...header, kid }, payload),
    ],
  )

  test.each([
    ...everywhere(POINTERS),
    // A proof is signed by the key it embeds; its kid has no meaning.
    ...everywhere(EMBEDDED, ['a proof']),
    ...everywhere(KIDS, ['a proof']),
  ])('J02 refuses %s with %s', async (name, _, [, forge]) => {
    await expectForgeryRefused(name, forge)
    expect(calls).toBe(0)
  })
})

describe('J02 keys that are none', () => {
  test.each(FAULTY_KEYS)(
    'J02 refuses a proof by $name ($reference)',
    async ({ alg, jwk, sign }) => {
      await expectForgeryRefused('a proof', ({ header, payload }) => {
        const input = signingInput({ ...header, alg, jwk }, payload)
        return `${input}.${sign(input).toString('base64url')}`
      })
    },
  )
})

describe('J03 crit and b64', () => {
  const signed = (title: string, members: object): Attack => [
    title,
    ({ header, payload, sign }) => sign({ ...header, ...members }, payload),
  ]
  const ATTACKS: readonly Attack[] = [
    signed('an unknown crit', { crit: ['x'], x: 1 }),
    signed('an empty crit', { crit: [] }),
    signed('crit of a known member', { crit: ['typ'] }),
    signed('crit that is a string', { crit: 'exp' }),
    signed('crit null', { crit: null }),
    signed('b64 false', { b64: false, crit: ['b64'] }),
    signed('b64 false without crit', { b64: false }),
    signed('b64 true', { b64: true, crit: ['b64'] }),
  ]

  test.each(everywhere(ATTACKS))(
    'J03 refuses %s with %s, signed by the right key',
    async (name, _, [, forge]) => {
      await expectForgeryRefused(name, forge)
    },
  )

  test.each(POSITION_NAMES)('J03 refuses %s with its payload unencoded', async (name) => {
    await expectForgeryRefused(name, async ({ header, payload, sign }) => {
      const text = await sign({ ...header, b64: false, crit: ['b64'] }, payload)
      const [head, , tail] = text.split('.')
      return `${head}.${JSON.stringify(payload)}.${tail}`
    })
  })
})

describe('J04 encrypted tokens', () => {
  const jwe = (title: string, header: object, rest = 'AA.AA.AA.AA'): Attack => [
    title,
    () => `${encode(header)}.${rest}`,
  ]
  const ATTACKS: readonly Attack[] = [
    jwe('dir and A256GCM', { alg: 'dir', enc: 'A256GCM' }, '.AA.AA.AA'),
    jwe('RSA-OAEP', { alg: 'RSA-OAEP', enc: 'A256GCM' }),
    jwe('PBES2 with 2^31 rounds', {
      alg: 'PBES2-HS256+A128KW',
      enc: 'A256GCM',
      p2c: 2 ** 31,
      p2s: 'AAAA',
    }),
    jwe('zip DEF', { alg: 'dir', enc: 'A256GCM', zip: 'DEF' }, `.AA.${'A'.repeat(4000)}.AA`),
    jwe(
      'bare JSON within',
      { alg: 'dir', enc: 'A256GCM', cty: 'JWT' },
      `.AA.${encode({ sub: 'alice' })}.AA`,
    ),
    [
      'zip DEF in a signed header',
      ({ header, payload, sign }) =>
        sign({ ...header, alg: 'none', enc: 'A256GCM', zip: 'DEF' }, payload),
    ],
    [
      'the JSON serialisation',
      ({ payload }) => JSON.stringify({ payload: encode(payload), signatures: [] }),
    ],
    ['an SD-JWT suffix', async ({ header, payload, sign }) => `${await sign(header, payload)}~`],
  ]

  test.each(everywhere(ATTACKS))('J04 refuses %s as %s', async (name, _, [, forge]) => {
    await expectForgeryRefused(name, forge)
  })
})

describe('J05 size', () => {
  const padded =
    (octets: number): Forge =>
    ({ header, payload, sign }) =>
      sign(header, { ...payload, pad: 'x'.repeat(octets) })

  // A header line of this size is refused by the HTTP parser, below.
  test.each(POSITION_NAMES.filter((name) => name !== 'a proof'))(
    'J05 refuses %s of 20 KB, signed by the right key',
    async (name) => {
      await expectForgeryRefused(name, padded(20_000))
    },
  )

  test('J05 refuses a proof and an assertion of 9 KB, signed by the right key', async () => {
    await expectForgeryRefused('a proof', padded(9000))
    await expectForgeryRefused('a client assertion', padded(9000))
  })

  test.each([
    ['64 KB', 64 << 10],
    ['1 MB', 1 << 20],
  ])('J05 refuses a body of %s before it is decoded', async (_, octets) => {
    const { server, researcher, planner } = stage
    const text = 'x'.repeat(octets)
    const large = { reason: 'request_too_large', guard: 'body_size' } as const
    await expectRefusal(server, large, () => researcher.exchange(text))
    await expectRefusal(server, large, () => researcher.exchange('.'.repeat(octets)))
    await expectRefusal(server, large, () =>
      planner.token({ ...OWN_WORK, client_assertion: `a.${text}.b` }),
    )
    await expectRefusal(server, large, () => planner.post('introspect', { token: text }))
  })

  test('J05 refuses 50 MB, and does not wait for it', async () => {
    const { server, researcher } = stage
    const rawBody = 'x'.repeat(50 << 20)
    // The connection may be gone before everything was sent: that is a refusal as well.
    const status = await researcher.token({}, { rawBody }).then(
      (answer) => answer.status,
      () => 400,
    )
    expect(status).toBe(400)
    await expectGranted(server, () => stage.planner.token(OWN_WORK))
  })

  test('J05 refuses a proof of 64 KB at the HTTP parser', async () => {
    const { planner } = stage
    const status = await planner
      .token(OWN_WORK, { headers: { dpop: 'x'.repeat(64 << 10) } })
      .then((answer) => answer.status)
    expect(status).toBe(431)
  })

  test('J05 refuses 5 000 form parameters, before and after the honest ones', async () => {
    const { server, planner } = stage
    const noise = Array.from({ length: 5000 }, (_, at) => `n${at}=`).join('&')
    const honest = new URLSearchParams({
      ...OWN_WORK,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: planner.assertion(),
    }).toString()
    await expectRefusal(server, { reason: 'client_authentication_failed' }, () =>
      planner.token({}, { rawBody: `${noise}&${honest}` }),
    )
    await expectRefusal(server, { reason: 'request_malformed', guard: 'too_many_parameters' }, () =>
      planner.token({}, { rawBody: `${honest}&${noise}` }),
    )
  })
})

describe('J06 duplicate members', () => {
  const ATTACKS: readonly Attack[] = [
    [
      'alg twice',
      ({ header, payload, sign }) => sign(withRawMembers(header, '"alg":"ES256"'), payload),
    ],
    [
      'typ twice, one escaped',
      ({ header, payload, sign }) =>
        sign(withRawMembers(header, `"t\\u0079p":${JSON.stringify(header['typ'])}`), payload),
    ],
    [
      'jti twice',
      ({ header, payload, sign }) =>
        sign(
          header,
          withRawMembers(
            { jti: 'x', ...payload },
            `"jti":${JSON.stringify(payload['jti'] ?? 'y')}`,
          ),
        ),
    ],
    [
      'iat twice, the same',
      ({ header, payload, sign }) =>
        sign(header, withRawMembers(payload, `"iat":${payload['iat']}`)),
    ],
    [
      'a nested member twice',
      ({ header, payload, sign }) => sign(header, withRawMembers(payload, '"x":{"a":1,"a":2}')),
    ],
  ]

  test.each(everywhere(ATTACKS))(
    'J06 refuses %s with %s, signed by the right key',
    async (name, _, [, forge]) => {
      await expectForgeryRefused(name, forge)
    },
  )

  test.each([
    ['a byte order mark', '\ufeff{}'],
    ['a comment', '{"a":1/**/}'],
    ['a trailing comma', '{"a":1,}'],
    ['two objects', '{}{}'],
    ['a list', '[]'],
    ['a string', '"x"'],
    ['nothing', ''],
    ['NaN', '{"a":NaN}'],
  ])('J06 refuses a payload that is %s, signed by the right key', async (_, payload) => {
    for (const name of POSITION_NAMES) {
      await expectForgeryRefused(name, ({ header, sign }) => sign(header, payload))
    }
  })

  test.each(POSITION_NAMES)('J06 refuses %s with invalid UTF-8', async (name) => {
    await expectForgeryRefused(name, async ({ header, payload, sign }) => {
      const bytes = Buffer.from(withRawMembers(payload, '"x":"\u00ff"'))
      const at = bytes.indexOf(0xc3)
      const broken = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
      const text = await sign(header, payload)
      // Signed or not, it is no JSON: the form is looked at first.
      return `${text.split('.')[0]}.${broken.toString('base64url')}.${text.split('.')[2]}`
    })
  })
})

describe('J07 names of Object.prototype', () => {
  test.each(POSITION_NAMES)('J07 refuses %s with an own __proto__', async (name) => {
    const members = '"__proto__":{"polluted":true,"scope":"pay:transfer"}'
    await expectForgeryRefused(name, ({ header, payload, sign }) =>
      sign(header, withRawMembers(payload, members)),
    )
    await expectForgeryRefused(name, ({ header, payload, sign }) =>
      sign(withRawMembers(header, members), payload),
    )
    await expectForgeryRefused(name, ({ header, payload, sign }) =>
      sign(header, withRawMembers(payload, '"x":{"\\u005f_proto__":1}')),
    )
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  test.each(['constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'])(
    'J07 %s is inert as a claim and as a parameter',
    async (member) => {
      for (const name of POSITION_NAMES) {
        const honest = await POSITIONS[name].make(stage)
        const text = await honest.sign(honest.header, {
          ...honest.payload,
          [member]: { polluted: 1 },
        })
        const claims = await expectGranted(stage.server, () => honest.send(text))
        expect(Object.hasOwn(claims, member)).toBe(false)
      }
      const { server, planner } = stage
      await expectGranted(server, () => planner.token({ ...OWN_WORK, [member]: 'x' }))
      expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
    },
  )

  test('J07 a __proto__ parameter is inert', async () => {
    const { server, planner } = stage
    const proto = ['__proto__[polluted]', '__proto__', 'constructor[prototype][polluted]']
    for (const name of proto) {
      const form = Object.fromEntries([...Object.entries(OWN_WORK), [name, 'x']])
      await expectGranted(server, () => planner.token(form))
    }
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })
})

/** The same signature octets with the unused bits of the last character set. */
function twinOf(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(token.slice(-1))
  return `${token.slice(0, -1)}${alphabet[last + 1]}`
}
