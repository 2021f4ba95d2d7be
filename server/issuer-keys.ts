/** The keys of trusted issuers: inline from the tenant's folder, or fetched from its configured address and kept fresh. */
import { LRUCache } from 'lru-cache'
import type { Config } from './config.ts'
import { createFetcher } from './fetch/fetcher.ts'
import { createJwksSource, type JwksSource } from './fetch/jwks-source.ts'
import type { IssuerKeys } from './oauth/foreign-token.ts'
import type { Log } from './telemetry/log.ts'
import type { Clock } from './use-cases/ports.ts'

/** Addresses come and go with versions of tenants. */
const MOST_SOURCES = 10_000

interface Edges {
  readonly log: Log
  readonly clock: Clock
}

export function createIssuerKeys(config: Config, { log, clock }: Edges): IssuerKeys {
  const fetchJson = createFetcher({ loopbackOrigins: new Set(config.loopbackOrigins) })
  // One source per tenant and issuer: no tenant's outage or flood is felt by another (attack case F06).
  const sources = new LRUCache<string, JwksSource>({ max: MOST_SOURCES })
  return async (tenant, issuer, isRetry) => {
    if ('jwks' in issuer.keys) return issuer.keys.jwks
    const { jwksUri: url } = issuer.keys
    const name = JSON.stringify([tenant, url])
    const source =
      sources.get(name) ??
      createJwksSource({
        fetchJson,
        now: () => clock.now(),
        url,
        onFault: (reason) => log.warn({ event: 'issuer_keys_unavailable', tenant, reason }),
      })
    sources.set(name, source)
    return isRetry ? source.refresh() : source.keys()
  }
}
