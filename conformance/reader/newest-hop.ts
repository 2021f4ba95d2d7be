/** Rule 5 of docs/chain-format.md §2: the token says of itself what its newest hop says. */
import { type Bounds, namesOf } from './bounds.ts'
import type { Json, JsonObject } from './json.ts'
import { firstBroken, objectAt, type Sentence } from './sentence.ts'

export interface Subject {
  readonly claims: JsonObject
  readonly bounds: Bounds
  /** The outermost first. */
  readonly actors: readonly string[]
}

const SENTENCES: readonly Sentence<Subject>[] = [
  ['hop_id_repeated', ({ bounds }) => areDistinct(entriesOf(bounds).map(({ jti }) => jti))],
  ['hop_index_repeated', ({ bounds }) => areDistinct(entriesOf(bounds).map(({ idx }) => idx))],
  ['token_id_mismatch', ({ claims, bounds }) => claims.get('jti') === bounds.hops[0]?.jti],
  ['token_index_mismatch', ({ claims, bounds }) => indexOf(claims) === bounds.hops[0]?.idx],
  [
    'token_times_mismatch',
    ({ claims, bounds }) => {
      const { iat = Number.NaN, exp = Number.NaN } = bounds.hops[0] ?? {}
      const begin = bounds.root.iat
      return claims.get('iat') === begin + iat && claims.get('exp') === begin + exp
    },
  ],
  [
    'token_audience_mismatch',
    ({ claims, bounds }) => claims.get('aud') === bounds.reach[Number(bounds.hops[0]?.aud)],
  ],
  [
    'token_scope_mismatch',
    ({ claims, bounds }) =>
      claims.get('scope') === namesOf(bounds.scope, bounds.hops[0]?.scope).join(' '),
  ],
  [
    'client_mismatch',
    ({ claims, actors }) => claims.get('client_id') === (actors[0] ?? claims.get('sub')),
  ],
  ['subject_in_chain', ({ claims, actors }) => !actors.some((sub) => sub === claims.get('sub'))],
]

export function newestHopFault(subject: Subject): string | undefined {
  return firstBroken(subject, SENTENCES)
}

/** The index the token itself names. */
function indexOf(claims: JsonObject): Json | undefined {
  return objectAt(objectAt(claims, 'status'), 'status_list').get('idx')
}

function entriesOf({ root, hops }: Bounds) {
  return [root, ...hops]
}

function areDistinct(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length
}
