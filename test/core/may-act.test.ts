/** RFC 8693 §4.4: who a foreign token says may become the actor. */
import { describe, expect, test } from 'vitest'
import { checkMayAct } from '../../server/core/may-act.ts'

const CALLER = { sub: 'planner-at-idp', iss: 'https://idp.example', client_id: 'planner-at-idp' }
const refusal = (guard: string) => ({ kind: 'refusal', reason: 'may_act_mismatch', guard })

describe('may_act', () => {
  test.each<[string, unknown]>([
    ['absent', undefined],
    ['the caller’s sub', { sub: CALLER.sub }],
    ['the caller’s client_id', { client_id: CALLER.client_id }],
    ['the caller in every member', CALLER],
    ['the caller with its issuer', { sub: CALLER.sub, iss: CALLER.iss }],
    [
      'the caller, with members that mean nothing here',
      { sub: CALLER.sub, exp: 1, nbf: 9e9, aud: 'x' },
    ],
  ])('lets the caller pass: %s', (_, mayAct) => {
    expect(checkMayAct(mayAct, CALLER)).toBeUndefined()
  })

  test.each<[string, unknown]>([
    ['may_act_malformed', null],
    ['may_act_malformed', ''],
    ['may_act_malformed', CALLER.sub],
    ['may_act_malformed', true],
    ['may_act_malformed', 0],
    ['may_act_malformed', []],
    ['may_act_malformed', [CALLER]],
    ['may_act_names_nobody', {}],
    ['may_act_names_nobody', { iss: CALLER.iss }],
    ['may_act_names_nobody', { exp: 1 }],
    ['may_act_unknown_member', { ...CALLER, act: {} }],
    ['may_act_unknown_member', { ...CALLER, sub_profile: 'ai_agent' }],
    ['may_act_unknown_member', { ...CALLER, SUB: CALLER.sub }],
    ['may_act_unknown_member', JSON.parse('{"sub":"planner-at-idp","__proto__":{}}')],
    ['may_act_mismatch', { sub: 'researcher-at-idp' }],
    ['may_act_mismatch', { sub: 'planner' }],
    ['may_act_mismatch', { sub: 'PLANNER-AT-IDP' }],
    ['may_act_mismatch', { sub: '' }],
    ['may_act_mismatch', { sub: undefined }],
    ['may_act_mismatch', { sub: null }],
    ['may_act_mismatch', { sub: ['planner-at-idp'] }],
    ['may_act_mismatch', { client_id: 'researcher-at-idp' }],
    ['may_act_mismatch', { ...CALLER, client_id: 'researcher-at-idp' }],
    ['may_act_mismatch', { ...CALLER, sub: 'researcher-at-idp' }],
    ['may_act_mismatch', { ...CALLER, iss: 'https://other.example' }],
    ['may_act_mismatch', { ...CALLER, iss: `${CALLER.iss}/` }],
  ])('%s: %j', (guard, mayAct) => {
    expect(checkMayAct(mayAct, CALLER)).toEqual(refusal(guard))
  })
})
