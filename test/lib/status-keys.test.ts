/** K04: a key that was taken back verifies nothing from the next message of the feed on; the key after it does. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RemoteKeys } from '../../lib/src/jwks.ts'
import { statusLists } from '../../lib/src/status/status-lists.ts'
import type { Verifier } from '../../lib/src/verifier.ts'
import { aKey, ISSUER, type TestKey } from '../support/chain-token.ts'
import { aStatusFixture, poll, type StatusFixture } from './status-issuer.ts'

const JWKS_PATH = '/t/acme/jwks'

let f: StatusFixture
let next: TestKey
beforeEach(async () => {
  f = await aStatusFixture()
  next = await aKey('ES256', 'k2')
})
afterEach(() => f.close())

/** Listens, and has accepted a token of the first key. */
async function listening(verifier: Verifier): Promise<string> {
  const token = await f.token()
  expect(await f.outcome(verifier, token)).toBe('accepted')
  await poll(() => f.issuer.listeners === 1)
  return token
}

describe('K04 a key that was taken back', () => {
  const remote = () => f.verifier({}, { jwksUri: `${f.issuer.issuer}/jwks` })

  test('verifies nothing any more, and the new one everything, at the next message', async () => {
    const verifier = remote()
    const token = await listening(verifier)
    f.issuer.keys = [next]
    f.issuer.signWith(next)
    await f.issuer.tell()
    await f.until(verifier, token, 'key_unknown')
    // Signed before the message, shown after it.
    expect(await f.outcome(verifier, await f.token())).toBe('key_unknown')
    expect(await f.outcome(verifier, await f.token(f.claims(), next))).toBe('accepted')
    expect(f.faults).toEqual([])
  })

  test('is not brought back by a key set from somebody’s cache', async () => {
    f.issuer.keys = [f.issuerKey, next]
    const verifier = remote()
    const token = await listening(verifier)
    f.issuer.kids = ['k2']
    f.issuer.signWith(next)
    await f.issuer.tell()
    await f.until(verifier, token, 'key_unknown')
    f.ahead = f.issuer.ahead = 40
    await f.issuer.tell()
    await f.until(verifier, await f.token(f.claims(), next), 'accepted')
    expect(await f.outcome(verifier, await f.token())).toBe('key_unknown')
    expect(f.issuer.count(JWKS_PATH)).toBeGreaterThan(1)
  })

  test('cannot speak for itself, nor publish lists', async () => {
    f.issuer.keys = [f.issuerKey, next]
    const verifier = remote()
    const token = await listening(verifier)
    f.issuer.kids = ['k2']
    f.issuer.signWith(next)
    await f.issuer.tell()
    await f.until(verifier, token, 'key_unknown')
    f.issuer.signWith(f.issuerKey)
    f.issuer.kids = ['k1', 'k2']
    await f.issuer.tell()
    await poll(() => f.kindsOfFaults().includes('feed_refused'))
    f.ahead = f.issuer.ahead = 11
    const good = await f.token(f.claims(), next)
    expect(await f.outcome(verifier, good)).toBe('revocation_unknown')
    expect(f.kindsOfFaults()).toContain('status_refused')
  })

  test('verifies nothing where keys are configured either', async () => {
    f.issuer.keys = [f.issuerKey, next]
    const jwks = { keys: [f.issuerKey.publicJwk, next.publicJwk] }
    const verifier = f.verifier({}, { jwks })
    const token = await listening(verifier)
    f.issuer.keys = [next]
    f.issuer.signWith(next)
    await f.issuer.tell()
    await f.until(verifier, token, 'key_unknown')
    expect(await f.outcome(verifier, await f.token(f.claims(), next))).toBe('accepted')
  })

  test('does not count as lied about where the keys cannot be read at all', async () => {
    const verifier = remote()
    await listening(verifier)
    f.issuer.answers.set(JWKS_PATH, (_, response) => response.writeHead(500).end())
    f.issuer.keys = [next]
    f.issuer.signWith(next)
    await f.issuer.tell()
    await poll(() => f.kindsOfFaults().includes('feed_lost'))
    expect(f.kindsOfFaults()).toEqual(['feed_lost', 'keys_unreadable'])
    f.issuer.answers.clear()
    await f.until(verifier, await f.token(f.claims(), next), 'accepted')
  })

  test('is told by the lists to who hears no feed; an older list brings it not back', async () => {
    f.issuer.keys = [f.issuerKey, next]
    const jwks = { keys: [f.issuerKey.publicJwk, next.publicJwk] }
    const verifier = f.verifier({ feed: 'off' }, { jwks })
    f.issuer.signWith(next)
    const stolen = await f.token()
    const good = await f.token(f.claims(), next)
    expect(await f.outcome(verifier, stolen)).toBe('accepted')
    const old = await f.issuer.list()
    f.issuer.kids = ['k2']
    f.ahead = f.issuer.ahead = 11
    expect(await f.outcome(verifier, good)).toBe('accepted')
    expect(await f.outcome(verifier, stolen)).toBe('key_unknown')
    f.issuer.answers.set(new URL(f.issuer.listUri).pathname, (_, response) => response.end(old))
    f.ahead = f.issuer.ahead = 22
    expect(await f.outcome(verifier, good)).toBe('revocation_unknown')
    expect(await f.outcome(verifier, stolen)).toBe('key_unknown')
  })

  test('verifies nothing for a verifier that hears of it while the token is checked', async () => {
    const jwks = { keys: [f.issuerKey.publicJwk, next.publicJwk] }
    const verifier = f.verifier({ feed: 'off' }, { jwks })
    const stolen = await f.token()
    f.issuer.signWith(next)
    f.issuer.kids = ['k2']
    expect(await f.outcome(verifier, stolen)).toBe('key_unknown')
    expect(await f.outcome(verifier, await f.token(f.claims(), next))).toBe('accepted')
  })

  test('is still one where the same set is read again while the token is checked', async () => {
    let isRead: boolean | undefined
    const verifier = f.verifier(
      {},
      {
        jwksUri: `${f.issuer.issuer}/jwks`,
        revocation: (deps) =>
          statusLists({ feed: 'off' })({
            ...deps,
            fetch: async (url, init) => {
              f.ahead = f.issuer.ahead = 2
              isRead = await deps.keys.refresh()
              return deps.fetch(url, init)
            },
          }),
      },
    )
    expect(await f.outcome(verifier, await f.token())).toBe('accepted')
    expect(isRead).toBe(true)
  })

  test('costs one fetch, however many messages speak of it', async () => {
    const verifier = remote()
    await listening(verifier)
    f.issuer.kids = ['k1', 'k-of-another-kind']
    for (let time = 0; time < 5; time++) {
      f.ahead = f.issuer.ahead = f.ahead + 2
      await f.issuer.tell()
      await f.until(verifier, await f.token(), 'accepted')
    }
    await poll(() => f.issuer.count(JWKS_PATH) === 2)
  })
})

describe('keys the issuer speaks of', () => {
  const jwk = (key: TestKey): object => key.publicJwk
  const aSource = (keys: () => readonly TestKey[]) => {
    const source = { now: 1_000_000, fetches: 0, keys: undefined as unknown as RemoteKeys }
    source.keys = new RemoteKeys({
      issuer: ISSUER,
      jwksUri: `${ISSUER}/jwks`,
      allowInsecureLoopback: false,
      now: () => source.now,
      onFault: () => undefined,
      fetch: async () => {
        source.fetches++
        return Response.json({ keys: keys().map(jwk) })
      },
    })
    return source
  }

  test('are read again at most once a second for it, and for tokens no sooner than before', async () => {
    const source = aSource(() => [f.issuerKey])
    await source.keys.find('k1', 'ES256')
    await Promise.all([source.keys.refresh(), source.keys.refresh()])
    expect(source.fetches).toBe(1)
    source.now += 1
    await Promise.all([source.keys.refresh(), source.keys.refresh()])
    expect(source.fetches).toBe(2)
    // K05: what a token names is worth a fetch every thirty seconds.
    source.now += 29
    expect(await source.keys.find('k9', 'ES256')).toBe('unknown')
    expect(source.fetches).toBe(2)
    source.now += 1
    expect(await source.keys.find('k9', 'ES256')).toBe('unknown')
    expect(source.fetches).toBe(3)
  })

  test('are the only ones, and the same objects, until it speaks of others', async () => {
    const source = aSource(() => [f.issuerKey, next])
    await source.keys.find('k1', 'ES256')
    const two = await source.keys.find('k2', 'ES256')
    source.keys.retain(['k2'])
    expect(await source.keys.find('k1', 'ES256')).toBe('unknown')
    expect(await source.keys.find('k2', 'ES256')).toBe(two)
    expect(await source.keys.find(undefined, 'ES256')).toBe(two)
    source.now += 1_000
    expect(await source.keys.find('k1', 'ES256')).toBe('unknown')
    expect(source.fetches).toBe(2)
    source.keys.retain(['k1'])
    await source.keys.refresh()
    expect(await source.keys.find('k1', 'ES256')).toBe('unknown')
    source.now += 1
    await source.keys.refresh()
    expect(await source.keys.find('k1', 'ES256')).toMatchObject({ algorithm: 'ES256' })
    expect(await source.keys.find('k2', 'ES256')).toBe('unknown')
  })
})
