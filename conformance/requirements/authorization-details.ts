/** RFC 9396, as far as narrowing goes: https://www.rfc-editor.org/rfc/rfc9396 */
import { row, table } from '../requirement.ts'

const TEXT = 'the RFC as it was prepared for publication, 2023-05-15'
const p1 = { priority: 'P1' } as const

export const AUTHORIZATION_DETAILS = table(
  'RFC 9396',
  { source: TEXT, feature: 'authorization_details' },
  {
    '9396-2-01': row('2', 'MUST', 'Details are a list of objects, each with a type', p1),
    '9396-5-01': row('5', 'MUST', 'What its type does not define is invalid_authorization_details'),
    '9396-6-01': row('6', 'MUST', 'Details beyond what was granted are refused'),
    '9396-6.1-01': row('6.1', 'SHOULD', 'Each type says what is less, not the equality of objects'),
    '9396-7-01': row('7', 'MUST', 'The answer has the details that were granted'),
    '9396-7-02': row('7', 'ours', 'Without a wish they are those of the parent, for this target'),
    '9396-9-01': row('9', 'MUST', 'The resource server gets them, in the token or by asking'),
    '9396-9.1-01': row('9.1', 'SHOULD', 'A token has those of its audience alone'),
    '9396-9.2-01': row('9.2', 'MUST', 'Introspection shows them at the top, in the same form', p1),
    '9396-10-01': row('10', 'SHOULD', 'Metadata names the types', p1),
    '9396-12-01': row('12', 'MUST', 'Hostile details do no harm, and text is compared exactly', p1),
  },
)
