/**
 * The `scope` parameter. One matcher, exact: no wildcard, no prefix, no case folding; anything that is not a list of
 * distinct scope tokens with one space between is refused, never repaired (RFC 6749 §3.3).
 */
import { MAX_LIST_LENGTH, readScope } from '../../lib/src/scope.ts'
import { type Refusal, refuse } from './refusal.ts'

const MAX_SCOPE_LENGTH = 4096

/** Undefined where the parameter is absent. */
export function parseScope(scope: string | undefined): readonly string[] | Refusal | undefined {
  if (scope === undefined) return undefined
  if (scope.length > MAX_SCOPE_LENGTH) return refuse('scope_malformed', 'scope_too_long')
  const names = readScope(scope)
  if (names === undefined || names.length > MAX_LIST_LENGTH) return refuse('scope_malformed')
  return names
}
