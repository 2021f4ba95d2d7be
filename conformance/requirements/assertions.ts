/** RFC 7521, RFC 7523 and its revision: https://www.rfc-editor.org/rfc/rfc7523 */
import { row, table } from '../requirement.ts'

const RFC = 'RFC 7521 and RFC 7523, May 2015'
const grant = { feature: 'jwt_bearer' } as const
const bis = {
  source: 'draft-ietf-oauth-rfc7523bis, the working group’s text of 2026-04-21',
} as const
const p1 = { priority: 'P1' } as const

export const ASSERTIONS = table(
  'RFC 7521, RFC 7523, rfc7523bis',
  { source: RFC, feature: 'private_key_jwt' },
  {
    '7521-4.2-01': row('7521 4.2', 'MUST', 'An assertion and its type come together'),
    '7521-4.2-02': row('7521 4.2', 'MUST', 'A client_id beside an assertion is the same client'),
    '7521-4.2.1-01': row('7521 4.2.1', 'MUST', 'A bad assertion is invalid_client'),
    '7521-4.2.1-02': row('7521 4.2.1', 'MUST', 'An assertion and another method together fail', p1),
    '7521-5.2-01': row('7521 5.2', 'MUST', 'Issuer and subject of an assertion are the client'),
    '7523-2.1-01': row('2.1', 'MUST', 'The grant takes exactly one JWT', grant),
    '7523-2.2-01': row('2.2', 'MUST', 'The assertion type is the one URN, the assertion one JWT'),
    '7523-3-01': row('3 (1)', 'MUST', 'The issuer of an assertion is compared exactly'),
    '7523-3-02': row('3 (2)', 'MUST', 'The subject of an assertion is the client'),
    '7523bis-3-01': row(
      'bis 3',
      'MUST',
      'The issuer identifier is the only audience of an assertion',
      bis,
    ),
    '7523bis-3-02': row('bis 3', 'MUST', 'That holds at every endpoint', bis),
    '7523bis-3-03': row('bis 3', 'MAY', 'A grant JWT may name the token endpoint', {
      ...grant,
      ...bis,
      ...p1,
    }),
    '7523bis-3.2-01': row(
      'bis 3.2',
      'SHOULD',
      'Untyped assertions pass, those of another kind do not',
      bis,
    ),
    '7523-3-04': row('3 (4)', 'MUST', 'An assertion expires, soon, and has not yet'),
    '7523-3-05': row('3 (5)', 'MUST NOT', 'No assertion works before its time'),
    '7523-3-06': row('3 (6)', 'MAY', 'An old assertion is refused', {
      ...p1,
      open: true,
    }),
    '7523-3-07': row('3 (7)', 'ours', 'An assertion works once, however many copies race'),
    '7523-3-08': row('3 (9)', 'MUST', 'An assertion is signed by a key of its client'),
    '7523-3-09': row('3 (10)', 'MUST', 'What is no JWT is invalid_client, never a fault'),
    '7523-3.1-01': row('3.1', 'MUST', 'A bad grant JWT is invalid_grant', grant),
    '7523-3.1-02': row('3.1', 'MUST', 'Credentials that were sent are checked, needed or not'),
    '7523-5-01': row('5', 'MUST', 'An assertion may be signed by RS256', p1),
    '7523bis-par-01': row('bis, RFC 9126 2', 'MUST', 'That holds for pushed requests too', {
      ...p1,
      ...bis,
      feature: 'pushed_requests',
    }),
  },
)
