/** DPoP at a resource server: RFC 9449 §4.3, §7 and §9, and `cnf` (docs/chain-format.md §2, rule 8). */
import type { Configuration, VectorRequest } from '../../../conformance/vectors/vector.ts'
import type { VerificationReason } from '../../../lib/src/errors.ts'
import type { Claims } from '../chain-token.ts'
import {
  API,
  aChain,
  agent,
  aProof,
  aToken,
  BEARER,
  changed,
  eddsa,
  NOW,
  reportOf,
  rs256,
  signedText,
  stranger,
  withProof,
} from './material.ts'
import { base64url, base64urlSha256, type Signer, signerOf } from './signer.ts'
import { accepted, type Draft, rejected, type Theme } from './theme.ts'

type Reasons = readonly [VerificationReason, ...VerificationReason[]]

const RULE = 'RFC 9449 §4.3'
const URL = `${API}/entries`
const bound = (jkt: string = agent.thumbprint): Claims => aChain({ hops: 2, cnf: { jkt } })
const CLAIMS = bound()
const TOKEN = aToken(CLAIMS)
const PROOF = aProof(TOKEN)

interface Shape {
  readonly claims?: Claims
  readonly header?: Claims
  readonly signer?: Signer
  readonly request?: Partial<VectorRequest>
  readonly configuration?: Partial<Configuration>
}

function proofOf({ claims = {}, header = {}, signer = agent }: Shape): string {
  return aProof(TOKEN, claims, { header, signer })
}

const good = (title: string, shape: Shape, rule: string = RULE): Draft => {
  const { request, configuration } = shape
  return accepted(
    title,
    [rule],
    {
      token: TOKEN,
      request: withProof(proofOf(shape), request),
      ...(configuration === undefined ? {} : { configuration }),
    },
    reportOf(CLAIMS),
  )
}

const bad = (title: string, reasons: Reasons, shape: Shape, rule: string = RULE): Draft => {
  const { request, configuration } = shape
  return rejected(
    title,
    [rule],
    {
      token: TOKEN,
      request: withProof(proofOf(shape), request),
      ...(configuration === undefined ? {} : { configuration }),
    },
    reasons,
  )
}

const spelled = (title: string, proof: string, reasons: Reasons = ['proof_malformed']): Draft =>
  rejected(title, [RULE], { token: TOKEN, request: withProof(proof) }, reasons)

function accepts(): Draft[] {
  const same: readonly (readonly [title: string, htu: string])[] = [
    ['scheme and host in capitals', URL.replace('https://ledger', 'HTTPS://LEDGER')],
    ['the port of the scheme', URL.replace('.example', '.example:443')],
    ['an empty port', URL.replace('.example', '.example:')],
    ['a query', `${URL}?x=1`],
    ['a fragment', `${URL}#y`],
    ['an escape that is not needed', URL.replace('/entries', '/%65ntries')],
    ['dot segments', URL.replace('/entries', '/./x/../entries')],
    ['escaped dot segments', URL.replace('/entries', '/x/%2e%2E/entries')],
  ]
  const elsewhere = (title: string, url: string): Draft =>
    good(title, { request: { url } }, 'chain-format §2.8')
  return [
    good('a proof as most are', {}),
    good('another method', { claims: { htm: 'POST' }, request: { method: 'POST' } }),
    good('a method of no standard', { claims: { htm: 'PURGE' }, request: { method: 'PURGE' } }),
    ...same.map(([name, htu]) => good(`htu with ${name}`, { claims: { htu } })),
    good('an escaped path, in capitals and not', {
      claims: { htu: `${API}/a%2fb` },
      request: { url: `${API}/a%2Fb` },
    }),
    good('the origin alone', {
      claims: { htu: 'https://ledger.acme.example' },
      request: { url: 'https://ledger.acme.example/' },
    }),
    elsewhere('the request has a query', `${URL}?limit=1`),
    elsewhere(
      'the request tells another host: the configured one counts',
      'https://evil.example/api/entries',
    ),
    elsewhere('the request tells a path alone', '/api/entries'),
    good('typ with its prefix', { header: { typ: 'application/dpop+jwt' } }),
    good('typ in capitals', { header: { typ: 'DPOP+JWT' } }),
    good('a kid in the header, and more in the key', {
      header: { kid: 'x', jwk: { ...agent.jwk, use: 'sig', key_ops: ['verify'] } },
    }),
    good('claims nobody asked for', {
      claims: { exp: 1, nbf: NOW + 999, iss: 'x', constructor: 1 },
    }),
    good('a nonce nobody asked for', { claims: { nonce: 'x' } }),
    good(
      'the nonce that was asked for',
      { claims: { nonce: 'now' }, configuration: { nonces: ['now'] } },
      'RFC 9449 §9',
    ),
    good(
      'the nonce before, which still holds',
      { claims: { nonce: 'before' }, configuration: { nonces: ['now', 'before'] } },
      'RFC 9449 §9',
    ),
    good('made in a part of a second', { claims: { iat: NOW - 0.5 } }),
    good('a jti of 256 characters', { claims: { jti: 'j'.repeat(256) } }),
    ...[eddsa, rs256].map((signer) => {
      const claims = bound(signer.thumbprint)
      const token = aToken(claims)
      return accepted(
        `a proof with ${signer.alg}`,
        [RULE],
        { token, request: withProof(aProof(token, {}, { signer })) },
        reportOf(claims),
      )
    }),
    accepted(
      'a proof with Ed25519 by its newer name',
      ['RFC 9864 §2.2'],
      {
        token: aToken(bound(eddsa.thumbprint)),
        request: withProof(
          aProof(
            aToken(bound(eddsa.thumbprint)),
            {},
            { signer: eddsa, header: { alg: 'Ed25519' } },
          ),
        ),
      },
      reportOf(CLAIMS),
    ),
  ]
}

function headers(): Draft[] {
  const es384 = signerOf('es384')
  const hmac = 'proof_algorithm_refused'
  const { x, y } = agent.bare
  const keys: readonly (readonly [title: string, jwk: unknown, reasons?: Reasons])[] = [
    ['is missing', undefined],
    ['is a string', 'x'],
    ['is null', null],
    ['is in a list', [agent.bare]],
    ['is empty', {}],
    ['is a set', { keys: [agent.bare] }],
    ['has its private half', { ...agent.bare, d: 'A'.repeat(43) }],
    ['has a symmetric member', { ...agent.bare, k: 'AAAA' }],
    ['is symmetric', { kty: 'oct', k: 'AAAA' }],
    ['has no y', { ...agent.bare, y: undefined }],
    ['has an x too short', { ...agent.bare, x: String(x).slice(0, -2) }],
    ['has an x with a zero before it', { ...agent.bare, x: `AA${String(x)}` }],
    ['has an x with padding', { ...agent.bare, x: `${String(x)}=` }],
    ['has a y that is a number', { ...agent.bare, y: 7 }],
    ['is on another curve', es384.bare],
    ['says another curve', { ...agent.bare, crv: 'secp256k1' }],
    ['is for encryption', { ...agent.bare, use: 'enc' }],
    ['is for signing alone', { ...agent.bare, key_ops: ['sign'] }],
    ['is for another algorithm', { ...agent.bare, alg: 'ES384' }],
    [
      'is RSA of 1024 bits',
      signerOf('weak').bare,
      ['proof_key_refused', 'proof_algorithm_refused'],
    ],
    [
      'has x and y changed round',
      { ...agent.bare, x: y, y: x },
      ['proof_key_mismatch', 'proof_key_refused', 'proof_signature_invalid'],
    ],
  ]
  const algs = ['none', 'HS256', 'ES384', 'PS256', 'es256', 'ES256K', 'Ed448']
  return [
    ...['JWT', 'at+jwt', 'dpop', 'dpop+jwts', 'application/x-dpop+jwt', '', 'dpop+jwt '].map(
      (typ) => bad(`typ ${JSON.stringify(typ)}`, ['proof_type_wrong'], { header: { typ } }),
    ),
    bad('no typ', ['proof_type_wrong'], { header: { typ: undefined } }),
    bad('typ that is a list', ['proof_malformed', 'proof_type_wrong'], {
      header: { typ: ['dpop+jwt'] },
    }),
    ...algs.map((alg) => bad(`alg ${alg}`, [hmac], { header: { alg } })),
    bad('no alg', ['proof_malformed', hmac], { header: { alg: undefined } }),
    bad('alg of another type of key', [hmac, 'proof_key_refused', 'proof_signature_invalid'], {
      header: { alg: 'RS256' },
    }),
    bad('alg EdDSA with a key on P-256', [hmac, 'proof_key_refused', 'proof_signature_invalid'], {
      header: { alg: 'EdDSA' },
    }),
    ...keys.map(([title, jwk, reasons = ['proof_key_refused']]) =>
      bad(`the key ${title}`, reasons, { header: { jwk } }),
    ),
    bad('the key in x5c', ['proof_key_refused'], { header: { jwk: undefined, x5c: ['AAAA'] } }),
    bad('the key by its address', ['proof_key_refused'], {
      header: { jwk: undefined, jku: 'https://evil.example/jwks.json', kid: 'x' },
    }),
    bad('crit', ['proof_malformed'], { header: { crit: ['x'], x: 1 } }),
    bad('b64', ['proof_malformed'], { header: { b64: true } }),
    offCurve(),
  ]
}

/** A token bound to a key that is none, which the thumbprint does not tell. */
function offCurve(): Draft {
  const jwk = { ...agent.bare, y: agent.bare['x'] }
  const thumbprint = base64urlSha256(JSON.stringify(jwk, ['crv', 'kty', 'x', 'y']))
  const token = aToken(bound(thumbprint))
  return rejected(
    'the key, to which the token is bound, is no point of the curve',
    ['RFC 8725 §3.4'],
    { token, request: withProof(aProof(token, {}, { header: { jwk } })) },
    ['proof_key_refused', 'proof_signature_invalid'],
  )
}

function claims(): Draft[] {
  const malformed: readonly (readonly [title: string, claims: Claims])[] = [
    ['no jti', { jti: undefined }],
    ['an empty jti', { jti: '' }],
    ['a jti that is a number', { jti: 7 }],
    ['a jti of 257 characters', { jti: 'j'.repeat(257) }],
    ['no iat', { iat: undefined }],
    ['an iat in digits', { iat: String(NOW) }],
    ['an iat that is null', { iat: null }],
    ['an iat in a list', { iat: [NOW] }],
    ['no htm', { htm: undefined }],
    ['an htm in a list', { htm: ['GET'] }],
    ['no htu', { htu: undefined }],
    ['an htu in a list', { htu: [URL] }],
    ['an htu that is a number', { htu: 1 }],
  ]
  const urls: readonly (readonly [title: string, htu: string])[] = [
    ['another path', `${API}/other`],
    ['a path below', `${URL}/1`],
    ['a path above', API],
    ['a slash after it', `${URL}/`],
    ['the path in capitals', URL.replace('entries', 'ENTRIES')],
    ['an escaped slash', URL.replace('/entries', '%2Fentries')],
    ['an escape of an escape', URL.replace('/entries', '/%2565ntries')],
    ['a double slash', URL.replace('/entries', '//entries')],
    ['a backslash', URL.replace('/entries', '\\entries')],
    ['another host', URL.replace('ledger', 'mail')],
    ['a host that goes on', URL.replace('.example/', '.example.evil.example/')],
    ['a dot after the host', URL.replace('.example/', '.example./')],
    ['plain http', URL.replace('https', 'http')],
    ['another port', URL.replace('.example', '.example:8443')],
    ['the port of http', URL.replace('.example', '.example:80')],
    ['user information', URL.replace('ledger', 'alice@ledger')],
    ['empty user information', URL.replace('ledger', '@ledger')],
    ['a user and a password', URL.replace('ledger', 'a:b@ledger')],
    ['our host as user information', URL.replace('/api', '@evil.example/api')],
    ['no scheme', URL.replace('https:', '')],
    ['the path alone', '/api/entries'],
    ['three slashes', URL.replace('//', '///')],
    ['one slash', URL.replace('//', '/')],
    ['nothing', ''],
    ['a space before it', ` ${URL}`],
    ['a line break in it', URL.replace('/entries', '/\nentries')],
    ['a host that is not ASCII', URL.replace('ledger', 'lеdger')],
    ['another scheme', URL.replace('https', 'wss')],
  ]
  return [
    ...malformed.map(([title, more]) => bad(title, ['proof_malformed'], { claims: more })),
    ...['POST', 'get', 'Get', '', 'GET ', 'HEAD', 'GET,POST'].map((htm) =>
      bad(`htm ${JSON.stringify(htm)} with GET`, ['proof_method_mismatch'], { claims: { htm } }),
    ),
    bad('htm GET with POST', ['proof_method_mismatch'], { request: { method: 'POST' } }),
    ...urls.map(([title, htu]) =>
      bad(`htu: ${title}`, ['proof_url_mismatch', 'proof_malformed'], { claims: { htu } }),
    ),
    bad('the request is for another path', ['proof_url_mismatch'], {
      request: { url: `${API}/other` },
    }),
    bad(
      'htu has the host the request told, not the configured one',
      ['proof_url_mismatch'],
      {
        claims: { htu: 'https://evil.example/api/entries' },
        request: { url: 'https://evil.example/api/entries' },
      },
      'chain-format §2.8',
    ),
    ...(
      [
        ['missing', undefined],
        ['a number', 7],
        ['null', null],
        ['empty', ''],
        ['of another token', base64urlSha256('another')],
        ['of the token with its scheme', base64urlSha256(`DPoP ${TOKEN}`)],
        ['of the token’s payload', base64urlSha256(TOKEN.split('.')[1] ?? '')],
        ['in hexadecimal', Buffer.from(base64urlSha256(TOKEN), 'base64url').toString('hex')],
        ['with padding', `${base64urlSha256(TOKEN)}=`],
        ['in base64', Buffer.from(base64urlSha256(TOKEN), 'base64url').toString('base64')],
        ['the token itself', TOKEN],
        ['in a list', [base64urlSha256(TOKEN)]],
      ] as const
    ).map(([name, ath]) =>
      bad(
        `ath is ${name}`,
        ['proof_token_mismatch', 'proof_malformed'],
        { claims: { ath } },
        'RFC 9449 §7',
      ),
    ),
    ...[-61, 61, -3600, 3600, NOW * 999].map((ahead) =>
      bad(`made ${ahead} seconds from now`, ['proof_time_refused'], {
        claims: { iat: NOW + ahead },
      }),
    ),
    bad('made before 1970', ['proof_time_refused', 'proof_malformed'], { claims: { iat: -NOW } }),
    ...[undefined, '', 'old', 7, null, ['now'], { now: 1 }, 'NOW'].map((nonce) =>
      bad(
        `nonce ${JSON.stringify(nonce) ?? 'missing'} where one is asked for`,
        ['proof_nonce_required'],
        { claims: { nonce }, configuration: { nonces: ['now'] } },
        'RFC 9449 §9',
      ),
    ),
  ]
}

function signatures(): Draft[] {
  const input = PROOF.slice(0, PROOF.lastIndexOf('.'))
  const signature = agent.sign(input)
  const forged: readonly (readonly [string, Buffer])[] = [
    ['of another key', stranger.sign(input)],
    ['of zeros', Buffer.alloc(64)],
    ['of another proof', agent.sign(`${input}A`)],
    ['a byte short', signature.subarray(0, 63)],
    [
      'with its last bit turned',
      Buffer.from(signature.map((byte, at) => (at === 63 ? byte ^ 1 : byte))),
    ],
  ]
  const [head = '', payload = '', sealed = ''] = PROOF.split('.')
  return [
    ...forged.map(([name, forgery]) =>
      spelled(`a signature of the proof ${name}`, `${input}.${base64url(forgery)}`, [
        'proof_signature_invalid',
      ]),
    ),
    bad('a good proof with another key', ['proof_key_mismatch'], { signer: stranger }),
    bad('a good proof with a key of another type', ['proof_key_mismatch'], { signer: eddsa }),
    spelled('the token in its place', TOKEN, ['proof_type_wrong']),
    spelled('nothing in it', ''),
    spelled('two parts', `${head}.${payload}`),
    spelled('no signature', `${head}.${payload}.`),
    spelled('padding', `${PROOF}==`),
    spelled('a space in it', `${head}. ${payload}.${sealed}`),
    spelled('two proofs in one header', `${PROOF}, ${PROOF}`),
    spelled('the JSON form', JSON.stringify({ protected: head, payload, signature: sealed })),
    spelled('no JSON', 'a.b.c'),
    spelled(
      'htm twice',
      signedText(
        agent,
        { typ: 'dpop+jwt', alg: 'ES256', jwk: agent.bare },
        `{"htm":"POST",${JSON.stringify({ jti: 'p', htm: 'GET', htu: URL, iat: NOW, ath: base64urlSha256(TOKEN) }).slice(1)}`,
      ),
    ),
    spelled(
      'jwk twice',
      signedText(
        agent,
        `{"jwk":{},${JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk: agent.bare }).slice(1)}`,
        { jti: 'p', htm: 'GET', htu: URL, iat: NOW, ath: base64urlSha256(TOKEN) },
      ),
    ),
    spelled('more than 8,192 characters', aProof(TOKEN, { x: 'x'.repeat(8_192) })),
    rejected(
      'no proof',
      ['RFC 9449 §7'],
      { token: TOKEN, request: { method: 'GET', url: URL, scheme: 'DPoP' } },
      ['proof_missing'],
    ),
  ]
}

function bindings(): Draft[] {
  const cnfs: readonly (readonly [title: string, cnf: Claims])[] = [
    ['empty', {}],
    ['a member that is not known', { kid: 'x' }],
    ['a member that is not known beside one that holds', { jkt: agent.thumbprint, kid: 'x' }],
    ['the key itself', { jwk: agent.bare }],
    ['an encrypted key', { jwe: 'x' }],
    ['an address', { jku: 'https://evil.example/' }],
    ['another letter case', { JKT: agent.thumbprint }],
    ['a thumbprint that is empty', { jkt: '' }],
    ['a thumbprint that is null', { jkt: null }],
    ['a thumbprint in a list', { jkt: [agent.thumbprint] }],
    ['a thumbprint with padding', { jkt: `${agent.thumbprint}=` }],
    ['a thumbprint a character short', { jkt: agent.thumbprint.slice(1) }],
    ['a thumbprint in hexadecimal', { jkt: 'a'.repeat(64) }],
    ['a thumbprint with a line break', { jkt: `${agent.thumbprint}\n` }],
    ['the SHA-1 of a certificate', { x5t: 'A'.repeat(27) }],
    ['an own toString', { toString: 'x' }],
  ]
  const free = aToken(aChain({ hops: 2 }))
  const allowed = { configuration: { bearer: 'allowed' as const } }
  const rule = 'chain-format §2.8'
  return [
    ...cnfs.map(([title, cnf]) => {
      const token = aToken(aChain({ hops: 2, cnf }))
      return rejected(
        `cnf: ${title}`,
        [rule],
        { token, request: withProof(aProof(token)), ...allowed },
        ['binding_unsupported', 'scheme_mismatch', 'proof_key_mismatch'],
      )
    }),
    rejected(
      'cnf: empty, under Bearer where that is allowed',
      [rule],
      { token: aToken(aChain({ hops: 2, cnf: {} })), ...allowed },
      ['binding_unsupported'],
    ),
    rejected('a bound token under Bearer', ['RFC 9449 §7.2'], { token: TOKEN, ...allowed }, [
      'scheme_mismatch',
    ]),
    rejected(
      'a bound token under Bearer, with its proof',
      ['RFC 9449 §7.2'],
      { token: TOKEN, request: withProof(PROOF, { scheme: 'Bearer' }), ...allowed },
      ['scheme_mismatch'],
    ),
    rejected(
      'a bound token without a proof, where bearer tokens are allowed',
      ['RFC 9449 §7.2'],
      { token: TOKEN, request: { method: 'GET', url: URL, scheme: 'DPoP' }, ...allowed },
      ['proof_missing', 'scheme_mismatch'],
    ),
    rejected('a token bound to nothing', [rule], { token: free }, ['binding_missing']),
    rejected(
      'a token bound to nothing, under DPoP with a good proof',
      [rule],
      { token: free, request: withProof(aProof(free)), ...allowed },
      ['scheme_mismatch', 'binding_missing'],
    ),
    rejected(
      'a token bound to nothing, under DPoP where bearer tokens are refused',
      [rule],
      { token: free, request: withProof(aProof(free)) },
      ['scheme_mismatch', 'binding_missing'],
    ),
    accepted(
      'a token bound to nothing, where that is allowed',
      [rule],
      { token: free, request: BEARER, ...allowed },
      reportOf(aChain({ hops: 2 })),
    ),
    rejected(
      'the actor says a key, the token none',
      ['RFC 8693 §4.1'],
      {
        token: aToken(changed(aChain({ hops: 2 }), { 'act.cnf': { jkt: agent.thumbprint } })),
        request: withProof(PROOF),
      },
      ['actor_member_unknown', 'binding_missing', 'scheme_mismatch'],
    ),
  ]
}

export function dpop(): Theme {
  return {
    name: 'dpop',
    description:
      'What binds a token to a key: cnf, the scheme, and every check of a DPoP proof at a resource server.',
    vectors: [...accepts(), ...headers(), ...claims(), ...signatures(), ...bindings()],
  }
}
