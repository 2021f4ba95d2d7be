/** RFC 9700: https://www.rfc-editor.org/rfc/rfc9700 */
import { row, table } from '../requirement.ts'

const rs = { tested: 'RS', feature: 'resource_server' } as const
const p1 = { priority: 'P1' } as const
const later = { priority: 'P2' } as const
const code = { feature: 'authorization_code' } as const
const refresh = { feature: 'refresh_tokens' } as const

export const BCP = table(
  'RFC 9700',
  { source: 'not at hand (RFC 9700, January 2025): the editors’ text of 2024-06-03' },
  {
    '9700-2.1-01': row('2.1, 4.1', 'MUST', 'Redirect addresses are compared exactly', {
      ...code,
      ...p1,
    }),
    '9700-2.1-02': row('2.1, 4.11', 'MUST NOT', 'Nobody is sent on to an address of a stranger', {
      ...code,
      ...p1,
    }),
    '9700-2.1.1-01': row(
      '2.1.1, 4.8',
      'MUST',
      'PKCE is there, holds once it is begun, and can be seen',
      { ...code, ...p1 },
    ),
    '9700-2.2.1-01': row(
      '2.2.1, 4.10.1',
      'SHOULD',
      'Tokens of every grant are bound to the caller’s key',
      {
        tested: 'AS/RS',
      },
    ),
    '9700-2.2.2-01': row(
      '2.2.2, 4.14',
      'MUST',
      'Refresh tokens of public clients are bound, or change with each use',
      { ...refresh, ...p1 },
    ),
    '9700-2.3-01': row('2.3, 4.10.2', 'SHOULD', 'A token is for one resource'),
    '9700-2.3-02': row('2.3', 'MUST', 'A token of another audience is refused', rs),
    '9700-2.3-03': row('2.3', 'MUST', 'What the token does not allow is refused', rs),
    '9700-2.4-01': row('2.4', 'MUST NOT', 'There is no password grant'),
    '9700-2.5-01': row('2.5', 'SHOULD', 'Clients authenticate by key'),
    '9700-2.6-01': row(
      '2.6, 4.15',
      'SHOULD NOT',
      'No subject has the name of a client, and no actor that of its subject',
    ),
    '9700-2.6-02': row('2.6', 'MUST NOT', 'No redirect goes over plain HTTP', {
      ...code,
      ...later,
    }),
    '9700-4.2.4-01': row(
      '4.2.4',
      'MUST',
      'A code works once, and its second use ends what it gave',
      { ...code, ...p1 },
    ),
    '9700-4.9-01': row('4.9', 'MUST', 'A refusal repeats no token and no proof', rs),
    '9700-4.12-01': row('4.12', 'MUST NOT', 'No redirect carries credentials on', {
      ...code,
      ...later,
    }),
    '9700-4.13-01': row('4.13', 'MUST', 'Forwarding headers of strangers change nothing'),
    '9700-4.14-01': row(
      '4.14.2',
      'MUST',
      'A refresh token is for the scope and resources of its consent',
      { ...refresh, ...p1 },
    ),
    '9700-4.16-01': row('4.16', 'MUST', 'Pages for people cannot be framed', { ...code, ...later }),
  },
)
