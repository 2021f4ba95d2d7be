/**
 * What is public of a tenant's transmitter (OpenID Shared Signals Framework 1.0 §7): its metadata and the keys that sign its
 * events; and the door through which others' events come in (RFC 8935). Anyone may knock, so each answer to a stranger is one
 * of a few fixed texts.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  MANAGEMENT_REASONS,
  type ManagementReason,
  refuseManagement,
} from '../../core/management-refusal.ts'
import type { EventTransmitter, Tenant } from '../../core/tenant.ts'
import { traceFacts } from '../../core/trace-context.ts'
import { PLATFORM } from '../../use-cases/author.ts'
import { DecisionRecord } from '../../use-cases/decision-record.ts'
import type { AnsweredRequest, AuditLog, Clock, Telemetry, Tenants } from '../../use-cases/ports.ts'
import {
  EVENT_ERRORS,
  type EventFault,
  type ReadEvent,
  type ReceiveEventDeps,
  receiveEvent,
} from '../../use-cases/receive-event.ts'
import { exactPath, type RequestListener } from '../dispatch.ts'
import { type BodyFault, readBytes } from '../management/body.ts'
import { headerOf, send, sendProblem } from '../management/reply.ts'
import { POLL, PUSH } from './stream-schemas.ts'

const ID = '([a-z][a-z0-9-]{0,62})'
const METADATA = new RegExp(`^/\\.well-known/ssf-configuration/t/${ID}$`)
const JWKS = new RegExp(`^/t/${ID}/ssf/jwks$`)
const RECEIVE = new RegExp(`^/t/${ID}/ssf/receive/${ID}$`)
/** RFC 8417 §7.2; it has no parameters. */
const MEDIA_TYPE = /^application\/secevent\+jwt *$/i
const LARGEST_EVENT = 16 * 1024
/** Seconds a copy of metadata and keys may be used. */
const MAX_AGE = 300

export interface TransmitterDeps extends ReceiveEventDeps {
  readonly clock: Clock
  readonly audit: AuditLog
  readonly tenants: Tenants
  /** Public keys of the tenant's events (RFC 7517 §5). */
  readonly eventKeys: (tenant: Tenant) => unknown
  readonly readEvent: ReadEvent
  /** Strangers who knock in vain too often: by the address of the socket. */
  readonly peers: {
    readonly isOver: (address: string | undefined) => boolean
    readonly countFailure: (address: string | undefined) => void
  }
  readonly telemetry: Telemetry
  readonly onFault: (fault: unknown, ref: string, tenant: string) => void
}

export function createTransmitter(deps: TransmitterDeps): RequestListener {
  return (req, res) => {
    const ref = deps.randomId()
    const path = exactPath(req)
    const [, received, transmitter] = RECEIVE.exec(path) ?? []
    const tenant = received ?? METADATA.exec(path)?.[1] ?? JWKS.exec(path)?.[1] ?? ''
    const tell = (fault: unknown): void => {
      deps.onFault(fault, ref, tenant)
      if (!res.headersSent) sendProblem(res, refuseManagement('unavailable'), { ref })
    }
    if (transmitter === undefined) {
      const asked = { tenant, isKeys: JWKS.test(path), ref }
      answerDocument(deps, asked, { req, res }).catch(tell)
      return
    }
    const traceparent = headerOf(req, 'traceparent')
    void deps.telemetry.request({ endpoint: 'security_event', traceparent }, () =>
      answerEvent(deps, { tenant, transmitter, ref }, { req, res }).catch((fault: unknown) => {
        tell(fault)
        const reason = 'unavailable'
        return { ref, tenant: PLATFORM, status: 503, outcome: 'refuse', reason } as const
      }),
    )
  }
}

interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

async function answerDocument(
  deps: TransmitterDeps,
  asked: { readonly tenant: string; readonly isKeys: boolean; readonly ref: string },
  { req, res }: Exchange,
): Promise<void> {
  const { ref } = asked
  const tenant = deps.tenants.find(asked.tenant)
  if (tenant === undefined) return sendProblem(res, refuseManagement('not_found'), { ref })
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    return sendProblem(res, refuseManagement('method_not_allowed'), { ref, allow: 'GET, HEAD' })
  }
  const headers = {
    'cache-control': `public, max-age=${MAX_AGE}`,
    pragma: 'public',
    'access-control-allow-origin': '*',
  }
  // Without receivers no event was ever signed: no key is made because somebody looked.
  const keys = tenant.eventReceivers.size === 0 ? { keys: [] } : deps.eventKeys(tenant)
  send(res, { status: 200, body: asked.isKeys ? keys : metadataOf(tenant), headers })
}

/** SSF 1.0 §7.1. Only what is true is said. */
function metadataOf({ issuer }: Tenant): Readonly<Record<string, unknown>> {
  return {
    spec_version: '1_0',
    issuer,
    jwks_uri: `${issuer}/ssf/jwks`,
    delivery_methods_supported: [PUSH, POLL],
    configuration_endpoint: `${issuer}/ssf/stream`,
    status_endpoint: `${issuer}/ssf/status`,
    verification_endpoint: `${issuer}/ssf/verify`,
    authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
    default_subjects: 'ALL',
  }
}

interface Knock {
  readonly tenant: string
  readonly transmitter: string
  readonly ref: string
}

async function answerEvent(
  deps: TransmitterDeps,
  knock: Knock,
  { req, res }: Exchange,
): Promise<AnsweredRequest> {
  const { ref } = knock
  const refuseStranger = (reason: ManagementReason, allow?: string): AnsweredRequest => {
    sendProblem(res, refuseManagement(reason), { ref, ...(allow !== undefined && { allow }) })
    const { status } = MANAGEMENT_REASONS[reason]
    return { ref, tenant: PLATFORM, status, outcome: 'refuse', reason }
  }
  const address = req.socket.remoteAddress
  if (deps.peers.isOver(address)) return refuseStranger('rate_limited')
  const tenant = deps.tenants.find(knock.tenant)
  const transmitter = tenant?.eventTransmitters.get(knock.transmitter)
  if (tenant === undefined || transmitter === undefined) return refuseStranger('not_found')
  if (req.method !== 'POST') return refuseStranger('method_not_allowed', 'POST')
  const record = new DecisionRecord({
    ref,
    tenant: tenant.id,
    tenant_version: tenant.version,
    event: 'security_event',
  })
  record.note({ action: 'receive_event', author: `transmitter:${transmitter.id}` })
  record.note(traceFacts(headerOf(req, 'traceparent')))
  const fault = await receive(deps, { tenant, transmitter, record }, req)
  if (fault === undefined) {
    // RFC 8935 §2.2: acknowledged, and empty.
    res.writeHead(202, { 'cache-control': 'no-store', 'content-length': 0 }).end()
    return record.answered(202)
  }
  deps.peers.countFailure(address)
  await deps.audit.append({
    ...record.permitted(deps.clock.now()),
    outcome: 'refuse',
    guard: fault.guard,
  })
  sendFault(res, fault)
  return record.answered(400, { reason: fault.err })
}

interface Received {
  readonly tenant: Tenant
  readonly transmitter: EventTransmitter
  readonly record: DecisionRecord
}

/** Undefined: it is dealt with. */
async function receive(
  deps: TransmitterDeps,
  { tenant, transmitter, record }: Received,
  req: IncomingMessage,
): Promise<EventFault | undefined> {
  if (!MEDIA_TYPE.test(req.headers['content-type'] ?? '')) return malformed('media_type')
  const bytes: Buffer | BodyFault = await readBytes(req, LARGEST_EVENT)
  if (typeof bytes === 'string') return malformed(bytes)
  const event = await deps.readEvent(tenant, transmitter, bytes.toString('latin1'))
  if ('err' in event) return event
  await receiveEvent(deps, { tenant, transmitter, event, record })
  return undefined
}

function malformed(guard: string): EventFault {
  return { kind: 'event_fault', err: 'invalid_request', guard }
}

/** RFC 8935 §2.3: 400 with `err` and `description`. */
function sendFault(res: ServerResponse, { err }: EventFault): void {
  const headers = { 'content-language': 'en' }
  send(res, { status: 400, body: { err, description: EVENT_ERRORS[err] }, headers })
}
