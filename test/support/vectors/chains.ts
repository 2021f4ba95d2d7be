/** Chains that hold, from an agent on its own to eight hops, and whatever the format leaves open. */
import type { Configuration } from '../../../conformance/vectors/vector.ts'
import type { Claims } from '../chain-token.ts'
import {
  API,
  aChain,
  agent,
  aProof,
  aToken,
  type Changes,
  changed,
  eddsa,
  NOW,
  reportOf,
  rs256,
  withProof,
} from './material.ts'
import { accepted, type Draft, rejected, type Theme } from './theme.ts'

const cnf = { jkt: agent.thumbprint }

function good(
  title: string,
  rules: readonly string[],
  claims: Claims,
  token: string = aToken(claims),
): Draft {
  const request = withProof(aProof(token))
  return accepted(title, rules, { token, request }, reportOf(claims))
}

function lengths(): Draft[] {
  const drafts = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((hops) => [
    good(
      `${hops} hops, for a subject`,
      ['chain-format §1', 'chain-format §2.2'],
      aChain({ hops, cnf }),
    ),
    good(
      `${hops} hops, by an agent for itself: ${hops - 1} levels of act`,
      ['chain-format §1', 'chain-format §2.2'],
      aChain({ hops, cnf, basis: 'client' }),
    ),
  ])
  return drafts
}

/** What may be otherwise in a good chain of three hops. */
const OPEN: readonly (readonly [title: string, changes: Changes, rule?: string])[] = [
  ['opened by consent', { 'act_bounds.root.basis': 'consent' }],
  ['opened by approval', { 'act_bounds.root.basis': 'approval' }],
  [
    'hops that name what permitted them',
    {
      'act_bounds.hops.0.approval': 'ap-1',
      'act_bounds.hops.1.decision': 'd-1',
      'act_bounds.hops.2.decision': 'd-2',
    },
  ],
  ['as deep as the root allows', { 'act_bounds.root.max_depth': 3 }, 'chain-format §2.2'],
  ['as deep as a hop allows', { 'act_bounds.hops.2.max_depth': 3 }, 'chain-format §2.2'],
  [
    'a depth that is the parent’s again',
    {
      'act_bounds.root.max_depth': 5,
      'act_bounds.hops.2.max_depth': 5,
      'act_bounds.hops.0.max_depth': 4,
    },
    'chain-format §2.4',
  ],
  [
    'a task that may go deeper than any token',
    { 'act_bounds.root.max_depth': 2 ** 53 - 1 },
    'chain-format §2.1',
  ],
  ['an actor without a profile', { 'act.act.sub_profile': undefined }, 'chain-format §2.3'],
  ['an actor of another profile', { 'act.sub_profile': 'service' }, 'chain-format §2.3'],
  [
    'a hop made in the last second of its parent',
    {
      'act_bounds.hops.2.exp': 11,
      'act_bounds.hops.1.exp': 11,
      'act_bounds.hops.0.iat': 10,
      'act_bounds.hops.0.exp': 11,
      iat: NOW,
      exp: NOW + 1,
    },
    'chain-format §2.4',
  ],
  [
    'hops that begin and end together',
    {
      'act_bounds.hops.0.iat': 0,
      'act_bounds.hops.1.iat': 0,
      'act_bounds.hops.0.exp': 300,
      'act_bounds.hops.1.exp': 300,
      iat: NOW - 10,
      exp: NOW + 290,
    },
    'chain-format §2.4',
  ],
  [
    'hops that end with the root',
    Object.fromEntries(
      [0, 1, 2].map((at) => [`act_bounds.hops.${at}.exp`, 900]).concat([['exp', NOW + 890]]),
    ),
    'chain-format §2.4',
  ],
  [
    'a task that began in 1970',
    { 'act_bounds.root.iat': 0, 'act_bounds.root.exp': 2 ** 53 - 1, ...since(0) },
    'chain-format §2.1',
  ],
  [
    'status indexes that are not in order',
    { 'act_bounds.root.idx': 9, 'act_bounds.hops.0.idx': 0, 'status.status_list.idx': 0 },
    'chain-format §2.5',
  ],
  [
    'a status index as large as numbers go',
    { 'act_bounds.root.idx': 2 ** 53 - 1 },
    'chain-format §2.1',
  ],
  ['a subject with a prefix', { sub: 'idp.example.com|alice' }],
  ['a subject that is not ASCII', { sub: 'Zoë 山田' }],
  ['a subject of 1024 characters', { sub: 's'.repeat(1024) }, 'chain-format §2'],
  [
    'how the subject signed in',
    { auth_time: NOW - 31, acr: 'phr', amr: ['hwk', 'user'], sub_profile: 'user' },
  ],
  ['nothing said of methods', { amr: [] }],
  ['not before now', { nbf: NOW }, 'RFC 7519 §4.1.5'],
  [
    'claims nobody asked for',
    { jurisdiction: 'EU', constructor: 1, toString: 'x', hasOwnProperty: {} },
    'RFC 7519 §4',
  ],
  ['a list elsewhere', { 'status.status_list.uri': 'urn:example:list' }, 'chain-format §2.6'],
  ['more in status than a list', { 'status.other': 1, 'status.status_list.other': 1 }],
]

/** Offsets of a chain whose root began at `begin`, so that the token's own times stay as they are. */
function since(begin: number): Changes {
  const offset = NOW - 10 - begin
  return Object.fromEntries(
    [0, 1, 2].flatMap((at) => [
      [`act_bounds.hops.${at}.iat`, offset + 2 - at],
      [`act_bounds.hops.${at}.exp`, offset + 298 + at],
    ]),
  )
}

/** Lists as long as they may be: masks of 31 bits. */
function wide(): Claims {
  const scope = Array.from({ length: 31 }, (_, at) => (at === 30 ? 'ledger:propose' : `s${at}`))
  const reach = Array.from({ length: 31 }, (_, at) => (at === 30 ? API : `urn:r:${at}`))
  const all = 2 ** 31 - 1
  const last = 2 ** 30
  const hop = (at: number, mask: number, aud: number): Changes => ({
    [`act_bounds.hops.${at}.scope`]: mask,
    [`act_bounds.hops.${at}.reach`]: mask,
    [`act_bounds.hops.${at}.aud`]: aud,
  })
  return changed(aChain({ cnf }), {
    'act_bounds.root.scope': scope,
    'act_bounds.root.reach': reach,
    ...hop(2, all, 0),
    ...hop(1, all - 1, 1),
    ...hop(0, last, 30),
    scope: 'ledger:propose',
  })
}

/** Audience and scopes whose spelling is odd, but right. */
function odd(): Claims {
  return changed(aChain({ cnf }), {
    'act_bounds.root.scope': [
      '!',
      '#$%&()*+,-./0:;<=>?@[]^_`{|}~',
      'Ledger:Propose',
      'ledger:propose',
    ],
    'act_bounds.root.reach': [
      'urn:example:a',
      'https://[2001:db8::1]:8443/a?b=c',
      'x-y.z+1:q',
      API,
    ],
    scope: '#$%&()*+,-./0:;<=>?@[]^_`{|}~ Ledger:Propose ledger:propose',
  })
}

function alone(): Claims {
  const one = aChain({ hops: 1, basis: 'client', cnf })
  return changed(one, {
    'act_bounds.root.scope': ['ledger:propose'],
    'act_bounds.root.reach': [API],
    'act_bounds.root.max_depth': 1,
    'act_bounds.hops.0.scope': 1,
    'act_bounds.hops.0.reach': 1,
    'act_bounds.hops.0.aud': 0,
    scope: 'ledger:propose',
  })
}

function headers(): Draft[] {
  const claims = aChain({ cnf })
  return [
    ...['application/at+jwt', 'at+JWT', 'AT+JWT', 'Application/At+Jwt'].map((typ) =>
      good(`typ ${typ}`, ['RFC 9068 §2.1', 'RFC 7515 §4.1.9'], claims, aToken(claims, { typ })),
    ),
    good('signed with EdDSA', ['RFC 8037 §3.1'], claims, aToken(claims, {}, eddsa)),
    good(
      'signed with Ed25519, as EdDSA on that curve is called now',
      ['RFC 9864 §2.2'],
      claims,
      aToken(claims, { alg: 'Ed25519' }, eddsa),
    ),
    good('signed with RS256', ['RFC 7518 §3.3'], claims, aToken(claims, {}, rs256)),
    good(
      'no kid, and one key that can be meant',
      ['RFC 7515 §4.1.4'],
      claims,
      aToken(claims, { kid: undefined }),
    ),
    good(
      'header members nobody asked for',
      ['RFC 7515 §4'],
      claims,
      aToken(claims, { cty: 'x', constructor: 'x', exp: 1 }),
    ),
  ]
}

interface Place {
  readonly configuration: Partial<Configuration>
  readonly hops?: number
  readonly basis?: 'client'
}

function places(): Draft[] {
  const at = (
    title: string,
    rules: readonly string[],
    { configuration, ...shape }: Place,
  ): Draft => {
    const claims = aChain({ ...shape, cnf })
    const token = aToken(claims)
    const request = withProof(aProof(token))
    return accepted(title, rules, { token, request, configuration }, reportOf(claims))
  }
  const door = { required_scope: 'docs:read', handover: true as const }
  return [
    at('as long as this resource takes', ['chain-format §2.2'], { configuration: { max_hops: 3 } }),
    at('one hop where no more are taken', ['chain-format §2.2'], {
      configuration: { max_hops: 1 },
      hops: 1,
    }),
    at('a route that takes delegated tokens alone', ['chain-format §2.7'], {
      configuration: { delegated: true },
    }),
    at(
      'delegated by an agent for itself, where delegated tokens are taken',
      ['chain-format §2.7'],
      {
        configuration: { delegated: true },
        basis: 'client',
        hops: 2,
      },
    ),
    at('an agent’s own door asks for no scope', ['chain-format §1'], { configuration: door }),
    at('several scopes are asked for', ['RFC 6750 §3.1'], {
      configuration: { required_scope: 'ledger:propose crm:read' },
    }),
    at('one algorithm is taken, and it is this one', ['RFC 8725 §3.1'], {
      configuration: { algorithms: ['ES256'] },
    }),
  ]
}

function needs(): Draft[] {
  const at = (
    title: string,
    rules: readonly string[],
    reason: 'chain_too_long' | 'delegation_required' | 'scope_insufficient' | 'algorithm_refused',
    { configuration, ...shape }: Place,
  ): Draft => {
    const token = aToken(aChain({ ...shape, cnf }))
    return rejected(title, rules, { token, request: withProof(aProof(token)), configuration }, [
      reason,
    ])
  }
  return [
    at('longer than this resource takes', ['chain-format §2.2'], 'chain_too_long', {
      configuration: { max_hops: 2 },
    }),
    at('eight hops where seven are taken', ['chain-format §2.2'], 'chain_too_long', {
      configuration: { max_hops: 7 },
      hops: 8,
    }),
    at(
      'an agent for itself, longer than this resource takes',
      ['chain-format §2.2'],
      'chain_too_long',
      {
        configuration: { max_hops: 1 },
        basis: 'client',
        hops: 2,
      },
    ),
    at('nobody delegated this token', ['chain-format §2.7'], 'delegation_required', {
      configuration: { delegated: true },
      basis: 'client',
      hops: 1,
    }),
    at('a scope the token lost on its way', ['RFC 6750 §3.1'], 'scope_insufficient', {
      configuration: { required_scope: 'docs:read' },
    }),
    at('one of several scopes is missing', ['RFC 6750 §3.1'], 'scope_insufficient', {
      configuration: { required_scope: 'ledger:propose docs:read' },
    }),
    at('scopes are compared as a whole', ['RFC 6749 §3.3'], 'scope_insufficient', {
      configuration: { required_scope: 'ledger' },
    }),
    at('scopes are case-sensitive', ['RFC 6749 §3.3'], 'scope_insufficient', {
      configuration: { required_scope: 'Ledger:propose' },
    }),
    at('another algorithm than the ones taken', ['RFC 8725 §3.1'], 'algorithm_refused', {
      configuration: { algorithms: ['EdDSA', 'RS256'] },
    }),
  ]
}

export function chains(): Theme {
  return {
    name: 'chains',
    description:
      'Chains that hold, from an agent alone to eight hops, with every member of the report; and routes that ask for more than a chain has.',
    vectors: [
      ...lengths(),
      good('the smallest there is', ['chain-format §1'], alone()),
      good(
        'lists of 31 entries, masks of 31 bits',
        ['chain-format §2.1', 'chain-format §2.4'],
        wide(),
      ),
      good(
        'scopes and places spelled as oddly as they may be',
        ['RFC 6749 §3.3', 'RFC 3986 §4.3'],
        odd(),
      ),
      ...OPEN.map(([title, changes, rule = 'chain-format §1']) =>
        good(title, [rule], changed(aChain({ cnf }), changes)),
      ),
      good(
        'an index of the list beyond 2^31',
        ['chain-format §2.1'],
        changed(aChain({ cnf }), {
          'act_bounds.root.idx': 2 ** 31,
          'act_bounds.hops.0.idx': 2 ** 32,
          'status.status_list.idx': 2 ** 32,
        }),
      ),
      ...headers(),
      ...places(),
      ...needs(),
    ],
  }
}
