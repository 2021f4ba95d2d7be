/**
 * The token endpoints of the management API: the operator by its key (RFC 6749 §4.4, RFC 7523), a person by an ID token that
 * was issued to the tenant's management client (RFC 8693). Both prove a key; no delegated token is taken, none is issued.
 */
import { readVerificationKey } from '../../keys/verification-key.ts'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import type { ForeignToken } from '../core/input-token.ts'
import { isRefusal, type Refusal, refuse } from '../core/refusal.ts'
import { type PublicJwk, ROLES, type RoleGrant, type Tenant } from '../core/tenant.ts'
import { OPERATOR, PLATFORM } from '../use-cases/author.ts'
import type { ManagementAccess, SignedIn, SignInRequest } from '../use-cases/management-access.ts'
import type { AuditLog, ReplayGuard } from '../use-cases/ports.ts'
import type { UsageNotes } from '../use-cases/usage.ts'
import { readAssertion } from './authentication/assertion-form.ts'
import { verifyAssertion } from './authentication/client-assertion.ts'
import type { Authenticated } from './authentication/credentials.ts'
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE } from './exchange-parameters.ts'
import { believe, type IssuerKeys, verifyForeignToken } from './foreign-token.ts'
import { issueManagementToken } from './issue-management-token.ts'
import { type AccessDeps, adminAudience, authorize, manageAudience } from './management-access.ts'
import { SUBJECT } from './management-token.ts'

export interface SignInDeps extends AccessDeps {
  readonly operatorKey: PublicJwk
  readonly issuerKeys: IssuerKeys
  readonly replay: ReplayGuard
  readonly audit: AuditLog
  readonly usage: Pick<UsageNotes, 'roles'>
}

const ID_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:id_token'
const UNACCEPTABLE = 'subject_token_unacceptable'

export function createManagementAccess(deps: SignInDeps): ManagementAccess {
  const key = readVerificationKey(deps.operatorKey, ['ES256'])
  if (key === undefined) throw new TypeError('the operator key is no ES256 key')
  const keysOf = (client: string) => (client === OPERATOR ? [key] : undefined)
  return {
    authorize: (request) => authorize(deps, request),
    signInOperator: (request) => signInOperator(deps, keysOf, request),
    signInPerson: async (id, request) => {
      const tenant = deps.tenants.find(id)
      return tenant === undefined ? undefined : signInPerson(deps, tenant, request)
    },
  }
}

type KeysOf = Parameters<typeof verifyAssertion>[0]['keysOf']

async function signInOperator(
  deps: SignInDeps,
  keysOf: KeysOf,
  request: SignInRequest,
): Promise<SignedIn | Refusal> {
  const { form, authorization, record } = request
  if (form['grant_type'] !== 'client_credentials') return refuse('grant_unsupported')
  const now = deps.clock.now()
  const issuer = adminAudience(deps.publicUrl)
  const outcome = authenticateOperator({ issuer, keysOf }, form, authorization, now)
  if (typeof outcome === 'string') return refuse('client_authentication_failed', outcome)
  const { use, method, credential } = outcome
  record.note({ client_auth: method, credential })
  if (use.kind !== 'single') throw new TypeError('an assertion is good once')
  const audience = findAudience(form, issuer, (uri) => isManageAudience(deps, uri))
  if (isRefusal(audience)) return audience
  const scope = grantScope(form, [OPERATOR])
  if (isRefusal(scope)) return scope
  // The two single uses are claimed together, both after their signatures.
  const [jkt, isFirst] = await Promise.all([
    proveKey(deps, PLATFORM, request),
    deps.replay.claimReplay(use.claim),
  ])
  if (!isFirst) return refuse('client_authentication_failed', 'assertion_replayed')
  if (typeof jkt !== 'string') return jkt
  record.note({ author: OPERATOR, roles: [OPERATOR], bound_by: 'dpop' })
  const claims = { iss: issuer, sub: OPERATOR, aud: audience, client_id: OPERATOR, scope: OPERATOR }
  return issueManagementToken(deps, {
    keyring: deps.platformKeyring,
    record,
    claims: { ...claims, scope: OPERATOR },
    jkt,
  })
}

/** RFC 7523 §3.1: credentials that were sent are never ignored, so a second kind of them fails. */
function authenticateOperator(
  { issuer, keysOf }: { readonly issuer: string; readonly keysOf: KeysOf },
  form: SignInRequest['form'],
  authorization: string | undefined,
  now: number,
): Authenticated | string {
  if (form['client_assertion'] === undefined) return 'client_credentials_missing'
  if (authorization !== undefined || form['client_secret'] !== undefined) return 'two_methods'
  const assertion = readAssertion(form, now)
  if (typeof assertion === 'string') return assertion
  if (assertion.type !== 'jwt-bearer') return 'assertion_type_unknown'
  return verifyAssertion({ tenant: PLATFORM, audience: issuer, keysOf }, assertion)
}

async function signInPerson(
  deps: SignInDeps,
  tenant: Tenant,
  request: SignInRequest,
): Promise<SignedIn | Refusal> {
  const { form, record } = request
  const fault = checkExchange(form)
  if (fault !== undefined) return fault
  const admin = adminAudience(deps.publicUrl)
  const manage = manageAudience(tenant.issuer)
  const audience = findAudience(form, admin, (uri) => uri === manage)
  if (isRefusal(audience)) return audience
  const jkt = await proveKey(deps, tenant.id, request)
  if (typeof jkt !== 'string') return jkt
  const person = await readPerson(deps, tenant, form['subject_token'] ?? '')
  if (isRefusal(person)) return person
  const { token, client } = person
  const { subject, issuer } = token
  // Whoever something is done for may stop it, without a role.
  const granted = ROLES.filter((role) => person.grants.some((grant) => grant.role === role))
  const roles = audience === manage ? [...granted, SUBJECT] : granted
  const author = `${issuer.id}:${subject}`
  record.note({ author, roles, subject, attester: issuer.id, bound_by: 'dpop' })
  if (tenant.disabledSubjects.has(subject)) return refuse('subject_inactive')
  if (roles.length === 0) return refuse('role_required')
  const scope = grantScope(form, roles)
  if (isRefusal(scope)) return scope
  const signedIn = await issueManagementToken(deps, {
    keyring: deps.keyringOf(tenant),
    record,
    claims: {
      iss: tenant.issuer,
      sub: subject,
      sub_from: issuer.id,
      aud: audience,
      client_id: client,
      scope,
      tenant: tenant.id,
    },
    jkt,
  })
  deps.usage.roles(tenant.id, person.grants, deps.clock.now())
  return signedIn
}

interface Person {
  readonly token: ForeignToken
  /** The management client the token was issued to. */
  readonly client: string
  readonly grants: readonly RoleGrant[]
}

async function readPerson(
  deps: SignInDeps,
  tenant: Tenant,
  text: string,
): Promise<Person | Refusal> {
  const now = deps.clock.now()
  const input = { text, type: 'id_token' } as const
  const signed = await verifyForeignToken(tenant, deps.issuerKeys, input)
  if (typeof signed === 'string') return refuse(UNACCEPTABLE, signed)
  const token = believe(tenant, signed, now)
  if (typeof token === 'string') return refuse(UNACCEPTABLE, token)
  const { managementClient: client } = token.issuer
  if (client === undefined) return refuse(UNACCEPTABLE, 'management_client_missing')
  // Issued to that client and nobody else: an agent that holds a person's ID token manages nothing.
  if (token.audience.length !== 1 || token.audience[0] !== client) {
    return refuse(UNACCEPTABLE, 'audience_mismatch')
  }
  if (token.azp !== undefined && token.azp !== client) return refuse(UNACCEPTABLE, 'azp_mismatch')
  if (token.hasChain) return refuse(UNACCEPTABLE, 'token_delegated')
  if (token.expiresAt <= now) return refuse('subject_token_expired')
  return { token, client, grants: grantsOf(tenant, token.issuer.id, signed.claims) }
}

/** Claims as the issuer signed them: `sub` is its own name for the person, not the tenant's. */
function grantsOf(tenant: Tenant, issuer: string, claims: JsonObject): readonly RoleGrant[] {
  return tenant.roles.filter(
    (grant) => grant.issuer === issuer && hasValue(claims, grant.claim, grant.value),
  )
}

function hasValue(claims: JsonObject, name: string, value: string): boolean {
  if (!Object.hasOwn(claims, name)) return false
  const claim = claims[name]
  return claim === value || (Array.isArray(claim) && claim.includes(value))
}

/** RFC 8693 §2.1, and of it only this: one ID token as subject, no actor, nobody's name but the token's. */
function checkExchange(form: SignInRequest['form']): Refusal | undefined {
  if (form['grant_type'] !== TOKEN_EXCHANGE) return refuse('grant_unsupported')
  if (form['subject_token'] === undefined || form['subject_token_type'] === undefined) {
    return refuse('parameter_missing')
  }
  if (form['subject_token_type'] !== ID_TOKEN_TYPE) {
    return refuse('token_type_unsupported', 'subject_token_type')
  }
  if (form['actor_token'] !== undefined || form['actor_token_type'] !== undefined) {
    return refuse('actor_token_unacceptable', 'actor_of_person')
  }
  const requested = form['requested_token_type']
  const isOurs = requested === undefined || requested === ACCESS_TOKEN_TYPE
  return isOurs ? undefined : refuse('requested_token_type_unsupported')
}

/** The one audience that was asked for; the admin API's where none was. */
function findAudience(
  form: SignInRequest['form'],
  admin: string,
  isManage: (uri: string) => boolean,
): string | Refusal {
  if (form['authorization_details'] !== undefined) {
    return refuse('authorization_details_unsupported')
  }
  const targets = [form['resource'], form['audience']].filter((target) => target !== undefined)
  const [asked = admin] = targets
  const isOne = targets.every((target) => target === asked)
  return isOne && (asked === admin || isManage(asked)) ? asked : refuse('target_not_permitted')
}

/** Of a tenant there is; compared with what it would be, never taken apart and believed. */
function isManageAudience({ publicUrl, tenants }: SignInDeps, uri: string): boolean {
  const id = uri.startsWith(`${publicUrl}/t/`) ? uri.slice(publicUrl.length + 3).split('/')[0] : ''
  const tenant = id === undefined || id === '' ? undefined : tenants.find(id)
  return tenant !== undefined && uri === manageAudience(tenant.issuer)
}

/** All there is, or the part that was asked for; never less than asked (RFC 6749 §3.3). */
function grantScope(form: SignInRequest['form'], held: readonly string[]): string | Refusal {
  const { scope } = form
  if (scope === undefined) return held.join(' ')
  const asked = scope.split(' ')
  if (asked.some((name) => !held.includes(name))) return refuse('scope_not_permitted')
  return held.filter((name) => asked.includes(name)).join(' ')
}

async function proveKey(
  deps: SignInDeps,
  tenant: string,
  { proof, method, path }: SignInRequest,
): Promise<string | Refusal> {
  const url = `${deps.publicUrl}${path}`
  const key = await deps.proofs.check({ tenant, proof, method, url, now: deps.clock.now() })
  if (isRefusal(key)) return key
  return key?.jkt ?? refuse('proof_required')
}
