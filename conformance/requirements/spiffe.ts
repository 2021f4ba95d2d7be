/**
 * SPIFFE: IDs, JWT-SVIDs, bundles, federation, and client authentication by them:
 * https://github.com/spiffe/spiffe/tree/main/standards, https://datatracker.ietf.org/doc/draft-ietf-oauth-spiffe-client-auth/
 */
import { row, table } from '../requirement.ts'

const DRAFT = 'the working group’s text of 2026-02-27'
const STANDARDS = 'spiffe/spiffe, standards, 2026-07-01'
const p1 = { priority: 'P1' } as const
const configured = {
  gap: 'what is configured and fetched is not seen from outside: tests of the tenant folder and of fetching hold it',
} as const

export const SPIFFE_CLIENTS = table(
  'OAuth SPIFFE client authentication (draft)',
  { source: DRAFT, feature: 'spiffe' },
  {
    'SPCA-jwt-01': row('JWT-SVID', 'MUST', 'A JWT-SVID comes under an assertion type of its own'),
    'SPCA-jwt-02': row('JWT-SVID 1', 'MUST', 'It has sub, aud and exp; iss and jti are optional'),
    'SPCA-jwt-03': row('JWT-SVID 2', 'MUST', 'An expired one is refused'),
    'SPCA-jwt-04': row('JWT-SVID 3', 'MUST', 'Its only audience is the issuer identifier'),
    'SPCA-jwt-05': row('JWT-SVID 4', 'MUST', 'A key of its own trust domain’s bundle signed it'),
    'SPCA-jwt-06': row('JWT-SVID 5', 'MUST', 'Its SPIFFE ID is a registered client'),
    'SPCA-key-01': row('keys', 'MUST', 'Bundles of trust domains are kept apart'),
    'SPCA-key-02': row(
      'keys',
      'MUST',
      'Bundle endpoints are configured, never derived',
      configured,
    ),
    'SPCA-key-03': row('keys', 'SHOULD', 'Bundles are read again by their hint', {
      ...p1,
      ...configured,
    }),
    'SPCA-key-04': row('keys', 'SHOULD NOT', 'No key is found through iss'),
    'SPCA-reg-01': row('4.1', 'MUST', 'A `/*` stands for whole segments only', p1),
    'SPCA-wit-01': row('3.3', 'MUST', 'A WIT-SVID comes with a proof of possession', {
      priority: 'P2',
      source:
        'not at hand: no text of the draft that has WIT-SVIDs, second-hand from notes of implementers',
    }),
  },
)

export const SPIFFE_IDS = table(
  'SPIFFE ID',
  { source: STANDARDS, feature: 'spiffe' },
  {
    'SPID-2-01': row('2', 'MUST', 'Scheme spiffe, a trust domain, no query, no fragment'),
    'SPID-2.1-01': row('2.1', 'MUST', 'A trust domain is lower case, without port or userinfo'),
    'SPID-2.2-01': row('2.2', 'MUST NOT', 'A path has no empty, dot or encoded segments'),
    'SPID-2.3-01': row('2.3', 'MUST', 'IDs of 2048 bytes are supported', p1),
    'SPID-2.4-01': row('2.4', 'defined', 'Paths compare in their case'),
  },
)

export const SPIFFE_JWT_SVIDS = table(
  'SPIFFE JWT-SVID',
  { source: STANDARDS, feature: 'spiffe' },
  {
    'SPJWT-2-01': row('2', 'MUST NOT', 'Its header has alg, kid and typ alone', p1),
    'SPJWT-2.1-01': row('2.1, 4', 'MUST', 'It is signed by an RSA or ECDSA algorithm, no other'),
    'SPJWT-2.3-01': row('2.3', 'MUST', 'Its type is absent, JWT or JOSE'),
    'SPJWT-3.1-01': row('3.1', 'MUST', 'Its subject is a SPIFFE ID'),
    'SPJWT-3.2-01': row('3.2', 'MUST', 'It is for us'),
    'SPJWT-3.3-01': row('3.3, 4', 'MUST', 'It expires, and has not yet'),
    'SPJWT-5.1-01': row('1, 5.1', 'MUST NOT', 'It comes in compact form only'),
    'SPJWT-6.2-01': row('6.2', 'MUST', 'Keys of other uses verify none'),
  },
)

export const SPIFFE_BUNDLES = table(
  'SPIFFE trust domain, bundle and federation',
  { source: STANDARDS, feature: 'spiffe' },
  {
    'SPB-4-01': row(
      '4',
      'MUST',
      'What a bundle does not understand is skipped; no keys trust nobody',
    ),
    'SPF-4.2-01': row('federation 4.2', 'MUST NOT', 'Bundles of trust domains are never merged'),
    'SPF-5.2-01': row('federation 5.2.1', 'MUST', 'A bundle endpoint is https, without userinfo', {
      ...p1,
      ...configured,
    }),
  },
)
