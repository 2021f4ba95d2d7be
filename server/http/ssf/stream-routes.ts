/**
 * Management of event streams (OpenID Shared Signals Framework 1.0 §8) and the poll endpoint (RFC 8936), for receivers with a
 * token for this tenant's `{issuer}/manage`.
 */
import {
  isManagementRefusal,
  type ManagementRefusal,
  refuseManagement,
} from '../../core/management-refusal.ts'
import type { Tenant } from '../../core/tenant.ts'
import type { AuthorRole } from '../../use-cases/author.ts'
import type { EventStream } from '../../use-cases/event-store.ts'
import {
  changeStream,
  createStream,
  findStream,
  removeStream,
  type StreamRequest,
  setStreamStatus,
  verifyStream,
} from '../../use-cases/event-streams.ts'
import { MOST_EVENTS, pollEvents } from '../../use-cases/poll-events.ts'
import type { ManagementDeps } from '../management/management-deps.ts'
import { type Asked, type Reply, type Route, route } from '../management/route.ts'
import { nothing } from '../management/schemas.ts'
import { liveTenant } from '../management/tenants.ts'
import * as schemas from './stream-schemas.ts'
import { checkSupplied, mergedWishes, pollEndpointOf, viewOf, wishesOf } from './stream-view.ts'

const SSF = '/t/{tenant}/ssf'
const RECEIVERS: readonly AuthorRole[] = ['receiver']
const SMALL_BODY = 32 * 1024
const DONE: Reply = { status: 204, body: undefined }
const SHARED = { event: 'security_event', roles: RECEIVERS } as const
const done = { 204: { text: 'Done.', schema: schemas.nothingToSay } }

type Question = Pick<Asked<unknown, unknown>, 'author' | 'parameters' | 'record'>

function requestOf(
  deps: ManagementDeps,
  { author, parameters, record }: Question,
): StreamRequest | ManagementRefusal {
  const tenant = liveTenant(deps, parameters['tenant'])
  if ('kind' in tenant) return tenant
  record.note({ client: author.id })
  return { tenant, receiver: author.id, record }
}

function sealFor(deps: ManagementDeps, { id }: Tenant): (text: string) => string {
  return (text) => deps.sharedSignals.seal(id, text)
}

/** What `answer` makes of a stream that was found, made or changed. */
function replyWith(
  stream: EventStream | ManagementRefusal,
  answer: (stream: EventStream) => unknown,
  status = 200,
): Reply | ManagementRefusal {
  return isManagementRefusal(stream) ? stream : { status, body: answer(stream) }
}

async function updateStream(
  deps: ManagementDeps,
  asked: Question & { readonly body: schemas.StreamChangeBody },
  isWhole: boolean,
): Promise<Reply | ManagementRefusal> {
  const request = requestOf(deps, asked)
  if (isManagementRefusal(request)) return request
  const { body } = asked
  const { tenant } = request
  const stream = findStream(deps.sharedSignals, request, body.stream_id)
  if (isManagementRefusal(stream)) return stream
  const wrong = checkSupplied(viewOf(tenant, stream), body)
  if (wrong !== undefined) return wrong
  const read = { seal: sealFor(deps, tenant), pollEndpoint: pollEndpointOf(tenant, stream.id) }
  const wishes = isWhole ? wishesOf(body, read) : mergedWishes(stream, body, read)
  if (isManagementRefusal(wishes)) return wishes
  const changed = await changeStream(deps.sharedSignals, request, { id: stream.id, wishes })
  return replyWith(changed, (now) => viewOf(tenant, now))
}

export const STREAM_ROUTES: readonly Route[] = [
  route({
    ...SHARED,
    method: 'POST',
    path: `${SSF}/stream`,
    name: 'create_event_stream',
    summary: 'Makes the stream of this receiver',
    query: nothing,
    body: { schema: schemas.newStream, limit: SMALL_BODY },
    answers: { 201: { text: 'The stream.', schema: schemas.streamView } },
    refusals: ['stream_exists'],
    handle: async (deps, asked) => {
      const request = requestOf(deps, asked)
      if (isManagementRefusal(request)) return request
      const seal = sealFor(deps, request.tenant)
      const wishes = wishesOf(asked.body, { seal, pollEndpoint: undefined })
      if (isManagementRefusal(wishes)) return wishes
      const made = await createStream(deps.sharedSignals, request, wishes)
      return replyWith(made, (stream) => viewOf(request.tenant, stream), 201)
    },
  }),
  route({
    ...SHARED,
    method: 'GET',
    path: `${SSF}/stream`,
    name: 'read_event_stream',
    summary: 'The stream of this receiver; without its id, the list of its streams',
    query: schemas.streamQuery,
    answers: {
      200: {
        text: 'The stream, or a list of one or none.',
        schema: schemas.streamView.or(schemas.streamView.array()),
      },
    },
    refusals: ['not_found'],
    handle: (deps, asked) => {
      const request = requestOf(deps, asked)
      if (isManagementRefusal(request)) return request
      const { tenant, receiver } = request
      const { stream_id: id } = asked.query
      if (id !== undefined) {
        return replyWith(findStream(deps.sharedSignals, request, id), (found) =>
          viewOf(tenant, found),
        )
      }
      if (!tenant.eventReceivers.has(receiver)) return refuseManagement('not_found')
      const own = deps.sharedSignals.eventStore.streamOf(tenant.id, receiver)
      return { status: 200, body: own === undefined ? [] : [viewOf(tenant, own)] }
    },
  }),
  route({
    ...SHARED,
    method: 'PATCH',
    path: `${SSF}/stream`,
    name: 'change_event_stream',
    summary: 'Changes what is stated, and leaves the rest',
    query: nothing,
    body: { schema: schemas.streamChange, limit: SMALL_BODY },
    answers: { 200: { text: 'As it is now.', schema: schemas.streamView } },
    refusals: ['not_found'],
    handle: (deps, asked) => updateStream(deps, asked, false),
  }),
  route({
    ...SHARED,
    method: 'PUT',
    path: `${SSF}/stream`,
    name: 'replace_event_stream',
    summary: 'Replaces what the receiver stated; what is left out is gone',
    query: nothing,
    body: { schema: schemas.streamChange, limit: SMALL_BODY },
    answers: { 200: { text: 'As it is now.', schema: schemas.streamView } },
    refusals: ['not_found'],
    handle: (deps, asked) => updateStream(deps, asked, true),
  }),
  route({
    ...SHARED,
    method: 'DELETE',
    path: `${SSF}/stream`,
    name: 'delete_event_stream',
    summary: 'Removes the stream and all that waits in it',
    query: schemas.oneStreamQuery,
    answers: done,
    refusals: ['not_found'],
    handle: async (deps, asked) => {
      const request = requestOf(deps, asked)
      if (isManagementRefusal(request)) return request
      return (await removeStream(deps.sharedSignals, request, asked.query.stream_id)) ?? DONE
    },
  }),
  route({
    ...SHARED,
    method: 'GET',
    path: `${SSF}/status`,
    name: 'read_event_stream_status',
    summary: 'Whether events are sent',
    query: schemas.oneStreamQuery,
    answers: { 200: { text: 'As it is now.', schema: schemas.statusView } },
    refusals: ['not_found'],
    handle: (deps, asked) => {
      const request = requestOf(deps, asked)
      if (isManagementRefusal(request)) return request
      return replyWith(findStream(deps.sharedSignals, request, asked.query.stream_id), statusOf)
    },
  }),
  route({
    ...SHARED,
    method: 'POST',
    path: `${SSF}/status`,
    name: 'set_event_stream_status',
    summary: 'Enables, pauses or disables the stream',
    query: nothing,
    body: { schema: schemas.statusChange, limit: SMALL_BODY },
    answers: { 200: { text: 'As it is now.', schema: schemas.statusView } },
    refusals: ['not_found'],
    handle: async (deps, asked) => {
      const request = requestOf(deps, asked)
      if (isManagementRefusal(request)) return request
      const { stream_id: id, status, reason } = asked.body
      return replyWith(
        await setStreamStatus(deps.sharedSignals, request, { id, status, reason }),
        statusOf,
      )
    },
  }),
  route({
    ...SHARED,
    method: 'POST',
    path: `${SSF}/verify`,
    name: 'verify_event_stream',
    summary: 'Asks for an event that says only that the stream works',
    query: nothing,
    body: { schema: schemas.verificationRequest, limit: SMALL_BODY },
    answers: done,
    refusals: ['not_found', 'rate_limited'],
    handle: async (deps, asked) => {
      const request = requestOf(deps, asked)
      if (isManagementRefusal(request)) return request
      const { stream_id: id, state } = asked.body
      return (await verifyStream(deps.sharedSignals, request, { id, state })) ?? DONE
    },
  }),
  route({
    ...SHARED,
    method: 'POST',
    path: `${SSF}/poll/{stream}`,
    name: 'poll_events',
    summary: 'What waits in the stream; what was acknowledged leaves it',
    query: nothing,
    body: { schema: schemas.pollRequest, limit: 4 * SMALL_BODY },
    answers: { 200: { text: 'Events, oldest first.', schema: schemas.pollAnswer } },
    refusals: ['not_found'],
    handle: async (deps, asked) => {
      const request = requestOf(deps, asked)
      if (isManagementRefusal(request)) return request
      const stream = findStream(deps.sharedSignals, request, asked.parameters['stream'] ?? '')
      if (isManagementRefusal(stream)) return stream
      // What is pushed is not handed out here too: its order would be lost.
      if (stream.delivery.method !== 'poll')
        return refuseManagement('not_found', 'stream_is_pushed')
      const { maxEvents = MOST_EVENTS, returnImmediately = false, ack = [], setErrs } = asked.body
      const { tenant, record } = request
      const polled = await pollEvents(deps.sharedSignals, {
        tenant,
        stream,
        record,
        maxEvents,
        waits: !returnImmediately,
        acknowledged: ack,
        refused: new Map(Object.entries(setErrs ?? {}).map(([jti, { err }]) => [jti, codeOf(err)])),
      })
      return { status: 200, body: { sets: polled.sets, moreAvailable: polled.more } }
    },
  }),
]

function statusOf({ id, status, reason, lost }: EventStream) {
  const told = lost === 0 ? reason : `${reason ?? 'queue_full'}; ${lost} events were not kept`
  return { stream_id: id, status, ...(told === undefined ? {} : { reason: told }) }
}

/** RFC 8935 §2.4: a registered code; on record only as one. */
function codeOf(err: string): string {
  return /^[A-Za-z0-9_]{1,64}$/.test(err) ? err : 'malformed'
}
