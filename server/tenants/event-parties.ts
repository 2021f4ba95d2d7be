/** Members of `tenant.yaml` for security events: who is told what ended here, and whose word ends something here. */
import { z } from 'zod'
import { algorithm, audience, distinct, id, keySet, strict, uri } from './fields.ts'

const MOST_PUSH_ENDPOINTS = 8

export const eventReceiver = strict({
  id: id.describe('Its client id, and the audience of the events it is sent.'),
  jwks: keySet.describe('Its public keys: it proves who it is by a signed assertion.'),
  binding: z
    .enum(['dpop', 'bearer'])
    .default('dpop')
    .describe(
      'What its management tokens are bound to: `dpop`, a key it proves with each request; `bearer`, nothing.',
    ),
  push_endpoints: distinct(uri)
    .max(MOST_PUSH_ENDPOINTS, { error: `at most ${MOST_PUSH_ENDPOINTS} endpoints` })
    .default([])
    .describe('The only addresses its events may be sent to. None: it asks for them.'),
})

export const eventTransmitter = strict({
  id: id.describe('Our name for it: its events are received at `{issuer}/ssf/receive/{id}`.'),
  issuer: uri.describe("Its issuer, compared with an event's `iss` character by character."),
  audience: audience
    .optional()
    .describe('What the `aud` of its events has. Default: the issuer of this tenant.'),
  jwks_uri: uri.optional().describe('Where its public keys are read from. State this or `jwks`.'),
  jwks: keySet.optional().describe('Its public keys, written here. State this or `jwks_uri`.'),
  algorithms: distinct(algorithm)
    .min(1, { error: 'name an algorithm' })
    .default(['RS256'])
    .describe('Signature algorithms its events may have.'),
  subjects_of: id.describe(
    'The trusted issuer whose subjects it speaks of; what it says of anyone else has no effect.',
  ),
})

export type ReceiverEntry = z.output<typeof eventReceiver>
export type TransmitterEntry = z.output<typeof eventTransmitter>
