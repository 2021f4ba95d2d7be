/** RFC 8414 and RFC 9728: https://www.rfc-editor.org/rfc/rfc8414 */
import { row, table } from '../requirement.ts'

const rs = { tested: 'RS' } as const

export const AUTHORIZATION_SERVER_METADATA = table(
  'RFC 8414',
  { source: 'unread' },
  {
    '8414-2-01': row('2', 'MUST', 'The issuer is an https URL without query and fragment'),
    '8414-2-02': row(
      '2',
      'MUST',
      'Required members are there, without an authorization endpoint too',
    ),
    '8414-2-03': row('2', 'defined', 'The grants that are offered are listed'),
    '8414-2-04': row('2', 'MUST', 'Signature algorithms of clients are listed, never none'),
    '8414-2-05': row('2', 'MUST', 'The key set is there, over https, public keys only'),
    '8414-3-01': row('3, 3.1', 'MUST', 'The document is between host and path of the issuer', {
      tested: 'AS/RS',
    }),
    '8414-3.2-01': row('3.2', 'MUST', 'It is JSON and has no empty list'),
    '8414-3.3-01': row('3.3, 6.2', 'MUST', 'A document of another issuer is not used', rs),
  },
)

export const RESOURCE_METADATA = table(
  'RFC 9728',
  { source: 'unread' },
  {
    '9728-2-01': row(
      '2',
      'MUST',
      'The resource names itself, by an https URL without fragment',
      rs,
    ),
    '9728-2-02': row('2', 'MAY', 'Its authorization servers are listed', rs),
    '9728-2-03': row('2', 'MAY', 'What it says of proofs and bearer methods is what it does', {
      ...rs,
      priority: 'P1',
    }),
    '9728-3-01': row('3, 3.1', 'MUST', 'The document is between host and path of the resource', rs),
    '9728-3.2-01': row('3.2', 'MUST', 'It is JSON and has no empty list', rs),
    '9728-3.3-01': row('3.3', 'MUST', 'A document of another resource is not used', {
      tested: 'CL',
      gap: 'a duty of clients, and no client library is offered',
    }),
    '9728-5.1-01': row(
      '5.1',
      'MAY',
      'A challenge tells where the document is, and it is there',
      rs,
    ),
  },
)
