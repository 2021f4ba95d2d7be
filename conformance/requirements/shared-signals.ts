/**
 * OpenID Shared Signals Framework 1.0, CAEP 1.0 and its interoperability profile: https://openid.net/specs. What a transmitter
 * owes those who listen.
 */
import { row, table } from '../requirement.ts'

const TEXT = 'the OpenID repository of the final texts, 2025-12-05'
const RFC = { source: 'RFC 8417, July 2018, RFC 8935 and 8936, November 2020' } as const
const p1 = { priority: 'P1' } as const
const later = { priority: 'P2' } as const

export const SHARED_SIGNALS = table(
  'SSF and CAEP',
  { source: TEXT, feature: 'security_events' },
  {
    'SSF-4-01': row('SSF 4.1.1', 'MUST', 'An event is a JWT of its own type', p1),
    'SSF-4-02': row('SSF 4.1.2', 'MUST NOT', 'Its subject is sub_id, and there is no sub', p1),
    'SSF-4-03': row('SSF 4.1.7', 'MUST NOT', 'It has no exp', p1),
    'SSF-4-04': row('SSF 4.1.6', 'MUST', 'Its issuer is the stream’s and the metadata’s', p1),
    'SSF-4-05': row(
      'SSF 4.1.9',
      'SHOULD',
      'Events of one cause share their txn, others do not',
      later,
    ),
    'SSF-4-06': row('SSF 4.2.1, profile 2.8.1', 'MUST', 'One event in each token', p1),
    'SSF-4-07': row('RFC 8417 2.2', 'MUST', 'jti is unique, iat is there', { ...p1, ...RFC }),
    'SSF-3-01': row('SSF 3', 'MUST', 'A token is a subject by issuer and jti', p1),
    'SSF-6-01': row('SSF 7', 'MUST', 'The metadata is found by path insertion', p1),
    'SSF-7-01': row('SSF 8', 'MUST', 'A receiver reaches its own stream, and nobody else’s', p1),
    'SSF-7-02': row('SSF 8.1.1', 'MUST', 'A stream is made once, read and removed', p1),
    'SSF-7-03': row(
      'SSF 8.1.2',
      'MUST',
      'A paused stream sends nothing, and afterwards in order',
      later,
    ),
    'SSF-7-04': row('SSF 8.1.4', 'MUST', 'Verification echoes what was sent', p1),
    'SSF-7-05': row('SSF 8.1.5', 'MUST', 'A stream the transmitter stops is told so first', later),
    'CAEP-sr-01': row(
      'CAEP 3.1',
      'defined',
      'A revoked task is a revoked session of its subject',
      p1,
    ),
    'CAEP-tcc-01': row(
      'CAEP 3.2',
      'MUST',
      'A token that lost its scope has claims that changed',
      p1,
    ),
    'CAEP-opt-01': row('CAEP 2', 'MUST', 'Who began it and why are of the right form', p1),
    'CAEPI-01': row('profile 3.1', 'MUST', 'The reason for administrators is not empty', p1),
    'CAEPI-02': row('profile 2.6', 'MUST', 'Events are signed with RS256, 2048 bits at least', p1),
    'CAEPI-03': row('profile 2.5', 'MUST', 'A user is a subject by issuer and sub', p1),
    'CAEPI-04': row('profile 2.3', 'MUST', 'The metadata has every endpoint', p1),
    '8936-2-01': row('RFC 8936 2.2', 'defined', 'What was acknowledged is not sent again', {
      ...later,
      ...RFC,
    }),
    '8935-2-01': row('RFC 8935 2', 'MUST', 'Events are pushed where the receiver asked', {
      ...p1,
      ...RFC,
      gap: 'the suite has no address that the server would be allowed to send to',
    }),
    '8935-4-01': row(
      'RFC 8935 4, 5',
      'MUST',
      'Events are pushed over TLS alone, and never inside',
      { ...p1, ...RFC },
    ),
  },
)
