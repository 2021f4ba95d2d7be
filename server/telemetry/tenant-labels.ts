/** Tenants as labels: names somebody configured, and no more of them than a time series database takes. */

const MOST_TENANTS = 100
/** No tenant's id: ids have no underscore. */
export const OTHER_TENANTS = '_other'

export class TenantLabels {
  readonly #known = new Set<string>()

  /** The tenant's own name for the first hundred that are seen, one for all others. */
  of(tenant: string): string {
    if (this.#known.has(tenant)) return tenant
    if (this.#known.size >= MOST_TENANTS) return OTHER_TENANTS
    this.#known.add(tenant)
    return tenant
  }
}
