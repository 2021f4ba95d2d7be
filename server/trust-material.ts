/**
 * Trust material that is not in a tenant's facts: where it is looked for, and what it has to be. Every document has one source
 * per tenant: no tenant's outage, flood or broken file is felt by another (attack case F06).
 */
import { LRUCache } from 'lru-cache'
import type { Config } from './config.ts'
import { findSigningKeys } from './core/key-set.ts'
import { readSpiffeBundle, type StatedBundle } from './core/spiffe-bundle.ts'
import type { PublicJwk } from './core/tenant.ts'
import type { TokenReview } from './core/trust.ts'
import { discoveryUrl, findKeySetUrl } from './fetch/discovery.ts'
import { FetchFault, type FetchFaultCode } from './fetch/fetch-fault.ts'
import { createFetcher } from './fetch/fetcher.ts'
import {
  createKeptSource,
  FETCH_PACE,
  FILE_PACE,
  type KeptSource,
  type KeptSourceDeps,
} from './fetch/kept-source.ts'
import { reviewToken } from './fetch/token-review.ts'
import { createTrustFileReader } from './fetch/trust-folder.ts'
import { parseJson } from './fetch/way-out.ts'
import type { TrustMaterial } from './oauth/authentication/trust-material.ts'
import type { Log } from './telemetry/log.ts'
import type { Clock } from './use-cases/ports.ts'

/** Of each kind: addresses and files come and go with versions of tenants. */
const MOST_SOURCES = 10_000
/** Seconds; what a bundle says of its own refreshing counts between them. */
const LEAST_REFRESH = 1
const MOST_REFRESH = 30 * 60
/** RFC 6750 §2.1, as a file holds it. */
const BEARER = /^[A-Za-z0-9._~+/-]{1,16384}=*$/

interface Edges {
  readonly log: Log
  readonly clock: Clock
}

export function createTrustMaterial(config: Config, edges: Edges): TrustMaterial {
  const keySets = createShelf<readonly PublicJwk[]>('issuer_keys_unavailable', edges)
  const discoveries = createShelf<string>('discovery_unavailable', edges)
  const bundles = createShelf<StatedBundle>('bundle_unavailable', edges)
  const files = createShelf<Uint8Array>('trust_file_unavailable', edges)
  const inlineBundles = new WeakMap<object, StatedBundle>()
  const origins = {
    loopbackOrigins: new Set(config.loopbackOrigins),
    internalOrigins: new Set(config.internalOrigins),
  }
  const fetchJson = createFetcher(origins)
  const fileReader = <Content>(
    tenant: string,
    file: string,
    parse: (bytes: Uint8Array) => Content | undefined,
  ) => createTrustFileReader({ folder: config.trustFolder, tenant, file, parse })

  const keysAt = (tenant: string, url: string) =>
    keySets(tenant, url, {
      pace: FETCH_PACE,
      read: async () => believed(findSigningKeys(await fetchJson(url))),
    })

  const keySetUrlOf = async (tenant: string, issuer: string) =>
    discoveries(tenant, issuer, {
      pace: FETCH_PACE,
      read: async () => believed(findKeySetUrl(issuer, await fetchJson(discoveryUrl(issuer)))),
    }).current()

  const bundleAt = (tenant: string, url: string) =>
    bundles(tenant, url, {
      pace: FETCH_PACE,
      freshFor: ({ refreshHint = FETCH_PACE.fresh }) =>
        Math.min(Math.max(refreshHint, LEAST_REFRESH), MOST_REFRESH),
      read: async (last) => notBefore(last, believed(readSpiffeBundle(await fetchJson(url)))),
    })

  const bundleIn = (tenant: string, file: string) =>
    bundles(tenant, file, {
      pace: FILE_PACE,
      read: fileReader(tenant, file, (bytes) => readSpiffeBundle(parseJson(bytes))),
    })

  const bytesIn = (tenant: string, file: string) =>
    files(tenant, file, { pace: FILE_PACE, read: fileReader(tenant, file, (bytes) => bytes) })

  const textIn = async (tenant: string, file: string) =>
    Buffer.from(await bytesIn(tenant, file).current())
      .toString('latin1')
      .trim()

  /** The bearer token is the operator's, the address a tenant author's: it goes where the operator said, nowhere else. */
  const isListed = ({ url }: TokenReview) => {
    const origin = URL.canParse(url) ? new URL(url).origin : ''
    return origins.internalOrigins.has(origin) || origins.loopbackOrigins.has(origin)
  }

  return {
    issuerKeys: async (tenant, { keys }, isRetry) => {
      if ('jwks' in keys) return keys.jwks
      const url = 'jwksUri' in keys ? keys.jwksUri : await keySetUrlOf(tenant, keys.discover)
      return looked(keysAt(tenant, url), isRetry)
    },
    bundle: async (tenant, { bundle }, isRetry) => {
      if ('url' in bundle) return looked(bundleAt(tenant, bundle.url), isRetry)
      if ('file' in bundle) return looked(bundleIn(tenant, bundle.file), isRetry)
      const read = inlineBundles.get(bundle.inline) ?? believed(readSpiffeBundle(bundle.inline))
      inlineBundles.set(bundle.inline, read)
      return read
    },
    revocationList: async (tenant, file) => bytesIn(tenant, file).current(),
    reviewToken: async (tenant, review, { text, audience }) => {
      try {
        if (!isListed(review)) throw new FetchFault('url_refused')
        const bearer = await textIn(tenant, review.token)
        if (!BEARER.test(bearer)) throw new FetchFault('document_refused')
        const ca = review.ca === undefined ? undefined : await textIn(tenant, review.ca)
        return await reviewToken(
          { ...origins, ...(ca !== undefined && { ca }) },
          { url: review.url, bearer, token: text, audience },
        )
      } catch (fault) {
        if (fault instanceof FetchFault) {
          warn(edges.log, 'token_review_unavailable', tenant, fault.code)
        }
        throw fault
      }
    },
  }
}

type SourceDeps<Document> = Pick<KeptSourceDeps<Document>, 'pace' | 'read' | 'freshFor'>

/** Sources of one kind of document, made when they are first asked for. */
function createShelf<Document extends NonNullable<unknown>>(event: string, { log, clock }: Edges) {
  const sources = new LRUCache<string, KeptSource<Document>>({ max: MOST_SOURCES })
  return (tenant: string, name: string, deps: SourceDeps<Document>): KeptSource<Document> => {
    const key = JSON.stringify([tenant, name])
    const source =
      sources.get(key) ??
      createKeptSource({
        ...deps,
        now: () => clock.now(),
        onFault: (reason) => warn(log, event, tenant, reason),
      })
    sources.set(key, source)
    return source
  }
}

async function looked<Document>(source: KeptSource<Document>, isRetry: boolean): Promise<Document> {
  return isRetry ? source.again() : source.current()
}

function believed<Document>(read: Document | undefined): Document {
  if (read === undefined) throw new FetchFault('document_refused')
  return read
}

/** SPIFFE Trust Domain and Bundle §4.1.1: a lower number is an older bundle, with keys in it that were taken out since. */
function notBefore(last: StatedBundle | undefined, read: StatedBundle): StatedBundle {
  const isOlder =
    last?.sequence !== undefined && read.sequence !== undefined && read.sequence < last.sequence
  if (isOlder) throw new FetchFault('document_refused')
  return read
}

function warn(log: Log, event: string, tenant: string, reason: FetchFaultCode): void {
  log.warn({ event, tenant, reason })
}
