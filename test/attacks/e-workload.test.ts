/**
 * Threats E of credentials that platforms hand out: stolen, sent twice, sent elsewhere, of another kind, of somebody who is gone.
 * What they share, whichever platform it is.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { operatorOf } from '../support/admin-client.ts'
import { type Answer, ASSERTION_TYPE } from '../support/agent-client.ts'
import { epoch, newKey, twinOf } from '../support/signing.ts'
import { tokenOf } from './fixture.ts'
import { setDisabled } from './live.ts'
import { ABSENT, githubToken, type Members, PROD, svid } from './platform.ts'
import { auditMark, auditSince, expectGranted, expectRefusal, expectRefused } from './refusal.ts'
import { postForm, startSecondNode } from './second-node.ts'
import {
  FAILED,
  JWT_SPIFFE,
  setWorkloadStage,
  WORK,
  type Workload,
  type WorkloadStage,
} from './workload-stage.ts'

let stage: WorkloadStage
beforeAll(async () => {
  stage = await setWorkloadStage()
})
afterAll(() => stage.close())

/** Everybody whose platform hands one credential out for many requests. */
const REUSED = ['planner', 'rogue', 'researcher', 'coder'] as const
const EVERYBODY = [...REUSED, 'runner'] as const

const replayed = { reason: FAILED, guard: 'assertion_replayed' } as const

test.each(EVERYBODY)('what the platform of %s gives it is enough, as it is', async (name) => {
  await expectGranted(stage.server, () => stage[name].work())
})

describe('E01 the one method of an agent', () => {
  test('E01 a credential of another method is not looked at, however good', async () => {
    const { server, planner, researcher, coder } = stage
    const unknown = { reason: FAILED, guard: 'client_unknown' } as const
    // A good token of a platform, for an agent that has another one or none.
    for (const client_id of ['planner', 'keyed', 'coder', 'files-api', 'nobody', '__proto__']) {
      await expectRefusal(server, unknown, () => researcher.work(undefined, { client_id }))
    }
    for (const client of [planner.client, researcher.client, coder.client]) {
      // An assertion by a key nobody registered for it.
      await expectRefusal(server, { reason: FAILED }, () => client.token(WORK))
    }
    await expectGranted(server, () => stage.keyed.token(WORK))
  })

  test('E01 a platform’s token needs a client_id', async () => {
    const { server, researcher } = stage
    const missing = { reason: FAILED, guard: 'client_id_missing' } as const
    for (const client_id of [undefined, '']) {
      await expectRefusal(server, missing, () => researcher.work(undefined, { client_id }))
    }
  })

  test('E01 two methods in one request fail, whatever each is worth', async () => {
    const { server, planner, researcher } = stage
    const two = { reason: FAILED, guard: 'two_methods' } as const
    for (const workload of [planner, researcher]) {
      await expectRefusal(server, two, () => workload.work(undefined, { client_secret: 'x' }))
      const headers = { authorization: 'Basic eDp5' }
      await expectRefusal(server, two, () => workload.work(undefined, {}, { headers }))
    }
  })
})

describe('E02 and E04 the others', () => {
  test.each(['coder', 'runner'] as const)('E02 the audience of %s is this server', async (name) => {
    const { server } = stage
    const issuer = server.issuer()
    const wrong = ['https://github.com/acme', `${issuer}/token`, [issuer, 'x'], [], undefined, null]
    for (const aud of wrong) {
      const text = stage[name].token({ aud })
      const expected = { reason: FAILED, guard: 'assertion_audience' } as const
      await expectRefusal(server, expected, () => stage[name].work(text))
    }
    await expectGranted(server, () => stage[name].work(stage[name].token({ aud: [issuer] })))
  })

  test.each<[string, () => Members]>([
    ['no exp', () => ({ exp: undefined })],
    ['an exp that has passed', () => ({ exp: epoch() - 10 })],
    ['an exp beyond the trust rule', () => ({ exp: epoch() + 3700 })],
    ['exp in the year 2300', () => ({ exp: 10_413_792_000 })],
    ['exp 1e300', () => ({ exp: 1e300 })],
    ['exp as a text', () => ({ exp: String(epoch() + 60) })],
    ['a negative exp', () => ({ exp: -1 })],
    ['iat in the future', () => ({ iat: epoch() + 60 })],
    ['nbf in the future', () => ({ nbf: epoch() + 60 })],
    ['nbf as a text', () => ({ nbf: '1' })],
  ])('E04 refuses a platform’s token with %s', async (_, claims) => {
    const { server, coder } = stage
    const guard = /^assertion_(?:expiry|expired|not_yet_valid)$/
    const text = coder.token(claims())
    await expectRefusal(server, { reason: FAILED, guard }, () => coder.work(text))
  })

  test('E05 and E06 another repository, branch or tag is somebody else', async () => {
    const { server, coder } = stage
    for (const claims of [
      { repository_id: '75' },
      { repository_id: 74 + 0.5 },
      { repository_id: undefined, repository: 'acme/agents' },
      { ref: 'refs/heads/mainx' },
      { ref: 'refs/pull/1/merge' },
      { ref: ['refs/heads/main'] },
      { ref_protected: 'false' },
      { ref_protected: undefined },
    ]) {
      const expected = { reason: FAILED, guard: 'workload_conditions' } as const
      await expectRefusal(server, expected, () => coder.work(coder.token(claims)))
    }
  })
})

describe('E03 a stolen credential', () => {
  test.each(REUSED)('E03 %s uses one again and again, with its one key', async (name) => {
    const { server } = stage
    const text = stage[name].token()
    for (let use = 0; use < 3; use += 1) await expectGranted(server, () => stage[name].work(text))
    await expectRefusal(server, replayed, () => stage[name].work(text, {}, { proofKey: newKey() }))
    await expectGranted(server, () => stage[name].work(text))
  })

  test.each(REUSED)('E03 of 50 keys that come at once with one of %s one wins', async (name) => {
    const { server } = stage
    const text = stage[name].token()
    const keys = Array.from({ length: 50 }, () => newKey())
    const before = auditMark(server)
    const answers = await Promise.all(
      keys.map((proofKey) => stage[name].work(text, {}, { proofKey })),
    )
    const winners = keys.filter((_, at) => answers[at]?.status === 200)
    expect(winners).toHaveLength(1)
    for (const answer of answers.filter(({ status }) => status !== 200)) {
      expectRefused(answer, FAILED)
    }
    const guards = auditSince(server, before).map(({ guard }) => guard)
    expect(guards.filter((guard) => guard === 'assertion_replayed')).toHaveLength(49)
    // And it is the winner's from then on.
    for (const proofKey of winners) {
      await expectGranted(server, () => stage[name].work(text, {}, { proofKey }))
    }
  })

  test('E03 across two nodes one key wins, on both', async () => {
    const { server, rogue, coder } = stage
    const node = await startSecondNode(server)
    const send = (workload: Workload, text: string, at: number, proofKey = newKey()) => {
      const { client } = workload
      if (at % 2 === 0) return workload.work(text, {}, { proofKey })
      const form = { client_assertion_type: ASSERTION_TYPE, ...WORK, ...workload.form(text) }
      const dpop = client.proof({ proofKey })
      return postForm(`${node.origin}/t/acme/token`, form, { dpop })
    }
    try {
      for (const workload of [rogue, coder]) {
        const text = workload.token()
        const keys = Array.from({ length: 20 }, () => newKey())
        const answers = await Promise.all(keys.map((key, at) => send(workload, text, at, key)))
        const winners = keys.filter((_, at) => answers[at]?.status === 200)
        expect(winners).toHaveLength(1)
        for (const at of [0, 1]) {
          expectRefused(await send(workload, text, at), FAILED)
          expect((await send(workload, text, at, winners[0])).status).toBe(200)
        }
      }
    } finally {
      await node.close()
    }
  })

  test('E03 where the rule says so each counts once, whatever key comes with it', async () => {
    const { server, runner } = stage
    const text = runner.token()
    await expectGranted(server, () => runner.work(text))
    await expectRefusal(server, replayed, () => runner.work(text))
    await expectRefusal(server, replayed, () => runner.work(text, {}, { proofKey: newKey() }))
    const raced = runner.token()
    const answers = await Promise.all(Array.from({ length: 20 }, () => runner.work(raced)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test('E03 without any key it is good once, and for no key afterwards', async () => {
    const { server, planner, researcher } = stage
    for (const workload of [planner, researcher]) {
      const form = workload.form()
      const ask = (more = {}): Promise<Answer> =>
        workload.client.post('introspect', { ...form, token: 'x' }, more)
      expect((await ask()).text).toBe('{"active":false}')
      await expectRefusal(server, replayed, () => ask())
      await expectRefusal(server, replayed, () => workload.client.token({ ...WORK, ...form }))
    }
  })

  test('E03 the twin of a signature is the same credential, another signature is not', async () => {
    const { server, planner, platform } = stage
    const claims = { aud: [server.issuer()], exp: epoch() + 60, iat: epoch() }
    const [one, two] = [svid(platform.authority, claims), svid(platform.authority, claims)]
    const proofKey = newKey()
    await expectGranted(server, () => planner.work(one))
    await expectRefusal(server, replayed, () => planner.work(twinOf(one), {}, { proofKey }))
    // A workload's instances are issued theirs in the same second.
    await expectGranted(server, () => planner.work(two, {}, { proofKey }))
  })

  test('E03 a credential for one tenant is none for another', async () => {
    const { server } = stage
    for (const name of EVERYBODY) {
      const form = { ...WORK, ...stage[name].form() }
      await expectRefusal(server, { reason: FAILED, guard: 'assertion_audience' }, () =>
        server.client(name, 'globex').token(form),
      )
    }
  })
})

describe('introspection and revocation', () => {
  test.each(REUSED)('%s asks and revokes with one credential and its key', async (name) => {
    const { server } = stage
    const workload = stage[name]
    const { client } = workload
    const text = workload.token()
    const form = workload.form(text)
    const at = (endpoint: string, proofKey = client.proofKey) => {
      const dpop = client.proof({ proofKey, proof: { htu: `${client.issuer}/${endpoint}` } })
      return { headers: { dpop } }
    }
    const held = tokenOf(await workload.work(text))
    const asked = await client.post('introspect', { ...form, token: held }, at('introspect'))
    expect(asked.body).toMatchObject({ active: true, client_id: name })
    const thief = newKey()
    for (const endpoint of ['introspect', 'revoke']) {
      await expectRefusal(server, replayed, () =>
        client.post(endpoint, { ...form, token: held }, at(endpoint, thief)),
      )
    }
    const revoked = await client.post('revoke', { ...form, token: held }, at('revoke'))
    expect(revoked.status).toBe(200)
    const again = await client.post('introspect', { ...form, token: held }, at('introspect'))
    expect(again.text).toBe('{"active":false}')
  })
})

describe('E09 and E10 who is gone', () => {
  test('E09 a disabled agent is refused everywhere, with the best credential', async () => {
    const { server, researcher, planner } = stage
    const gone = { reason: FAILED, guard: 'agent_inactive' } as const
    const operator = await operatorOf(server)
    const held = tokenOf(await researcher.work())
    for (const [workload, id] of [
      [researcher, 'researcher'],
      [planner, 'planner'],
    ] as const) {
      await setDisabled(operator, id, true)
      await expectRefusal(server, gone, () => workload.work())
      for (const endpoint of ['introspect', 'revoke']) {
        const form = { ...workload.form(), token: held }
        await expectRefusal(server, gone, () => workload.client.post(endpoint, form))
      }
      await setDisabled(operator, id, false)
      await expectGranted(server, () => workload.work())
    }
    const sub = `spiffe://${PROD}/agents/retired`
    await expectRefusal(server, gone, () => planner.work(planner.token({ sub })))
  })
})

describe('E11 probing for clients', () => {
  async function readsOf(sends: readonly (() => Promise<Answer>)[]): Promise<unknown[]> {
    const answers: unknown[] = []
    for (const send of sends) {
      const answer = await expectRefusal(stage.server, { reason: FAILED }, send)
      const headers = Object.fromEntries(answer.headers)
      delete headers['date']
      answers.push({ ...answer, headers, text: '', body: { ...answer.body, error_ref: '' } })
    }
    return answers
  }

  test('E11 unknown, forged, disabled and foreign read the same', async () => {
    const { planner, researcher, platform, server } = stage
    const aud = [server.issuer()]
    const ids = ['planner', 'nobody', 'retired'].map((id) => `spiffe://${PROD}/agents/${id}`)
    const forged = ids.map((sub) => svid(newKey('k1'), { aud, sub }))
    const [, nobody = '', retired = ''] = ids.map((sub) => planner.token({ sub }))
    const foreign = planner.token({ sub: 'spiffe://evil.example/agents/planner' })
    const svids = [...forged, nobody, retired, foreign]
    const theirs = githubToken(platform, server.issuer(), { repository_id: '1' })
    const [first, ...rest] = await readsOf([
      ...svids.map((text) => () => planner.work(text)),
      () => researcher.work(theirs, { client_id: 'coder' }),
      () => researcher.work(theirs, { client_id: 'nobody' }),
      () => researcher.work(undefined, { client_id: 'nobody' }),
      () => researcher.work(researcher.token({ sub: 'x' })),
    ])
    for (const answer of rest) expect(answer).toEqual(first)
  })
})

test('E11 an outage is the same for who is known and who is not, and no yes to either', async () => {
  const { planner, server } = stage
  const logged = server.logged.length
  for (const id of ['lost', 'nobody']) {
    const text = planner.token({ sub: `spiffe://${ABSENT}/agents/${id}` })
    const expected = { reason: 'unavailable', guard: 'fault' } as const
    await expectRefusal(server, expected, () => planner.work(text))
  }
  expect(server.logged.slice(logged)).toContainEqual(
    expect.objectContaining({ event: 'bundle_unavailable' }),
  )
})

describe('J03, J04, J08 and J09 in the place of a credential', () => {
  test.each([
    'at+jwt',
    'application/at+jwt',
    'client-authentication+jwt',
    'dpop+jwt',
    'secevent+jwt',
    'JOSE',
  ])('J09 a platform’s token is of no kind, not %s', async (typ) => {
    const { server, researcher } = stage
    const wrong = { reason: FAILED, guard: 'assertion_type_mismatch' } as const
    await expectRefusal(server, wrong, () => researcher.work(researcher.token({}, { typ })))
  })

  test('J09 nothing else that is signed is a credential', async () => {
    const { server, planner, researcher } = stage
    const held = tokenOf(await researcher.work())
    const others = [held, server.idToken(), planner.client.proof(), planner.client.assertion()]
    for (const text of others) {
      for (const workload of [planner, researcher]) {
        await expectRefusal(server, { reason: FAILED }, () => workload.work(text))
      }
    }
    await expectRefusal(server, { reason: FAILED }, () => planner.work(researcher.token()))
    await expectRefusal(server, { reason: FAILED }, () =>
      researcher.work(researcher.token(), { client_assertion_type: JWT_SPIFFE }),
    )
    // Nor is a credential a subject token.
    const subject = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: researcher.token(),
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    }
    await expectRefusal(server, { reason: 'subject_token_unacceptable' }, () =>
      researcher.work(undefined, subject),
    )
  })

  test.each<[string, Members]>([
    ['sub as a number', { sub: 7 }],
    ['an empty sub', { sub: '' }],
    ['sub as a list', { sub: ['x'] }],
    ['no sub', { sub: undefined }],
    ['a sub with a newline', { sub: 'a\nb' }],
    ['a sub with a right-to-left override', { sub: 'a\u202eb' }],
    ['a sub of two kilobytes', { sub: 'x'.repeat(2048) }],
    ['iss as a list', { iss: ['https://token.actions.githubusercontent.com'] }],
    ['iss with a slash more', { iss: 'https://token.actions.githubusercontent.com/' }],
    ['no iss', { iss: undefined }],
    ['aud as a number', { aud: 7 }],
  ])('J08 refuses a platform’s token with %s', async (_, claims) => {
    const { server, coder } = stage
    await expectRefusal(server, { reason: FAILED }, () => coder.work(coder.token(claims)))
  })
})

test('no credential of a platform is in an answer, an entry on record or a log line', () => {
  const { server, presented } = stage
  expect(presented.length).toBeGreaterThan(100)
  const told = JSON.stringify([server.audit(), server.logged])
  for (const text of presented) {
    const [, payload = '', signature = ''] = text.split('.')
    for (const part of [text, payload, signature]) {
      if (part.length >= 24) expect(told.includes(part), part.slice(0, 24)).toBe(false)
    }
  }
})
