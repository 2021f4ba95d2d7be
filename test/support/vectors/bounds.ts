/** Rules 1 to 5 of docs/chain-format.md §2: each sentence broken, alone as far as that can be. */
import type { VerificationReason } from '../../../lib/src/errors.ts'
import type { Claims } from '../chain-token.ts'
import { API, aChain, aToken, type Changes, changed, ISSUER, LIST, NOW } from './material.ts'
import { rejected, type Theme } from './theme.ts'

/** Further reasons are those of other sentences that the same change breaks. */
type Row = readonly [
  title: string,
  changes: Changes,
  reasons: VerificationReason | readonly [VerificationReason, ...VerificationReason[]],
]

const ROOT = 'act_bounds.root'
const HOPS = 'act_bounds.hops'

/** Hops that nobody has to read to see that they are too many. */
const hops = (count: number): Claims[] =>
  Array.from({ length: count }, (_, at) => ({
    jti: `j${at}`,
    idx: at + 9,
    scope: 1,
    reach: 1,
    aud: 0,
    iat: 0,
    exp: 9,
  }))
const names = (count: number, prefix: string): string[] =>
  Array.from({ length: count }, (_, at) => `${prefix}${at}`)

const FORM: readonly Row[] = [
  ['no txn', { txn: undefined }, 'bounds_missing'],
  ['no status', { status: undefined }, 'bounds_missing'],
  ['no act_bounds', { act_bounds: undefined }, 'bounds_missing'],
  [
    'no act_bounds and no act: an access token like any other',
    { act_bounds: undefined, act: undefined, txn: undefined, status: undefined },
    'bounds_missing',
  ],
  ['txn is a number', { txn: 7 }, 'bounds_malformed'],
  ['txn is empty', { txn: '' }, 'bounds_malformed'],
  ['txn is null', { txn: null }, 'bounds_malformed'],
  ['status is a string', { status: LIST }, 'bounds_malformed'],
  ['status is null', { status: null }, 'bounds_malformed'],
  [
    'status is a list of references',
    { status: [{ status_list: { idx: 5, uri: LIST } }] },
    'bounds_malformed',
  ],
  ['status has no status_list', { status: { idx: 5, uri: LIST } }, 'bounds_malformed'],
  ['status_list is a list', { 'status.status_list': [5, LIST] }, 'bounds_malformed'],
  ['no uri of the list', { 'status.status_list.uri': undefined }, 'bounds_malformed'],
  ['the uri of the list is empty', { 'status.status_list.uri': '' }, 'bounds_malformed'],
  ['the uri of the list is a number', { 'status.status_list.uri': 1 }, 'bounds_malformed'],
  ['act_bounds is a list', { act_bounds: [] }, 'bounds_malformed'],
  ['act_bounds is null', { act_bounds: null }, 'bounds_malformed'],
  ['act_bounds is a JWT', { act_bounds: 'e30.e30.AAAA' }, 'bounds_malformed'],
  ['no root', { [ROOT]: undefined }, 'bounds_malformed'],
  ['root is a list', { [ROOT]: [] }, 'bounds_malformed'],
  ['root is null', { [ROOT]: null }, 'bounds_malformed'],
  ['no hops', { [HOPS]: undefined }, 'bounds_malformed'],
  ['hops is an object', { [HOPS]: {} }, 'bounds_malformed'],
  [
    'hops is an object that looks like a list',
    { [HOPS]: { length: 1, 0: {} } },
    'bounds_malformed',
  ],
  ['a hop is null', { [`${HOPS}.1`]: null }, 'bounds_malformed'],
  ['a hop is a list', { [`${HOPS}.1`]: [] }, 'bounds_malformed'],
  ['a hop is a string', { [`${HOPS}.2`]: 'hop-1' }, 'bounds_malformed'],
  ['no jti of the root', { [`${ROOT}.jti`]: undefined }, 'bounds_malformed'],
  ['jti of the root is a number', { [`${ROOT}.jti`]: 1 }, 'bounds_malformed'],
  ['jti of the root is empty', { [`${ROOT}.jti`]: '' }, 'bounds_malformed'],
  ['no basis', { [`${ROOT}.basis`]: undefined }, 'bounds_malformed'],
  ['a basis there is not', { [`${ROOT}.basis`]: 'whim' }, 'bounds_malformed'],
  ['a basis in capitals', { [`${ROOT}.basis`]: 'POLICY' }, 'bounds_malformed'],
  ['a basis that is a list of one', { [`${ROOT}.basis`]: ['policy'] }, 'bounds_malformed'],
  ['no jti of an earlier hop', { [`${HOPS}.1.jti`]: undefined }, 'bounds_malformed'],
  ['jti of an earlier hop is empty', { [`${HOPS}.2.jti`]: '' }, 'bounds_malformed'],
  ['jti of an earlier hop is a number', { [`${HOPS}.1.jti`]: 7 }, 'bounds_malformed'],
  ['approval is a number', { [`${HOPS}.1.approval`]: 1 }, 'bounds_malformed'],
  ['approval is empty', { [`${HOPS}.0.approval`]: '' }, 'bounds_malformed'],
  ['approval is null', { [`${HOPS}.0.approval`]: null }, 'bounds_malformed'],
  ['decision is empty', { [`${HOPS}.1.decision`]: '' }, 'bounds_malformed'],
  ['decision is an object', { [`${HOPS}.2.decision`]: {} }, 'bounds_malformed'],
  ['version 2', { 'act_bounds.v': 2 }, 'bounds_version_unsupported'],
  ['version 0', { 'act_bounds.v': 0 }, 'bounds_version_unsupported'],
  ['version 1.1', { 'act_bounds.v': 1.1 }, 'bounds_version_unsupported'],
  ['the version as a string', { 'act_bounds.v': '1' }, 'bounds_version_unsupported'],
  ['the version as true', { 'act_bounds.v': true }, 'bounds_version_unsupported'],
  ['the version as a list', { 'act_bounds.v': [1] }, 'bounds_version_unsupported'],
  ['no version', { 'act_bounds.v': undefined }, 'bounds_version_unsupported'],
  [
    'a member of act_bounds that is not listed',
    { 'act_bounds.sig': 'AAAA' },
    'bounds_member_unknown',
  ],
  ['a member of act_bounds in capitals', { 'act_bounds.V': 1 }, 'bounds_member_unknown'],
  [
    'root.prev, which is reserved',
    { [`${ROOT}.prev`]: 'root-of-another' },
    'bounds_member_unknown',
  ],
  [
    'a member of the root that every object inherits in some languages',
    { [`${ROOT}.toString`]: 1 },
    'bounds_member_unknown',
  ],
  ['a member of the root that is not listed', { [`${ROOT}.aud`]: 0 }, 'bounds_member_unknown'],
  [
    'a member of an earlier hop that is not listed',
    { [`${HOPS}.1.sub`]: 'researcher' },
    'bounds_member_unknown',
  ],
  ['a member of a hop in other letters', { [`${HOPS}.1.max_Depth`]: 1 }, 'bounds_member_unknown'],
  [
    'a member of the newest hop that is not listed',
    { [`${HOPS}.0.nbf`]: 0 },
    'bounds_member_unknown',
  ],
  [
    'a member of a hop with an empty name',
    { [`${HOPS}.2`]: { ...hops(1)[0], '': 1 } },
    'bounds_member_unknown',
  ],
  ['no index in status', { 'status.status_list.idx': undefined }, 'bounds_number_invalid'],
  ['a negative index in status', { 'status.status_list.idx': -1 }, 'bounds_number_invalid'],
  [
    'an index in status that is a string',
    { 'status.status_list.idx': '5' },
    'bounds_number_invalid',
  ],
  ['no index of the root', { [`${ROOT}.idx`]: undefined }, 'bounds_number_invalid'],
  [
    'an index of the root that is no whole number',
    { [`${ROOT}.idx`]: 1.5 },
    'bounds_number_invalid',
  ],
  ['an index of the root that is null', { [`${ROOT}.idx`]: null }, 'bounds_number_invalid'],
  [
    'an index of the root beyond safe integers',
    { [`${ROOT}.idx`]: 2 ** 53 },
    'bounds_number_invalid',
  ],
  [
    'a negative beginning of the root',
    { [`${ROOT}.iat`]: -1 },
    ['bounds_number_invalid', 'token_times_mismatch'],
  ],
  [
    'a beginning of the root that is a string',
    { [`${ROOT}.iat`]: String(NOW - 10) },
    'bounds_number_invalid',
  ],
  ['no beginning of the root', { [`${ROOT}.iat`]: undefined }, 'bounds_number_invalid'],
  [
    'an end of the root beyond safe integers',
    { [`${ROOT}.exp`]: 2 ** 53 },
    'bounds_number_invalid',
  ],
  ['an end of the root with a fraction', { [`${ROOT}.exp`]: NOW + 890.5 }, 'bounds_number_invalid'],
  ['no end of the root', { [`${ROOT}.exp`]: undefined }, 'bounds_number_invalid'],
  [
    'a root whose end is null, as if it had none',
    { [`${ROOT}.exp`]: null },
    'bounds_number_invalid',
  ],
  ['no depth of the root', { [`${ROOT}.max_depth`]: undefined }, 'bounds_number_invalid'],
  ['a negative depth of the root', { [`${ROOT}.max_depth`]: -1 }, 'bounds_number_invalid'],
  ['a depth of the root that is true', { [`${ROOT}.max_depth`]: true }, 'bounds_number_invalid'],
  ['an index of a hop that is null', { [`${HOPS}.1.idx`]: null }, 'bounds_number_invalid'],
  ['no index of a hop', { [`${HOPS}.2.idx`]: undefined }, 'bounds_number_invalid'],
  [
    'a negative beginning of a hop',
    { [`${HOPS}.2.iat`]: -1 },
    ['bounds_number_invalid', 'hop_issued_outside_parent'],
  ],
  [
    'a beginning of a hop that is no whole number',
    { [`${HOPS}.1.iat`]: 1.5 },
    'bounds_number_invalid',
  ],
  ['no beginning of a hop', { [`${HOPS}.1.iat`]: undefined }, 'bounds_number_invalid'],
  ['an end of a hop that is a string', { [`${HOPS}.1.exp`]: '299' }, 'bounds_number_invalid'],
  ['no end of a hop', { [`${HOPS}.1.exp`]: undefined }, 'bounds_number_invalid'],
  [
    'an end of a hop beyond safe integers',
    { [`${HOPS}.2.exp`]: 2 ** 53 },
    ['bounds_number_invalid', 'hop_outlives_parent'],
  ],
  [
    'a depth of a hop that is no whole number',
    { [`${HOPS}.1.max_depth`]: 3.5 },
    'bounds_number_invalid',
  ],
  ['a depth of a hop that is null', { [`${HOPS}.1.max_depth`]: null }, 'bounds_number_invalid'],
  ['a depth of a hop that is a string', { [`${HOPS}.1.max_depth`]: '8' }, 'bounds_number_invalid'],
]

const LISTS: readonly Row[] = [
  ['no scope of the root', { [`${ROOT}.scope`]: undefined }, 'root_scope_invalid'],
  ['an empty scope of the root', { [`${ROOT}.scope`]: [] }, 'root_scope_invalid'],
  [
    'a scope of the root that is a string',
    { [`${ROOT}.scope`]: 'docs:read crm:read ledger:read ledger:propose' },
    'root_scope_invalid',
  ],
  [
    'a scope of the root that is an object',
    { [`${ROOT}.scope`]: { 0: 'docs:read' } },
    'root_scope_invalid',
  ],
  ['a scope of the root twice', { [`${ROOT}.scope.0`]: 'crm:read' }, 'root_scope_invalid'],
  [
    '32 scopes of the root',
    { [`${ROOT}.scope`]: names(32, 's') },
    ['root_scope_invalid', 'token_scope_mismatch'],
  ],
  [
    'a scope of the root with a space',
    { [`${ROOT}.scope.0`]: 'docs:read ledger:admin' },
    'root_scope_invalid',
  ],
  ['a scope of the root with a quote', { [`${ROOT}.scope.0`]: 'a"b' }, 'root_scope_invalid'],
  ['a scope of the root with a backslash', { [`${ROOT}.scope.0`]: 'a\\b' }, 'root_scope_invalid'],
  [
    'a scope of the root with a line break',
    { [`${ROOT}.scope.0`]: 'docs:read\n' },
    'root_scope_invalid',
  ],
  [
    'a scope of the root that is not ASCII',
    { [`${ROOT}.scope.0`]: 'döcs:read' },
    'root_scope_invalid',
  ],
  ['a scope of the root with DEL', { [`${ROOT}.scope.0`]: 'docs\u007f' }, 'root_scope_invalid'],
  ['an empty name among the scopes of the root', { [`${ROOT}.scope.0`]: '' }, 'root_scope_invalid'],
  ['a number among the scopes of the root', { [`${ROOT}.scope.0`]: 1 }, 'root_scope_invalid'],
  ['null among the scopes of the root', { [`${ROOT}.scope.0`]: null }, 'root_scope_invalid'],
  ['no reach of the root', { [`${ROOT}.reach`]: undefined }, 'root_reach_invalid'],
  ['an empty reach of the root', { [`${ROOT}.reach`]: [] }, 'root_reach_invalid'],
  ['a reach of the root that is a string', { [`${ROOT}.reach`]: API }, 'root_reach_invalid'],
  ['a place twice in the reach of the root', { [`${ROOT}.reach.0`]: API }, 'root_reach_invalid'],
  [
    '32 places in the reach of the root',
    { [`${ROOT}.reach`]: names(32, 'urn:r:') },
    ['root_reach_invalid', 'token_audience_mismatch'],
  ],
  ['a relative place', { [`${ROOT}.reach.0`]: '/agents/planner' }, 'root_reach_invalid'],
  ['a place without a scheme', { [`${ROOT}.reach.0`]: '//as.example.com/a' }, 'root_reach_invalid'],
  ['a place that is a scheme alone', { [`${ROOT}.reach.0`]: 'https:' }, 'root_reach_invalid'],
  [
    'a place with a fragment',
    { [`${ROOT}.reach.0`]: 'https://a.example/#f' },
    'root_reach_invalid',
  ],
  [
    'a place with an empty fragment',
    { [`${ROOT}.reach.0`]: 'https://a.example/#' },
    'root_reach_invalid',
  ],
  ['a place with a space', { [`${ROOT}.reach.0`]: 'https://a.example/ b' }, 'root_reach_invalid'],
  [
    'a place with a line break after it',
    { [`${ROOT}.reach.0`]: 'https://a.example/\n' },
    'root_reach_invalid',
  ],
  [
    'a place that is not ASCII',
    { [`${ROOT}.reach.0`]: 'https://bücher.example/' },
    'root_reach_invalid',
  ],
  [
    'a place with a backslash',
    { [`${ROOT}.reach.0`]: 'https:\\\\a.example\\' },
    'root_reach_invalid',
  ],
  ['a number among the places', { [`${ROOT}.reach.0`]: 1 }, 'root_reach_invalid'],
  ['null among the places', { [`${ROOT}.reach.0`]: null }, 'root_reach_invalid'],
]

const LENGTH: readonly Row[] = [
  ['no hop at all', { [HOPS]: [] }, ['hop_count_invalid', 'actor_count_mismatch']],
  [
    'no hop, and no act either',
    { [HOPS]: [], act: undefined },
    ['hop_count_invalid', 'token_id_mismatch'],
  ],
  [
    'nine hops',
    { [HOPS]: hops(9) },
    ['hop_count_invalid', 'actor_count_mismatch', 'depth_exceeded'],
  ],
  [
    'nine hops that are no hops',
    { [HOPS]: Array.from({ length: 9 }, () => null) },
    ['hop_count_invalid', 'bounds_malformed', 'actor_count_mismatch'],
  ],
  [
    'a hundred hops',
    { [HOPS]: hops(100) },
    ['hop_count_invalid', 'actor_count_mismatch', 'depth_exceeded'],
  ],
  [
    'no act, though there are hops',
    { act: undefined },
    ['actor_count_mismatch', 'client_mismatch'],
  ],
  ['one level of act less than hops', { 'act.act.act': undefined }, 'actor_count_mismatch'],
  [
    'one level of act more than hops',
    { 'act.act.act.act': { sub: 'editor', iss: ISSUER } },
    'actor_count_mismatch',
  ],
  [
    'two hops less than levels of act',
    { [`${HOPS}`]: [aHop(0)] },
    ['actor_count_mismatch', 'hop_scope_widened'],
  ],
  [
    'as many levels of act as hops, with basis client',
    { [`${ROOT}.basis`]: 'client' },
    'actor_count_mismatch',
  ],
  [
    'one level of act less than hops, with basis policy',
    { act: { sub: 'writer', iss: ISSUER, act: { sub: 'researcher', iss: ISSUER } } },
    'actor_count_mismatch',
  ],
  [
    'the last level of act is null',
    { 'act.act.act': null },
    ['actor_malformed', 'actor_count_mismatch'],
  ],
  ['a root that allows one hop less', { [`${ROOT}.max_depth`]: 2 }, 'depth_exceeded'],
  ['a root that allows no hop', { [`${ROOT}.max_depth`]: 0 }, 'depth_exceeded'],
  ['an oldest hop that allows one hop less', { [`${HOPS}.2.max_depth`]: 2 }, 'depth_exceeded'],
  ['a hop that allows itself and none after it', { [`${HOPS}.1.max_depth`]: 2 }, 'depth_exceeded'],
  [
    'a newest hop that allows less than there are',
    { [`${HOPS}.0.max_depth`]: 2 },
    'depth_exceeded',
  ],
  ['a hop that allows none', { [`${HOPS}.2.max_depth`]: 0 }, 'depth_exceeded'],
]

function aHop(at: number): unknown {
  return (aChain() as { act_bounds: { hops: readonly unknown[] } }).act_bounds.hops[at]
}

const ACTORS: readonly Row[] = [
  [
    'act is a string',
    { act: 'writer' },
    ['actor_malformed', 'actor_count_mismatch', 'client_mismatch'],
  ],
  [
    'act is a list of actors',
    { act: [{ sub: 'writer', iss: ISSUER }] },
    ['actor_malformed', 'actor_count_mismatch', 'client_mismatch'],
  ],
  ['act is null', { act: null }, ['actor_malformed', 'actor_count_mismatch', 'client_mismatch']],
  ['act is a number', { act: 3 }, ['actor_malformed', 'actor_count_mismatch', 'client_mismatch']],
  ['act is empty', { act: {} }, ['actor_malformed', 'actor_count_mismatch', 'client_mismatch']],
  [
    'an earlier level of act is a string',
    { 'act.act': 'researcher' },
    ['actor_malformed', 'actor_count_mismatch'],
  ],
  [
    'an earlier level of act is a list',
    { 'act.act': [] },
    ['actor_malformed', 'actor_count_mismatch'],
  ],
  [
    'no sub of the outermost actor',
    { 'act.sub': undefined },
    ['actor_malformed', 'client_mismatch'],
  ],
  ['an empty sub of an earlier actor', { 'act.act.sub': '' }, 'actor_malformed'],
  ['no sub of the oldest actor', { 'act.act.act.sub': undefined }, 'actor_malformed'],
  ['a sub of an earlier actor that is a number', { 'act.act.sub': 1 }, 'actor_malformed'],
  [
    'a sub of an earlier actor that is a list',
    { 'act.act.sub': ['researcher'] },
    'actor_malformed',
  ],
  [
    'a sub of an earlier actor of 1025 characters',
    { 'act.act.sub': 'x'.repeat(1025) },
    'actor_malformed',
  ],
  [
    'no iss of the outermost actor',
    { 'act.iss': undefined },
    ['actor_malformed', 'actor_issuer_mismatch'],
  ],
  [
    'no iss of an earlier actor',
    { 'act.act.iss': undefined },
    ['actor_malformed', 'actor_issuer_mismatch'],
  ],
  [
    'an iss of an earlier actor that is a list',
    { 'act.act.iss': [ISSUER] },
    ['actor_malformed', 'actor_issuer_mismatch'],
  ],
  [
    'a profile of an earlier actor that is a number',
    { 'act.act.sub_profile': 1 },
    'actor_malformed',
  ],
  [
    'a profile of the oldest actor that is null',
    { 'act.act.act.sub_profile': null },
    'actor_malformed',
  ],
  ['an end in the outermost actor', { 'act.exp': NOW + 60 }, 'actor_member_unknown'],
  [
    'a client_id in an earlier actor',
    { 'act.act.client_id': 'researcher' },
    'actor_member_unknown',
  ],
  ['a scope in the oldest actor', { 'act.act.act.scope': 'ledger:admin' }, 'actor_member_unknown'],
  ['a key in the outermost actor', { 'act.cnf': { jkt: 'A'.repeat(43) } }, 'actor_member_unknown'],
  [
    'a sub_id in an earlier actor',
    { 'act.act.sub_id': { format: 'opaque', id: 'x' } },
    'actor_member_unknown',
  ],
  [
    'an actor of the issuer with a slash after it',
    { 'act.act.iss': `${ISSUER}/` },
    'actor_issuer_mismatch',
  ],
  [
    'an actor of another tenant',
    { 'act.act.act.iss': 'https://as.example.com/t/globex' },
    'actor_issuer_mismatch',
  ],
  [
    'the outermost actor of another issuer',
    { 'act.iss': 'https://idp.example.com' },
    'actor_issuer_mismatch',
  ],
  [
    'an actor of the issuer in capitals',
    { 'act.iss': ISSUER.toUpperCase() },
    'actor_issuer_mismatch',
  ],
  ['an actor with an empty iss', { 'act.act.iss': '' }, 'actor_issuer_mismatch'],
]

const MASKS: readonly Row[] = ['scope', 'reach'].flatMap((list): readonly Row[] => {
  const bits = 4
  const mask = (hop: number): string => `${HOPS}.${hop}.${list}`
  return [
    [`no ${list} of a hop`, { [mask(1)]: undefined }, 'hop_mask_invalid'],
    [`an empty ${list} of a hop`, { [mask(1)]: 0 }, 'hop_mask_invalid'],
    [`a negative ${list} of a hop`, { [mask(1)]: -1 }, 'hop_mask_invalid'],
    [`a ${list} of the oldest hop one bit too wide`, { [mask(2)]: 2 ** bits }, 'hop_mask_invalid'],
    [
      `a ${list} of the newest hop one bit too wide`,
      { [mask(0)]: 2 ** bits + 14 },
      'hop_mask_invalid',
    ],
    [`a ${list} of a hop with bit 31`, { [mask(1)]: 2 ** 31 + 8 }, 'hop_mask_invalid'],
    [
      `a ${list} of a hop that is right in its lowest 32 bits`,
      { [mask(1)]: 2 ** 32 + 8 },
      'hop_mask_invalid',
    ],
    [
      `a ${list} of a hop that is right in its lowest 53 bits`,
      { [mask(1)]: 2 ** 53 + 8 },
      'hop_mask_invalid',
    ],
    [
      `a ${list} of a hop that is negative in 32 bits`,
      { [mask(1)]: -(2 ** 31) },
      'hop_mask_invalid',
    ],
    [`a ${list} of a hop with a fraction`, { [mask(1)]: 8.5 }, 'hop_mask_invalid'],
    [`a ${list} of a hop that is a string`, { [mask(1)]: '14' }, 'hop_mask_invalid'],
    [`a ${list} of a hop that is true`, { [mask(1)]: true }, 'hop_mask_invalid'],
    [`a ${list} of a hop that is a list`, { [mask(1)]: [14] }, 'hop_mask_invalid'],
    [`a ${list} of a hop that is null`, { [mask(2)]: null }, 'hop_mask_invalid'],
  ]
})

const NARROWING: readonly Row[] = [
  [
    'the newest hop has a scope its parent lost',
    { [`${HOPS}.0.scope`]: 15, scope: 'docs:read crm:read ledger:read ledger:propose' },
    'hop_scope_widened',
  ],
  [
    'the newest hop swapped a scope for one its parent lost',
    { [`${HOPS}.0.scope`]: 9, scope: 'docs:read ledger:propose' },
    'hop_scope_widened',
  ],
  ['an earlier hop has a scope its parent lost', { [`${HOPS}.2.scope`]: 12 }, 'hop_scope_widened'],
  [
    'the newest hop reaches a place its parent lost',
    { [`${HOPS}.0.reach`]: 9 },
    'hop_reach_widened',
  ],
  ['the newest hop reaches everything', { [`${HOPS}.0.reach`]: 15 }, 'hop_reach_widened'],
  [
    'an earlier hop reaches a place its parent lost',
    { [`${HOPS}.1.reach`]: 15, [`${HOPS}.2.reach`]: 14 },
    'hop_reach_widened',
  ],
  ['an audience past the end of the list', { [`${HOPS}.1.aud`]: 4 }, 'hop_audience_invalid'],
  ['an audience that is negative', { [`${HOPS}.1.aud`]: -1 }, 'hop_audience_invalid'],
  ['an audience the hop cannot reach', { [`${HOPS}.1.aud`]: 0 }, 'hop_audience_invalid'],
  [
    'an audience that is in reach again after 32',
    { [`${HOPS}.1.aud`]: 34 },
    'hop_audience_invalid',
  ],
  ['an audience that is a string', { [`${HOPS}.1.aud`]: '2' }, 'hop_audience_invalid'],
  [
    'an audience that is a URI',
    { [`${HOPS}.1.aud`]: 'https://acme.example/writer' },
    'hop_audience_invalid',
  ],
  ['an audience with a fraction', { [`${HOPS}.1.aud`]: 2.5 }, 'hop_audience_invalid'],
  ['an audience that is null', { [`${HOPS}.2.aud`]: null }, 'hop_audience_invalid'],
  ['no audience of a hop', { [`${HOPS}.2.aud`]: undefined }, 'hop_audience_invalid'],
  [
    'no audience of the newest hop',
    { [`${HOPS}.0.aud`]: undefined },
    ['hop_audience_invalid', 'token_audience_mismatch'],
  ],
  ['a hop made before its parent', { [`${HOPS}.2.iat`]: 2 }, 'hop_issued_outside_parent'],
  ['a newest hop made before its parent', { [`${HOPS}.1.iat`]: 3 }, 'hop_issued_outside_parent'],
  [
    'a hop made when its parent ended',
    { [`${HOPS}.2.exp`]: 1, [`${HOPS}.1.exp`]: 2 },
    ['hop_issued_outside_parent', 'hop_outlives_parent'],
  ],
  [
    'a newest hop made after its parent ended',
    { [`${HOPS}.1.exp`]: 2, [`${HOPS}.0.iat`]: 3, iat: NOW - 7 },
    ['hop_issued_outside_parent', 'hop_outlives_parent'],
  ],
  [
    'a first hop made when the root ended',
    { [`${ROOT}.exp`]: NOW - 10 },
    ['hop_issued_outside_parent', 'hop_outlives_parent'],
  ],
  [
    'a root that ends before it begins',
    { [`${ROOT}.exp`]: 0 },
    ['hop_issued_outside_parent', 'hop_outlives_parent'],
  ],
  [
    'a hop that ends when it begins',
    { [`${HOPS}.1.exp`]: 1 },
    ['hop_lifetime_invalid', 'hop_issued_outside_parent', 'hop_outlives_parent'],
  ],
  [
    'a newest hop that ends when it begins',
    { [`${HOPS}.0.exp`]: 2, exp: NOW - 8 },
    'hop_lifetime_invalid',
  ],
  [
    'a newest hop that ends before it begins',
    { [`${HOPS}.0.exp`]: 0, exp: NOW - 10 },
    'hop_lifetime_invalid',
  ],
  ['a hop that outlives its parent by a second', { [`${HOPS}.1.exp`]: 301 }, 'hop_outlives_parent'],
  [
    'a newest hop that outlives its parent by a second',
    { [`${HOPS}.0.exp`]: 300, exp: NOW + 290 },
    'hop_outlives_parent',
  ],
  [
    'a first hop that outlives the root by a second',
    { [`${HOPS}.2.exp`]: 901 },
    'hop_outlives_parent',
  ],
  ['a first hop as long as the epoch', { [`${HOPS}.2.exp`]: NOW + 890 }, 'hop_outlives_parent'],
  ['a hop that raises the depth of the root', { [`${HOPS}.2.max_depth`]: 9 }, 'hop_depth_raised'],
  [
    'a hop that raises the depth of its parent',
    { [`${HOPS}.2.max_depth`]: 4, [`${HOPS}.1.max_depth`]: 5 },
    'hop_depth_raised',
  ],
  [
    'a hop that raises the depth of a hop before its parent',
    { [`${HOPS}.2.max_depth`]: 4, [`${HOPS}.0.max_depth`]: 5 },
    'hop_depth_raised',
  ],
]

const NEWEST: readonly Row[] = [
  ['an id twice, of a hop and the root', { [`${HOPS}.1.jti`]: 'root-Tz4bXq' }, 'hop_id_repeated'],
  ['an id twice, of two earlier hops', { [`${HOPS}.1.jti`]: 'hop-1-Tz4bXq' }, 'hop_id_repeated'],
  [
    'an id twice, of the newest hop and its parent',
    { [`${HOPS}.1.jti`]: 'hop-3-Tz4bXq' },
    'hop_id_repeated',
  ],
  ['an index twice, of a hop and the root', { [`${HOPS}.1.idx`]: 2 }, 'hop_index_repeated'],
  [
    'an index twice, of the newest hop and the root',
    { [`${HOPS}.0.idx`]: 2, 'status.status_list.idx': 2 },
    'hop_index_repeated',
  ],
  ['an index twice, of two hops', { [`${HOPS}.1.idx`]: 3 }, 'hop_index_repeated'],
  ['the token has the id of an earlier hop', { jti: 'hop-2-Tz4bXq' }, 'token_id_mismatch'],
  ['the token has the id of the root', { jti: 'root-Tz4bXq' }, 'token_id_mismatch'],
  ['the token has an id of its own', { jti: 'another' }, 'token_id_mismatch'],
  ['the token has its hop’s id in capitals', { jti: 'HOP-3-TZ4BXQ' }, 'token_id_mismatch'],
  [
    'the token has the index of its parent',
    { 'status.status_list.idx': 4 },
    'token_index_mismatch',
  ],
  ['the token has the index of the root', { 'status.status_list.idx': 2 }, 'token_index_mismatch'],
  ['the token has an index of nobody', { 'status.status_list.idx': 60 }, 'token_index_mismatch'],
  ['the token was made a second before its hop', { iat: NOW - 9 }, 'token_times_mismatch'],
  ['the token was made in 1970', { iat: 0 }, 'token_times_mismatch'],
  ['the token ends a second after its hop', { exp: NOW + 289 }, 'token_times_mismatch'],
  ['the token ends a second before its hop', { exp: NOW + 287 }, 'token_times_mismatch'],
  ['the token ends with the root', { exp: NOW + 890 }, 'token_times_mismatch'],
  [
    'the newest hop is for an agent, the token for the API',
    { [`${HOPS}.0.reach`]: 12, [`${HOPS}.0.aud`]: 2 },
    'token_audience_mismatch',
  ],
  [
    'the list has the API with a slash after it',
    { [`${ROOT}.reach.3`]: `${API}/` },
    'token_audience_mismatch',
  ],
  [
    'the token has a scope more than its hop',
    { scope: 'docs:read crm:read ledger:read ledger:propose' },
    'token_scope_mismatch',
  ],
  [
    'the token has a scope nobody has',
    { scope: 'crm:read ledger:read ledger:propose ledger:admin' },
    'token_scope_mismatch',
  ],
  [
    'the token has a scope less than its hop',
    { scope: 'ledger:read ledger:propose' },
    'token_scope_mismatch',
  ],
  [
    'the scopes are in another order',
    { scope: 'ledger:propose crm:read ledger:read' },
    'token_scope_mismatch',
  ],
  [
    'two spaces between scopes',
    { scope: 'crm:read  ledger:read ledger:propose' },
    'token_scope_mismatch',
  ],
  [
    'a space after the scopes',
    { scope: 'crm:read ledger:read ledger:propose ' },
    'token_scope_mismatch',
  ],
  [
    'a tab between scopes',
    { scope: 'crm:read\tledger:read ledger:propose' },
    'token_scope_mismatch',
  ],
  [
    'a scope twice',
    { scope: 'crm:read crm:read ledger:read ledger:propose' },
    'token_scope_mismatch',
  ],
  ['an empty scope', { scope: '' }, ['token_scope_mismatch', 'scope_insufficient']],
  ['client_id is an earlier actor', { client_id: 'planner' }, 'client_mismatch'],
  ['client_id is the subject', { client_id: 'alice' }, 'client_mismatch'],
  ['client_id in capitals', { client_id: 'WRITER' }, 'client_mismatch'],
  ['the subject is the oldest actor', { sub: 'planner' }, 'subject_in_chain'],
  ['the subject is the outermost actor', { sub: 'writer' }, 'subject_in_chain'],
]

/** By an agent for itself: there the subject has the oldest hop. */
const OWN: readonly Row[] = [
  [
    'for itself: no act, though there are two hops',
    { act: undefined },
    ['actor_count_mismatch', 'client_mismatch'],
  ],
  ['for itself: the subject is its own actor', { sub: 'researcher' }, 'subject_in_chain'],
  [
    'for itself: client_id is the subject, though it delegated',
    { client_id: 'planner' },
    'client_mismatch',
  ],
  ['for itself: basis policy', { [`${ROOT}.basis`]: 'policy' }, 'actor_count_mismatch'],
]

const ALONE: readonly Row[] = [
  ['alone: client_id is somebody else', { client_id: 'researcher' }, 'client_mismatch'],
  [
    'alone: an actor of its own',
    { act: { sub: 'planner', iss: ISSUER } },
    ['actor_count_mismatch', 'subject_in_chain'],
  ],
  ['alone: act is empty', { act: {} }, ['actor_count_mismatch', 'actor_malformed']],
  ['alone: act is null', { act: null }, ['actor_count_mismatch', 'actor_malformed']],
  ['alone: basis policy', { [`${ROOT}.basis`]: 'policy' }, 'actor_count_mismatch'],
]

const RULES: readonly (readonly [rule: string, rows: readonly Row[]])[] = [
  ['chain-format §2.1', FORM],
  ['chain-format §2.1', LISTS],
  ['chain-format §2.2', LENGTH],
  ['chain-format §2.3', ACTORS],
  ['chain-format §2.4', MASKS],
  ['chain-format §2.4', NARROWING],
  ['chain-format §2.5', NEWEST],
]

function drafts(rule: string, claims: Claims, rows: readonly Row[]) {
  return rows.map(([title, changes, reasons]) => {
    const all = typeof reasons === 'string' ? ([reasons] as const) : reasons
    return rejected(title, [rule], aToken(changed(claims, changes)), all)
  })
}

export function bounds(): Theme {
  return {
    name: 'bounds',
    description:
      'Rules 1 to 5 of chain-format.md §2: each sentence broken, alone as far as that can be. Tokens are bound to no key, so that nothing else has to be read.',
    configuration: { bearer: 'allowed' },
    vectors: [
      ...RULES.flatMap(([rule, rows]) => drafts(rule, aChain(), rows)),
      ...drafts('chain-format §2.5', aChain({ hops: 2, basis: 'client' }), OWN),
      ...drafts('chain-format §2.2', aChain({ hops: 1, basis: 'client' }), ALONE),
    ],
  }
}
