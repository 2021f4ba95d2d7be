/**
 * What a verifier is built with. Every mistake is a TypeError here, at start: nothing missing, misspelt or undefined
 * can turn into a check that is silently not made.
 */
import { MAX_HOPS } from './bounds-form.ts'
import type { CertificateOf } from './certificate.ts'
import type { ProofKey } from './dpop.ts'
import { type FaultListener, quietly } from './fault.ts'
import type { Fetch } from './fetch-bytes.ts'
import { fixedKeys, type KeySource, RemoteKeys, type RemoteKeysDeps } from './jwks.ts'
import { type KeySet, readKeySet } from './key-set.ts'
import type { NonceCheck, Nonces } from './nonces.ts'
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from './public-key.ts'
import { type ClaimReplay, ReplayMemory } from './replay.ts'
import type { Revocation, RevocationCheck } from './revocation.ts'
import { isJsonObject, readStrictJsonText } from './strict-json.ts'
import { TextCache } from './text-cache.ts'
import { normalTarget, readTrustedUrl } from './url.ts'

export interface VerifierOptions {
  /** The one issuer whose tokens are accepted, compared as an exact string. */
  readonly issuer: string
  /** The `aud` of this resource, compared as an exact string. */
  readonly audience: string
  /** `statusLists()` of `@actchain/verifier/status`. With `off` a token that was revoked passes until it expires. */
  readonly revocation: Revocation | 'off'
  /** Hops accepted, 1 to 8. Default 8. */
  readonly maxHops?: number
  /** Where clients reach this resource; default the origin of `audience`. DPoP proofs are compared with it. */
  readonly publicUrl?: string
  /** Default a bounded memory of this process; `off` only where single use is enforced before. */
  readonly replay?: ClaimReplay | 'off'
  /** `proofNonces()` of `@actchain/verifier/nonces`. Default none: proofs need no nonce. */
  readonly nonces?: Nonces
  /** Of `@actchain/verifier/certificate`. Default none: tokens that are bound to a certificate are refused. */
  readonly certificateOf?: CertificateOf
  /** Default `refused`: a token without `cnf` is not accepted. */
  readonly bearer?: 'refused' | 'allowed'
  /** Default ES256, EdDSA and RS256. */
  readonly algorithms?: readonly SignatureAlgorithm[]
  /** Keys of the issuer, instead of fetching them. */
  readonly jwks?: { readonly keys: readonly object[] }
  /** Where the keys are, instead of asking the issuer's metadata. */
  readonly jwksUri?: string
  /** Plain http for 127.0.0.1, [::1] and localhost; for development. */
  readonly allowInsecureLoopback?: boolean
  /** Seconds, 0 to 5. Default 5. */
  readonly clockTolerance?: number
  /** Verified tokens remembered. Default 1000; 0 for none. */
  readonly cacheSize?: number
  /** In challenges; default the audience. */
  readonly realm?: string
  /** URL of the protected resource metadata, for challenges (RFC 9728 §5.1). */
  readonly resourceMetadata?: string
  readonly onFault?: FaultListener
  readonly fetch?: Fetch
  /** Seconds since the epoch. */
  readonly now?: () => number
}

/** What others may know of a verifier: its metadata and challenges are made from it. */
export interface VerifierFacts {
  readonly issuer: string
  readonly audience: string
  readonly maxHops: number
  readonly bearer: 'refused' | 'allowed'
  readonly certificateOf?: CertificateOf | undefined
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly realm: string
  readonly resourceMetadata: string | undefined
}

export interface VerifierConfiguration extends VerifierFacts {
  readonly publicUrl: string
  readonly clockTolerance: number
  readonly cacheSize: number
  readonly now: () => number
  readonly onFault: FaultListener
  readonly claimReplay: ClaimReplay | undefined
  readonly nonces: NonceCheck | undefined
  readonly proofKeys: TextCache<ProofKey>
  readonly keys: KeySource
  readonly revocation: RevocationCheck | undefined
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const isFunction = (value: unknown): boolean => typeof value === 'function'
const isWithin = (least: number, most: number) => (value: unknown) =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most
// RFC 6750 §3: what may stand in a quoted attribute without an escape.
const isQuotable = (value: unknown): boolean =>
  typeof value === 'string' && /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(value)

const FORMS: Readonly<Record<keyof VerifierOptions, (value: unknown) => boolean>> = {
  issuer: isText,
  audience: isQuotable,
  revocation: (value) => value === 'off' || isFunction(value),
  maxHops: isWithin(1, MAX_HOPS),
  publicUrl: isText,
  replay: (value) => value === 'off' || isFunction(value),
  nonces: isFunction,
  certificateOf: isFunction,
  bearer: (value) => value === 'refused' || value === 'allowed',
  algorithms: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((name) => SIGNATURE_ALGORITHMS.some((known) => known === name)),
  jwks: isJsonObject,
  jwksUri: isText,
  allowInsecureLoopback: (value) => typeof value === 'boolean',
  clockTolerance: isWithin(0, 5),
  cacheSize: isWithin(0, 100_000),
  realm: isQuotable,
  resourceMetadata: isQuotable,
  onFault: isFunction,
  fetch: isFunction,
  now: isFunction,
}

const DEFAULTS = {
  maxHops: MAX_HOPS,
  bearer: 'refused' as const,
  algorithms: SIGNATURE_ALGORITHMS,
  allowInsecureLoopback: false,
  clockTolerance: 5,
  cacheSize: 1000,
  resourceMetadata: undefined,
  onFault: () => undefined,
  fetch: (url: string, init: RequestInit) => globalThis.fetch(url, init),
  now: () => Date.now() / 1000,
}

/** Throws TypeError that names the option; never quotes its value. */
export function readOptions(options: VerifierOptions): VerifierConfiguration {
  if (!isJsonObject(options)) throw new TypeError('options are missing')
  for (const [name, value] of Object.entries(options)) {
    // An option that is undefined is a setting someone lost, not a wish for the default.
    if (!Object.hasOwn(FORMS, name)) throw new TypeError(`unknown option: ${name}`)
    if (!FORMS[name as keyof VerifierOptions](value)) throw new TypeError(`bad option: ${name}`)
  }
  for (const name of ['issuer', 'audience', 'revocation'])
    if (!Object.hasOwn(options, name)) throw new TypeError(`missing option: ${name}`)
  const settled = { realm: options.audience, ...DEFAULTS, ...options }
  const issuer = readTrustedUrl(settled.issuer, settled)
  // RFC 8414 §2: an https URL without query and fragment.
  if (issuer === undefined || issuer.search !== '') throw new TypeError('bad option: issuer')
  const { revocation } = settled
  const algorithms = Object.freeze([...settled.algorithms])
  const deps = { ...settled, algorithms, onFault: quietly(settled.onFault) }
  const keys = readKeys(options, deps)
  return Object.freeze({
    ...deps,
    keys,
    publicUrl: readPublicUrl(options),
    claimReplay: readReplay(settled),
    nonces: options.nonces?.(deps),
    proofKeys: new TextCache<ProofKey>(settled.cacheSize),
    revocation: revocation === 'off' ? undefined : revocation({ ...deps, keys }),
  })
}

export function factsOf({
  issuer,
  audience,
  maxHops,
  bearer,
  certificateOf,
  algorithms,
  realm,
  resourceMetadata,
}: VerifierConfiguration): VerifierFacts {
  return Object.freeze({
    issuer,
    audience,
    maxHops,
    bearer,
    certificateOf,
    algorithms,
    realm,
    resourceMetadata,
  })
}

function readPublicUrl({ publicUrl, audience }: VerifierOptions): string {
  const target = normalTarget(publicUrl ?? audience)
  if (target === undefined) throw new TypeError('bad option: publicUrl')
  // The audience says the origin only: its path is part of the requests' own.
  return publicUrl === undefined ? new URL(target).origin : target.replace(/\/$/, '')
}

function readReplay({
  replay,
  now,
}: Pick<VerifierConfiguration, 'now'> & Pick<VerifierOptions, 'replay'>): ClaimReplay | undefined {
  if (replay === 'off') return undefined
  const memory = new ReplayMemory(now)
  return replay ?? ((claim) => memory.claim(claim))
}

function readKeys(
  { jwks, jwksUri }: VerifierOptions,
  deps: Omit<RemoteKeysDeps, 'jwksUri'>,
): KeySource {
  if (jwks !== undefined) {
    if (jwksUri !== undefined) throw new TypeError('bad option: jwks or jwksUri')
    return fixedKeys(readJwks(jwks, deps.onFault))
  }
  if (jwksUri !== undefined && readTrustedUrl(jwksUri, deps) === undefined)
    throw new TypeError('bad option: jwksUri')
  return new RemoteKeys({ ...deps, jwksUri })
}

function readJwks(jwks: object, onFault: FaultListener): KeySet {
  // A copy, so that nobody changes the keys afterwards.
  const set = readKeySet(readStrictJsonText(JSON.stringify(jwks)), onFault)
  if (typeof set === 'string') throw new TypeError(`bad option: jwks: ${set}`)
  return set
}
