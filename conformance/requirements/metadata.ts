/** RFC 8414 and RFC 9728: https://www.rfc-editor.org/rfc/rfc8414 */
import { row, table } from '../requirement.ts'

const RESOURCE_TEXT = 'not at hand (RFC 9728, April 2025): the working group’s text of 2024-10-16'
const rs = { tested: 'RS', feature: 'resource_server' } as const
const p1 = { priority: 'P1' } as const
const later = { priority: 'P2' } as const
const client = { tested: 'CL', gap: 'a duty of clients, and no client library is offered' } as const

export const AUTHORIZATION_SERVER_METADATA = table(
  'RFC 8414',
  { source: 'RFC 8414, June 2018' },
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
    '8414-2-06': row(
      '2',
      'defined',
      'The ways to authenticate that are listed work, and no others',
      p1,
    ),
    '8414-2-07': row('2', 'defined', 'Whether PKCE is there can be seen', {
      ...p1,
      feature: 'authorization_code',
    }),
    '8414-2.1-01': row(
      '2.1',
      'MUST',
      'Signed metadata is signed, names its issuer and wins',
      later,
    ),
    '8414-3-01': row('3, 3.1', 'MUST', 'The document is between host and path of the issuer', {
      tested: 'AS/RS',
    }),
    '8414-3.2-01': row('3.2', 'MUST', 'It is JSON and has no empty list'),
    '8414-3.3-01': row('3.3, 6.2', 'MUST', 'A document of another issuer is not used', rs),
    '8414-4-01': row(
      '4',
      'MUST NOT',
      'Names are compared as they are spelt, without normal forms',
      { ...rs, ...p1 },
    ),
  },
)

export const RESOURCE_METADATA = table(
  'RFC 9728',
  { source: RESOURCE_TEXT, feature: 'resource_server' },
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
    '9728-2-04': row('2', 'MUST NOT', 'A resource does not sign by none', { ...rs, ...later }),
    '9728-2.2-01': row(
      '2.2',
      'MUST',
      'Signed metadata is signed, names its issuer, wins, and is not in itself',
      { ...rs, ...later },
    ),
    '9728-3-01': row('3, 3.1', 'MUST', 'The document is between host and path of the resource', rs),
    '9728-3.2-01': row('3.2', 'MUST', 'It is JSON and has no empty list', rs),
    '9728-3.2-02': row('3.2', 'MUST', 'Members nobody knows do not trouble a client', {
      ...client,
      ...p1,
    }),
    '9728-3.3-01': row('3.3', 'MUST', 'A document of another resource is not used', client),
    '9728-3.3-02': row('3.3', 'MUST', 'Nor one a challenge led to, if it is of another resource', {
      ...client,
      ...p1,
    }),
    '9728-4-01': row('4', 'MAY', 'An authorization server may list its resources', {
      ...later,
      tested: 'AS',
    }),
    '9728-5.1-01': row(
      '5.1',
      'MAY',
      'A challenge tells where the document is, and it is there',
      rs,
    ),
  },
)
