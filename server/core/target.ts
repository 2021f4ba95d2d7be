/**
 * Exactly one target an exchange asks for. `audience` is a resource's id, `resource` its URI; both compare as exact
 * strings against the registry (RFC 8707 §2), so no spelling of one resource reaches another.
 */
import { type Refusal, refuse } from './refusal.ts'
import type { Agent, Resource, Tenant } from './tenant.ts'

export interface TargetRequest {
  /** Values as sent; empty ones were dropped (RFC 6749 §3.2). */
  readonly audience: readonly string[]
  readonly resource: readonly string[]
}

const ABSOLUTE_URI = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s#]+$/

/** The resource asked for, or the agent's default target, or its home. An unknown target answers as a forbidden one. */
export function findTarget(
  tenant: Tenant,
  caller: Agent,
  request: TargetRequest,
): Resource | Refusal {
  const { audience, resource } = request
  // RFC 8707 §2: an absolute URI that has no fragment, not even an empty one.
  if (!resource.every((uri) => uri.length <= 2048 && ABSOLUTE_URI.test(uri))) {
    return refuse('target_malformed')
  }
  // RFC 9700 §2.3: one resource server per token. Repeated targets are refused, never dropped (RFC 8693 §2.1).
  if (audience.length > 1 || resource.length > 1) return refuse('target_ambiguous')
  const [id] = audience
  const [uri] = resource
  if (id === undefined && uri === undefined) return defaultTarget(tenant, caller)
  const byId = id === undefined ? undefined : tenant.resources.get(id)
  const byUri = uri === undefined ? undefined : tenant.resourcesByUri.get(uri)
  const found = byId ?? byUri
  if (found === undefined) return refuse('target_not_permitted', 'target_unknown')
  if (id !== undefined && uri !== undefined && byId !== byUri) return refuse('target_ambiguous')
  return found
}

function defaultTarget(tenant: Tenant, caller: Agent): Resource | Refusal {
  return (
    tenant.resources.get(caller.defaultTarget ?? caller.home) ??
    refuse('target_not_permitted', 'target_default_unknown')
  )
}
