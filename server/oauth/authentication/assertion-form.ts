/**
 * Client assertions as they come in a form (RFC 7521 §4.2): one type, one JWT, read once. Which validator judges it is decided
 * by its type, and of two kinds of one type by who signed it.
 */
import type { Form } from '../exchange-parameters.ts'
import { readCompactJws } from '../verified-jwt.ts'
import type { PresentedAssertion } from './credentials.ts'

/** RFC 7523 §2.2. */
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** draft-ietf-oauth-spiffe-client-auth. */
const JWT_SPIFFE = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'
const MAX_ASSERTION_LENGTH = 8192

export interface TypedAssertion extends PresentedAssertion {
  readonly type: 'jwt-bearer' | 'jwt-spiffe'
  /** As it came. */
  readonly text: string
}

/** The assertion of a form that has one, or the guard that fails. */
export function readAssertion(form: Form, now: number): TypedAssertion | string {
  const { client_assertion: text, client_assertion_type: stated, client_id: id } = form
  if (typeof text !== 'string' || text.length > MAX_ASSERTION_LENGTH) return 'assertion_malformed'
  const type =
    stated === JWT_BEARER ? 'jwt-bearer' : stated === JWT_SPIFFE ? 'jwt-spiffe' : undefined
  if (type === undefined) return 'assertion_type_unknown'
  const jws = readCompactJws(text)
  if (jws === undefined) return 'assertion_malformed'
  const clientId = typeof id === 'string' && id !== '' ? id : undefined
  return { type, text, jws, clientId, now }
}
