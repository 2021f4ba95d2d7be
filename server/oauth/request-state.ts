/**
 * What this server knows of one request to an oidc-provider endpoint, beside what the library keeps.
 * One record a request, reachable from its context only.
 */
import type { PresentedCertificate } from '../core/presented-certificate.ts'
import type { Refusal } from '../core/refusal.ts'
import type { DecisionRecord } from '../use-cases/decision-record.ts'
import type { Granted } from '../use-cases/issue-hop.ts'
import type { SignedIn } from '../use-cases/management-access.ts'
import type { Admission } from './admission.ts'

export interface RequestState {
  readonly record: DecisionRecord
  /** Client id, as its credential names it. It counts only where it is admitted. */
  client: string | undefined
  /** Whether it is; undefined where no credential named a client. Awaited before any answer. */
  admission: Admission | undefined
  /** Proven in the TLS handshake; undefined where there was none. */
  certificate: PresentedCertificate | undefined
  /** RFC 9449 §8: the nonce this request's client is to use from now on; undefined where the one it has will do. */
  nextNonce: string | undefined
  /** What a grant handler decided, or the door before there was a client. */
  outcome: Granted | SignedIn | Refusal | undefined
  /** What was answered where it is a refusal; undefined until then, and where it is none. */
  refusal: Refusal | undefined
  /** The library's own error, as its events tell it. */
  providerError: unknown
  /** Guard of a failed client authentication, for the audit entry. */
  authenticationGuard: string | undefined
}

const states = new WeakMap<object, RequestState>()

export function beginRequest(ctx: object, record: DecisionRecord): RequestState {
  const state: RequestState = {
    record,
    client: undefined,
    admission: undefined,
    certificate: undefined,
    nextNonce: undefined,
    outcome: undefined,
    refusal: undefined,
    providerError: undefined,
    authenticationGuard: undefined,
  }
  states.set(ctx, state)
  return state
}

/** Throws where no request was begun: a handler that runs outside its door must not answer. */
export function requestState(ctx: object): RequestState {
  const state = states.get(ctx)
  if (state === undefined) throw new TypeError('no request was begun for this context')
  return state
}
