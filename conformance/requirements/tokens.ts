/** RFC 8707, RFC 7662 and RFC 7009: https://www.rfc-editor.org/rfc/rfc8707 */
import { row, table } from '../requirement.ts'

const p1 = { priority: 'P1' } as const
const refresh = { feature: 'refresh_tokens' } as const
const later = { priority: 'P2' } as const

export const RESOURCE_INDICATORS = table(
  'RFC 8707',
  { source: 'RFC 8707, February 2020' },
  {
    '8707-2-01': row('2', 'MUST', 'A resource is an absolute URI under every grant'),
    '8707-2-02': row('2', 'MUST NOT', 'An empty fragment is a fragment'),
    '8707-2-03': row('2', 'defined', 'An unknown resource is invalid_target'),
    '8707-2-04': row('2', 'SHOULD', 'Token and introspection show the one resource as audience'),
    '8707-2-05': row('2', 'MAY', 'Repeated resources are answered as targets'),
    '8707-2-06': row('2', 'SHOULD NOT', 'A client that can names a resource without a query', {
      ...later,
      tested: 'CL',
    }),
    '8707-2-07': row('2', 'ours', 'A resource with a slash more is another resource', p1),
    '8707-2.2-01': row('2.2', 'defined', 'Scope is cut to what the resource knows'),
    '8707-2.2-02': row('2.2', 'MUST', 'The scope that was cut is told'),
    '8707-2.2-03': row('2.2', 'MAY', 'A refresh stays within the resources of the first grant', {
      ...p1,
      feature: 'refresh_tokens',
    }),
    '8707-3-01': row('3', 'SHOULD', 'A resource beneath another is another', {
      ...p1,
      tested: 'AS/RS',
      feature: 'resource_server',
    }),
  },
)

export const INTROSPECTION = table(
  'RFC 7662',
  { source: 'RFC 7662, October 2015', feature: 'introspection' },
  {
    '7662-2.1-01': row('2.1', 'MUST', 'Introspection takes a token by POST'),
    '7662-2.1-02': row('2.1', 'MUST', 'A wrong hint does not hide a token'),
    '7662-2.1-03': row('2.1, 4', 'MUST', 'Callers authenticate, and a stranger learns nothing'),
    '7662-2.2-01': row('2.2', 'MUST', 'active is a boolean in JSON'),
    '7662-2.2-02': row(
      '2.2, 4',
      'MUST',
      'Anything that is not active is that one member and no more',
    ),
    '7662-2.2-03': row(
      '2.2, 4',
      'MUST',
      'Another audience’s token is inactive to a resource server',
    ),
    '7662-2.2-04': row('2.2', 'MUST', 'An active answer has the claims of the token'),
    '7662-2.2-05': row('2.2', 'defined', 'JWT access tokens are introspected like any token'),
    '7662-2.2-06': row('2.2', 'MAY', 'Resource servers may be told different things', later),
    '7662-2.3-01': row('2.3', 'MUST', 'Bad credentials are 401'),
    '7662-4-01': row('4', 'MUST', 'Signature, revocation and audience are checked'),
    '7662-4-02': row('4', 'MUST NOT', 'No cached answer outlives the token', {
      tested: 'RS',
      feature: 'resource_server',
      gap: 'the resource server verifies offline and keeps no introspection answers',
    }),
    '7662-4-03': row('4', 'ours', 'How long a revoked token may pass is bounded and short', {
      tested: 'RS',
      priority: 'P1',
      feature: 'resource_server',
    }),
    '7662-4-04': row('4', 'MUST', 'TLS 1.2 at least', p1),
    '7662-5-01': row('5', 'MUST', 'Personal data is not told to whom it is not for', later),
    '7662-x-01': row('RFC 6749 5.1', 'MUST', 'Answers are not to be stored', p1),
  },
)

export const REVOCATION = table(
  'RFC 7009',
  { source: 'RFC 7009, August 2013', feature: 'revocation' },
  {
    '7009-2-01': row('2', 'SHOULD', 'An access token can be revoked'),
    '7009-2.1-01': row('2.1', 'MUST', 'Only its own client revokes a token'),
    '7009-2.1-02': row('2.1', 'MUST', 'A wrong hint does not save a token'),
    '7009-2.1-03': row('2.1', 'MUST', 'A revoked token is dead at once'),
    '7009-2.1-04': row('2.1', 'SHOULD', 'A refresh token takes its access tokens along', refresh),
    '7009-2.1-05': row('2.1', 'MAY', 'An access token may take its refresh token along', {
      ...refresh,
      ...later,
    }),
    '7009-2.2-01': row('2.2', 'MUST', 'What is no token is revoked with 200'),
    '7009-2.2-02': row('2.2', 'MUST', 'An unknown hint is ignored', p1),
    '7009-2.2.1-01': row('2.2.1', 'defined', 'JWT access tokens are not refused as a type'),
    '7009-2.2.1-02': row(
      '2.2.1',
      'defined',
      'After 503 a client takes the token to be alive, and asks again',
      { ...later, tested: 'CL' },
    ),
    '7009-5-01': row('5', 'MUST', 'Too much at once is refused, as at the token endpoint', later),
  },
)
