/** RFC 8705: https://www.rfc-editor.org/rfc/rfc8705 */
import { row, table } from '../requirement.ts'

const rs = { tested: 'RS' } as const

export const MTLS = table('RFC 8705', {
  '8705-3-02': row('3', 'MUST', 'A token bound to another certificate is invalid_token', rs),
  '8705-3-03': row('3', 'MUST', 'A bound token without a certificate is no bearer token', rs),
  '8705-6.2-01': row('6.2', 'defined', 'For binding a certificate needs no authority', {
    ...rs,
    priority: 'P1',
  }),
  '8705-6.5-01': row('6.5', 'MUST', 'A certificate in a header counts from a known proxy only', {
    tested: 'AS/RS',
  }),
})
