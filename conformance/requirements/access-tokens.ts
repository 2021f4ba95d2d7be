/** RFC 9068: https://www.rfc-editor.org/rfc/rfc9068 */
import { row, table } from '../requirement.ts'

const rs = { tested: 'RS', feature: 'resource_server' } as const
const p1 = { priority: 'P1' } as const
const later = { priority: 'P2' } as const

export const ACCESS_TOKENS = table(
  'RFC 9068',
  { source: 'RFC 9068, October 2021', feature: 'jwt_access_tokens' },
  {
    '9068-2.1-01': row(
      '2.1',
      'MUST',
      'Tokens are signed, never by none; asymmetrically, which is recommended',
    ),
    '9068-2.1-02': row('2.1', 'MUST', 'RS256 is among the algorithms', {
      ...rs,
      ...p1,
      tested: 'AS/RS',
    }),
    '9068-2.1-03': row('2.1', 'MUST', 'The header says at+jwt'),
    '9068-2.2-01': row('2.2', 'MUST', 'All required claims are there, whatever the grant'),
    '9068-2.2-02': row('2.2', 'SHOULD', 'sub is the user, or the client where there is none'),
    '9068-2.2-03': row('2.2', 'MUST', 'No two tokens share an id'),
    '9068-2.2.1-01': row(
      '2.2.1',
      'defined',
      'How and when the user signed in is kept through every exchange',
    ),
    '9068-2.2.3-01': row('2.2.3', 'SHOULD', 'A requested scope is a claim of the token'),
    '9068-2.2.3-02': row('2.2.3', 'MUST', 'Every scope of a token means something at its audience'),
    '9068-2.2.3.1-01': row(
      '2.2.3.1',
      'SHOULD',
      'Groups, roles and entitlements have the names of SCIM',
      later,
    ),
    '9068-3-01': row('3', 'SHOULD', 'The resource asked for is the audience, letter by letter'),
    '9068-3-02': row('3', 'MUST NOT', 'No token leaves open what it allows', p1),
    '9068-3-03': row('3', 'MUST', 'Without a resource there is a default audience, never none'),
    '9068-3-04': row('3', 'SHOULD', 'Scopes of different default resources are invalid_scope', p1),
    '9068-4-01': row('4', 'MUST', 'Both well-known documents tell the same keys'),
    '9068-4-02': row('4', 'MUST', 'Only at+jwt passes for an access token', rs),
    '9068-4-03': row('4', 'SHOULD', 'Where encryption was agreed a plain token is refused', {
      ...later,
      tested: 'RS',
      feature: 'encrypted_tokens',
    }),
    '9068-4-04': row('4', 'MUST', 'The issuer is compared exactly', rs),
    '9068-4-05': row(
      '4',
      'MUST',
      'The audience is compared exactly; one string in this profile',
      rs,
    ),
    '9068-4-06': row('4', 'MUST', 'The signature is the issuer’s, by no key the token brought', rs),
    '9068-4-07': row('4', 'MUST', 'The time of expiry is there, is a number and is not past', rs),
    '9068-4-08': row('4', 'MUST', 'Each such failure is invalid_token', rs),
    '9068-5-01': row('5', 'MUST', 'Tokens of two resources share no audience'),
    '9068-5-02': row('5', 'SHOULD', 'No client takes the name of a subject', p1),
    '9068-6-01': row('6', 'MUST NOT', 'A client does not look into its token', {
      ...later,
      tested: 'CL',
    }),
  },
)
