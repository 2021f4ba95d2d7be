/** RFC 6749 (token endpoint) and RFC 6750: https://www.rfc-editor.org/rfc/rfc6749 */
import { row, table } from '../requirement.ts'

const rs = { tested: 'RS', feature: 'resource_server' } as const
const p1 = { priority: 'P1' } as const
const client = { tested: 'CL', gap: 'a duty of clients, and no client library is offered' } as const
const refresh = { ...p1, feature: 'refresh_tokens' } as const

export const OAUTH = table(
  'RFC 6749',
  { source: 'RFC 6749, October 2012' },
  {
    '6749-2.3-01': row('2.3, 5.2', 'MUST NOT', 'A request authenticates in one way only'),
    '6749-2.3.1-01': row('2.3.1', 'MUST', 'Name and secret in Basic are form-encoded first', {
      ...p1,
      feature: 'client_secrets',
    }),
    '6749-2.3.1-02': row('2.3.1', 'MUST NOT', 'Credentials in a URL authenticate nobody'),
    '6749-2.3.1-03': row('2.3.1', 'MUST', 'Guessing secrets gets slower or ends', {
      priority: 'P2',
      feature: 'client_secrets',
    }),
    '6749-3.2-01': row('3.2', 'MUST', 'The token endpoint answers POST and nothing else'),
    '6749-3.2-02': row('3.2', 'MUST', 'A parameter without a value is as if it were not sent'),
    '6749-3.2-03': row('3.2', 'MUST', 'Parameters nobody knows change nothing, repeated or not'),
    '6749-3.2-04': row(
      '3.2, 5.2',
      'MUST NOT',
      'A known parameter that comes twice is a bad request',
    ),
    '6749-3.2-05': row('3.2', 'MUST', 'The token endpoint answers over TLS alone', p1),
    '6749-3.2.1-01': row('3.2.1', 'MUST', 'A client with credentials has to use them'),
    '6749-3.3-01': row('3.3', 'MUST', 'Characters outside the scope alphabet are refused', p1),
    '6749-3.3-02': row('3.3', 'MUST', 'The client is told the scope it got'),
    '6749-3.3-03': row(
      '3.3',
      'MUST',
      'No scope means a stated default within bounds, never everything',
    ),
    '6749-4.5-01': row('4.5, 5.2', 'MUST', 'An extension grant answers like any grant', {
      feature: 'token_exchange',
    }),
    '6749-5.1-01': row('5.1', 'MUST', 'Answers with tokens or their data are not to be stored'),
    '6749-5.1-02': row('5.1', 'MUST', 'The older cache header is there too', p1),
    '6749-5.1-03': row('5.1', 'MUST', 'A success is JSON by its media type'),
    '6749-5.1-04': row('5.1', 'MUST', 'Members nobody knows do not trouble a client', {
      ...p1,
      ...client,
    }),
    '6749-5.2-01': row('5.2', 'MUST', 'An error is 400, JSON and has a code'),
    '6749-5.2-02': row(
      '5.2',
      'MUST',
      'Failed header authentication is 401 with a challenge of its scheme',
    ),
    '6749-5.2-03': row(
      '5.2',
      'MUST',
      'Unknown, absent or unsupported client authentication is invalid_client',
    ),
    '6749-5.2-04': row('5.2', 'MUST', 'A known client without this grant is unauthorized_client'),
    '6749-5.2-05': row(
      '5.2',
      'MUST',
      'An unknown grant has its code, a missing one is a bad request',
    ),
    '6749-5.2-06': row('5.2', 'MUST', 'A scope beyond the ceiling is invalid_scope'),
    '6749-5.2-07': row(
      '5.2',
      'MUST NOT',
      'Error members keep to their characters, whatever was sent',
      p1,
    ),
    '6749-5.2-08': row('5.2', 'defined', 'Errors are not to be stored either', p1),
    '6749-6-01': row('6', 'MUST NOT', 'A refresh gives no scope beyond the first', refresh),
    '6749-6-02': row('6', 'MUST', 'A refresh token is its own client’s', refresh),
    '6749-7-01': row('7', 'MUST', 'A resource server checks signature, time and scope', rs),
    '6749-10.10-01': row('10.10', 'MUST', 'What is issued cannot be guessed', p1),
  },
)

export const BEARER = table(
  'RFC 6750',
  { source: 'RFC 6750, October 2012' },
  {
    '6750-2-01': row('2', 'MUST NOT', 'A token in two places of one request is a bad request', rs),
    '6750-2.1-01': row('2.1', 'MUST', 'The Authorization header works, its scheme in any case', rs),
    '6750-2.1-02': row('2.1', 'MUST', 'What is no token after the scheme is refused quietly', {
      ...rs,
      ...p1,
    }),
    '6750-2.3-01': row('2.3', 'ours', 'A token in the query is no credential', rs),
    '6750-3-01': row('3', 'MUST', 'Without credentials there is a challenge with a parameter', rs),
    '6750-3-02': row('3', 'MUST NOT', 'No attribute of a challenge comes twice', { ...rs, ...p1 }),
    '6750-3-03': row('3', 'MUST NOT', 'Attributes of a challenge keep to their characters', {
      ...rs,
      ...p1,
    }),
    '6750-3.1-01': row('3.1', 'SHOULD NOT', 'Without credentials there is no error code', rs),
    '6750-3.1-02': row('3.1', 'SHOULD', 'Expired and malformed tokens are 401 invalid_token', rs),
    '6750-3.1-03': row(
      '3.1',
      'SHOULD',
      'Too little scope is 403 insufficient_scope, with the scope',
      rs,
    ),
    '6750-3.1-04': row('3.1', 'SHOULD', 'Two sets of credentials are 400 invalid_request', {
      ...rs,
      ...p1,
    }),
    '6750-5.2-01': row('5.2', 'MUST', 'Every token ends'),
    '6750-5.3-01': row('5.3', 'SHOULD', 'Tokens for others last minutes'),
    '6750-5.3-02': row('5.3', 'SHOULD', 'Every token names its audience'),
  },
)
