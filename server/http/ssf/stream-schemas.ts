/**
 * What receivers say of their streams and are told of them, in the members of SSF 1.0 §8.1.1. What this server supplies may be
 * sent back as it was read, and has to be the same then.
 */
import { z } from 'zod'
import { words } from '../management/schemas.ts'

export const POLL = 'urn:ietf:rfc:8936'
export const PUSH = 'urn:ietf:rfc:8935'
const MOST_TYPES = 64

export const streamId = z.string().regex(/^[A-Za-z0-9_-]{22}$/)
const uri = z.string().regex(/^[\x21-\x7e]{1,255}$/)
const types = z.array(uri).max(MOST_TYPES)

/** A header value of RFC 9110 §5.5 and nothing that could begin another header. */
const headerValue = z.string().regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,2046}[\x21-\x7e])?$/)

const delivery = z.strictObject({
  method: z.enum([POLL, PUSH]).meta({ description: 'RFC 8936 (poll) or RFC 8935 (push).' }),
  endpoint_url: uri
    .optional()
    .meta({ description: 'Push: one of the configured push_endpoints. Poll: supplied by us.' }),
  authorization_header: headerValue
    .optional()
    .meta({ description: 'Push: sent with every event. Never told again.' }),
})

const supplied = {
  iss: uri.optional(),
  aud: z.union([uri, z.array(uri).max(1)]).optional(),
  events_supported: types.optional(),
  events_delivered: types.optional(),
  min_verification_interval: z.int().optional(),
}

const wishes = {
  delivery: delivery.optional(),
  events_requested: types
    .optional()
    .meta({ description: 'Event types; what is unknown is passed over.' }),
  description: words(255).optional(),
}

export const newStream = z.strictObject(wishes)
export const streamChange = z.strictObject({ stream_id: streamId, ...supplied, ...wishes })
export type StreamBody = z.output<typeof newStream>
export type StreamChangeBody = z.output<typeof streamChange>

export const streamView = z.strictObject({
  stream_id: streamId,
  iss: uri,
  aud: uri,
  delivery: z.strictObject({ method: z.enum([POLL, PUSH]), endpoint_url: uri }),
  events_supported: types,
  events_requested: types.optional(),
  events_delivered: types,
  min_verification_interval: z.int(),
  description: z.string().optional(),
})
export type StreamView = z.output<typeof streamView>

/** Without the parameter a list is told (SSF 1.0 §8.1.1.2). */
export const streamQuery = z.strictObject({ stream_id: streamId.optional() })
export const oneStreamQuery = z.strictObject({ stream_id: streamId })

const status = z.enum(['enabled', 'paused', 'disabled'])
export const statusChange = z.strictObject({
  stream_id: streamId,
  status,
  reason: words(255).optional(),
})
export const statusView = z.strictObject({
  stream_id: streamId,
  status,
  reason: z.string().optional(),
})

/** SSF 1.0 §8.1.4.2: `state` is echoed. */
export const verificationRequest = z.strictObject({
  stream_id: streamId,
  state: z.string().max(1024).optional(),
})

const jti = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/)
const MOST_ACKNOWLEDGED = 1000

/** RFC 8936 §2.2. */
export const pollRequest = z.strictObject({
  maxEvents: z
    .int()
    .min(0)
    .max(2 ** 31)
    .optional(),
  returnImmediately: z.boolean().optional(),
  ack: z.array(jti).max(MOST_ACKNOWLEDGED).optional(),
  setErrs: z
    .record(
      jti,
      z.object({ err: z.string().max(2048), description: z.string().max(2048).optional() }),
    )
    .refine((errors) => Object.keys(errors).length <= 64, { error: 'too many' })
    .optional(),
})

/** RFC 8936 §2.3. */
export const pollAnswer = z.strictObject({
  sets: z.record(jti, z.string()).meta({ description: 'Security event tokens by their jti.' }),
  moreAvailable: z.boolean(),
})

/** An answer without a body. */
export const nothingToSay = z.never()
