/**
 * The two grants of this server, as handlers of oidc-provider: token exchange (RFC 8693) and client credentials. The
 * client is authenticated when they run. They decide; the door answers.
 */
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Keyring } from '../../keys/keyring.ts'
import { isActive } from '../core/guards.ts'
import {
  keyProofOf,
  type OwnToken,
  type ProvenKey,
  type SubjectToken,
} from '../core/input-token.ts'
import type { PresentedCertificate } from '../core/presented-certificate.ts'
import { isRefusal, type Refusal, refuse } from '../core/refusal.ts'
import type { Binding, Tenant } from '../core/tenant.ts'
import { actAlone } from '../use-cases/act-alone.ts'
import type { DecisionRecord } from '../use-cases/decision-record.ts'
import { type ExchangeDeps, exchangeToken } from '../use-cases/exchange-token.ts'
import type { Granted } from '../use-cases/issue-hop.ts'
import type { SignedIn } from '../use-cases/management-access.ts'
import type { Telemetry } from '../use-cases/ports.ts'
import { watchReplayedProof } from '../use-cases/watch-replayed-proof.ts'
import { asksToManage, signInClient } from './client-sign-in.ts'
import { findGrantClient, type GrantClient } from './clients.ts'
import { type DpopNonces, nonceCheck } from './dpop-nonces.ts'
import {
  type CommonParameters,
  type ExchangeParameters,
  type Form,
  readCommon,
  readExchange,
} from './exchange-parameters.ts'
import { type IssuerKeys, readForeignToken } from './foreign-token.ts'
import { readOwnToken } from './own-token.ts'
import { requestState } from './request-state.ts'
import type { ProofChecker } from './sender-proof.ts'

export interface GrantDeps extends ExchangeDeps {
  readonly proofs: ProofChecker
  readonly nonces: DpopNonces
  readonly issuerKeys: IssuerKeys
  readonly keyringOf: (tenant: Tenant) => Keyring
  readonly telemetry: Telemetry
}

type Handler = (ctx: KoaContextWithOIDC) => Promise<void>

export function exchangeHandler(tenant: Tenant, deps: GrantDeps): Handler {
  return decideWith(tenant, deps, {
    read: readExchange,
    decide: async (parameters, { client, key, record }) => {
      // The library has refused every other kind of client by its grants.
      if (client.kind !== 'agent') return refuse('grant_not_permitted')
      const subject = await readSubject(tenant, deps, parameters.subject)
      if (typeof subject === 'string') return refuse('subject_token_unacceptable', subject)
      const actor = readActor(tenant, deps, parameters.actor)
      if (typeof actor === 'string') return refuse('actor_token_unacceptable', actor)
      const caller = client.agent
      return exchangeToken(deps, { ...parameters, caller, key, record, tenant, subject, actor })
    },
    onReplay: replayWatcher(tenant, deps),
  })
}

/** Undefined where no task type has a trigger for replayed proofs: then the token that came with one is not looked at. */
function replayWatcher(tenant: Tenant, deps: GrantDeps): Decision<ExchangeParameters>['onReplay'] {
  const types = [...tenant.taskTypes.values()]
  if (!types.some(({ triggers }) => triggers.some(({ on }) => on === 'replayed_proof'))) return
  return async ({ subject: { text, type } }, { client, record }) => {
    const token = type === 'access_token' ? readOwnToken(tenant, deps.keyringOf(tenant), text) : ''
    if (typeof token === 'string' || client.kind !== 'agent') return
    await watchReplayedProof(deps, { tenant, caller: client.agent, token, record })
  }
}

export function clientCredentialsHandler(tenant: Tenant, deps: GrantDeps): Handler {
  return decideWith(tenant, deps, {
    read: readCommon,
    decide: async (parameters, party) => {
      const { client, key, record } = party
      if (asksToManage(tenant, parameters)) {
        return signInClient(deps, { ...party, tenant, parameters })
      }
      if (client.kind !== 'agent') return refuse('target_not_permitted', 'client_target')
      return actAlone(deps, { ...parameters, caller: client.agent, key, record, tenant })
    },
  })
}

/** Who asks: the authenticated client, the key it proves with this request, and where the decision is noted. */
interface Party {
  readonly client: GrantClient
  readonly key: ProvenKey
  readonly record: DecisionRecord
}

type Outcome = Granted | SignedIn | Refusal

interface Decision<Parameters extends CommonParameters> {
  readonly read: (form: Form) => Parameters | Refusal
  readonly decide: (parameters: Parameters, party: Party) => Promise<Outcome>
  /** Told of a proof that was sent again by an authenticated client, before it is refused. */
  readonly onReplay?:
    | ((parameters: Parameters, party: Omit<Party, 'key'>) => Promise<void>)
    | undefined
}

/** What comes before every decision, cheap first: live facts of the caller, the form, the proof. */
function decideWith<Parameters extends CommonParameters>(
  tenant: Tenant,
  deps: GrantDeps,
  { read, decide, onReplay }: Decision<Parameters>,
): Handler {
  const url = `${tenant.issuer}/token`
  const find = async (ctx: KoaContextWithOIDC): Promise<Outcome> => {
    const state = requestState(ctx)
    const { record, client: id = '', admission, certificate } = state
    record.note({ client: id })
    const now = deps.clock.now()
    const client = findGrantClient(tenant, id)
    if (client === undefined || (client.kind === 'agent' && !isActive(client.agent, now))) {
      return refuse('client_authentication_failed', 'agent_inactive')
    }
    const parameters = read(ctx.oidc.body ?? {})
    if (isRefusal(parameters)) return parameters
    const { scope } = parameters
    if (scope !== undefined) record.note({ scope_requested: scope })
    if (admission === undefined) throw new TypeError('no credential named this client')
    const stranger = await admission.authenticated
    if (stranger !== undefined) return stranger
    // A resource server signs in to record what it did; it has no token of its own (RFC 6749 §5.2).
    if (client.kind === 'resource' && !asksToManage(tenant, parameters)) {
      return refuse('grant_not_permitted', 'resource_target')
    }
    const proof = ctx.get('dpop')
    const checked = deps.proofs.check({
      tenant: tenant.id,
      proof: proof === '' ? undefined : proof,
      method: 'POST',
      url,
      takesNonce: nonceCheck(tenant, deps.nonces, state, now),
      now,
    })
    // The two single uses are claimed together: one step of the store for both.
    const [proven, used] = await Promise.all([
      checked,
      admission.takesKey ? undefined : admission.admit(undefined),
    ])
    if (used !== undefined) return used
    if (isRefusal(proven)) {
      if (proven.reason === 'proof_replayed') await onReplay?.(parameters, { client, record })
      return proven
    }
    const key = bindingOf(client.binding, proven, certificate)
    if (isRefusal(key)) return key
    record.note({ bound_by: keyProofOf(key) })
    const stopped = await admission.admit(key)
    if (stopped !== undefined) return stopped
    return deps.telemetry.span('decide', () => decide(parameters, { client, key, record }))
  }
  return async (ctx) => {
    requestState(ctx).outcome = await find(ctx)
    // The library wants a body from a grant; the door writes the answer that is sent.
    ctx.body = {}
  }
}

/** What the token will be bound to, as the client's binding demands it: proven now, copied from nowhere. */
function bindingOf(
  binding: Binding,
  proven: ProvenKey,
  certificate: PresentedCertificate | undefined,
): ProvenKey | Refusal {
  if (binding !== 'mtls') {
    // RFC 9449 §5.2: a client bound to DPoP gets no token without a proof.
    return proven === undefined && binding === 'dpop' ? refuse('proof_required') : proven
  }
  // RFC 8705 §3.4: without mutual TLS no token, rather than one that is bound to nothing.
  if (certificate === undefined) return refuse('certificate_required')
  return { ...proven, 'x5t#S256': certificate.thumbprint }
}

/** RFC 8693 §2.1: validated by the rules of its declared type. */
async function readSubject(
  tenant: Tenant,
  deps: GrantDeps,
  { text, type }: ExchangeParameters['subject'],
): Promise<SubjectToken | string> {
  if (type === 'access_token') return readOwnToken(tenant, deps.keyringOf(tenant), text)
  return readForeignToken(tenant, deps.issuerKeys, { text, type, now: deps.clock.now() })
}

function readActor(
  tenant: Tenant,
  deps: GrantDeps,
  text: string | undefined,
): OwnToken | undefined | string {
  return text === undefined ? undefined : readOwnToken(tenant, deps.keyringOf(tenant), text)
}
