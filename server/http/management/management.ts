/**
 * The management API and its description: `/admin/v1`, and what is managed under a tenant's own issuer. In this order: path
 * and method, token and proof, how often, tenant, role, query, body; cheap and public first, and nothing of another tenant is
 * told apart from nothing at all (attack case F05).
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { z } from 'zod'
import {
  isManagementRefusal,
  MANAGEMENT_REASONS,
  type ManagementReason,
  type ManagementRefusal,
  type MemberError,
  refuseManagement,
  refuseMembers,
} from '../../core/management-refusal.ts'
import { quote } from '../../core/problem.ts'
import { traceFacts } from '../../core/trace-context.ts'
import { type Author, type AuthorRole, PLATFORM } from '../../use-cases/author.ts'
import { DecisionRecord } from '../../use-cases/decision-record.ts'
import type { AnsweredRequest } from '../../use-cases/ports.ts'
import { exactPath, type RequestListener } from '../dispatch.ts'
import { readJsonBody } from './body.ts'
import type { ManagementDeps } from './management-deps.ts'
import { createDescription } from './openapi.ts'
import { headerOf, send, sendProblem } from './reply.ts'
import type { Parameters, Reply, Route, TextReply } from './route.ts'
import { matchPath } from './routes.ts'
import { answerSignIn, signInTenant } from './sign-in.ts'
import { liveVersion } from './tenants.ts'
import { sendTexts } from './text-reply.ts'

export type { ManagementDeps } from './management-deps.ts'

export const OPENAPI_PATH = '/openapi.json'

interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

export function createManagement(deps: ManagementDeps): RequestListener {
  const description = createDescription(deps.publicUrl)
  return (req, res) => {
    const path = exactPath(req)
    const ref = deps.randomId()
    const endpoint = signInTenant(path) === undefined ? 'management' : 'sign_in'
    const traceparent = headerOf(req, 'traceparent')
    void deps.telemetry.request({ endpoint, traceparent }, async () => {
      try {
        if (path === OPENAPI_PATH) return describe(description, ref, { req, res })
        return await answer(deps, { path, ref }, { req, res })
      } catch (fault) {
        deps.onFault(fault, ref, PLATFORM)
        return sendUnmatched(res, 'unavailable', { ref })
      }
    })
  }
}

function describe(description: () => unknown, ref: string, { req, res }: Exchange) {
  if (req.method !== 'GET') return sendUnmatched(res, 'method_not_allowed', { ref, allow: 'GET' })
  send(res, { status: 200, body: description() })
  return { ref, tenant: PLATFORM, status: 200, outcome: 'permit' } as const
}

/** Of what is nobody's: there is no tenant to name, and nothing is recorded. */
function sendUnmatched(
  res: ServerResponse,
  reason: ManagementReason,
  details: { readonly ref: string; readonly allow?: string },
): AnsweredRequest {
  sendProblem(res, refuseManagement(reason), details)
  const { status } = MANAGEMENT_REASONS[reason]
  return { ref: details.ref, tenant: PLATFORM, status, outcome: 'refuse', reason }
}

interface Addressed {
  readonly path: string
  readonly ref: string
}

async function answer(
  deps: ManagementDeps,
  { path, ref }: Addressed,
  exchange: Exchange,
): Promise<AnsweredRequest> {
  const { req, res } = exchange
  const tenant = signInTenant(path)
  if (tenant !== undefined) {
    if (req.method !== 'POST') {
      return sendUnmatched(res, 'method_not_allowed', { ref, allow: 'POST' })
    }
    const answered = await answerSignIn(deps, { tenant, path, ref }, exchange)
    return answered ?? sendUnmatched(res, 'not_found', { ref })
  }
  const matched = matchPath(path)
  if (matched === undefined) return sendUnmatched(res, 'not_found', { ref })
  const { routes, parameters } = matched
  const route = routes.get(req.method ?? '')
  if (route === undefined) {
    const allow = [...routes.keys()].join(', ')
    return sendUnmatched(res, 'method_not_allowed', { ref, allow })
  }
  return runRoute(deps, { route, parameters, path, ref }, exchange)
}

interface Matched extends Addressed {
  readonly route: Route
  readonly parameters: Parameters
}

async function runRoute(
  deps: ManagementDeps,
  matched: Matched,
  { req, res }: Exchange,
): Promise<AnsweredRequest> {
  const { route, parameters, ref } = matched
  const tenant = parameters['tenant'] ?? PLATFORM
  // Not by the tenant itself: one whose live version cannot be used is put right here.
  const version = liveVersion(deps, tenant)
  const { event = 'management' } = route
  const header = { ref, tenant, tenant_version: version ?? '', event }
  const record = new DecisionRecord(header)
  record.note({ action: route.name, ...traceFacts(headerOf(req, 'traceparent')) })
  // A path may name a tenant there is not.
  const answered = (status: number, refusal?: ManagementRefusal): AnsweredRequest => ({
    ...record.answered(status, refusal),
    ...(version === undefined && { tenant: PLATFORM }),
  })
  const refuseWith = (refusal: ManagementRefusal): AnsweredRequest => {
    // An answer that had begun was cut off.
    if (!res.headersSent) sendProblem(res, refusal, { ref })
    return answered(MANAGEMENT_REASONS[refusal.reason].status, refusal)
  }
  try {
    const outcome = await decide(deps, { ...matched, record }, req)
    if (!isManagementRefusal(outcome)) {
      if ('texts' in outcome) await sendTexts(res, outcome)
      else send(res, outcome)
      return answered(outcome.status)
    }
    if (outcome.limit?.entry !== 'told') {
      await deps.audit.append(refusedEntry(deps, record, outcome))
    }
    return refuseWith(outcome)
  } catch (fault) {
    deps.onFault(fault, ref, tenant)
    const refusal = refuseManagement('unavailable', 'fault')
    if (!record.isAppended) {
      await deps.audit
        .append(refusedEntry(deps, record, refusal))
        .catch((again: unknown) => deps.onFault(again, ref, tenant))
    }
    return refuseWith(refusal)
  }
}

function refusedEntry(deps: ManagementDeps, record: DecisionRecord, refusal: ManagementRefusal) {
  const { reason, guard } = refusal
  return { ...record.permitted(deps.clock.now()), outcome: 'refuse', reason, guard } as const
}

async function decide(
  deps: ManagementDeps,
  { route, parameters, path, record }: Matched & { readonly record: DecisionRecord },
  req: IncomingMessage,
): Promise<Reply | TextReply | ManagementRefusal> {
  const author = await deps.access.authorize({
    authorization: headerOf(req, 'authorization'),
    proof: headerOf(req, 'dpop'),
    method: route.method,
    path,
    manageOf: path.startsWith('/t/') ? parameters['tenant'] : undefined,
  })
  if (isManagementRefusal(author)) return author
  const { name, roles, credential, boundBy } = author
  record.note({ author: name, roles, credential, bound_by: boundBy })
  const over = await countClient(deps, author)
  if (over !== undefined) return over
  const { tenant } = parameters
  if (author.tenant !== undefined && tenant !== undefined && tenant !== author.tenant) {
    return refuseManagement('not_found', 'tenant_of_others')
  }
  if (!route.roles.some((role) => roles.includes(role))) return refuseManagement('role_required')
  const query = readQuery(route, req)
  if (isManagementRefusal(query)) return query
  const body = await readBody(route, req)
  if (isManagementRefusal(body)) return body
  return route.handle(deps, {
    author,
    parameters,
    query: query.value,
    body: body.value,
    ifMatch: headerOf(req, 'if-match'),
    ifNoneMatch: headerOf(req, 'if-none-match'),
    record,
  })
}

const PROGRAMS: readonly AuthorRole[] = ['agent', 'receiver', 'resource']

/** Programs, not people: whoever is asked to stop a flood has to get through it. */
async function countClient(
  deps: ManagementDeps,
  { id, roles, tenant: of = '' }: Author,
): Promise<ManagementRefusal | undefined> {
  if (!PROGRAMS.some((role) => roles.includes(role))) return undefined
  const tenant = deps.tenants.find(of)
  const over = tenant && (await deps.rates.countClient(tenant, id, deps.clock.now()))
  if (over === undefined) return undefined
  const refusal = refuseManagement('rate_limited', over.guard)
  return over.limit === undefined ? refusal : { ...refusal, limit: over.limit }
}

interface Read {
  readonly value: unknown
}

function readQuery({ query }: Route, { url = '' }: IncomingMessage): Read | ManagementRefusal {
  const at = url.indexOf('?')
  const pairs = [...new URLSearchParams(at < 0 ? '' : url.slice(at + 1))]
  const names = new Set(pairs.map(([name]) => name))
  if (names.size !== pairs.length) return refuseManagement('request_malformed', 'query_repeated')
  return check(query, Object.fromEntries(pairs), 'query')
}

async function readBody({ body }: Route, req: IncomingMessage): Promise<Read | ManagementRefusal> {
  if (body === undefined) return { value: undefined }
  const read = await readJsonBody(req, body.limit)
  if (read === 'body') return refuseManagement('request_malformed', 'body')
  return typeof read === 'string' ? refuseManagement(read) : check(body.schema, read, 'body')
}

const MOST_ERRORS = 20

type Root = 'body' | 'query'

function check(schema: z.ZodType, value: unknown, root: Root): Read | ManagementRefusal {
  const parsed = schema.safeParse(value)
  if (parsed.success) return { value: parsed.data }
  return refuseMembers(
    parsed.error.issues.flatMap((issue) => errorsOf(issue, root)).slice(0, MOST_ERRORS),
  )
}

function errorsOf(issue: z.core.$ZodIssue, root: Root): readonly MemberError[] {
  const pointer = pointerTo(issue.path, root)
  if (issue.code !== 'unrecognized_keys') return [{ pointer, text: 'is not what is taken here' }]
  return issue.keys.map((key) => ({ pointer, text: `${quote(key)} is not a member` }))
}

function pointerTo(path: readonly PropertyKey[], root: Root): string {
  const parts = path.map((part) => String(part).slice(0, 80))
  if (root === 'query') return `?${parts.join('')}`
  return parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
