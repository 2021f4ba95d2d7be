/** Requests of the second agent that are right but for the JWT that authenticates it. */
import { ASSERTION_TYPE } from './client.ts'
import type { Reply } from './http.ts'
import type { Claims } from './jwt.ts'
import { expectError, expectOneOf, request } from './scenario.ts'

/** An exchange that is right but for its assertion. */
export const withAssertion = (assertion: string): Promise<Reply> =>
  request({ client_assertion_type: ASSERTION_TYPE, client_assertion: assertion })

/** The same with claims changed. */
export const withClaims = (assertion: Claims): Promise<Reply> => request({}, { assertion })

/** `what` was sent, where one check sends much. */
export const refused = async (reply: Promise<Reply>, what?: unknown): Promise<void> =>
  expectError(await reply, 'invalid_client', 401, what === undefined ? what : JSON.stringify(what))

/** RFC 6749 §5.2: a parameter that is missing or of no use, and a second way of authenticating, are bad requests as well. */
export const refusedEitherWay = async (reply: Promise<Reply>): Promise<void> =>
  expectOneOf(await reply, [
    ['invalid_client', 401],
    ['invalid_request', 400],
  ])
