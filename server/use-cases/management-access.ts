/** How the management API learns who asks: declared here, answered by server/oauth. */
import type { ManagementRefusal } from '../core/management-refusal.ts'
import type { Refusal } from '../core/refusal.ts'
import type { Author } from './author.ts'
import type { DecisionRecord } from './decision-record.ts'

/** A request to the API, as far as it shows who sends it. */
export interface PresentedRequest {
  /** Values of the headers; undefined where absent. */
  readonly authorization: string | undefined
  readonly proof: string | undefined
  readonly method: string
  /** Path as routed, without the query. */
  readonly path: string
  /**
   * Id of the tenant under whose issuer the path is: the token's audience has to be its `{issuer}/manage`. Undefined for the
   * admin API. No token is good for both.
   */
  readonly manageOf: string | undefined
}

/** Form parameters by name; what is not there or has no value is absent. No parameter stands twice. */
export type SignInForm = Readonly<Record<string, string>>

export interface SignInRequest extends Omit<PresentedRequest, 'manageOf'> {
  readonly form: SignInForm
  /** Filled with what is learned; its entry is made when the sign-in succeeds, else by the door. */
  readonly record: DecisionRecord
}

export interface SignedIn {
  readonly token: string
  /** Seconds. */
  readonly expiresIn: number
  readonly scope: string
  /** Undefined: bound to no key. Only event receivers may have such a token. */
  readonly cnf: { readonly jkt: string } | undefined
}

export interface ManagementAccess {
  /** Token and proof of one request; single use of the proof is claimed after both signatures. */
  authorize(request: PresentedRequest): Promise<Author | ManagementRefusal>
  /** RFC 6749 §4.4 with the operator's key; `resource` may be the `{issuer}/manage` of any tenant. */
  signInOperator(request: SignInRequest): Promise<SignedIn | Refusal>
  /** RFC 8693 with an ID token of a person; undefined where there is no such tenant. */
  signInPerson(tenant: string, request: SignInRequest): Promise<SignedIn | Refusal | undefined>
}
