/**
 * Runs the verifier's vectors in whatever runtime this is: no node: import, nothing but the verifier and the file.
 */
import { VerificationError } from '../lib/src/errors.ts'
import type { Nonces } from '../lib/src/nonces.ts'
import { createVerifier, type Verifier } from '../lib/src/verifier.ts'

export interface Vector {
  readonly name: string
  readonly token: string
  readonly request: {
    readonly method: string
    readonly url: string
    readonly scheme?: 'DPoP' | 'Bearer'
    readonly proof?: string
    readonly certificate_thumbprint?: string
  }
  readonly configuration?: {
    readonly max_hops?: number
    readonly bearer?: 'allowed'
    /** Proofs need a nonce, and these hold. */
    readonly nonces?: readonly string[]
  }
  readonly expected: {
    readonly outcome: string
    readonly reason?: string
    readonly status?: number
  }
}

export interface VectorFile {
  readonly issuer: string
  readonly audience: string
  readonly required_scope: string
  readonly now: number
  readonly jwks: { readonly keys: readonly object[] }
  readonly vectors: readonly Vector[]
}

export interface VectorResults {
  readonly passed: number
  /** One line for each vector that came out otherwise. */
  readonly failed: readonly string[]
}

export async function runVectors(file: VectorFile): Promise<VectorResults> {
  const outcomes = await Promise.all(file.vectors.map((vector) => failureOf(file, vector)))
  const failed = outcomes.filter((failure) => failure !== undefined)
  return { passed: outcomes.length - failed.length, failed }
}

async function failureOf(file: VectorFile, vector: Vector): Promise<string | undefined> {
  const { outcome, reason } = vector.expected
  const wanted = outcome === 'accept' ? 'accept' : reason
  const got = await verifyVector(file, vector)
  return got === wanted ? undefined : `${vector.name}: ${got} instead of ${wanted}`
}

async function verifyVector(file: VectorFile, vector: Vector): Promise<string> {
  const { token, request } = vector
  const { method, url, scheme, proof, certificate_thumbprint: certificateThumbprint } = request
  const presented = { token, method, url, scheme, proof, certificateThumbprint }
  try {
    await aVerifier(file, vector).verify(presented, { scope: file.required_scope })
    return 'accept'
  } catch (error) {
    return error instanceof VerificationError ? error.reason : `fault: ${String(error)}`
  }
}

/** A fresh one for each vector: they stand alone. */
function aVerifier(file: VectorFile, { configuration = {} }: Vector): Verifier {
  const { issuer, audience, now, jwks } = file
  const { max_hops: maxHops, bearer, nonces } = configuration
  return createVerifier({
    revocation: 'off',
    issuer,
    audience,
    jwks,
    now: () => now,
    ...(maxHops === undefined ? {} : { maxHops }),
    ...(bearer === undefined ? {} : { bearer }),
    ...(nonces === undefined ? {} : { nonces: holding(nonces) }),
  })
}

function holding(nonces: readonly unknown[]): Nonces {
  return () => ({ check: async (nonce) => ({ holds: nonces.includes(nonce) }) })
}
