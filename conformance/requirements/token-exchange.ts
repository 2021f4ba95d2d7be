/** RFC 8693: https://www.rfc-editor.org/rfc/rfc8693 */
import { row, table } from '../requirement.ts'

const rs = { tested: 'RS', feature: 'resource_server' } as const
const both = { tested: 'AS/RS', feature: 'resource_server' } as const
const p1 = { priority: 'P1' } as const

export const TOKEN_EXCHANGE = table(
  'RFC 8693',
  { source: 'RFC 8693, January 2020', feature: 'token_exchange' },
  {
    '8693-2.1-01': row(
      '2.1',
      'MUST',
      'An exchange is a POST under the exact grant type URN; nothing else is one',
    ),
    '8693-2.1-02': row(
      '2.1',
      'MUST',
      'Parameters count in a form-encoded body only, not as JSON and not in the query',
    ),
    '8693-2.1-03': row(
      '2.1',
      'MUST',
      'Without a subject token, or with an empty one, there is no exchange',
    ),
    '8693-2.1-04': row('2.1', 'MUST', 'The subject token comes with its type'),
    '8693-2.1-05': row(
      '2.1, 2.2.2',
      'MUST',
      'Token types that are not handled are a bad request, not another error',
    ),
    '8693-2.1-06': row('2.1', 'MUST', 'An actor token comes with its type'),
    '8693-2.1-07': row('2.1', 'MUST NOT', 'An actor token type does not come alone'),
    '8693-2.1-08': row(
      '2.1',
      'MUST',
      'A subject token is held to the rules of the type it is declared as',
    ),
    '8693-2.1-09': row(
      '2.1',
      'MUST',
      'An actor token is held to its own rules, however good the subject token is',
    ),
    '8693-2.1-10': row(
      '2.1, 3',
      'MUST',
      'A token of one type under the name of another is refused',
    ),
    '8693-2.1-11': row('2.1', 'MUST', 'A resource is an absolute URI; an empty one counts as none'),
    '8693-2.1-12': row('2.1', 'MUST NOT', 'A resource has no fragment, not even an empty one'),
    '8693-2.1-13': row('2.1', 'MAY', 'A resource may have a query, which is part of its name', p1),
    '8693-2.1-14': row(
      '2.1',
      'MAY',
      'Two resources are both served or refused as a target; none is dropped',
    ),
    '8693-2.1-15': row(
      '2.1',
      'MAY',
      'Two audiences are both served or refused as a target; none is dropped',
    ),
    '8693-2.1-16': row(
      '2.1',
      'MAY',
      'An audience and a resource are one wish: they agree, or it is refused',
      p1,
    ),
    '8693-2.1-17': row('2.1', 'MUST', 'The name of an audience means one target', {
      ...p1,
      gap: 'targets are configured, not registered over HTTP: tests of the tenant folder refuse two of one name or URI',
    }),
    '8693-2.1-18': row('2.1', 'MUST', 'Scope names differ by case'),
    '8693-2.1-19': row(
      '2.1',
      'MAY',
      'The server that chooses the type of the token says which it chose',
    ),
    '8693-2.1-20': row(
      '2.1',
      'MUST',
      'A requested type that is not issued is refused, never replaced',
    ),
    '8693-2.1-21': row('2.1', 'ours', 'Every client of the exchange authenticates'),
    '8693-2.1-22': row('2.1', 'defined', 'An exchange leaves its input tokens as they were'),
    '8693-2.1-23': row(
      '2.1',
      'defined',
      'A renewed input prolongs nothing that was issued before',
      p1,
    ),
    '8693-2.1.1-01': row(
      '2.1.1',
      'defined',
      'Scope at a target that does not have it is refused or cut and reported',
    ),
    '8693-2.1.1-02': row(
      '2.1.1',
      'MAY',
      'Too many targets at once are a bad target, never a fault',
      { priority: 'P2' },
    ),
    '8693-2.2.1-01': row('2.2.1', 'MUST', 'Success is 200 and JSON with the token as a string'),
    '8693-2.2.1-02': row('2.2.1', 'MUST', 'Every success names the type of what was issued'),
    '8693-2.2.1-03': row('2.2.1', 'MUST', 'Every success says how the token is used'),
    '8693-2.2.1-04': row(
      '2.2.1',
      'defined',
      'What is no access token is marked as such in token_type',
      { feature: 'identity_chaining' },
    ),
    '8693-2.2.1-05': row('2.2.1', 'SHOULD', 'The lifetime is told as a number, and it is true'),
    '8693-2.2.1-06': row('2.2.1', 'MUST', 'The granted scope is told, always'),
    '8693-2.2.1-07': row('2.2.1', 'MAY', 'An exchange gives no refresh token'),
    '8693-2.2.1-08': row(
      '2.2.1',
      'MUST',
      'Members of the answer are at its top and of their types',
      p1,
    ),
    '8693-2.2.2-01': row('2.2.2', 'MUST', 'A bad subject token is invalid_request'),
    '8693-2.2.2-02': row('2.2.2', 'MUST', 'A bad actor token is invalid_request'),
    '8693-2.2.2-03': row(
      '2.2.2',
      'MUST',
      'A good token that policy does not accept is invalid_request',
    ),
    '8693-2.2.2-04': row('2.2.2', 'SHOULD', 'An unknown or closed target is invalid_target'),
    '8693-2.2.2-05': row('2.2.2', 'MAY', 'What an error explains repeats no token', {
      priority: 'P2',
    }),
    '8693-2.2.2-06': row(
      '2.2.2',
      'MAY',
      'What is wrong elsewhere has the code of its own specification',
      p1,
    ),
    '8693-3-01': row(
      '3',
      'defined',
      'An access token, as a type, is one of this server; another issuer’s is a JWT',
    ),
    '8693-3-02': row('3', 'defined', 'Each type that is taken is taken for what it names', p1),
    '8693-3-03': row('3', 'MAY', 'Token types compare as exact strings', p1),
    '8693-4.1-01': row('4.1', 'defined', 'act is an object that names the actor'),
    '8693-4.1-02': row('4.1', 'defined', 'act holds identity and nothing about validity'),
    '8693-4.1-03': row('4.1', 'defined', 'The current actor is outermost, the oldest innermost'),
    '8693-4.1-04': row(
      '4.1',
      'MUST',
      'Access depends on the current actor; earlier ones are information',
      rs,
    ),
    '8693-4.1-05': row('4.1', 'defined', 'Nothing inside act bears on the validity of the token', {
      ...rs,
      ...p1,
      gap: 'a token of the delegation profile whose act has more than identity is refused',
    }),
    '8693-4.1-06': row('4.1', 'defined', 'Introspection shows the chain as the token does', {
      feature: 'introspection',
    }),
    '8693-4.1-07': row('4.1', 'defined', 'An actor is its issuer and its name together', both),
    '8693-4.1-08': row('4.1', 'defined', 'The token stays about its subject at every hop'),
    '8693-4.1-09': row('4.1', 'defined', 'An act that is no object spoils the token', rs),
    '8693-4.2-01': row('4.2', 'defined', 'scope is one string in a token', both),
    '8693-4.3-01': row('4.3', 'defined', 'client_id is the client that asked for this very token'),
    '8693-4.4-01': row(
      '4.4',
      'defined',
      'Where may_act is present it decides who may become the actor',
    ),
    '8693-4.4-02': row(
      '4.4',
      'defined',
      'may_act is compared with the acting party, by token or by client',
    ),
    '8693-4.4-03': row('4.4', 'defined', 'may_act of another issuer names somebody else'),
    '8693-4.4-04': row('4.4', 'defined', 'Times and audience inside may_act have no meaning', p1),
    '8693-4.4-05': row('4.4', 'defined', 'Introspection shows may_act as the token does', {
      ...p1,
      feature: 'introspection',
    }),
    '8693-5-01': row(
      '5',
      'defined',
      'A delegated token never lasts longer or allows more than the one it came from',
    ),
    '8693-6-01': row('6', 'MUST', 'Tokens travel over TLS alone', p1),
    '8693-6-02': row('6', 'MUST', 'What the client may not read is encrypted to whom it is for', {
      priority: 'P2',
      feature: 'encrypted_tokens',
    }),
    '8693-6-03': row('6', 'SHOULD', 'Personal data nobody needs is not in what is issued', p1),
    '8693-A-01': row(
      'A.1, A.2',
      'defined',
      'The claim sets that are printed are read as the text reads them',
      {
        ...rs,
        ...p1,
        gap: 'the printed claim sets have no act_bounds, without which the delegation profile takes no token',
      },
    ),
  },
)
