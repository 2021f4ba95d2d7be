/** A file of vectors as it is written by hand, and what is made of it. */
import { createHash } from 'node:crypto'
import type {
  Configuration,
  Jwks,
  PublishedList,
  Report,
  Vector,
  VectorFile,
  VectorRequest,
} from '../../../conformance/vectors/vector.ts'
import { VERIFICATION_REASONS, type VerificationReason } from '../../../lib/src/errors.ts'
import { API, BEARER, eddsa, es256, ISSUER, NOW, rs256 } from './material.ts'

export interface Theme {
  /** Of the file, without `.json`. */
  readonly name: string
  readonly description: string
  readonly configuration?: Partial<Configuration>
  readonly vectors: readonly Draft[]
}

export type Draft = Omit<Vector, 'id'>

/** A token and what comes with it. Without a request it is one under Bearer. */
export interface Presented extends Circumstances {
  readonly token: string
}

export interface Circumstances {
  readonly request?: VectorRequest
  readonly now?: number
  readonly configuration?: Partial<Configuration>
  readonly jwks?: Jwks
  readonly status_lists?: readonly PublishedList[]
}

/** `rules`: where it is written. */
export function accepted(
  title: string,
  rules: readonly string[],
  given: string | Presented,
  report: Report,
): Draft {
  return { title, rules, ...presented(given), expected: { verdict: 'accept', report } }
}

/** `reasons`: the one that the order of the checks gives, then any others that are true as well. */
export function rejected(
  title: string,
  rules: readonly string[],
  given: string | Presented,
  [reason, ...or]: readonly [VerificationReason, ...VerificationReason[]],
): Draft {
  const { status } = VERIFICATION_REASONS[reason]
  const others = or.length === 0 ? {} : { or }
  return {
    title,
    rules,
    ...presented(given),
    expected: { verdict: 'reject', reason, ...others, status },
  }
}

function presented(given: string | Presented): Omit<Draft, 'title' | 'rules' | 'expected'> {
  const { token, request = BEARER, ...rest } = typeof given === 'string' ? { token: given } : given
  return { ...rest, token, request }
}

/** Keys of the issuer. */
export const JWKS = { keys: [es256, eddsa, rs256].map(({ jwk }) => jwk) }

/** The file's text: a line for each vector, so that a change shows which it was. */
export function writtenTheme({ name, description, configuration, vectors }: Theme): string {
  const file: VectorFile = {
    $schema: './schema.json',
    description,
    now: NOW,
    configuration: {
      issuer: ISSUER,
      audience: API,
      required_scope: 'ledger:propose',
      ...configuration,
    },
    jwks: JWKS,
    vectors: vectors.map((draft) => ({ id: idOf(name, draft.title), ...draft })),
  }
  const { vectors: all, ...head } = file
  const lines = all.map((vector) => JSON.stringify(vector)).join(',\n')
  return `${JSON.stringify(head, null, 1).slice(0, -2)},\n "vectors": [\n${lines}\n ]\n}\n`
}

/** By the title alone: a vector keeps its id wherever it stands in the file. */
function idOf(name: string, title: string): string {
  return `${name}-${createHash('sha256').update(title).digest('hex').slice(0, 6)}`
}
