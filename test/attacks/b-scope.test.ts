/** Threats B: scope only narrows; one exact matcher, and what is not a list of scope tokens is refused, never repaired. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ACCESS_TOKEN, type Parameters } from '../support/agent-client.ts'
import { payloadOf } from '../support/signing.ts'
import { type Stage, setStage, tokenOf } from './fixture.ts'
import { expectGranted, expectRefusal } from './refusal.ts'

let stage: Stage
let first: string
beforeAll(async () => {
  stage = await setStage()
  first = await stage.first()
})
afterAll(() => stage.close())

const names = (claims: { [member: string]: unknown }): string[] =>
  String(claims['scope']).split(' ')

test('B01 refuses a loop: the first agent gets nothing back through the second', async () => {
  const { server, planner, researcher } = stage
  const back = tokenOf(
    await researcher.exchange(first, { audience: 'planner-a2a', scope: 'files:read' }),
  )
  for (const scope of ['files:write', 'files:read', undefined]) {
    await expectRefusal(server, { reason: 'actor_already_in_chain' }, () =>
      planner.exchange(back, { scope, audience: 'files-api' }),
    )
  }
})

describe('B02 omitted scope', () => {
  test('B02 grants and states what parent, client and resource have in common', async () => {
    const { server, planner, researcher, coder } = stage
    const opened = await expectGranted(server, () => planner.open(server.idToken()))
    // Everything the root holds; the execute tier is never opened.
    expect(opened['scope']).toBe('files:read files:write mail:send')
    const whole = tokenOf(await planner.open(server.idToken(), { audience: 'researcher-a2a' }))
    const api = await expectGranted(server, () =>
      researcher.exchange(whole, { audience: 'mail-api' }),
    )
    expect(api['scope']).toBe('mail:send')
    const second = await researcher.exchange(whole, { audience: 'coder-a2a' })
    expect(second.body['scope']).toBe('files:read files:write')
    const third = await expectGranted(server, () => coder.exchange(tokenOf(second)))
    expect(third['scope']).toBe('files:read files:write')
  })

  test('B02 an empty scope is an omitted one, and nothing left is an error', async () => {
    const { server, researcher } = stage
    const empty = await expectGranted(server, () =>
      researcher.exchange(first, { audience: 'files-api', scope: '' }),
    )
    expect(names(empty)).toEqual(['files:read', 'files:write'])
    await expectRefusal(server, { reason: 'scope_nothing_left' }, () =>
      researcher.exchange(first, { audience: 'mail-api' }),
    )
  })
})

test('B03 refuses a scope the client has and the subject token has not', async () => {
  const { server, researcher } = stage
  for (const audience of ['mail-api', 'coder-a2a', 'researcher-a2a']) {
    await expectRefusal(server, { reason: 'scope_not_permitted' }, () =>
      researcher.exchange(first, { audience, scope: 'mail:send' }),
    )
  }
})

test('B04 refuses a scope only the actor token has', async () => {
  const { server, researcher } = stage
  const own = await stage.own(researcher)
  expect(names(payloadOf(own))).toContain('mail:send')
  await expectRefusal(server, { reason: 'scope_not_permitted' }, () =>
    researcher.exchange(first, {
      audience: 'mail-api',
      scope: 'mail:send',
      actor_token: own,
      actor_token_type: ACCESS_TOKEN,
    }),
  )
  const claims = await expectGranted(server, () =>
    researcher.exchange(first, { actor_token: own, actor_token_type: ACCESS_TOKEN }),
  )
  expect(names(claims)).toEqual(['files:read', 'files:write'])
})

test.each([
  '*',
  'files:*',
  'files',
  'files:',
  'files:rea',
  'files:read*',
  'files:read:all',
  'files:readwrite',
  'file',
  'filesystem:read',
  'files:read/',
  'read',
  '.*',
])('B05 refuses the wildcard, prefix or extension %s', async (scope) => {
  const { server, researcher } = stage
  for (const asked of [scope, `files:read ${scope}`]) {
    await expectRefusal(server, { reason: 'scope_not_permitted' }, () =>
      researcher.exchange(first, { audience: 'files-api', scope: asked }),
    )
  }
})

describe('B06 spelling tricks', () => {
  test.each([
    ['upper case', 'FILES:READ'],
    ['a comma list', 'files:read,files:write'],
    ['percent-encoding', '%66iles:read'],
    ['an unknown scope beside a known one', 'files:read unknown:scope'],
    ['a name of Object.prototype', 'constructor'],
    ['another name of Object.prototype', '__proto__'],
  ])('B06 refuses %s as not permitted', async (_, scope) => {
    const { server, researcher } = stage
    await expectRefusal(server, { reason: 'scope_not_permitted' }, () =>
      researcher.exchange(first, { audience: 'files-api', scope }),
    )
  })

  test.each([
    ['two spaces', 'files:read  files:write'],
    ['a tab', 'files:read\tfiles:write'],
    ['a newline', 'files:read\nfiles:write'],
    ['a carriage return', 'files:read\r'],
    ['a no-break space', 'files:read\u00a0files:write'],
    ['full-width letters', '\uff46iles:read'],
    ['a zero-width space', 'files:\u200bread'],
    ['a trailing space', 'files:read '],
    ['a leading space', ' files:read'],
    ['a space alone', ' '],
    ['duplicate tokens', 'files:read files:read'],
    ['a quote', 'files:read"'],
    ['a backslash', 'files:read\\'],
    ['NUL', 'files:read\0'],
    ['more than 31 names', Array.from({ length: 32 }, (_, at) => `s${at}`).join(' ')],
  ])('B06 refuses %s as malformed', async (_, scope) => {
    const { server, researcher } = stage
    await expectRefusal(server, { reason: 'scope_malformed' }, () =>
      researcher.exchange(first, { audience: 'files-api', scope }),
    )
  })

  test.each<[string, Parameters, string]>([
    ['a repeated scope', { scope: ['files:read', 'files:write'] }, 'parameters'],
    ['the same scope twice', { scope: ['files:read', 'files:read'] }, 'parameters'],
    ['scope and an empty scope', { scope: ['files:read', ''] }, 'parameters'],
    ['scope[]', { 'scope[]': 'files:read' }, 'bracketed_parameter'],
    ['scope[0]', { scope: 'files:read', 'scope[0]': 'files:write' }, 'bracketed_parameter'],
  ])('B06 refuses %s as a malformed request', async (_, form, guard) => {
    const { server, researcher } = stage
    await expectRefusal(server, { reason: 'request_malformed', guard }, () =>
      researcher.exchange(first, { audience: 'files-api', ...form }),
    )
  })

  test('B06 refuses an unknown scope for the own work of an agent too', async () => {
    const { server, coder } = stage
    for (const scope of ['unknown:scope', 'files:read openid', 'openid']) {
      await expectRefusal(server, { reason: 'scope_not_permitted' }, () =>
        coder.token({ grant_type: 'client_credentials', scope }),
      )
    }
  })
})

describe('B07 mixed grant', () => {
  test('B07 issues nothing where one of two scopes is not permitted', async () => {
    const { server, planner, researcher } = stage
    const mixed = { scope: 'files:read pay:transfer' }
    for (const audience of ['files-api', 'pay-api', 'researcher-a2a']) {
      await expectRefusal(server, { reason: 'scope_not_permitted' }, () =>
        planner.open(server.idToken(), { ...mixed, audience }),
      )
    }
    await expectRefusal(server, { reason: 'scope_not_permitted' }, () =>
      researcher.exchange(first, { ...mixed, audience: 'files-api' }),
    )
  })

  test('B07 asks for a human where nothing but the approval is missing', async () => {
    const { server, planner } = stage
    await expectRefusal(server, { reason: 'approval_required' }, () =>
      planner.open(server.idToken(), { audience: 'pay-api', scope: 'pay:transfer' }),
    )
  })
})
