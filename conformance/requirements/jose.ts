/** RFC 8725 with its revision, and the rules of RFC 7515, 7519 and 7800 under it: https://www.rfc-editor.org/rfc/rfc8725 */
import { row, table } from '../requirement.ts'

const RFC = 'RFC 8725, February 2020, RFC 7515 and 7519, May 2015, RFC 7800, April 2016'
const bis = {
  source: 'draft-ietf-oauth-rfc8725bis, the working group’s text of 2026-08-01',
} as const
const rs = { tested: 'RS', feature: 'resource_server' } as const
const both = { tested: 'AS/RS' } as const
const p1 = { priority: 'P1' } as const
const encrypted = { tested: 'RS', priority: 'P2', feature: 'encrypted_tokens' } as const

export const JOSE = table(
  'RFC 8725, rfc8725bis, RFC 7515, RFC 7519, RFC 7800',
  { source: RFC },
  {
    '8725-3.1-01': row('3.1', 'MUST', 'Only algorithms of the allow-list verify', rs),
    '8725-3.1-02': row('3.1', 'MUST', 'A key is used with its own algorithm', rs),
    '8725-3.2-01': row(
      '3.2',
      'MUST',
      'none is off in every spelling, and so are shared secrets',
      rs,
    ),
    '8725-3.3-01': row('3.3', 'MUST', 'Each layer of a nested token is checked', encrypted),
    '8725-3.4-01': row('3.4', 'MUST', 'Keys off the curve and weak RSA keys are no keys', both),
    '8725-3.5-01': row('3.5', 'MUST NOT', 'No password is the key of a MAC', p1),
    '8725-3.7-01': row('3.7', 'MUST', 'Claims are UTF-8 without a byte order mark', {
      ...rs,
      ...p1,
    }),
    '8725-3.8-01': row('3.8', 'MUST', 'A key speaks for its own issuer only', rs),
    '8725-3.8-02': row('3.8', 'MUST', 'A subject is a name, and belongs to its issuer', both),
    '8725-3.9-01': row('3.9', 'MUST', 'A token without an audience is refused', rs),
    '8725-3.10-01': row('3.10, bis 3.10', 'MUST', 'A key id is compared and nothing else', {
      ...both,
      ...bis,
    }),
    '8725-3.10-02': row(
      '3.10',
      'SHOULD',
      'No key is fetched or taken from where a token points',
      both,
    ),
    '8725bis-3.10-03': row(
      'bis 3.10',
      'MUST',
      'Key addresses that others supply never lead inside',
      {
        ...bis,
        gap: 'the interface takes no addresses; those of configuration are tested in test/fetch/public-address.test.ts',
      },
    ),
    '8725-3.11-01': row('3.11', 'SHOULD', 'Each kind of JWT has a type of its own', both),
    '8725bis-3.11-02': row('bis 3.11', 'MUST', 'A type without a slash is one of application', {
      ...rs,
      ...bis,
    }),
    '8725-3.12-01': row('3.12', 'MUST', 'No kind of JWT passes for another', both),
    '8725bis-3.13-01': row(
      'bis 3.13',
      'SHOULD',
      'Work to derive a key from a password has a limit',
      { ...encrypted, ...bis },
    ),
    '8725bis-3.14-01': row('bis 3.14', 'MUST', 'A JWT has the characters of one', {
      ...both,
      ...bis,
    }),
    '8725bis-3.15-01': row('bis 3.15', 'SHOULD', 'What is unpacked has a limit', {
      ...encrypted,
      ...bis,
    }),
    '7515-2-01': row('7515 2, 5.2', 'MUST', 'A token has one spelling', both),
    '7515-4-01': row(
      '7515 4',
      'MUST',
      'Members that come twice are refused, or the last one counts; ours are refused',
      { ...rs, ...p1 },
    ),
    '7515-4.1.11-01': row(
      '7515 4.1.11',
      'MUST',
      'Critical extensions nobody knows are refused',
      rs,
    ),
    '7519-4.1.4-01': row('7519 4.1.4, 2', 'MUST', 'Times are numbers a clock can reach', rs),
    '7519-7.2-01': row('7519 7.2', 'MUST', 'Header and claims are whole JSON objects', rs),
    '7800-3-01': row('7800 3.1', 'ours', 'A binding that cannot be checked is no bearer token', rs),
    '9864-01': row('9864', 'SHOULD', 'Ed25519 has its own name, and EdDSA is no other curve', {
      ...both,
      ...p1,
      source: 'not at hand (RFC 9864, October 2025): the working group’s text of 2025-05-11',
    }),
  },
)
