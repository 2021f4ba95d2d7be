/**
 * X.509-SVIDs: draft-ietf-oauth-spiffe-client-auth, and https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md.
 */
import { row, table } from '../requirement.ts'

const p1 = { priority: 'P1' } as const

export const X509_CLIENTS = table(
  'OAuth SPIFFE client authentication (draft)',
  { source: 'the working group’s text of 2026-02-27', feature: 'spiffe' },
  {
    'SPCA-x509-01': row(
      'X509-SVID',
      'MUST',
      'client_id is sent and is the URI the certificate has',
    ),
    'SPCA-x509-02': row('X509-SVID', 'MUST', 'Only the bundle of the trust domain vouches'),
    'SPCA-x509-03': row('X509-SVID', 'MUST', 'One URI, no authority, for digital signatures'),
    'SPCA-x509-04': row('X509-SVID', 'MUST', 'The client checks the server by the web PKI', {
      tested: 'CL',
      priority: 'P2',
    }),
  },
)

export const X509_SVIDS = table(
  'SPIFFE X509-SVID',
  { source: 'spiffe/spiffe, standards, 2026-07-01', feature: 'spiffe' },
  {
    'SPX-2-01': row('2, 5.2', 'MUST', 'A certificate with more than one URI is refused'),
    'SPX-3.1-01': row('3.1, 5.2', 'MUST', 'The SPIFFE ID of a client has a path'),
    'SPX-3.2-01': row('3.2', 'MUST NOT', 'Signing certificates do not authenticate'),
    'SPX-4.3-01': row('4.3, 5.2', 'MUST', 'Key usage is critical, for signatures, not for signing'),
    'SPX-4.4-01': row(
      '4.4',
      'MUST',
      'Extended key usage, where it is, has both purposes of TLS',
      p1,
    ),
    'SPX-5.1-01': row('5.1', 'MUST', 'Paths are validated, by dates and authorities too'),
    'SPX-6.2-01': row('6.2', 'MUST', 'Of an x5c only the first value counts', p1),
  },
)
