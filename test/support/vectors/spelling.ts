/** One token has one spelling: of its base64url, its JSON, its names. What a lenient reader would repair is refused. */
import type { VerificationReason } from '../../../lib/src/errors.ts'
import type { Claims } from '../chain-token.ts'
import {
  API,
  aChain,
  aToken,
  changed,
  es256,
  ISSUER,
  NOW,
  reportOf,
  signedText,
} from './material.ts'
import { accepted, type Draft, rejected, type Theme } from './theme.ts'

const HEADER = { alg: 'ES256', typ: 'at+jwt', kid: es256.kid }
const FORM = 'RFC 7515 §2'
const CLAIMS = aChain({ hops: 2 })
const GOOD = aToken(CLAIMS)
const [HEAD = '', PAYLOAD = '', SIGNATURE = ''] = GOOD.split('.')
const MIDDLE = 300

/** The same bytes with a bit set after the last of them: the text has to be one that ends inside a byte. */
function withTrailingBits(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return text.slice(0, -1) + (alphabet[alphabet.indexOf(text.slice(-1)) + 1] ?? '')
}

const TEXTS: readonly (readonly [title: string, token: string])[] = [
  ['nothing', ''],
  ['one part', HEAD],
  ['two parts', `${HEAD}.${PAYLOAD}`],
  ['four parts', `${GOOD}.AAAA`],
  ['an empty fourth part', `${GOOD}.`],
  ['an empty header', `.${PAYLOAD}.${SIGNATURE}`],
  ['an empty payload, as if it were elsewhere', `${HEAD}..${SIGNATURE}`],
  ['an empty signature', `${HEAD}.${PAYLOAD}.`],
  ['dots alone', '..'],
  ['a thousand dots', '.'.repeat(1000)],
  ['padding after the signature', `${GOOD}==`],
  ['padding after the payload', `${HEAD}.${PAYLOAD}=.${SIGNATURE}`],
  ['padding after the header', `${HEAD}=.${PAYLOAD}.${SIGNATURE}`],
  ['escaped padding after the signature', `${GOOD}%3D%3D`],
  ['bits after the last byte of the signature', withTrailingBits(GOOD)],
  ['a space before it', ` ${GOOD}`],
  ['a space after it', `${GOOD} `],
  ['a line break after it', `${GOOD}\n`],
  [
    'a line break in the payload',
    `${HEAD}.${PAYLOAD.slice(0, MIDDLE)}\n${PAYLOAD.slice(MIDDLE)}.${SIGNATURE}`,
  ],
  [
    'a carriage return in the signature',
    `${HEAD}.${PAYLOAD}.${SIGNATURE.slice(0, 20)}\r\n${SIGNATURE.slice(20)}`,
  ],
  ['a tab before the signature', `${HEAD}.${PAYLOAD}.\t${SIGNATURE}`],
  ['NUL after it', `${GOOD}\u0000`],
  [
    'NUL in the payload',
    `${HEAD}.${PAYLOAD.slice(0, MIDDLE)}\u0000${PAYLOAD.slice(MIDDLE)}.${SIGNATURE}`,
  ],
  [
    'a zero-width space in the payload',
    `${HEAD}.${PAYLOAD.slice(0, MIDDLE)}\u200b${PAYLOAD.slice(MIDDLE)}.${SIGNATURE}`,
  ],
  ['a byte order mark before it', `\ufeff${GOOD}`],
  ['the other alphabet of base64', `${HEAD}.${PAYLOAD}.${'+/'.repeat(43)}`],
  ['a comma after it', `${GOOD},`],
  ['the token twice', `${GOOD},${GOOD}`],
  ['its scheme before it', `DPoP ${GOOD}`],
  ['quotes around it', `"${GOOD}"`],
  ['dots that are escaped', GOOD.replaceAll('.', '%2E')],
  ['dots of another script', GOOD.replaceAll('.', '。')],
  ['a selective disclosure after it', `${GOOD}~`],
  ['a character of the payload dropped', `${HEAD}.${PAYLOAD.slice(0, -1)}.${SIGNATURE}`],
]

/** Payloads whose signature is good; `{` of the good text is replaced. */
const good = JSON.stringify(CLAIMS)
const opened = (more: string): string => good.replace('{', `{${more}`)
const PAYLOADS: readonly (readonly [title: string, payload: string | Uint8Array])[] = [
  ['iss twice', opened(`"iss":"${ISSUER}",`)],
  ['iss twice, first of another issuer', opened('"iss":"https://evil.example",')],
  ['iss twice, last of another issuer', good.replace(/\}$/, ',"iss":"https://evil.example"}')],
  ['exp twice', opened(`"exp":${NOW + 9},`)],
  ['a name twice, once escaped', opened('"\\u0069ss":"https://evil.example",')],
  ['a claim nobody reads twice', opened('"x":1,"x":1,')],
  ['sub twice in the outermost actor', good.replace('"act":{', '"act":{"sub":"planner",')],
  ['scope twice in a hop', good.replace('"hops":[{', '"hops":[{"scope":15,')],
  ['an own __proto__', opened('"__proto__":{"admin":true},')],
  ['an own __proto__, escaped', opened('"\\u005f_proto__":{},')],
  ['an own __proto__ in an actor', good.replace('"act":{', '"act":{"__proto__":{},')],
  ['an own __proto__ in a list', opened('"x":[{"__proto__":null}],')],
  ['a byte order mark in the payload', `\ufeff${good}`],
  ['UTF-16', Buffer.from(good, 'utf16le')],
  [
    'bytes that are not UTF-8',
    Buffer.concat([Buffer.from('{"x":"'), Buffer.of(0xff), Buffer.from(`",${good.slice(1)}`)]),
  ],
  [
    'UTF-8 that is longer than it need be',
    Buffer.concat([
      Buffer.from('{"x":"'),
      Buffer.of(0xc0, 0xaf),
      Buffer.from(`",${good.slice(1)}`),
    ]),
  ],
  [
    'a surrogate in UTF-8',
    Buffer.concat([
      Buffer.from('{"x":"'),
      Buffer.of(0xed, 0xa0, 0x80),
      Buffer.from(`",${good.slice(1)}`),
    ]),
  ],
  ['text after the object', `${good} x`],
  ['NUL after the object', `${good}\u0000`],
  ['a second object', `${good}{}`],
  ['a comma after the last member', good.replace(/\}$/, ',}')],
  ['a comma after the last entry of a list', good.replace(/\]\}\}$/, ',]}}')],
  ['a comment', opened('/* x */')],
  ['single quotes', opened("'x':1,")],
  ['a name without quotes', opened('x:1,')],
  ['NaN', opened('"x":NaN,')],
  ['Infinity', opened('"x":-Infinity,')],
  ['a number in base 16', opened('"x":0x10,')],
  ['a number with a zero before it', opened('"x":01,')],
  ['a number with a plus', opened('"x":+1,')],
  ['a number that ends in its point', opened('"x":1.,')],
  ['a number that begins with its point', opened('"x":.5,')],
  ['a bare line break in a string', opened('"x":"a\nb",')],
  ['an escape there is not', opened('"x":"\\x41",')],
  ['half an escape', opened('"x":"\\u00g0",')],
  ['a string that does not end', good.slice(0, -1).concat(',"x":"')],
  ['true in capitals', opened('"x":True,')],
  ['white space that is none of JSON', opened('\u00a0')],
  ['25 levels of lists', opened(`"x":${'['.repeat(24)}${']'.repeat(24)},`)],
  ['500 levels of objects', opened(`"x":${'{"x":'.repeat(499)}1${'}'.repeat(499)},`)],
  ['500 levels that do not end', '['.repeat(500)],
]

const HEADERS: readonly (readonly [title: string, header: string | Uint8Array])[] = [
  ['alg twice in the header', `{"alg":"none",${JSON.stringify(HEADER).slice(1)}`],
  ['alg twice in the header, none last', `${JSON.stringify(HEADER).slice(0, -1)},"alg":"none"}`],
  ['kid twice in the header', `{"kid":"test-eddsa",${JSON.stringify(HEADER).slice(1)}`],
  ['typ twice in the header', `{"typ":"JWT",${JSON.stringify(HEADER).slice(1)}`],
  [
    'an own __proto__ in the header',
    `{"__proto__":{"alg":"none"},${JSON.stringify(HEADER).slice(1)}`,
  ],
  ['a byte order mark in the header', `\ufeff${JSON.stringify(HEADER)}`],
  [
    'bytes that are not UTF-8 in the header',
    Buffer.concat([
      Buffer.from('{"x":"'),
      Buffer.of(0xfe),
      Buffer.from(`",${JSON.stringify(HEADER).slice(1)}`),
    ]),
  ],
  ['a header that is not JSON', 'alg=ES256'],
]

/** Other texts for the same JSON: as good as the usual one. */
const SAME: readonly (readonly [title: string, payload: string])[] = [
  ['JSON with white space', JSON.stringify(CLAIMS, null, '\t').replaceAll('\n', '\r\n')],
  [
    'names and strings with escapes',
    good
      .replace('"iss"', '"\\u0069\\u0073s"')
      .replace('"alice"', '"\\u0061lice"')
      .replace('https://as', 'https:\\/\\/as'),
  ],
  [
    'whole numbers with a point or an exponent',
    good
      .replace('"v":1', '"v":1.0')
      .replace('"idx":2,', '"idx":2e0,')
      .replace('"scope":15', '"scope":1.5E+1'),
  ],
  ['24 levels', opened(`"x":${'['.repeat(23)}${']'.repeat(23)},`)],
]

interface Alike {
  readonly title: string
  readonly claims: Claims
  readonly reasons: readonly [VerificationReason, ...VerificationReason[]]
}

/** Names that look the same, or would be after some normalisation, in a chain that agrees with itself. */
function alikes(): Alike[] {
  const issuers: readonly (readonly [string, string])[] = [
    ['a slash after it', `${ISSUER}/`],
    ['its host in capitals', ISSUER.replace('as.example', 'AS.EXAMPLE')],
    ['its path in capitals', ISSUER.replace('acme', 'ACME')],
    ['plain http', ISSUER.replace('https', 'http')],
    ['its port written out', ISSUER.replace('.com', '.com:443')],
    ['an escape in its path', ISSUER.replace('acme', '%61cme')],
    ['a dot segment in its path', ISSUER.replace('/acme', '/./acme')],
    ['a query', `${ISSUER}?`],
    ['a fragment', `${ISSUER}#`],
    ['a space after it', `${ISSUER} `],
    ['a dot after its host', ISSUER.replace('.com', '.com.')],
    ['a letter of another script', ISSUER.replace('acme', '\u0430cme')],
    ['another tenant', ISSUER.replace('acme', 'globex')],
    ['a tenant whose name goes on', `${ISSUER}2`],
    ['NUL and more after it', `${ISSUER}\u0000.evil.example`],
    ['nothing', ''],
  ]
  const audiences: readonly (readonly [string, string])[] = [
    ['a slash after it', `${API}/`],
    ['its host in capitals', API.replace('ledger', 'LEDGER')],
    ['its path in capitals', API.replace('/api', '/API')],
    ['its port written out', API.replace('.example', '.example:443')],
    ['an escape in its path', API.replace('/api', '/%61pi')],
    ['a dot segment in its path', API.replace('/api', '/x/../api')],
    ['a query', `${API}?x=1`],
    ['a path below it', `${API}/entries`],
    ['its origin', API.replace('/api', '/')],
    ['another API', 'https://mail.acme.example/api'],
    ['plain http', API.replace('https', 'http')],
  ]
  const deep = ['act', 'act.act'].map((path) => `${path}.iss`)
  return [
    ...issuers.map(([name, iss]) => ({
      title: `the issuer, with ${name}`,
      claims: changed(CLAIMS, Object.fromEntries(['iss', ...deep].map((path) => [path, iss]))),
      reasons: ['issuer_mismatch'] as const,
    })),
    ...audiences.map(([name, aud]) => ({
      title: `the audience, with ${name}`,
      claims: changed(CLAIMS, { aud, 'act_bounds.root.reach.2': aud }),
      reasons: ['audience_mismatch'] as const,
    })),
    {
      title: 'the audience, in a list of one',
      claims: changed(CLAIMS, { aud: [API] }),
      reasons: ['audience_mismatch', 'token_audience_mismatch', 'claim_malformed'],
    },
    {
      title: 'the audience, among others',
      claims: changed(CLAIMS, { aud: [API, ISSUER] }),
      reasons: ['audience_mismatch', 'token_audience_mismatch', 'claim_malformed'],
    },
    {
      title: 'client_id decomposed, the actor composed (NFD and NFC)',
      claims: changed(CLAIMS, { client_id: 'zoe\u0308', 'act.sub': 'zo\u00eb' }),
      reasons: ['client_mismatch'],
    },
    {
      title: 'client_id with a letter of another script',
      claims: changed(CLAIMS, { client_id: 'r\u0435searcher' }),
      reasons: ['client_mismatch'],
    },
    {
      title: 'a jti that is its hop’s after trimming',
      claims: changed(CLAIMS, { jti: ' hop-2-Tz4bXq' }),
      reasons: ['token_id_mismatch'],
    },
  ]
}

export function spelling(): Theme {
  const fine = (title: string, claims: Claims, token: string): Draft =>
    accepted(title, ['RFC 8259 §6'], token, reportOf(claims))
  const decomposed = changed(CLAIMS, {
    sub: 'zoe\u0308',
    client_id: 'zo\u00eb',
    'act.sub': 'zo\u00eb',
  })
  const bits = signedText(es256, HEADER, `${good} `.slice(0, good.length + 1))
  return {
    name: 'spelling',
    description:
      'One token has one spelling: base64url, JSON and names that a lenient reader would take for the same; and texts that are the same.',
    configuration: { bearer: 'allowed' },
    vectors: [
      ...SAME.map(([title, payload]) => fine(title, CLAIMS, signedText(es256, HEADER, payload))),
      fine(
        'a subject that is an actor’s name only after normalisation',
        decomposed,
        aToken(decomposed),
      ),
      fine('white space after the object', CLAIMS, bits),
      ...TEXTS.map(([title, token]) =>
        rejected(title, [FORM, 'RFC 7515 §7.1'], token, ['token_malformed']),
      ),
      ...PAYLOADS.map(([title, payload]) =>
        rejected(
          title,
          ['RFC 7515 §4', 'RFC 8725 §3.7', 'RFC 8259'],
          signedText(es256, HEADER, payload),
          ['token_malformed'],
        ),
      ),
      ...HEADERS.map(([title, header]) =>
        rejected(title, ['RFC 7515 §4', 'RFC 8725 §3.7'], signedText(es256, header, CLAIMS), [
          'token_malformed',
        ]),
      ),
      rejected(
        'a number without end',
        ['RFC 8259 §6', 'RFC 7519 §2'],
        signedText(es256, HEADER, good.replace(/"exp":\d+/, '"exp":1e400')),
        ['claim_malformed', 'token_times_mismatch', 'token_malformed'],
      ),
      ...alikes().map(({ title, claims, reasons }) =>
        rejected(title, ['RFC 9068 §4', 'RFC 8725 §3.8'], aToken(claims), reasons),
      ),
      rejected(
        'more than 16,384 characters',
        ['chain-format §2'],
        aToken(changed(CLAIMS, { x: 'x'.repeat(16_384 - GOOD.length) })),
        ['token_malformed'],
      ),
    ],
  }
}
