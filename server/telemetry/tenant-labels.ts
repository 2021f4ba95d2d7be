/** Tenants as labels: names somebody configured, and no more of them than a time series database takes. */
import { PLATFORM } from '../use-cases/author.ts'

const MOST_TENANTS = 100
/** No tenant's id: ids have no underscore. */
export const OTHER_TENANTS = '_other'

export class TenantLabels {
  readonly #known = new Set<string>()

  /**
   * The tenant's own name for the first hundred that are seen, one for all others. A name that is no tenant's, as a path may
   * have it, is the platform's; asked only of names not seen yet.
   */
  of(tenant: string, isTenant: (name: string) => boolean = isGiven): string {
    if (this.#known.has(tenant)) return tenant
    if (!isTenant(tenant)) return PLATFORM
    if (this.#known.size >= MOST_TENANTS) return OTHER_TENANTS
    this.#known.add(tenant)
    return tenant
  }
}

/** The caller knows it for one. */
const isGiven = (): boolean => true
