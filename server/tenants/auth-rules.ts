/**
 * What an agent proves itself by must hold together: exactly one kind of keys or names, names that are in the tenant, claims that
 * name one workload, and nobody who could pass as two agents.
 */
import { isIP } from 'node:net'
import { parseDistinguishedName } from '../core/distinguished-name.ts'
import { quote } from '../core/problem.ts'
import { parseSpiffeId } from '../core/spiffe-id.ts'
import { type AuthEntry, type AuthOf, CERTIFICATE_NAMES } from './agent-auth.ts'
import type { AgentEntry } from './agents-file.ts'
import { warnOfDates } from './certificate-dates.ts'
import type { Entry, TenantEntries } from './entries.ts'
import type { Path } from './place.ts'
import { type Report, refuse, suggest, warn } from './report.ts'
import { checkIdentities, NAMING_CLAIMS } from './workload-identities.ts'
import type { YamlDocument } from './yaml-document.ts'

interface AuthAt<Auth extends AuthEntry = AuthEntry> {
  readonly agent: string
  readonly auth: Auth
  readonly document: YamlDocument
  readonly path: Path
}

/** @param now seconds since the epoch; only warnings depend on it */
export function checkAgentAuth(report: Report, entries: TenantEntries, now: number): void {
  const { agents } = entries
  if (agents === undefined) return
  for (const { value, path } of agents.entries) {
    const at = { agent: value.id, auth: value.auth, document: agents.document, path }
    checkAuth(report, entries, { ...at, path: [...path, 'auth'] }, now)
    warnOfBinding(report, agents.document, { value, path })
  }
  checkIdentities(report, agents)
}

function checkAuth(
  report: Report,
  entries: TenantEntries,
  { auth, ...at }: AuthAt,
  now: number,
): void {
  switch (auth.method) {
    case 'private_key_jwt':
      checkKeys(report, { ...at, auth })
      return
    case 'spiffe_jwt':
    case 'spiffe_x509':
      checkSpiffeId(report, entries, { ...at, auth })
      return
    case 'tls_client_auth':
      checkName(report, { ...at, auth })
      return
    case 'self_signed_tls_client_auth':
      warnOfDates(report, at.document, { path: at.path, certificates: auth.certificates, now })
      return
    case 'workload_jwt':
      checkClaims(report, entries, { ...at, auth })
      return
    case 'attest_jwt_client_auth':
      return
    case 'client_secret_basic':
    case 'client_secret_post':
      checkSecret(report, entries, { ...at, auth })
  }
}

function checkKeys(
  report: Report,
  { auth, document, path }: AuthAt<AuthOf<'private_key_jwt'>>,
): void {
  if ((auth.jwks === undefined) !== (auth.development_keys === undefined)) return
  refuse(report, document, path, { text: 'state either "jwks" or "development_keys: true"' })
}

function checkSpiffeId(
  report: Report,
  { trustDomains }: TenantEntries,
  { agent, auth, document, path }: AuthAt<AuthOf<'spiffe_jwt' | 'spiffe_x509'>>,
): void {
  const place = [...path, 'spiffe_id']
  const id = parseSpiffeId(auth.spiffe_id.replace(/\/\*$/, ''))
  if (id === undefined) return
  if (id.path === '') {
    const text = `every workload of ${quote(id.trustDomain)} is ${quote(agent)}`
    warn(report, document, place, { text })
  }
  if (trustDomains === undefined) return
  const known = new Set(trustDomains.stated.map(({ value }) => value['name']).filter(isText))
  if (known.has(id.trustDomain)) return
  const suggestion = suggest(report, id.trustDomain, known)
  refuse(report, document, place, {
    text: `unknown trust domain ${quote(id.trustDomain)}`,
    suggestion,
  })
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

/** Row 8705-2.1.2-01: exactly one name is expected. */
function checkName(
  report: Report,
  { auth, document, path }: AuthAt<AuthOf<'tls_client_auth'>>,
): void {
  const stated = CERTIFICATE_NAMES.filter((name) => auth[name] !== undefined)
  const [name] = stated
  if (name === undefined || stated.length > 1) {
    refuse(report, document, path, {
      text: `state exactly one of ${CERTIFICATE_NAMES.map(quote).join(', ')}`,
    })
    return
  }
  const text = findNameFault(name, auth[name] ?? '')
  if (text !== undefined) refuse(report, document, [...path, name], { text })
}

const DNS_NAME = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/

function findNameFault(kind: (typeof CERTIFICATE_NAMES)[number], name: string): string | undefined {
  switch (kind) {
    case 'subject_dn':
      return parseDistinguishedName(name) === undefined
        ? 'expected a distinguished name such as CN=planner,O=Acme'
        : undefined
    case 'san_dns':
      return DNS_NAME.test(name) ? undefined : 'expected a DNS name, without wildcards'
    case 'san_uri':
      return URL.canParse(name) ? undefined : 'expected an absolute URI'
    case 'san_ip':
      return isIP(name) === 0 ? 'expected an IP address' : undefined
    case 'san_email':
      return /^[^@ ]+@[^@ ]+$/.test(name) ? undefined : 'expected a mail address'
  }
}

const SERVICE_ACCOUNT = /^system:serviceaccount:[a-z0-9-]{1,63}:[a-z0-9.-]{1,253}$/

function checkClaims(
  report: Report,
  { workloadIssuers }: TenantEntries,
  { auth, document, path }: AuthAt<AuthOf<'workload_jwt'>>,
): void {
  const place = [...path, 'claims']
  const issuer = workloadIssuers?.entries.find(({ value }) => value.id === auth.issuer)?.value
  if (issuer?.kind === 'kubernetes') {
    const subjects = auth.claims['/sub'] ?? []
    if (subjects.length > 0 && subjects.every((subject) => SERVICE_ACCOUNT.test(subject))) return
    const text = 'name namespace and account: /sub: "system:serviceaccount:{namespace}:{name}"'
    refuse(report, document, place, { text })
    return
  }
  if (NAMING_CLAIMS.some((pointer) => auth.claims[pointer] !== undefined)) return
  const text = `name the workload by one of ${NAMING_CLAIMS.join(', ')}: the rest says only whose it is`
  refuse(report, document, place, { text })
}

function checkSecret(
  report: Report,
  { tenant }: TenantEntries,
  { agent, document, path }: AuthAt,
): void {
  const place = [...path, 'method']
  if (tenant?.value.client_secrets === false) {
    const text = 'the tenant allows no secrets: "client_secrets" in tenant.yaml is not true'
    refuse(report, document, place, { text })
    return
  }
  const text = `whoever reads the secret of ${quote(agent)} is ${quote(agent)}; prefer a key or its platform's identity`
  warn(report, document, place, { text })
}

/** Its platform hands such a credential out for many requests: only a key that is proven beside it makes it useless to others. */
const REUSABLE: ReadonlySet<AuthEntry['method']> = new Set(['spiffe_jwt', 'workload_jwt'])

function warnOfBinding(
  report: Report,
  document: YamlDocument,
  { value: { id, auth, binding }, path }: Entry<AgentEntry>,
): void {
  if (binding !== 'bearer') return
  const place = [...path, 'binding']
  const text = `tokens of ${quote(id)} work for whoever holds them; prefer "dpop"`
  warn(report, document, place, { text })
  if (!REUSABLE.has(auth.method)) return
  const once = `no key is proven beside the token of ${quote(id)}'s platform: each one counts for a single request`
  warn(report, document, place, { text: once })
}
