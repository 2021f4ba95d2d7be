/** RFC 9449: https://www.rfc-editor.org/rfc/rfc9449 */
import { row, table } from '../requirement.ts'

const TEXT = 'not at hand (RFC 9449, September 2023): the editors’ last text, 2023-04-13'
const both = { tested: 'AS/RS' } as const
const rs = { tested: 'RS', feature: 'resource_server' } as const
const p1 = { priority: 'P1' } as const

const refresh = { feature: 'refresh_tokens' } as const

export const DPOP = table(
  'RFC 9449',
  { source: TEXT, feature: 'dpop' },
  {
    '9449-4.2-01': row('4.2, 11.5', 'MUST', 'A proof is typed as one', both),
    '9449-4.2-02': row('4.2, 11.6', 'MUST NOT', 'A proof is signed asymmetrically', both),
    '9449-4.2-03': row(
      '4.2, 4.3',
      'MUST NOT',
      'A proof carries its public key and no private one',
      both,
    ),
    '9449-4.2-04': row(
      '4.2, 4.3',
      'MUST',
      'All claims of a proof are there and of their types',
      both,
    ),
    '9449-4.2-05': row('4.2', 'MUST', 'A proof with a token is for that token', rs),
    '9449-4.3-01': row('4.3 (1)', 'MUST', 'One proof a request', both),
    '9449-4.3-02': row('4.3 (6)', 'MUST', 'The proof’s own key signed it', both),
    '9449-4.3-03': row('4.3 (8)', 'MUST', 'The proof is for this method, in its case', both),
    '9449-4.3-04': row(
      '4.3 (9)',
      'MUST',
      'The proof is for this URL; query and fragment do not count',
      both,
    ),
    '9449-4.3-05': row('4.3', 'SHOULD', 'URLs compare in normal form', { ...both, ...p1 }),
    '9449-4.3-06': row(
      '4.3 (11), 11.1',
      'MUST',
      'The proof was made now, within a stated window; ours is a minute',
      both,
    ),
    '9449-4.3-07': row(
      '4.3 (12), 6',
      'MUST',
      'The proof’s key is the one the token is bound to',
      rs,
    ),
    '9449-5-01': row('5', 'MUST', 'A bad proof at the token endpoint is invalid_dpop_proof'),
    '9449-5-02': row('5', 'MUST', 'A bound token is announced as DPoP, under every grant'),
    '9449-5-03': row('5', 'MUST', 'A refresh token of a public client is bound to its key', {
      ...p1,
      ...refresh,
    }),
    '9449-5-04': row('5', 'defined', 'One of a confidential client is not', {
      ...p1,
      ...refresh,
    }),
    '9449-5.1-01': row('5.1', 'defined', 'Metadata names the algorithms of proofs'),
    '9449-5.2-01': row('5.2', 'MUST', 'A client bound to DPoP gets nothing without a proof'),
    '9449-6-01': row(
      '6, 6.1',
      'MUST',
      'The binding is the thumbprint of the key’s required members',
    ),
    '9449-6.2-01': row('6.2', 'MUST', 'Introspection shows the binding'),
    '9449-7.1-01': row('7, 7.1', 'MUST', 'A bound token needs its scheme and a proof', rs),
    '9449-7.1-02': row('7.1', 'SHOULD', 'The challenge is of scheme DPoP with algorithms', {
      ...rs,
      ...p1,
    }),
    '9449-7.2-01': row('7.2', 'MUST', 'A bound token sent as a bearer token is refused', rs),
    '9449-7.2-02': row('7.2', 'SHOULD', 'An error is told under the scheme that was tried', {
      ...rs,
      priority: 'P2',
    }),
    '9449-8-01': row('8', 'MUST', 'A wanted nonce is asked for'),
    '9449-8-02': row('8', 'MUST', 'A nonce of another origin is refused'),
    '9449-8.2-01': row('8.2', 'MUST', 'The newest nonce is the one to use', {
      ...p1,
      tested: 'CL',
      gap: 'a duty of clients, and no client library is offered',
    }),
    '9449-11.1-01': row('11.1', 'ours', 'A proof works once, however many copies race', both),
    '9449-11.2-01': row('11.2', 'SHOULD NOT', 'Without nonces bound tokens are short', p1),
    '9449-9-01': row('9', 'defined', 'A resource server asks for nonces of its own', {
      ...rs,
      ...p1,
    }),
    '9449-10-01': row('10, 10.1', 'MUST', 'A code that was asked for with a key needs that key', {
      priority: 'P2',
      feature: 'authorization_code',
    }),
    '9449-11.3-01': row('11.3', 'MUST NOT', 'After a nonce there is no going back', both),
  },
)
