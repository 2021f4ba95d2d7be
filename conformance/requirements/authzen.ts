/** OpenID AuthZEN Authorization API 1.0: https://openid.net/specs/authorization-api-1_0.html. A decision point, or ours asking one. */
import { row, table } from '../requirement.ts'

const pdp = { tested: 'PDP' } as const
const pep = { tested: 'PEP' } as const
const both = { tested: 'PEP/PDP' } as const
const p1 = { priority: 'P1' } as const
const later = { priority: 'P2' } as const

export const AUTHZEN = table(
  'AuthZEN Authorization API 1.0',
  { source: 'the OpenID repository, 2026-08-20', feature: 'authzen' },
  {
    'AZ-5-01': row(
      'Information model',
      'MUST',
      'A question has subject, action and resource',
      both,
    ),
    'AZ-5-02': row('Decision', 'MUST NOT', 'What was denied does not happen', pep),
    'AZ-5-03': row('Decision', 'ours', 'What is no decision is a denial', pep),
    'AZ-6-01': row('Access evaluation', 'MUST', 'A question is a POST, its answer a boolean', {
      ...pdp,
      ...p1,
    }),
    'AZ-6-02': row('JSON', 'MUST', 'A question without a part is 400', { ...pdp, ...p1 }),
    'AZ-6-03': row('JSON', 'MUST', 'Members nobody knows trouble neither side', both),
    'AZ-6-04': row('Transport', 'MUST', 'A body is a JSON object by its type, else 400', {
      ...pdp,
      ...p1,
    }),
    'AZ-6-05': row('Request identification', 'MUST', 'The id of a request comes back', {
      ...pdp,
      ...p1,
    }),
    'AZ-6-06': row('Errors', 'defined', '401 is about the asker; a denial is 200', {
      ...pdp,
      ...p1,
    }),
    'AZ-7-01': row('Access evaluations', 'MUST', 'Many questions have as many answers, in order', {
      ...pdp,
      ...p1,
    }),
    'AZ-7-02': row('Semantics', 'defined', 'Three ways to end early', { ...pdp, ...later }),
    'AZ-8-01': row('Search', 'MUST', 'Searches have pages, and may find nothing', {
      ...pdp,
      ...later,
    }),
    'AZ-9-01': row('Metadata', 'MUST', 'Metadata of another decision point is not used', {
      ...both,
      ...p1,
    }),
    'AZ-11-01': row('Security', 'MUST', 'The connection is secured, and the asker is known', both),
    'AZ-11-02': row('JSON payload', 'SHOULD', 'JSON that can be read in two ways is refused', {
      ...both,
      ...later,
    }),
  },
)
