/** The token endpoints of the management API. Their errors are OAuth's (RFC 6749 §5.2), with the reasons of its one table. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isRefusal, REASONS, type Refusal, refuse } from '../../core/refusal.ts'
import { traceFacts } from '../../core/trace-context.ts'
import { OPERATOR, PLATFORM } from '../../use-cases/author.ts'
import { DecisionRecord } from '../../use-cases/decision-record.ts'
import type { SignedIn } from '../../use-cases/management-access.ts'
import type { AnsweredRequest } from '../../use-cases/ports.ts'
import { type BodyFault, readFormBody } from './body.ts'
import type { ManagementDeps } from './management-deps.ts'
import { headerOf, send } from './reply.ts'
import { createPathReader } from './route.ts'
import { liveVersion } from './tenants.ts'

export const OPERATOR_TOKEN_PATH = '/admin/v1/token'
export const PERSON_TOKEN_PATH = '/admin/v1/tenants/{tenant}/token'
/** Octets: an ID token of the longest kind, and what goes with it. */
const MAX_FORM = 56 * 1024

const readPersonPath = createPathReader(PERSON_TOKEN_PATH)

/** Tenant of a sign-in path, `PLATFORM` for the operator's; undefined where it is no such path. */
export function signInTenant(path: string): string | undefined {
  return path === OPERATOR_TOKEN_PATH ? PLATFORM : readPersonPath(path)?.['tenant']
}

export interface SignIn {
  readonly tenant: string
  readonly path: string
  readonly ref: string
}

/** Answers a POST. Undefined where there is no such tenant, and nothing was answered. */
export async function answerSignIn(
  deps: ManagementDeps,
  signIn: SignIn,
  { req, res }: { readonly req: IncomingMessage; readonly res: ServerResponse },
): Promise<AnsweredRequest | undefined> {
  const { tenant, ref } = signIn
  const live = liveVersion(deps, tenant)
  if (tenant !== PLATFORM && live === undefined) return undefined
  const header = { ref, tenant, tenant_version: live ?? '' }
  const record = new DecisionRecord({ ...header, event: 'management' })
  record.note({ action: 'sign_in', ...traceFacts(headerOf(req, 'traceparent')) })
  const outcome = await decide(deps, signIn, { req, record }).catch(async (fault: unknown) => {
    deps.onFault(fault, ref, tenant)
    return refuse('unavailable', 'fault')
  })
  if (!isRefusal(outcome)) {
    send(res, { status: 200, body: tokenResponse(outcome) })
    return record.answered(200)
  }
  const refusal = record.isAppended ? outcome : await recordRefusal(deps, record, outcome)
  sendError(res, refusal, ref)
  return record.answered(REASONS[refusal.reason].status, refusal)
}

async function decide(
  deps: ManagementDeps,
  { tenant, path }: SignIn,
  { req, record }: { readonly req: IncomingMessage; readonly record: DecisionRecord },
): Promise<SignedIn | Refusal> {
  const form = await readFormBody(req, MAX_FORM)
  if (typeof form === 'string') return refuse(reasonOf(form), form)
  const request = {
    authorization: headerOf(req, 'authorization'),
    proof: headerOf(req, 'dpop'),
    method: 'POST',
    path,
    form,
    record,
  }
  if (tenant === PLATFORM) {
    record.note({ client: OPERATOR })
    return deps.access.signInOperator(request)
  }
  return (await deps.access.signInPerson(tenant, request)) ?? refuse('facts_changed')
}

function reasonOf(fault: BodyFault): 'request_too_large' | 'request_malformed' {
  return fault === 'request_too_large' ? fault : 'request_malformed'
}

/** The refusal once it is on record; a fault of the log is 503 like any other. */
async function recordRefusal(
  deps: ManagementDeps,
  record: DecisionRecord,
  refusal: Refusal,
): Promise<Refusal> {
  try {
    await deps.audit.append(record.refused(deps.clock.now(), refusal))
    return refusal
  } catch (fault) {
    deps.onFault(fault, record.ref, PLATFORM)
    return refuse('unavailable', 'fault')
  }
}

/** RFC 8693 §2.2.1, RFC 9449 §5. */
function tokenResponse({ token, expiresIn, scope, cnf }: SignedIn) {
  return {
    access_token: token,
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'DPoP',
    expires_in: expiresIn,
    scope,
    cnf,
  }
}

function sendError(res: ServerResponse, { reason }: Refusal, ref: string): void {
  const { error, status, text } = REASONS[reason]
  const body = { error, error_description: text, reason, error_ref: ref }
  send(res, { status, body, ...(status === 503 ? { headers: { 'retry-after': '1' } } : {}) })
}
