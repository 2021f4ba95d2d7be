/** Which agent a SPIFFE ID is: the one registered with it, else the one with the longest `/*` above it. */
import type { SpiffeId } from '../../core/spiffe-id.ts'
import type { Agent, Tenant } from '../../core/tenant.ts'

type SpiffeMethod = 'spiffe_jwt' | 'spiffe_x509'

interface SpiffeIndex {
  /** Undefined where two agents have the same: nobody is both. */
  readonly agents: ReadonlyMap<string, Agent | undefined>
  /** Slashes in the deepest `/*` there is: nothing is looked for beneath it. */
  readonly deepest: number
}

const BENEATH = '/*'
const indexes = new WeakMap<Tenant, Record<SpiffeMethod, SpiffeIndex>>()

/** Undefined where no agent with this method is it. A tenant's agents are read once, when the first id comes. */
export function findSpiffeAgent(
  tenant: Tenant,
  method: SpiffeMethod,
  { text }: SpiffeId,
): Agent | undefined {
  const known = indexes.get(tenant) ?? {
    spiffe_jwt: indexOf(tenant, 'spiffe_jwt'),
    spiffe_x509: indexOf(tenant, 'spiffe_x509'),
  }
  indexes.set(tenant, known)
  const { agents, deepest } = known[method]
  if (agents.has(text)) return agents.get(text)
  // draft-ietf-oauth-spiffe-client-auth §5.1: whole segments, so it ends at a slash; the longest wins.
  let found: string | undefined
  let slash = text.indexOf('/')
  for (let depth = 1; slash !== -1 && depth <= deepest; depth += 1) {
    const pattern = `${text.slice(0, slash)}${BENEATH}`
    if (agents.has(pattern)) found = pattern
    slash = text.indexOf('/', slash + 1)
  }
  return found === undefined ? undefined : agents.get(found)
}

function indexOf(tenant: Tenant, method: SpiffeMethod): SpiffeIndex {
  const agents = new Map<string, Agent | undefined>()
  let deepest = 0
  for (const agent of tenant.agents.values()) {
    const { auth } = agent
    if (auth.method !== method) continue
    const { spiffeId } = auth
    agents.set(spiffeId, agents.has(spiffeId) ? undefined : agent)
    if (spiffeId.endsWith(BENEATH)) deepest = Math.max(deepest, spiffeId.split('/').length - 1)
  }
  return { agents, deepest }
}
