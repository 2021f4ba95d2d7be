/** RFC 9470: https://www.rfc-editor.org/rfc/rfc9470 */
import { row, table } from '../requirement.ts'

const TEXT = 'not at hand (RFC 9470, September 2023): the editors’ last text, 2024-02-02'
const rs = { tested: 'RS' } as const
const p1 = { priority: 'P1' } as const
const later = { priority: 'P2' } as const

export const STEP_UP = table(
  'RFC 9470',
  { source: TEXT, feature: 'step_up' },
  {
    '9470-3-01': row(
      '3',
      'defined',
      'A sign-in too weak or too old is told so, with what is wanted',
      {
        ...rs,
        ...p1,
      },
    ),
    '9470-3-02': row('3', 'defined', 'max_age is a whole number and not negative', {
      ...rs,
      ...later,
    }),
    '9470-5-01': row('5', 'SHOULD', 'A sign-in that cannot be had fails the request', later),
    '9470-6.1-01': row('6.1, 6.2', 'defined', 'Token and introspection tell how and when', p1),
    '9470-6.1-02': row('6.1, RFC 9068 2.2.1', 'defined', 'An exchange renews neither'),
    '9470-7-01': row('7', 'defined', 'Metadata says that it is offered', p1),
    '9470-9-01': row('9', 'SHOULD', 'Who has no good token is not told which level it takes', {
      ...rs,
      ...p1,
    }),
  },
)
