/** SPIFFE in the conformance run: trust domains of its own, their bundles as the operator puts them beside the server, and two clients. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TenantDocuments } from './tenant-folder.ts'

const TRUST_DOMAIN = 'prod.acme.example'
const OTHER = 'partner.example'
const REVOKED = 'retired.example'
const COURIER = `spiffe://${TRUST_DOMAIN}/agents/courier`
const FLEET = `spiffe://${OTHER}/fleet`
const LOST = `spiffe://${REVOKED}/agents/lost`

type Entry = Readonly<Record<string, unknown>>

/** @param keyOf private keys by name, each with a `kid` */
export function conformanceSpiffe(keyOf: (name: string) => Entry) {
  // Two trust domains name their keys alike.
  const jwk = { ...keyOf('spiffe'), kid: 'k1' }
  const other = { ...keyOf('spiffe-other'), kid: 'k1' }
  const revoked = { ...keyOf('spiffe-revoked'), kid: 'k1' }
  const misused = ['x509-svid', 'sig', 'wit-svid', null].map((use, at) => ({
    use,
    jwk: { ...keyOf(`misused-${at}`), kid: `misused-${at}` },
  }))
  const bundles: Readonly<Record<string, readonly Entry[]>> = {
    [TRUST_DOMAIN]: [
      entry(jwk),
      ...misused.map((one) => entry(one.jwk, one.use)),
      // Of a kind nobody knows yet.
      { kty: 'AKP', alg: 'ML-DSA-65', kid: 'pq', use: 'jwt-svid', pub: 'AA' },
    ],
    [OTHER]: [entry(other)],
    [REVOKED]: [],
  }
  return {
    profile: {
      client_id: 'courier',
      spiffe_id: COURIER,
      jwk,
      misused: misused.map((one) => one.jwk),
      other: { client_id: 'fleet', beneath: FLEET, jwk: other },
      revoked: { spiffe_id: LOST, jwk: revoked },
    },
    change: ({ tenant, agents, taskTypes }: TenantDocuments): void => {
      tenant['trust_domains'] = Object.keys(bundles).map((name) => ({
        name,
        bundle_file: `${name}.json`,
      }))
      const ids = { courier: COURIER, fleet: `${FLEET}/*`, lost: LOST }
      for (const [id, spiffeId] of Object.entries(ids)) agents.agents.push(workload(id, spiffeId))
      for (const type of taskTypes.task_types) {
        if (type['basis'] === 'client') {
          type['openers'] = [...(type['openers'] as string[]), ...Object.keys(ids)]
        }
      }
    },
    /** @param folder the trust folder of the tenant */
    writeBundles: (folder: string): void => {
      mkdirSync(folder, { recursive: true })
      for (const [name, keys] of Object.entries(bundles)) {
        writeFileSync(join(folder, `${name}.json`), JSON.stringify({ keys, spiffe_sequence: 1 }))
      }
    },
  }
}

/** SPIFFE Trust Domain and Bundle §4.2. */
function entry({ kty, crv, x, y, kid }: Entry, use: string | null = 'jwt-svid'): Entry {
  return { kty, crv, x, y, kid, ...(use === null ? {} : { use }) }
}

function workload(id: string, spiffeId: string): Record<string, unknown> {
  return {
    id,
    owner: 'team@acme.example',
    class: 'worker',
    scopes: ['files:read'],
    may_reach: ['files-api'],
    auth: { method: 'spiffe_jwt', spiffe_id: spiffeId },
  }
}
