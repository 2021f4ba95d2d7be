/** Token Status List: https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list-20, and the feed of the profile. */
import { row, table } from '../requirement.ts'

const p1 = { priority: 'P1' } as const

export const STATUS_LISTS = table(
  'Token Status List',
  {
    source: 'draft-ietf-oauth-status-list-20, the working group’s text of 2026-04-20',
    feature: 'status_lists',
  },
  {
    'TSL-4.1-01': row(
      '4.1, 4.2',
      'MUST',
      'Statuses are packed from the lowest bit, in ZLIB and base64url',
    ),
    'TSL-5.1-01': row(
      '5.1',
      'MUST',
      'A list is a JWT of its own type with its URI as subject and its times',
    ),
    'TSL-5.1-02': row('5.1, 8.3', 'MUST', 'A list is signed by a key of the issuer'),
    'TSL-6.2-01': row(
      '6.1, 6.2',
      'MUST',
      'A token names a list of its issuer, and an index inside it',
    ),
    'TSL-6.2-02': row('13.3', 'MUST', 'No two tokens of a list have one index'),
    'TSL-7.1-01': row('7.1', 'MUST', 'Valid is 0, invalid is 1'),
    'TSL-8.1-01': row(
      '8.1',
      'MUST',
      'Whoever asks gets the list, by GET of the URI in the token',
      p1,
    ),
    'TSL-8.1-02': row('8.1', 'SHOULD', 'Pages of any origin may read it', p1),
    'TSL-8.2-01': row('8.2', 'MUST', 'A list comes as application/statuslist+jwt'),
    'TSL-8.2-02': row(
      '8.2, 13.7',
      'SHOULD',
      'Caches are told how long, and no longer than its ttl',
      p1,
    ),
    'TSL-8.2-03': row('8.2', 'ours', 'A list that is not there is 404', p1),
    'TSL-8.3-01': row('8.3', 'MUST', 'A resource server refuses what a list calls invalid', {
      tested: 'RS',
    }),
    'TSL-8.4-01': row('8.4', 'SHOULD', 'A time in the past is not answered with the present', p1),
    'TSL-9.1-01': row('9.1, 9.3', 'defined', 'The metadata leads to all lists there are', p1),
  },
)
