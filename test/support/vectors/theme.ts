/** A file of vectors as it is written by hand, and what is made of it. */
import { createHash } from 'node:crypto'
import type {
  Configuration,
  Expected,
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

/** What a vector has beside its token. Without a request it is one under Bearer. */
export interface Circumstances {
  readonly request?: VectorRequest
  readonly now?: number
  readonly configuration?: Partial<Configuration>
  readonly jwks?: Jwks
  readonly status_lists?: readonly PublishedList[]
}

export function accepted(
  title: string,
  rules: readonly string[],
  token: string,
  report: Report,
  circumstances: Circumstances = {},
): Draft {
  return drafted(title, rules, token, { verdict: 'accept', report }, circumstances)
}

/** `reasons`: the one that the order of the checks gives, then any others that are true as well. */
export function rejected(
  title: string,
  rules: readonly string[],
  token: string,
  [reason, ...or]: readonly [VerificationReason, ...VerificationReason[]],
  circumstances: Circumstances = {},
): Draft {
  const { status } = VERIFICATION_REASONS[reason]
  const others = or.length === 0 ? {} : { or }
  return drafted(
    title,
    rules,
    token,
    { verdict: 'reject', reason, ...others, status },
    circumstances,
  )
}

function drafted(
  title: string,
  rules: readonly string[],
  token: string,
  expected: Expected,
  { request = BEARER, ...circumstances }: Circumstances,
): Draft {
  return { title, rules, ...circumstances, token, request, expected }
}

/** Keys of the issuer. */
export const JWKS = { keys: [es256, eddsa, rs256].map(({ jwk }) => jwk) }

/** The file's text. */
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
  return `${JSON.stringify(file, null, 1)}\n`
}

/** By the title alone: a vector keeps its id wherever it stands in the file. */
function idOf(name: string, title: string): string {
  return `${name}-${createHash('sha256').update(title).digest('hex').slice(0, 6)}`
}
