/** Threats C: one target, spelled as the registry spells it; a token of one API is nothing anywhere else. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Answer, Parameters } from '../support/agent-client.ts'
import { payloadOf } from '../support/signing.ts'
import { type Stage, setStage, tokenOf } from './fixture.ts'
import { expectGranted, expectRefusal } from './refusal.ts'

let stage: Stage
let first: string
let filesToken: string
beforeAll(async () => {
  stage = await setStage()
  first = await stage.first()
  filesToken = tokenOf(await stage.researcher.exchange(first, { audience: 'files-api' }))
})
afterAll(() => stage.close())

describe('C01 broadening', () => {
  test('C01 refuses an API without an edge, named by URI or by id', async () => {
    const { server, researcher } = stage
    const closed = { reason: 'target_not_permitted', guard: 'target_beyond_reach' } as const
    for (const form of [{ resource: 'https://pay.api' }, { audience: 'pay-api' }]) {
      await expectRefusal(server, closed, () => researcher.exchange(first, form))
    }
  })

  test('C01 an unknown target answers as a forbidden one', async () => {
    const { server, researcher } = stage
    const send = (form: Parameters) => () => researcher.exchange(first, form)
    const reason = 'target_not_permitted'
    const known = await expectRefusal(server, { reason }, send({ audience: 'pay-api' }))
    const unknown = await expectRefusal(server, { reason }, send({ audience: 'no-such-api' }))
    expect(withoutRef(unknown)).toEqual(withoutRef(known))
  })
})

describe('C02 two at once', () => {
  test.each<[string, Parameters]>([
    ['two resources', { resource: ['https://files.api', 'https://mail.api'] }],
    ['two audiences', { audience: ['files-api', 'mail-api'] }],
    ['one resource twice', { resource: ['https://files.api', 'https://files.api'] }],
    ['audience and another resource', { audience: 'files-api', resource: 'https://mail.api' }],
    ['resource and an unknown audience', { audience: 'nothing', resource: 'https://files.api' }],
    ['audience and an unknown resource', { audience: 'files-api', resource: 'https://no.api' }],
  ])('C02 refuses %s', async (_, form) => {
    const { server, researcher } = stage
    await expectRefusal(server, { reason: 'target_ambiguous' }, () =>
      researcher.exchange(first, form),
    )
  })

  test('C02 refuses a list of targets longer than any honest one', async () => {
    const { server, researcher } = stage
    const resource = Array.from({ length: 40 }, (_, at) => `https://r${at}.api`)
    const expected = { reason: 'target_ambiguous', guard: 'too_many_targets' } as const
    await expectRefusal(server, expected, () => researcher.exchange(first, { resource }))
  })

  test('C02 takes audience and resource that agree: the token has one audience', async () => {
    const { server, researcher } = stage
    const claims = await expectGranted(server, () =>
      researcher.exchange(first, { audience: 'files-api', resource: 'https://files.api' }),
    )
    expect(claims['aud']).toBe('https://files.api')
  })
})

test.each([
  ['a trailing slash', 'https://files.api/'],
  ['the default port', 'https://files.api:443'],
  ['an upper-case host', 'https://FILES.api'],
  ['an upper-case scheme', 'HTTPS://files.api'],
  ['plain http', 'http://files.api'],
  ['dot segments', 'https://files.api/../'],
  ['userinfo', 'https://files.api@pay.api'],
  ['userinfo before', 'https://pay.api@files.api'],
  ['a query', 'https://files.api?x'],
  ['an empty query', 'https://files.api?'],
  ['an escaped slash', 'https://files.api%2f'],
  ['an escaped letter', 'https://%66iles.api'],
  ['a trailing dot', 'https://files.api.'],
  ['an IDN twin', 'https://fil\u0435s.api'],
  ['its punycode', 'https://xn--fils-0ve.api'],
  ['full-width letters', 'https://\uff46iles.api'],
  ['a zero-width joiner', 'https://files\u200d.api'],
  ['the id as a URI', 'urn:files-api'],
])('C03 refuses a look-alike resource with %s', async (_, resource) => {
  const { server, researcher } = stage
  const unknown = { reason: 'target_not_permitted', guard: 'target_unknown' } as const
  await expectRefusal(server, unknown, () => researcher.exchange(first, { resource }))
})

test.each([
  ['a fragment', 'https://files.api#x'],
  ['an empty fragment', 'https://files.api#'],
  ['no scheme', 'files.api'],
  ['a leading space', ' https://files.api'],
  ['a trailing newline', 'https://files.api\n'],
  ['NUL and a space', 'https://files.api\0 x'],
  ['the id', 'files-api'],
  ['two kilobytes', `https://files.api/${'x'.repeat(2048)}`],
])('C03 refuses a resource with %s as malformed', async (_, resource) => {
  const { server, researcher } = stage
  await expectRefusal(server, { reason: 'target_malformed' }, () =>
    researcher.exchange(first, { resource }),
  )
})

test.each([
  'FILES-API',
  'files-api ',
  'files-api/',
  'https://files.api',
  '../files-api',
  '__proto__',
  'toString',
])('C03 refuses the look-alike audience %s', async (audience) => {
  const { server, researcher } = stage
  const unknown = { reason: 'target_not_permitted', guard: 'target_unknown' } as const
  await expectRefusal(server, unknown, () => researcher.exchange(first, { audience }))
})

describe('C04 cross-resource replay', () => {
  test('C04 an API token is nobody\u2019s subject token, not even its holder\u2019s', async () => {
    const { server, planner, researcher, coder } = stage
    const ended = {
      reason: 'subject_token_unacceptable',
      guard: 'subject_audience_is_no_agent',
    } as const
    for (const client of [researcher, planner, coder]) {
      for (const audience of ['files-api', 'mail-api', 'coder-a2a']) {
        await expectRefusal(server, ended, () => client.exchange(filesToken, { audience }))
      }
    }
  })

  test('C04 a resource server is given no access token, whatever token it has seen', async () => {
    const { server } = stage
    const filesApi = server.client('files-api')
    const denied = { reason: 'grant_not_permitted' } as const
    await expectRefusal(server, denied, () => filesApi.exchange(filesToken))
    for (const target of [{}, { audience: 'mail-api' }, { resource: 'https://files.api' }]) {
      await expectRefusal(server, denied, () =>
        filesApi.token({ grant_type: 'client_credentials', ...target }),
      )
    }
  })

  test('C04 a token signed for two audiences is refused as a subject token', async () => {
    const { server, researcher } = stage
    const aud = ['https://researcher.agents/a2a', 'https://files.api']
    const token = await stage.signAsTenant(stage.tokenHeader(), { ...payloadOf(first), aud })
    const expected = {
      reason: 'subject_token_unacceptable',
      guard: 'token_audience_mismatch',
    } as const
    await expectRefusal(server, expected, () => researcher.exchange(token))
  })
})

describe('C06 introspection by a stranger', () => {
  const FORMS = ['application/json', 'application/token-introspection+jwt', '*/*']

  test.each(FORMS)(
    'C06 tells a stranger that it is inactive and nothing else, as %s',
    async (accept) => {
      const { server, rogue, planner } = stage
      const strangers = [
        server.client('mail-api'),
        rogue,
        // Of the chain, and yet neither holder nor audience.
        planner,
      ]
      for (const client of strangers) {
        const answer = await client.post(
          'introspect',
          { token: filesToken },
          { headers: { accept } },
        )
        expectInactive(answer)
      }
    },
  )

  test.each(FORMS)('C06 tells its audience and its holder, as %s', async (accept) => {
    const { server, researcher } = stage
    for (const client of [server.client('files-api'), researcher]) {
      const answer = await client.post('introspect', { token: filesToken }, { headers: { accept } })
      expect(answer.body).toEqual({
        active: true,
        token_type: 'DPoP',
        ...payloadOf(filesToken),
      })
    }
  })

  test('C06 an audience of the same name in another tenant is a stranger', async () => {
    const { server } = stage
    expectInactive(await server.client('files-api', 'globex').introspect(filesToken))
  })

  test('C06 what is revoked, unknown, of another shape or no token is inactive as well', async () => {
    const { server, researcher, planner } = stage
    const filesApi = server.client('files-api')
    const revoked = tokenOf(await researcher.exchange(first, { audience: 'files-api' }))
    expect((await researcher.revoke(revoked)).status).toBe(200)
    const never = payloadOf(filesToken)
    never['jti'] = 'never-issued'
    never['act_bounds']['hops'][0]['jti'] = 'never-issued'
    const unrecorded = await stage.signAsTenant(stage.tokenHeader(), never)
    for (const token of [revoked, unrecorded, server.idToken(), 'x', '..', planner.proof()]) {
      expectInactive(await filesApi.introspect(token))
      expectInactive(await filesApi.introspect(token, { token_type_hint: 'refresh_token' }))
    }
  })
})

function expectInactive(answer: Answer): void {
  expect(answer.status).toBe(200)
  expect(answer.text).toBe('{"active":false}')
  expect(answer.headers.get('cache-control')).toBe('no-store')
}

function withoutRef({ status, body }: Answer): unknown {
  return { status, body: { ...body, error_ref: '' } }
}
