/**
 * Across domains: draft-ietf-oauth-identity-chaining and draft-ietf-oauth-identity-assertion-authz-grant. A is where a grant
 * is issued, B where it is taken.
 */
import { row, table } from '../requirement.ts'

const p1 = { priority: 'P1' } as const
const later = { priority: 'P2' } as const

export const IDENTITY_CHAINING = table(
  'draft-ietf-oauth-identity-chaining',
  { source: 'the working group’s text of 2026-07-13', feature: 'identity_chaining' },
  {
    'IC-2.3.1-01': row('2.3.1', 'MUST', 'A request at A names B'),
    'IC-2.3.2-01': row('2.3.2', 'MUST', 'A refuses a target it does not know or want'),
    'IC-2.3.3-01': row('2.3.3', 'MUST', 'The grant is for B, and best for nobody else'),
    'IC-2.3.3-02': row('2.3.3', 'MUST', 'The answer says JWT and N_A, and the grant is short'),
    'IC-2.4.1-01': row('2, 2.4.1', 'MUST', 'B takes it as a jwt-bearer grant', { tested: 'AS' }),
    'IC-2.4.2-01': row(
      '2.4.2',
      'MUST',
      'B holds it to RFC 7523: issuer, audience, time, signature',
    ),
    'IC-2.4.2-02': row('2.4.2', 'MUST', 'B refuses a subject it cannot tell'),
    'IC-2.4.2-03': row('2.3.3', 'MUST', 'An access token of A is no grant at B'),
    'IC-2.5-01': row('2.5', 'SHOULD', 'A grants no more than the subject token has'),
    'IC-2.5-02': row('2.5', 'MAY', 'Claims are mapped or left out whole, the chain too', p1),
    'IC-3-01': row('3', 'MAY', 'The metadata of A names the types it issues', p1),
    'IC-5.3-01': row('5.3', 'SHOULD', 'Holding a subject token is no right to a grant'),
    'IC-5.4-01': row('5.4', 'SHOULD NOT', 'B gives no refresh token for it'),
    'IC-5.5-01': row(
      '5.5',
      'SHOULD',
      'A stolen grant is of little use: short, once, to its client',
    ),
  },
)

export const IDENTITY_ASSERTIONS = table(
  'draft-ietf-oauth-identity-assertion-authz-grant',
  { source: 'the working group’s text of 2026-04-23', feature: 'id_jag' },
  {
    'IDJAG-3.1-01': row('3.1', 'MUST', 'The grant is typed and has its seven claims'),
    'IDJAG-3.1-02': row('3.1', 'MUST', 'Its subject is the one B knows from signing in', p1),
    'IDJAG-3.1-03': row('3.1, 5', 'MUST', 'Its client is named as B names it'),
    'IDJAG-4.3-01': row('4.3', 'MUST', 'A request names the type and B, by its issuer'),
    'IDJAG-4.3-02': row('4.3', 'MUST', 'Identity assertions are subjects, access tokens are not'),
    'IDJAG-4.3.3-01': row('4.3.3', 'MUST', 'The assertion was for the client that brings it'),
    'IDJAG-4.3.3-02': row('4.3.3', 'MUST', 'A refresh token is held to the rules of a refresh', p1),
    'IDJAG-4.3.3-03': row(
      '4.3.3',
      'MUST',
      'All that is asked is weighed, and the grant has the result',
    ),
    'IDJAG-4.3.4-01': row('4.3.4', 'MUST', 'The answer has its type, N_A, and no refresh token'),
    'IDJAG-4.4.1-01': row('4.4.1', 'MUST', 'No other type of JWT is one'),
    'IDJAG-4.4.1-02': row('4.4.1', 'MUST', 'Its only audience is the issuer identifier of B'),
    'IDJAG-4.4.1-03': row('4.4.1', 'MUST', 'Its client is the one that authenticated'),
    'IDJAG-4.4.1-04': row(
      '4.4.1',
      'MUST',
      'B grants no more than it says, and tells what it granted',
    ),
    'IDJAG-4.4.1-05': row(
      '4.4.1, RFC 7523',
      'MUST',
      'A trusted issuer’s own key signed it, for now',
    ),
    'IDJAG-4.4.3-01': row(
      '4.4.3',
      'SHOULD NOT',
      'No refresh token comes of it; it serves until it ends',
    ),
    'IDJAG-6-01': row('6', 'MUST', 'An issuer of many tenants names the tenant', later),
    'IDJAG-7.1-01': row('7.1', 'SHOULD', 'Metadata says that it is issued', p1),
    'IDJAG-7.2-01': row('7.2', 'MUST', 'Who says it is taken says so of jwt-bearer too', p1),
    'IDJAG-8.1-01': row('8.1', 'SHOULD', 'Only confidential clients use it'),
    'IDJAG-8.2-01': row('8.2', 'MAY', 'Too weak a sign-in is told so, with what is wanted', p1),
    'IDJAG-8.3-01': row('8.3', 'MUST NOT', 'Nobody takes a grant of its own making'),
    'IDJAG-8.3-02': row('8.3', 'MUST NOT', 'One grant serves one server'),
    'IDJAG-8.4-01': row('8.4', 'MUST NOT', 'Metadata does not tell who is trusted', later),
    'IDJAG-8.5-01': row('8.5, 4.3.3', 'ours', 'An actor token is refused rather than ignored'),
    'IDJAG-8.6-01': row('8.6.1.1', 'MUST', 'A proof is checked, and binds the grant', p1),
    'IDJAG-8.6-02': row('8.6.1.2', 'MUST', 'A bound grant needs a proof of the same key', p1),
    'IDJAG-8.6-03': row(
      '8.6.1.2',
      'MUST',
      'Where tokens are to be bound, nothing is issued unbound',
      p1,
    ),
  },
)
