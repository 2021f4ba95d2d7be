/**
 * How a refusal is answered (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1): one WWW-Authenticate value, each attribute
 * once, every value from a literal or from checked configuration.
 */
import type { CertificateOf } from './certificate.ts'
import { VERIFICATION_REASONS, type VerificationError } from './errors.ts'
import type { Scheme } from './presentation.ts'
import { SIGNATURE_ALGORITHMS } from './public-key.ts'

export interface ChallengeFacts {
  readonly realm: string
  readonly bearer: 'refused' | 'allowed'
  readonly certificateOf?: CertificateOf | undefined
  readonly resourceMetadata?: string | undefined
  /** The scope the route asks for. */
  readonly scope?: string | undefined
  /** The scheme the request used, where it is known. */
  readonly presented?: Scheme | undefined
}

/** The WWW-Authenticate value for a refusal. Throws TypeError for a value that would leave its quotes. */
export function challengeFor(error: VerificationError, facts: ChallengeFacts): string {
  // RFC 8705 §3: a token that is bound to a certificate alone comes under Bearer.
  const hasBearer = facts.bearer === 'allowed' || facts.certificateOf !== undefined
  // Their order says nothing (RFC 9110 §11.6.1), but clients that know Bearer alone read no further than the first.
  const offered: readonly Scheme[] = hasBearer ? ['Bearer', 'DPoP'] : ['DPoP']
  const { error: code } = VERIFICATION_REASONS[error.reason]
  return offered
    .map((scheme) => {
      // RFC 9449 §7.2: the error goes with the scheme it is about; where that is unclear, with each.
      const about = code?.includes('dpop') ? 'DPoP' : facts.presented
      const told = about === scheme || about === undefined || !offered.includes(about)
      return `${scheme} ${attributesOf(error, scheme, told, facts)}`
    })
    .join(', ')
}

function attributesOf(
  error: VerificationError,
  scheme: Scheme,
  told: boolean,
  facts: ChallengeFacts,
): string {
  const { error: code, text } = VERIFICATION_REASONS[error.reason]
  // RFC 6750 §3.1: no error for a request that had no credentials.
  const isError = told && code !== undefined
  const attributes = {
    realm: facts.realm,
    error: isError && code,
    error_description: isError && text,
    scope: facts.scope,
    algs: scheme === 'DPoP' && SIGNATURE_ALGORITHMS.join(' '),
    resource_metadata: facts.resourceMetadata,
  }
  return Object.entries(attributes)
    .flatMap(([name, value]) => (typeof value === 'string' ? `${name}="${quotable(value)}"` : []))
    .join(', ')
}

function quotable(value: string): string {
  if (!/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(value)) throw new TypeError('bad challenge value')
  return value
}

export interface RefusalAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: {
    /** Absent when the request had no credentials (RFC 6750 §3.1). */
    readonly error?: string
    readonly error_description: string
    readonly reason: string
  }
}

/** The whole answer to a refusal: status, headers and JSON body. */
export function answerFor(error: VerificationError, facts: ChallengeFacts): RefusalAnswer {
  const { error: code, status, text } = VERIFICATION_REASONS[error.reason]
  const headers: Record<string, string> = {
    'cache-control': 'no-store',
    'content-type': 'application/json',
  }
  // An outage is no question of credentials.
  if (status < 503) headers['www-authenticate'] = challengeFor(error, facts)
  else headers['retry-after'] = '5'
  if (error.nonce !== undefined) headers['dpop-nonce'] = error.nonce
  return {
    status,
    headers,
    body: {
      ...(code === undefined ? {} : { error: code }),
      error_description: text,
      reason: error.reason,
    },
  }
}
