import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RevocationCheck } from '../../lib/src/revocation.ts'
import { statusLists } from '../../lib/src/status/status-lists.ts'
import { aProof } from '../support/chain-token.ts'
import { NEED, reasonOf, URL_CALLED } from '../support/verifier-fixture.ts'
import { aStatusFixture, LIST, poll, type StatusFixture } from './status-issuer.ts'

const LIST_PATH = `/t/acme/status/${LIST}`
const EVENTS_PATH = '/t/acme/events'
const [ROOT, FIRST, SECOND, THIRD] = [48_210, 48_211, 48_212, 48_213]

let f: StatusFixture
beforeEach(async () => {
  f = await aStatusFixture()
})
afterEach(() => f.close())

describe('a token whose list is read', () => {
  test('is accepted, and the report says what was looked at and how old it was', async () => {
    const verifier = f.verifier()
    const token = await f.token()
    const proof = await aProof(f.agentKey, { token, claims: { iat: f.issuer.now } })
    const report = await verifier.verify({ token, proof, method: 'GET', url: URL_CALLED }, NEED)
    expect(report.revocation).toBe('checked')
    expect(report.ages.status).toBeGreaterThanOrEqual(0)
    expect(report.ages.status).toBeLessThanOrEqual(10)
  })

  test.each([
    ['root', ROOT],
    ['oldest hop', FIRST],
    ['hop in the middle', SECOND],
    ['token itself', THIRD],
  ])('is refused when its %s was revoked, or suspended', async (_, index) => {
    const token = await f.token()
    f.issuer.write(1, index)
    expect(await f.outcome(f.verifier(), token)).toBe('token_revoked')
    f.issuer.write(2, index)
    expect(await f.outcome(f.verifier(), token)).toBe('token_suspended')
    f.issuer.write(0, index)
    expect(await f.outcome(f.verifier(), token)).toBe('accepted')
  })

  test('H04 lives when a sibling was revoked', async () => {
    f.issuer.write(1, THIRD + 1, FIRST - 2)
    expect(await f.outcome(f.verifier(), await f.token())).toBe('accepted')
  })

  test('is revoked rather than suspended', async () => {
    f.issuer.write(2, ROOT)
    f.issuer.write(1, THIRD)
    expect(await f.outcome(f.verifier(), await f.token())).toBe('token_revoked')
  })

  test('is not valid with a status nobody knows', async () => {
    f.issuer.write(3, FIRST)
    expect(await f.outcome(f.verifier(), await f.token())).toBe('token_revoked')
  })

  test('is looked up each time, remembered or not', async () => {
    const verifier = f.verifier()
    const token = await f.token()
    expect(await f.outcome(verifier, token)).toBe('accepted')
    await poll(() => f.issuer.listeners === 1)
    await f.issuer.set(1, ROOT)
    await f.until(verifier, token, 'token_revoked')
    expect(await f.outcome(verifier, await f.token())).toBe('token_revoked')
  })

  test('is judged before its proof, and after its own times', async () => {
    f.issuer.write(1, ROOT)
    const verifier = f.verifier()
    const bare = { method: 'GET', url: URL_CALLED }
    const token = await f.token()
    expect(await reasonOf(verifier.verify({ ...bare, token }, NEED))).toBe('token_revoked')
    const old = await f.token(f.claims({ now: f.issuer.now - 1000 }))
    expect(await reasonOf(verifier.verify({ ...bare, token: old }, NEED))).toBe('token_expired')
  })

  test('waits with many others for one fetch', async () => {
    const verifier = f.verifier()
    const tokens = await Promise.all(Array.from({ length: 20 }, () => f.token()))
    const outcomes = await Promise.all(tokens.map((token) => f.outcome(verifier, token)))
    expect(new Set(outcomes)).toEqual(new Set(['accepted']))
    expect(f.issuer.count(LIST_PATH)).toBe(1)
    expect(f.issuer.count(EVENTS_PATH)).toBe(1)
  })

  test('is answered at once where its list is at hand: nothing is waited for', async () => {
    const checks: RevocationCheck[] = []
    const verifier = f.verifier(
      {},
      {
        revocation: (deps) => {
          checks.push(statusLists()(deps))
          return checks[0] ?? expect.unreachable()
        },
      },
    )
    const reference = { uri: f.issuer.listUri, indexes: [ROOT, FIRST, SECOND, THIRD] }
    expect(checks[0]?.check(reference, [])).toBeInstanceOf(Promise)
    expect(await f.outcome(verifier, await f.token())).toBe('accepted')
    expect(checks[0]?.check(reference, [])).toBeTypeOf('number')
  })

  test.each([
    ['of another issuer', 'https://evil.example/t/acme/status/g1-7'],
    ['of another tenant', '{issuer}/../globex/status/g1-7'],
    ['beneath another path', '{issuer}/status/x/g1-7'],
    ['with a query', '{issuer}/status/g1-7?x'],
    ['with dots', '{issuer}/status/..'],
    ['without a name', '{issuer}/status/'],
    ['of a neighbour in name', '{issuer}2/status/g1-7'],
  ])('is not known to be good, and nothing is fetched, by a list %s', async (_, form) => {
    const uri = form.replace('{issuer}', f.issuer.issuer)
    const claims = { ...f.claims(), status: { status_list: { idx: THIRD, uri } } }
    const verifier = f.verifier({ feed: 'off' })
    expect(await f.outcome(verifier, await f.token(claims))).toBe('revocation_unknown')
    expect(f.issuer.requests).toEqual([])
  })

  test('beyond the end of its list is asked for once more, and is not known to be good', async () => {
    const verifier = f.verifier({ feed: 'off' })
    expect(await f.outcome(verifier, await f.token())).toBe('accepted')
    const claims = f.claims()
    const bounds = structuredClone(claims['act_bounds']) as { root: { idx: number } }
    for (const idx of [65_536, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
      bounds.root.idx = idx
      const token = await f.token({ ...claims, act_bounds: bounds })
      expect(await f.outcome(verifier, token)).toBe('revocation_unknown')
    }
    expect(f.issuer.count(LIST_PATH)).toBe(4)
  })
})

describe('freshness', () => {
  test('a list is fetched again when it is too old, without a feed', async () => {
    const verifier = f.verifier({ feed: 'off' })
    const token = await f.token()
    expect(await f.outcome(verifier, token)).toBe('accepted')
    expect(await f.outcome(verifier, token)).toBe('accepted')
    expect(f.issuer.count(LIST_PATH)).toBe(1)
    f.ahead = f.issuer.ahead = 11
    expect(await f.outcome(verifier, token)).toBe('accepted')
    expect(f.issuer.count(LIST_PATH)).toBe(2)
    expect(f.issuer.count(EVENTS_PATH)).toBe(0)
  })

  test('a list the feed says nothing of stays as fresh as the feed', async () => {
    const verifier = f.verifier()
    const token = await f.token()
    expect(await f.outcome(verifier, token)).toBe('accepted')
    await poll(() => f.issuer.listeners === 1)
    f.issuer.answers.set(LIST_PATH, (_, response) => response.writeHead(500).end())
    f.ahead = f.issuer.ahead = 30
    await f.issuer.tell()
    await f.until(verifier, token, 'accepted')
    f.ahead = f.issuer.ahead = 61
    await f.issuer.tell()
    // It has expired, whatever the feed says of it.
    await f.until(verifier, token, 'revocation_unknown')
  })

  test('a list in use is read again before it expires', async () => {
    const verifier = f.verifier()
    const token = await f.token()
    expect(await f.outcome(verifier, token)).toBe('accepted')
    await poll(() => f.issuer.listeners === 1)
    f.ahead = f.issuer.ahead = 45
    await f.issuer.tell()
    await f.until(verifier, token, 'accepted')
    await poll(() => f.issuer.count(LIST_PATH) === 2)
  })

  test('scopes that execute have a bound of their own', async () => {
    const verifier = f.verifier({
      executeScopes: ['ledger:propose'],
      executeFreshness: 3,
      feed: 'off',
    })
    const token = await f.token()
    expect(await f.outcome(verifier, token)).toBe('accepted')
    f.issuer.answers.set(LIST_PATH, (_, response) => response.writeHead(500).end())
    f.ahead = 5
    expect(await f.outcome(verifier, token)).toBe('revocation_unknown')
    expect(await f.outcome(verifier, token, { scope: 'ledger:read' })).toBe('accepted')
    expect(await f.outcome(verifier, token, { scope: 'ledger:read ledger:propose' })).toBe(
      'revocation_unknown',
    )
  })

  test('K07 an issuer whose clock is ahead makes no list young', async () => {
    f.issuer.ahead = 4
    const verifier = f.verifier({ feed: 'off' })
    const token = await f.token()
    expect(await f.outcome(verifier, token)).toBe('accepted')
    f.issuer.answers.set(LIST_PATH, (_, response) => response.writeHead(500).end())
    f.ahead = 11
    expect(await f.outcome(verifier, token)).toBe('revocation_unknown')
  })

  test('K07 our clock set back makes no list young', async () => {
    const verifier = f.verifier({ feed: 'off' })
    const token = await f.token()
    expect(await f.outcome(verifier, token)).toBe('accepted')
    f.issuer.answers.set(LIST_PATH, (_, response) => response.writeHead(500).end())
    f.ahead = 11
    f.stepped = -12
    expect(await f.outcome(verifier, token)).toBe('revocation_unknown')
  })

  test('K07 an issuer whose clock is far off is refused', async () => {
    const token = await f.token()
    f.issuer.ahead = 30
    expect(await f.outcome(f.verifier({ feed: 'off' }), token)).toBe('revocation_unknown')
    f.issuer.ahead = -30
    expect(await f.outcome(f.verifier({ feed: 'off' }), token)).toBe('revocation_unknown')
  })
})

describe('the feed', () => {
  test('brings a revocation, and a change of mind, without a token asking', async () => {
    const verifier = f.verifier({ freshness: 60 })
    const token = await f.token()
    expect(await f.outcome(verifier, token)).toBe('accepted')
    await poll(() => f.issuer.listeners === 1)
    await f.issuer.set(2, ROOT)
    await poll(() => f.issuer.count(LIST_PATH) === 2)
    await f.until(verifier, token, 'token_suspended')
    await f.issuer.set(0, ROOT)
    await f.until(verifier, token, 'accepted')
    expect(f.issuer.count(LIST_PATH)).toBe(3)
    expect(f.faults).toEqual([])
  })

  test('is listened to from the first token on, and until the verifier is closed', async () => {
    const verifier = f.verifier()
    const token = await f.token()
    expect(f.issuer.requests).toEqual([])
    expect(await f.outcome(verifier, token)).toBe('accepted')
    await poll(() => f.issuer.listeners === 1)
    verifier.close()
    await poll(() => f.issuer.listeners === 0)
    // What is held is used until it is too old, and nothing is fetched.
    expect(await f.outcome(verifier, token)).toBe('accepted')
    f.ahead = f.issuer.ahead = 11
    expect(await f.outcome(verifier, token)).toBe('revocation_unknown')
    expect(f.issuer.count(LIST_PATH)).toBe(1)
    expect(f.issuer.count(EVENTS_PATH)).toBe(1)
    expect(f.faults).toEqual([])
  })

  test('goes on where it ended', async () => {
    const verifier = f.verifier()
    const token = await f.token()
    expect(await f.outcome(verifier, token)).toBe('accepted')
    await poll(() => f.issuer.listeners === 1)
    await f.issuer.tell()
    f.issuer.cutStreams()
    // What happens meanwhile is in the first message after.
    f.issuer.write(1, ROOT)
    await f.until(verifier, token, 'token_revoked')
    const listening = f.issuer.requests.filter(({ path }) => path === EVENTS_PATH)
    expect(listening.map(({ lastEventId }) => lastEventId)).toEqual([undefined, '7'])
    expect(f.kindsOfFaults()).toEqual(['feed_lost'])
  })

  test('that changes all the time costs two fetches a second, and four at once', async () => {
    const verifier = f.verifier()
    const token = await f.token()
    expect(await f.outcome(verifier, token)).toBe('accepted')
    await poll(() => f.issuer.listeners === 1)
    const began = Date.now()
    while (Date.now() - began < 1_200) {
      await f.issuer.set(1, 9)
      expect(await f.outcome(verifier, token)).toBe('accepted')
    }
    expect(f.issuer.seq).toBeGreaterThan(20)
    const seconds = (Date.now() - began) / 1000
    expect(f.issuer.count(LIST_PATH)).toBeLessThanOrEqual(5 + 2 * seconds)
  })
})

test.each([
  ['a bound of nothing', { freshness: 0 }],
  ['a bound longer than a list lives', { freshness: 61 }],
  ['half a second', { freshness: 1.5 }],
  ['undefined', { freshness: undefined }],
  ['a longer bound for what executes', { freshness: 5, executeFreshness: 6 }],
  ['scopes as one text', { executeScopes: 'a b' }],
  ['scopes that are none', { executeScopes: ['a b'] }],
  ['feed true', { feed: true }],
  ['a misspelt option', { freshnes: 5 }],
])('misuse is a TypeError at once: %s', (_, options) => {
  expect(() => statusLists(options as object)).toThrow(TypeError)
})

test('the factory itself, uncalled, is no check', () => {
  expect(() => f.verifier({}, { revocation: statusLists as never })).toThrow(TypeError)
})
