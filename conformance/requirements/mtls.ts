/** RFC 8705: https://www.rfc-editor.org/rfc/rfc8705 */
import { row, table } from '../requirement.ts'

const rs = { tested: 'RS', feature: 'resource_server' } as const
const p1 = { priority: 'P1' } as const

export const MTLS = table(
  'RFC 8705',
  { source: 'RFC 8705, February 2020', feature: 'mtls' },
  {
    '8705-2-01': row('2', 'MUST', 'A certificate counts by its handshake, with a client_id'),
    '8705-2-02': row('2', 'MUST', 'The certificate is of that client'),
    '8705-2.1-01': row('2.1', 'defined', 'A path to the authority, and one expected name'),
    '8705-2.1.2-01': row('2.1.2', 'MUST', 'A client is registered with exactly one name', {
      priority: 'P1',
      gap: 'clients are files of the tenant, not registered over HTTP; `actchain check` holds it',
    }),
    '8705-2.1.2-02': row('2.1.2', 'defined', 'Addresses compare in binary form', {
      priority: 'P2',
    }),
    '8705-2.2-01': row('2.2', 'defined', 'A registered certificate, and no other of its key', {
      priority: 'P1',
    }),
    '8705-3-01': row('3, 3.1', 'SHOULD', 'The binding is the SHA-256 of the certificate’s DER'),
    '8705-3-02': row('3', 'MUST', 'A token bound to another certificate is invalid_token', rs),
    '8705-3-03': row('3', 'MUST', 'A bound token without a certificate is no bearer token', rs),
    '8705-3.2-01': row('3.2', 'defined', 'Introspection shows the binding'),
    '8705-3.3-01': row('3.3', 'MAY', 'Metadata says that tokens can be bound to certificates', p1),
    '8705-3.4-01': row('3.4', 'ours', 'Registered for bound tokens a client gets no other', p1),
    '8705-4-01': row('4, 7.1', 'SHOULD', 'Refresh tokens of public clients are bound too', {
      priority: 'P2',
      feature: 'refresh_tokens',
    }),
    '8705-5-01': row('5', 'MAY', 'Endpoints for mutual TLS are named where they are others', {
      ...p1,
      gap: 'not offered: the endpoints are the same with a certificate and without',
    }),
    '8705-6.2-01': row('6.2', 'defined', 'For binding a certificate needs no authority', {
      ...rs,
      priority: 'P1',
    }),
    '8705-6.5-01': row('6.5', 'MUST', 'A certificate in a header counts from a known proxy only', {
      tested: 'AS/RS',
    }),
  },
)
