/** Revocation (docs/chain-format.md §2, rule 6, and §4): what the list of a task says, and lists that say nothing. */
import type { Configuration, PublishedList } from '../../../conformance/vectors/vector.ts'
import type { VerificationReason } from '../../../lib/src/errors.ts'
import type { Claims } from '../chain-token.ts'
import { aListToken, INDEXES, type ListShape, octetsOf, published, type Statuses } from './lists.ts'
import {
  aChain,
  aToken,
  changed,
  eddsa,
  es256,
  ISSUER,
  LIST,
  NOW,
  ROOT_INDEX,
  reportOf,
  rs256,
  signedText,
  stranger,
} from './material.ts'
import { base64url } from './signer.ts'
import { accepted, type Draft, rejected, type Theme } from './theme.ts'
import { stored, zeros } from './zlib.ts'

type Reasons = readonly [VerificationReason, ...VerificationReason[]]

const RULE = 'chain-format §2.6'
const CLAIMS = aChain({ hops: 2 })
const TOKEN = aToken(CLAIMS)
const [ROOT, FIRST, SECOND] = [ROOT_INDEX, ROOT_INDEX + 1, ROOT_INDEX + 2] as const
const UNKNOWN: Reasons = ['revocation_unknown']

const good = (title: string, list: ListShape, rule = RULE): Draft =>
  accepted(
    title,
    [rule],
    { token: TOKEN, status_lists: published(aListToken(list)) },
    reportOf(CLAIMS, 'checked'),
  )

const bad = (title: string, reasons: Reasons, list: ListShape, rule = RULE): Draft =>
  rejected(title, [rule], { token: TOKEN, status_lists: published(aListToken(list)) }, reasons)

function told(): Draft[] {
  const rows: readonly (readonly [title: string, statuses: Statuses, reasons: Reasons])[] = [
    ['the root is invalid', { [ROOT]: 1 }, ['token_revoked']],
    ['the first hop is invalid', { [FIRST]: 1 }, ['token_revoked']],
    ['the newest hop, the token itself, is invalid', { [SECOND]: 1 }, ['token_revoked']],
    ['everything is invalid', { [ROOT]: 1, [FIRST]: 1, [SECOND]: 1 }, ['token_revoked']],
    ['the root is suspended', { [ROOT]: 2 }, ['token_suspended']],
    ['the first hop is suspended', { [FIRST]: 2 }, ['token_suspended']],
    ['the newest hop is suspended', { [SECOND]: 2 }, ['token_suspended']],
    [
      'the root is suspended, the newest hop invalid',
      { [ROOT]: 2, [SECOND]: 1 },
      ['token_revoked'],
    ],
    [
      'the root is invalid, the newest hop suspended',
      { [ROOT]: 1, [SECOND]: 2 },
      ['token_revoked'],
    ],
    [
      'status 3 of the root, which is not used',
      { [ROOT]: 3 },
      ['token_revoked', 'revocation_unknown'],
    ],
    [
      'status 3 of a hop, which is not used',
      { [FIRST]: 3 },
      ['token_revoked', 'revocation_unknown'],
    ],
  ]
  return [
    good('root and hops are valid', {}),
    good('others are invalid: the indexes beside them, and the first', {
      statuses: { 0: 1, 1: 1, 5: 1, 6: 2 },
    }),
    ...rows.map(([title, statuses, reasons]) => bad(title, reasons, { statuses })),
    eight(ROOT),
    eight(ROOT + 8),
    ...alone(),
  ]
}

/** Of eight hops one is invalid. */
function eight(index: number): Draft {
  const token = aToken(aChain({ hops: 8 }))
  const title =
    index === ROOT ? 'of eight hops the root is invalid' : 'of eight hops the newest is invalid'
  return rejected(
    title,
    [RULE],
    { token, status_lists: published(aListToken({ statuses: { [index]: 1 } })) },
    ['token_revoked'],
  )
}

function alone(): Draft[] {
  const claims = aChain({ hops: 1, basis: 'client' })
  const token = aToken(claims)
  return [
    accepted(
      'an agent alone, valid',
      [RULE],
      { token, status_lists: published(aListToken({})) },
      reportOf(claims, 'checked'),
    ),
    rejected(
      'an agent alone, its task closed',
      [RULE],
      { token, status_lists: published(aListToken({ statuses: { [ROOT]: 1 } })) },
      ['token_revoked'],
    ),
  ]
}

/** Lists of other widths (Token Status List §4.1): what is read with the wrong one says something else. */
function widths(): Draft[] {
  const rule = 'Token Status List §4.1'
  return [
    ...[1, 4, 8].map((bits) =>
      bad(
        `${bits} bits for each index: the root is invalid`,
        ['token_revoked', 'revocation_unknown'],
        { bits, statuses: { [ROOT]: 1 } },
        rule,
      ),
    ),
    ...[1, 4, 8].map((bits) =>
      bad(
        `${bits} bits for each index: the newest hop is invalid`,
        ['token_revoked', 'revocation_unknown'],
        { bits, statuses: { [SECOND]: 1 } },
        rule,
      ),
    ),
    ...[4, 8].map((bits) =>
      bad(
        `${bits} bits for each index: a hop has a status of an application`,
        ['token_revoked', 'revocation_unknown'],
        { bits, statuses: { [FIRST]: 12 } },
        rule,
      ),
    ),
    ...[0, 3, 16, 32, -2, 2.5, '2', null, true, [2]].map((bits) =>
      bad(`bits that are ${JSON.stringify(bits)}`, UNKNOWN, { bits }, rule),
    ),
    bad(
      'no bits',
      UNKNOWN,
      { claims: { status_list: { lst: base64url(stored(octetsOf({}))) } } },
      rule,
    ),
  ]
}

function contents(): Draft[] {
  const bytes = octetsOf({})
  const packed = stored(bytes)
  const lst = (title: string, value: unknown): Draft =>
    bad(title, UNKNOWN, { lst: value }, 'chain-format §4')
  return [
    lst('content that is empty', ''),
    lst('content that is a number', 7),
    lst('content that is null', null),
    lst('content in a list', [base64url(packed)]),
    lst('content with padding', `${base64url(packed)}==`),
    lst('content in base64', Buffer.concat([packed, Buffer.alloc(2, 255)]).toString('base64')),
    lst('content that is not packed', base64url(bytes)),
    lst('content packed without a frame (RFC 1951)', base64url(packed.subarray(2, -4))),
    lst(
      'content in the frame of GZIP (RFC 1952)',
      base64url(
        Buffer.concat([Buffer.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255), packed.subarray(2)]),
      ),
    ),
    lst('content that ends early', base64url(packed.subarray(0, 12))),
    lst('content without its checksum', base64url(packed.subarray(0, -4))),
    lst(
      'content with another checksum',
      base64url(Buffer.concat([packed.subarray(0, -1), Buffer.of((packed.at(-1) ?? 0) ^ 1)])),
    ),
    lst('content that goes on after its end', base64url(Buffer.concat([packed, Buffer.of(0)]))),
    lst('content that unpacks to more than a list can be', base64url(zeros(65_028))),
    lst('content of nothing, well packed', base64url(stored(Buffer.alloc(0)))),
    good('content of many zeros in few bytes', { lst: base64url(zeros(100)) }, 'chain-format §4'),
    bad('no content', UNKNOWN, { claims: { status_list: { bits: 2 } } }),
    bad('no status_list', UNKNOWN, { claims: { status_list: undefined } }),
    bad('a status_list that is a string', UNKNOWN, { claims: { status_list: base64url(packed) } }),
    bad('statuses in plain', UNKNOWN, { claims: { status_list: [0, 0, 0, 0] } }),
  ]
}

/** Lists that end before an index. */
function short(): Draft[] {
  const list = (statuses: Statuses, indexes: number): ListShape => ({
    lst: base64url(stored(octetsOf(statuses, 2, indexes))),
  })
  const far = (
    title: string,
    changes: Claims,
    reasons: Reasons = UNKNOWN,
    statuses: Statuses = {},
  ): Draft =>
    rejected(
      title,
      [RULE],
      {
        token: aToken(changed(CLAIMS, changes)),
        status_lists: published(aListToken({ statuses })),
      },
      reasons,
    )
  return [
    bad('the list ends before the newest hop', UNKNOWN, list({}, 4)),
    bad(
      'the list ends before the newest hop, and the root is invalid',
      ['token_revoked', 'revocation_unknown'],
      list({ [ROOT]: 1 }, 4),
    ),
    bad(
      'the list ends before the newest hop, and the root is suspended',
      ['token_suspended', 'revocation_unknown'],
      list({ [ROOT]: 2 }, 4),
    ),
    far('an index of the root at the end of the list', { 'act_bounds.root.idx': INDEXES }),
    far('an index of the root that is in the list again after 32 bits', {
      'act_bounds.root.idx': 2 ** 32 + ROOT,
    }),
    far('an index of the root that is in the list again after its bits were counted in 32', {
      'act_bounds.root.idx': 2 ** 31 + ROOT,
    }),
    far('an index of the root as large as numbers go', { 'act_bounds.root.idx': 2 ** 53 - 1 }),
    far('an index of the newest hop far out', {
      'act_bounds.hops.0.idx': 1e9,
      'status.status_list.idx': 1e9,
    }),
    far(
      'the newest hop far out, its parent invalid',
      { 'act_bounds.hops.0.idx': 1e9, 'status.status_list.idx': 1e9 },
      ['token_revoked', 'revocation_unknown'],
      { [FIRST]: 1 },
    ),
    accepted(
      'the last index of the list',
      [RULE],
      {
        token: aToken(changed(CLAIMS, { 'act_bounds.root.idx': INDEXES - 1 })),
        status_lists: published(aListToken({})),
      },
      reportOf(CLAIMS, 'checked'),
    ),
    far(
      'the last index of the list, which is invalid',
      { 'act_bounds.root.idx': INDEXES - 1 },
      ['token_revoked'],
      { [INDEXES - 1]: 1 },
    ),
  ]
}

function statements(): Draft[] {
  const token = aListToken({})
  const input = token.slice(0, token.lastIndexOf('.'))
  const claims: readonly (readonly [title: string, claims: Claims])[] = [
    ['another issuer', { iss: 'https://as.example.com/t/globex' }],
    ['an issuer with a slash after it', { iss: `${ISSUER}/` }],
    ['no issuer', { iss: undefined }],
    ['another list’s sub', { sub: `${LIST}8` }],
    ['another tenant’s sub', { sub: LIST.replace('acme', 'globex') }],
    ['a sub in a list', { sub: [LIST] }],
    ['no sub', { sub: undefined }],
    ['no iat', { iat: undefined }],
    ['an iat in digits', { iat: String(NOW) }],
    ['a negative iat', { iat: -1 }],
    ['no exp', { exp: undefined }],
    ['an exp in digits', { exp: String(NOW + 58) }],
    ['no seq', { seq: undefined }],
    ['a negative seq', { seq: -1 }],
    ['a seq in digits', { seq: '7041' }],
    ['no gen', { gen: undefined }],
    ['a gen that is a number', { gen: 1 }],
    ['an empty gen', { gen: '' }],
    ['a gen in capitals', { gen: 'G1' }],
    ['kids without the key that signed it', { kids: ['test-rs256'] }],
    ['kids that are none', { kids: [] }],
    ['kids that are a string', { kids: 'test-es256' }],
    ['kids of which one is a number', { kids: ['test-es256', 1] }],
    ['65 kids', { kids: ['test-es256', ...Array.from({ length: 64 }, (_, at) => `k${at}`)] }],
  ]
  const headers: readonly (readonly [title: string, header: Claims])[] = [
    ['typ at+jwt', { typ: 'at+jwt' }],
    ['typ JWT', { typ: 'JWT' }],
    ['typ statuslist+cwt', { typ: 'statuslist+cwt' }],
    ['no typ', { typ: undefined }],
    ['alg none', { alg: 'none' }],
    ['alg HS256', { alg: 'HS256' }],
    ['a kid nobody knows', { kid: 'other' }],
    ['no kid', { kid: undefined }],
    ['crit', { crit: ['x'], x: 1 }],
  ]
  const texts: readonly (readonly [title: string, token: string])[] = [
    ['is a web page', '<!doctype html><title>Sign in</title>'],
    ['is empty', ''],
    ['is cut off', token.slice(0, -20)],
    ['has padding', `${token}==`],
    ['has a line break after it', `${token}\n`],
    ['has no signature', `${input}.`],
    ['has a signature of zeros', `${input}.${base64url(Buffer.alloc(64))}`],
    ['is in JSON', JSON.stringify({ bits: 2, lst: base64url(stored(octetsOf({}))) })],
    ['is the access token', TOKEN],
    [
      'has iat twice',
      signedText(
        es256,
        { alg: 'ES256', typ: 'statuslist+jwt', kid: es256.kid },
        `{"iat":1,${JSON.stringify({ iss: ISSUER }).slice(1)}`,
      ),
    ],
  ]
  return [
    ...claims.map(([title, more]) =>
      bad(`a list with ${title}`, UNKNOWN, { claims: more }, 'chain-format §4'),
    ),
    ...headers.map(([title, header]) =>
      bad(`a list with ${title}`, UNKNOWN, { header }, 'chain-format §4'),
    ),
    bad(
      'a list that brings its key',
      UNKNOWN,
      { header: { jwk: stranger.bare, kid: es256.kid }, signer: stranger },
      'RFC 8725 §3.10',
    ),
    bad(
      'a list signed by another key under the issuer’s kid',
      UNKNOWN,
      { header: { kid: es256.kid }, signer: stranger },
      'chain-format §4',
    ),
    bad('a list signed by a stranger', UNKNOWN, { signer: stranger }, 'chain-format §4'),
    ...texts.map(([title, text]) =>
      rejected(
        `a list that ${title}`,
        ['chain-format §4'],
        { token: TOKEN, status_lists: published(text) },
        UNKNOWN,
      ),
    ),
    good(
      'typ with its prefix',
      { header: { typ: 'application/statuslist+jwt' } },
      'chain-format §4',
    ),
    good('typ in capitals', { header: { typ: 'StatusList+JWT' } }, 'chain-format §4'),
    good('no kids, and no ttl', { claims: { kids: undefined, ttl: undefined } }, 'chain-format §4'),
    good('claims nobody asked for', { claims: { aud: 'x', nbf: NOW + 99 } }, 'chain-format §4'),
    good('signed with EdDSA', { signer: eddsa }, 'chain-format §4'),
    good('signed with RS256', { signer: rs256 }, 'chain-format §4'),
    keyTakenBack(),
  ]
}

/** `kids` are the keys there are: a token's own is not among them any more. */
function keyTakenBack(): Draft {
  return rejected(
    'the list does not name the key of the token any more',
    ['chain-format §4'],
    {
      token: TOKEN,
      status_lists: published(
        aListToken({ claims: { kids: ['test-eddsa', 'test-rs256'] }, signer: eddsa }),
      ),
    },
    ['key_unknown', 'revocation_unknown'],
  )
}

/** Where a list may be. */
function places(): Draft[] {
  const at = (title: string, uri: string, reasons: Reasons = UNKNOWN): Draft =>
    rejected(
      title,
      [RULE],
      {
        token: aToken(changed(CLAIMS, { 'status.status_list.uri': uri })),
        status_lists: published(aListToken({ claims: { sub: uri } }), uri),
      },
      reasons,
    )
  const elsewhere: readonly PublishedList[] = [
    { uri: `${LIST}8`, token: aListToken({ claims: { sub: `${LIST}8` } }) },
  ]
  return [
    rejected('no list anywhere', [RULE], TOKEN, UNKNOWN),
    rejected(
      'another list of the issuer',
      [RULE],
      { token: TOKEN, status_lists: elsewhere },
      UNKNOWN,
    ),
    rejected(
      'the list of another place at this one',
      [RULE],
      { token: TOKEN, status_lists: published(elsewhere[0]?.token ?? '') },
      UNKNOWN,
    ),
    at('a list of another tenant', LIST.replace('acme', 'globex')),
    at('a list of another host', 'https://evil.example/t/acme/status/g1-7'),
    at('a list beside the issuer’s', `${ISSUER}/statuses/g1-7`),
    at('a list under the issuer, but not under status', `${ISSUER}/g1-7`),
    at('a list one level deeper', `${ISSUER}/status/a/g1-7`),
    at('status itself', `${ISSUER}/status/`),
    at('a dot segment', `${ISSUER}/status/..`),
    at('a walk to another tenant', `${ISSUER}/status/../../globex/status/g1-7`),
    at('an escaped walk', `${ISSUER}/status/%2e%2e%2fglobex`),
    at('a query', `${LIST}?x=1`),
    at('a fragment', `${LIST}#x`),
    at('a space', `${ISSUER}/status/g1 7`),
    at('a name of 129 characters', `${ISSUER}/status/${'l'.repeat(129)}`),
    at('a host in capitals', LIST.replace('as.example', 'AS.EXAMPLE')),
    at('plain http', LIST.replace('https', 'http')),
    at('a name alone', 'g1-7'),
    at('data of its own', `data:application/statuslist+jwt,${'x'.repeat(20)}`),
  ]
}

function ages(): Draft[] {
  const list = (age: number, more: ListShape = {}): ListShape => ({
    ...more,
    claims: { iat: NOW - age, exp: NOW - age + 60 },
  })
  const bounded = (
    title: string,
    age: number,
    configuration: Partial<Configuration>,
    isGood: boolean,
  ): Draft => {
    const circumstances = { status_lists: published(aListToken(list(age))), configuration }
    return isGood
      ? accepted(title, [RULE], { token: TOKEN, ...circumstances }, reportOf(CLAIMS, 'checked'))
      : rejected(title, [RULE], { token: TOKEN, ...circumstances }, UNKNOWN)
  }
  const execute = { execute_scopes: ['ledger:propose'] }
  return [
    good('a list of 10 seconds ago', list(10)),
    bad('a list of 11 seconds ago', UNKNOWN, list(11)),
    bad('a list of 59 seconds ago', UNKNOWN, list(59)),
    bad(
      'a list of 11 seconds ago, in which the root is invalid',
      ['token_revoked', 'revocation_unknown'],
      list(11, { statuses: { [ROOT]: 1 } }),
    ),
    bad(
      'a list of 11 seconds ago, in which the root is suspended',
      UNKNOWN,
      list(11, { statuses: { [ROOT]: 2 } }),
    ),
    bad('a list that ends now', UNKNOWN, { claims: { iat: NOW - 2, exp: NOW } }, 'chain-format §4'),
    good(
      'a list that ends in a second',
      { claims: { iat: NOW - 2, exp: NOW + 1 } },
      'chain-format §4',
    ),
    bad('a list that ended, in which the root is invalid', UNKNOWN, {
      statuses: { [ROOT]: 1 },
      claims: { iat: NOW - 70, exp: NOW - 10 },
    }),
    good('a list that is 5 seconds ahead', list(-5), 'chain-format §4'),
    bad('a list that is 6 seconds ahead', UNKNOWN, list(-6), 'chain-format §4'),
    good('a list of a part of a second ago', { claims: { iat: NOW - 0.5 } }),
    bounded('a list of 59 seconds ago where 60 are taken', 59, { freshness: 60 }, true),
    bounded('a list of 2 seconds ago where one is taken', 2, { freshness: 1 }, false),
    bounded('a list of 5 seconds ago, for a scope that takes no older one', 5, execute, true),
    bounded('a list of 6 seconds ago, for a scope that takes no older one', 6, execute, false),
    bounded(
      'a list of 6 seconds ago, for another scope',
      6,
      { execute_scopes: ['mail:send'] },
      true,
    ),
    bounded(
      'a list of 3 seconds ago where 2 are taken, whatever the scope',
      3,
      { freshness: 2, ...execute },
      false,
    ),
  ]
}

export function status(): Theme {
  return {
    name: 'status',
    description:
      'Revocation: what the list of the task says of the root and of each hop; lists that are missing, old, short, not the issuer’s, or not to be read.',
    configuration: { bearer: 'allowed', revocation: 'required' },
    vectors: [
      ...told(),
      ...widths(),
      ...contents(),
      ...short(),
      ...statements(),
      ...places(),
      ...ages(),
      rejected(
        'an expired token, and no list: the list is not asked for',
        ['chain-format §2'],
        { token: TOKEN, now: NOW + 500 },
        ['token_expired', 'revocation_unknown'],
      ),
      accepted(
        'revocation is not checked, by configuration',
        [RULE],
        {
          token: TOKEN,
          status_lists: published(aListToken({ statuses: { [ROOT]: 1 } })),
          configuration: { revocation: 'off' },
        },
        reportOf(CLAIMS),
      ),
    ],
  }
}
