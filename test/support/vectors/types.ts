/** Values of the wrong JSON type, and JWTs of other kinds that come as access tokens. */
import type { VerificationReason } from '../../../lib/src/errors.ts'
import type { Claims } from '../chain-token.ts'
import {
  API,
  aChain,
  agent,
  aProof,
  aToken,
  changed,
  es256,
  ISSUER,
  LIST,
  NOW,
  signedText,
} from './material.ts'
import { type Draft, rejected, type Theme } from './theme.ts'

/** Short, for all but one of its claims matter little here. */
const CLAIMS = aChain({ hops: 1 })

type Reasons = readonly [VerificationReason, ...VerificationReason[]]

const VALUES: readonly (readonly [name: string, type: string, value: unknown])[] = [
  ['null', 'null', null],
  ['true', 'boolean', true],
  ['a number', 'number', 7],
  ['a string', 'string', 'x'],
  ['a list', 'list', ['x']],
  ['an object', 'object', { x: 1 }],
]

const malformed = (...more: readonly VerificationReason[]): Reasons => ['claim_malformed', ...more]

/** By claim: what it has to be, and what is said of anything else. */
const TYPES: readonly (readonly [claim: string, type: string, reasons: Reasons])[] = [
  ['iss', 'string', ['issuer_mismatch', 'claim_malformed', 'actor_issuer_mismatch']],
  ['aud', 'string', ['audience_mismatch', 'claim_malformed', 'token_audience_mismatch']],
  ['sub', 'string', malformed()],
  ['client_id', 'string', malformed('client_mismatch')],
  ['scope', 'string', malformed('token_scope_mismatch')],
  ['jti', 'string', malformed('token_id_mismatch')],
  ['iat', 'number', malformed('token_times_mismatch')],
  ['exp', 'number', malformed('token_times_mismatch', 'token_expired')],
  ['nbf', 'number', malformed()],
  ['auth_time', 'number', malformed()],
  ['acr', 'string', malformed()],
  ['amr', 'list', malformed()],
  ['sub_profile', 'string', malformed()],
  ['cnf', 'object', malformed('binding_unsupported')],
  ['txn', 'string', ['bounds_malformed', 'claim_malformed']],
  ['status', 'object', ['bounds_malformed', 'claim_malformed']],
  ['act_bounds', 'object', ['bounds_malformed', 'claim_malformed']],
  [
    'act',
    'object',
    ['actor_malformed', 'actor_count_mismatch', 'client_mismatch', 'claim_malformed'],
  ],
]

const HEADERS: readonly (readonly [name: string, reasons: Reasons])[] = [
  ['alg', ['token_malformed', 'algorithm_refused']],
  ['typ', ['token_malformed', 'token_type_wrong']],
  ['kid', ['token_malformed', 'key_unknown']],
]

function matrix(): Draft[] {
  const claims = TYPES.flatMap(([claim, type, reasons]) =>
    VALUES.filter(([, other]) => other !== type).map(([name, , value]) =>
      rejected(
        `${claim} is ${name}`,
        ['RFC 9068 §2.2', 'chain-format §1'],
        aToken(changed(CLAIMS, { [claim]: value })),
        reasons,
      ),
    ),
  )
  const headers = HEADERS.flatMap(([member, reasons]) =>
    VALUES.filter(([, type]) => type !== 'string').map(([name, , value]) =>
      rejected(
        `${member} of the header is ${name}`,
        ['RFC 7515 §4.1'],
        aToken(CLAIMS, { [member]: value }),
        reasons,
      ),
    ),
  )
  return [...claims, ...headers]
}

const REQUIRED: readonly (readonly [claim: string, reasons: Reasons])[] = [
  ['iss', ['issuer_mismatch', 'claim_malformed', 'actor_issuer_mismatch']],
  ['aud', ['audience_mismatch', 'claim_malformed', 'token_audience_mismatch']],
  ['sub', malformed()],
  ['client_id', malformed('client_mismatch')],
  ['scope', malformed('token_scope_mismatch')],
  ['jti', malformed('token_id_mismatch')],
  ['iat', malformed('token_times_mismatch')],
  ['exp', malformed('token_times_mismatch', 'token_expired')],
]

const VALUES_OF: readonly (readonly [title: string, claims: Claims, reasons: Reasons])[] = [
  ['an empty sub', { sub: '' }, malformed()],
  ['a sub of 1025 characters', { sub: 's'.repeat(1025) }, malformed()],
  ['an empty jti', { jti: '' }, malformed('token_id_mismatch')],
  ['a jti of 1025 characters', { jti: 'j'.repeat(1025) }, malformed('token_id_mismatch')],
  ['an empty client_id', { client_id: '' }, malformed('client_mismatch')],
  ['a negative exp', { exp: -1 }, malformed('token_times_mismatch', 'token_expired')],
  ['an exp with a fraction', { exp: NOW + 288.5 }, malformed('token_times_mismatch')],
  [
    'an exp in milliseconds, beyond safe integers',
    { exp: (NOW + 288) * 1e9 },
    malformed('token_times_mismatch'),
  ],
  ['an exp in digits', { exp: String(NOW + 288) }, malformed('token_times_mismatch')],
  ['an exp as a date', { exp: '2026-11-22T10:00:00Z' }, malformed('token_times_mismatch')],
  ['a negative iat', { iat: -1 }, malformed('token_times_mismatch')],
  ['an iat in digits', { iat: String(NOW - 8) }, malformed('token_times_mismatch')],
  ['an nbf with a fraction', { nbf: NOW - 0.5 }, malformed()],
  ['a negative nbf', { nbf: -1 }, malformed()],
  ['a negative auth_time', { auth_time: -1 }, malformed()],
  ['a number among methods', { amr: ['pwd', 1] }, malformed()],
  ['null among methods', { amr: [null] }, malformed()],
  [
    'scopes in a list',
    { scope: ['crm:read', 'ledger:read', 'ledger:propose'] },
    malformed('token_scope_mismatch'),
  ],
]

/** JWTs that one issuer, or an agent, signs for other uses. */
const KINDS: readonly (readonly [
  name: string,
  typ: string | undefined,
  claims: Claims,
  reasons: Reasons,
])[] = [
  [
    'an ID token',
    'JWT',
    { aud: 'planner', azp: 'planner', nonce: 'n', act: undefined, act_bounds: undefined },
    ['audience_mismatch', 'bounds_missing'],
  ],
  [
    'a token exchange’s ID-JAG',
    'oauth-id-jag+jwt',
    { aud: 'https://as.globex.example', resource: API, act_bounds: undefined },
    ['audience_mismatch', 'bounds_missing'],
  ],
  [
    'a client assertion',
    'JWT',
    { iss: 'writer', sub: 'writer', aud: ISSUER, act: undefined, act_bounds: undefined },
    ['issuer_mismatch', 'audience_mismatch'],
  ],
  [
    'a client assertion with its own type',
    'client-authentication+jwt',
    { iss: 'writer', sub: 'writer', aud: ISSUER },
    ['issuer_mismatch', 'audience_mismatch'],
  ],
  [
    'a management token',
    'manage+jwt',
    { aud: `${ISSUER}/manage`, act: undefined, act_bounds: undefined },
    ['audience_mismatch', 'bounds_missing'],
  ],
  [
    'a status list',
    'statuslist+jwt',
    {
      sub: LIST,
      ttl: 5,
      status_list: { bits: 2, lst: 'eNpjYGBgAAAABAAB' },
      aud: undefined,
      act_bounds: undefined,
    },
    ['audience_mismatch', 'claim_malformed', 'bounds_missing'],
  ],
  [
    'a message of the feed',
    'statusfeed+jwt',
    { gen: 'g1', seq: 7, since: 7, lists: {}, aud: undefined, act_bounds: undefined },
    ['audience_mismatch', 'claim_malformed', 'bounds_missing'],
  ],
  [
    'a security event',
    'secevent+jwt',
    {
      events: { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {} },
      act_bounds: undefined,
    },
    ['bounds_missing'],
  ],
  [
    'a logout token',
    'logout+jwt',
    {
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      aud: 'planner',
      act_bounds: undefined,
    },
    ['audience_mismatch', 'bounds_missing'],
  ],
  [
    'an answer of introspection',
    'token-introspection+jwt',
    { token_introspection: { active: true }, act_bounds: undefined },
    ['bounds_missing'],
  ],
  [
    'a userinfo answer',
    undefined,
    { email: 'alice@example.com', act_bounds: undefined },
    ['bounds_missing'],
  ],
  [
    'a request object',
    'oauth-authz-req+jwt',
    { iss: 'writer', aud: ISSUER, response_type: 'code' },
    ['issuer_mismatch', 'audience_mismatch'],
  ],
  [
    'a JWT-SVID',
    'JWT',
    {
      iss: undefined,
      sub: 'spiffe://acme.example/ns/agents/sa/writer',
      act: undefined,
      act_bounds: undefined,
    },
    ['issuer_mismatch', 'bounds_missing'],
  ],
  [
    'metadata',
    'entity-statement+jwt',
    { sub: ISSUER, jwks: { keys: [] }, aud: undefined, act_bounds: undefined },
    ['audience_mismatch', 'claim_malformed', 'bounds_missing'],
  ],
]

function kinds(): Draft[] {
  const token = aToken(CLAIMS)
  const proof = aProof(token)
  const others = KINDS.flatMap(([name, typ, claims, reasons]) => {
    const all = changed(CLAIMS, claims)
    return [
      rejected(`${name}, as what it is`, ['RFC 8725 §3.11', 'RFC 9068 §4'], aToken(all, { typ }), [
        'token_type_wrong',
        ...reasons,
      ]),
      rejected(
        `${name}, said to be an access token`,
        ['RFC 8725 §3.12', 'RFC 9068 §4'],
        aToken(all),
        reasons,
      ),
    ]
  })
  const alike = [
    'JWT',
    'jwt',
    undefined,
    '',
    'at',
    'at+jwt ',
    ' at+jwt',
    'at+jwt;x=1',
    'at-jwt',
    'text/at+jwt',
    'application/at+jwt/',
    'application/application/at+jwt',
    'rat+jwt',
    'at+jwts',
    'at+jwt\n',
    'ａt+jwt',
    'dpop+jwt',
  ]
  return [
    ...others,
    ...alike.map((typ) =>
      rejected(
        typ === undefined ? 'no typ' : `typ ${JSON.stringify(typ)}`,
        ['RFC 9068 §4', 'RFC 8725 §3.11'],
        aToken(CLAIMS, { typ }),
        ['token_type_wrong'],
      ),
    ),
    rejected('the request’s own proof', ['RFC 8725 §3.11'], proof, [
      'token_type_wrong',
      'issuer_mismatch',
      'key_unknown',
      'signature_invalid',
    ]),
    rejected(
      'a proof said to be an access token',
      ['RFC 8725 §3.12'],
      aProof(token, { iss: ISSUER }, { header: { typ: 'at+jwt' } }),
      ['signature_invalid', 'key_unknown', 'audience_mismatch'],
    ),
    ...[
      ['a list', '[]'],
      ['a string', '"x"'],
      ['null', 'null'],
      ['a number', '1'],
      ['true', 'true'],
      ['nothing', ''],
    ].map(([name = '', text = '']) =>
      rejected(
        `the payload is ${name}`,
        ['RFC 7519 §7.2'],
        signedText(es256, { alg: 'ES256', typ: 'at+jwt', kid: es256.kid }, text),
        ['token_malformed'],
      ),
    ),
    ...[
      ['a list', '["ES256"]'],
      ['a string', '"ES256"'],
      ['null', 'null'],
    ].map(([name = '', text = '']) =>
      rejected(`the header is ${name}`, ['RFC 7519 §7.2'], signedText(es256, text, CLAIMS), [
        'token_malformed',
      ]),
    ),
    rejected('a payload without members', ['RFC 9068 §2.2'], aToken({}), [
      'issuer_mismatch',
      'claim_malformed',
      'bounds_missing',
    ]),
    rejected('a token signed by the agent it names', ['RFC 9068 §4'], aToken(CLAIMS, {}, agent), [
      'key_unknown',
      'signature_invalid',
    ]),
  ]
}

export function types(): Theme {
  return {
    name: 'types',
    description:
      'Claims of each wrong JSON type, claims that are missing or out of range, and JWTs made for another use that come as access tokens.',
    configuration: { bearer: 'allowed' },
    vectors: [
      ...matrix(),
      ...REQUIRED.map(([claim, reasons]) =>
        rejected(
          `no ${claim}`,
          ['RFC 9068 §2.2'],
          aToken(changed(CLAIMS, { [claim]: undefined })),
          reasons,
        ),
      ),
      ...VALUES_OF.map(([title, claims, reasons]) =>
        rejected(
          title,
          ['RFC 9068 §2.2', 'RFC 7519 §4.1'],
          aToken(changed(CLAIMS, claims)),
          reasons,
        ),
      ),
      ...kinds(),
    ],
  }
}
