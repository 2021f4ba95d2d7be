/** The OAuth endpoints of each tenant, made when they are asked for. */
import { LRUCache } from 'lru-cache'
import type { Tenant } from './core/tenant.ts'
import type { RequestListener } from './http/dispatch.ts'
import { createOAuthListener, type ProviderDeps } from './oauth/provider.ts'
import type { Tenants } from './use-cases/ports.ts'

/** Instances of the base library kept at a time: about 38 KB each, made again when asked for. */
const MAX_LISTENERS = 200

/** Made again whenever anything of the tenant changed; undefined where there is no such tenant. */
export function createListeners(
  tenants: Tenants,
  deps: ProviderDeps,
): (id: string) => RequestListener | undefined {
  const made = new LRUCache<
    string,
    { readonly tenant: Tenant; readonly listener: RequestListener }
  >({
    max: MAX_LISTENERS,
  })
  return (id) => {
    const tenant = tenants.find(id)
    if (tenant === undefined) return undefined
    const last = made.get(id)
    if (last?.tenant === tenant) return last.listener
    const listener = createOAuthListener(tenant, deps)
    made.set(id, { tenant, listener })
    return listener
  }
}
