/** Tenants of the conformance run: those of the threat fixture, with one agent more and keys whose private half is known. */
import { generateKeyPairSync, hash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { conformanceSpiffe } from './conformance-spiffe.ts'
import { PERMIT_ALL, type TenantDocuments, writeTenantFolder } from './tenant-folder.ts'

export type PrivateJwk = Readonly<Record<string, unknown>>

export const IDS = { actor: 'coder', subject: 'alice', disabled: 'mallory' } as const
/** A resource whose name has a query. */
const QUERIED = 'https://query.api/files?tenant=1'
const PUSH_ENDPOINT = 'https://siem.example/events'
const IDP = 'https://idp.example'
const PARTNER = 'https://partner.example'
const ROLES = {
  first: 'planner',
  second: 'researcher',
  third: 'coder',
  fourth: 'auditor',
  stranger: 'rogue',
  retired: 'retired',
} as const

/** third (coder) has the scope, and may hand it to second (researcher) by its facts. */
const WITHHELD = {
  'withheld.cedar': `@id("coder-hands-no-writing-back")
forbid (principal == Agent::"coder", action == Action::"delegate", resource == Resource::"researcher-a2a")
when { context.scope == Scope::"files:write" };
`,
}

function newKey(kid: string): PrivateJwk {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }
}

function newRsaKey(kid: string): PrivateJwk {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }
}

const PRIVATE_MEMBERS: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi'])

function publicOf(jwk: PrivateJwk): PrivateJwk {
  return Object.fromEntries(Object.entries(jwk).filter(([name]) => !PRIVATE_MEMBERS.has(name)))
}

/** Private keys by name, made when first asked for. */
function keyRing(): (name: string) => PrivateJwk {
  const keys = new Map<string, PrivateJwk>()
  return (name) => {
    const known = keys.get(name) ?? newKey(`${name}-1`)
    keys.set(name, known)
    return known
  }
}

export interface VectorOrigins {
  readonly site: string
  readonly vector: string
  readonly misled: string
}

/** One tenant as the suite needs it; `change` comes last. Returns its part of the profile. */
export function writeConformanceTenant(
  root: string,
  id: string,
  apiUri: string,
  change: (documents: TenantDocuments) => void = () => {},
) {
  const keyOf = keyRing()
  const agentIds = Object.values(ROLES)
  const write = (
    changeMore: (documents: TenantDocuments) => void,
    rules: Readonly<Record<string, string>> = {},
  ): string =>
    writeTenantFolder(root, id, {
      rules: { ...PERMIT_ALL, ...WITHHELD, ...rules },
      idp: { issuer: IDP, jwks: [publicOf(keyOf('idp'))] },
      agentKeys: Object.fromEntries(agentIds.map((agent) => [agent, publicOf(keyOf(agent))])),
      change: (documents) => {
        extend(documents, (name) => publicOf(keyOf(name)), apiUri)
        change(documents)
        changeMore(documents)
      },
    })
  write(() => {})
  const party = (name: string) => ({ client_id: name, jwk: keyOf(name) })
  const agent = (name: string) => ({ ...party(name), endpoint: `https://${name}.agents/a2a` })
  const api = (name: string, uri: string) => ({ ...party(name), name, uri })
  return {
    /** Writes the folder again. */
    rewrite: write,
    agents: Object.fromEntries(Object.entries(ROLES).map(([role, name]) => [role, agent(name)])),
    idp: {
      ...party('idp'),
      issuer: IDP,
      subject: IDS.subject,
      disabled_subject: IDS.disabled,
    },
    partner: { ...party('partner'), issuer: PARTNER, subject: 'alice', known_as: 'partner:alice' },
    api: { ...api('files-api', apiUri), read: 'files:read', write: 'files:write' },
    other_api: { ...api('mail-api', 'https://mail.api'), scope: 'mail:send' },
    receiver: party('siem'),
    other_receiver: party('edr'),
  }
}

/** Writes `acme`, `globex`, `initech`, which asks for nonces, and `umbrella`, whose clients have certificates; their parts of the profile, with keys. */
export function conformanceTenants(
  root: string,
  apiUri: string,
  certified: (documents: TenantDocuments) => void,
) {
  const keyOf = keyRing()
  const spiffe = conformanceSpiffe(keyOf)
  const rsa = newRsaKey('archivist-1')
  const rsaVectors = newRsaKey('k2')
  // As `actchain agents secret` prints one.
  const secret = `acs_${randomBytes(32).toString('base64url')}`
  const acme = writeConformanceTenant(root, 'acme', apiUri, (documents) => {
    spiffe.change(documents)
    const { agents: entries, taskTypes } = documents
    entries.agents.push(worker('archivist', publicOf(rsa)))
    change(taskTypes.task_types, 'own-work', ({ openers }) => [
      ['openers', [...(openers as string[]), 'archivist']],
    ])
  })
  const globex = writeConformanceTenant(root, 'globex', apiUri, (documents) =>
    addClerk(documents, secret),
  )
  const initech = writeConformanceTenant(root, 'initech', apiUri, ({ tenant }) => {
    tenant['dpop_nonces'] = true
  })
  writeConformanceTenant(root, 'umbrella', apiUri, certified)
  const hooli = writeConformanceTenant(root, 'hooli', apiUri, (documents) => {
    change(documents.agents.agents, ROLES.first, () => [['binding', 'mtls']])
  })
  const { agents, idp, partner, api, other_api, receiver, other_receiver } = acme
  return {
    /** What the operator puts beside the server, into its trust folder. */
    writeTrust: (folder: string): void => spiffe.writeBundles(join(folder, 'acme')),
    profile: (issuerOf: (tenant: string) => string) => ({
      agents,
      idp,
      partner,
      api,
      other_api,
      receiver,
      other_receiver,
      spiffe: spiffe.profile,
      rsa: { client_id: 'archivist', jwk: rsa },
      max_depth: 3,
      withheld: 'files:write',
      other: { issuer: issuerOf('globex'), agent: globex.agents['first'], api: globex.api },
      secrets: {
        issuer: issuerOf('globex'),
        agent: { ...globex.agents['first'], client_id: CLERK, client_secret: secret },
        api: globex.api,
      },
      queried: QUERIED,
      push_endpoint: PUSH_ENDPOINT,
      bound: { issuer: issuerOf('hooli'), agent: hooli.agents['first'], api: hooli.api },
      nonces: { issuer: issuerOf('initech'), agent: initech.agents['first'], api: initech.api },
    }),
    vectors: ({ site, vector, misled }: VectorOrigins) => ({
      issuer: `${site}/good`,
      jwk: { ...keyOf('vectors'), kid: 'k1' },
      rsa_jwk: rsaVectors,
      other_issuer: `${site}/other`,
      other_jwk: { ...keyOf('others'), kid: 'k1' },
      server: { uri: `${vector}/api`, scope: 'files:read', actor: IDS.actor },
      misled: { uri: `${misled}/api`, issuer: `${site}/misled` },
    }),
  }
}

/** What the suite needs beyond the fixture. */
function extend(
  { tenant, agents, resources, taskTypes }: TenantDocuments,
  publicKey: (name: string) => PrivateJwk,
  apiUri: string,
): void {
  const issuers = tenant['trusted_issuers'] as Record<string, unknown>[]
  Object.assign(issuers[0] ?? {}, { token_types: ['id_token', 'jwt'] })
  issuers.push({
    id: 'partner',
    issuer: PARTNER,
    subject_prefix: 'partner:',
    jwks: { keys: [publicKey('partner')] },
  })
  tenant['disabled_subjects'] = [IDS.disabled]
  tenant['event_receivers'] = ['siem', 'edr'].map((id) => ({
    id,
    jwks: { keys: [publicKey(id)] },
    push_endpoints: [PUSH_ENDPOINT],
  }))
  for (const id of [ROLES.fourth, ROLES.retired]) agents.agents.push(worker(id, publicKey(id)))
  for (const agent of agents.agents) {
    const id = String(agent['id'])
    agent['issuer_clients'] = { idp: id, partner: id }
  }
  change(agents.agents, ROLES.third, ({ may_reach: reach }) => [
    ['may_reach', [...(reach as string[]), 'researcher-a2a', 'auditor-a2a']],
  ])
  change(agents.agents, ROLES.second, ({ may_reach: reach, scopes }) => [
    ['scopes', [...(scopes as string[]), 'query:read']],
    ['may_reach', [...(reach as string[]), 'auditor-a2a', 'query-api']],
  ])
  change(agents.agents, ROLES.retired, () => [['disabled', true]])
  resources.resources.push({
    id: 'auditor-a2a',
    uri: 'https://auditor.agents/a2a',
    kind: 'agent',
    agent: ROLES.fourth,
    scopes: ['files:read'],
  })
  resources.resources.push({
    id: 'query-api',
    uri: QUERIED,
    kind: 'api',
    scopes: { 'query:read': { tier: 'read' } },
  })
  for (const id of ['files-api', 'mail-api']) {
    change(resources.resources, id, () => [['keys', { keys: [publicKey(id)] }]])
  }
  change(resources.resources, 'files-api', () => [['uri', apiUri]])
  change(taskTypes.task_types, 'file-work', ({ reach }) => [
    ['reach', [...(reach as string[]), 'auditor-a2a']],
    ['subjects_from', ['idp', 'partner']],
  ])
  taskTypes.task_types.push(ownWork())
}

type Entry = Record<string, unknown>

function change(
  entries: Entry[],
  id: string,
  changed: (entry: Entry) => readonly (readonly [string, unknown])[],
): void {
  for (const entry of entries) {
    if (entry['id'] === id) Object.assign(entry, Object.fromEntries(changed(entry)))
  }
}

function worker(id: string, key: PrivateJwk): Entry {
  return {
    id,
    owner: 'team@acme.example',
    class: 'worker',
    scopes: ['files:read'],
    may_reach: ['files-api'],
    auth: { method: 'private_key_jwt', jwks: { keys: [key] } },
  }
}

const CLERK = 'clerk'

/** A client with a secret, which its tenant has to allow. */
function addClerk({ tenant, agents, taskTypes }: TenantDocuments, secret: string): void {
  tenant['client_secrets'] = true
  const secret_sha256 = [hash('sha256', secret, 'base64url')]
  const auth = { method: 'client_secret_basic', secret_sha256 }
  agents.agents.push({ ...worker(CLERK, {}), auth })
  change(taskTypes.task_types, 'own-work', ({ openers }) => [
    ['openers', [...(openers as string[]), CLERK]],
  ])
}

/** What an agent may do for itself. */
function ownWork(): Entry {
  return {
    id: 'own-work',
    basis: 'client',
    openers: [ROLES.first, ROLES.second, ROLES.third, ROLES.stranger],
    scopes: ['files:read', 'files:write', 'mail:send', 'query:read'],
    reach: ['files-api', 'mail-api', 'researcher-a2a', 'coder-a2a', 'query-api'],
    max_depth: 3,
    lifetime: '10m',
    token_lifetime: '5m',
  }
}
