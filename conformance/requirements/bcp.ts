/** RFC 9700: https://www.rfc-editor.org/rfc/rfc9700 */
import { row, table } from '../requirement.ts'

const rs = { tested: 'RS' } as const

export const BCP = table(
  'RFC 9700',
  { source: 'unread' },
  {
    '9700-2.2.1-01': row(
      '2.2.1, 4.10.1',
      'SHOULD',
      'Tokens of every grant are bound to the caller’s key',
      {
        tested: 'AS/RS',
      },
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
    '9700-4.9-01': row('4.9', 'MUST', 'A refusal repeats no token and no proof', rs),
    '9700-4.13-01': row('4.13', 'MUST', 'Forwarding headers of strangers change nothing'),
  },
)
