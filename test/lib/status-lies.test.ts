/** What a verifier is told that is not so: refused, what it knew is kept, and its operator hears of it. */
import { type ServerResponse } from 'node:http'
import { deflateSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aKey, type Claims } from '../support/chain-token.ts'
import { aStatusFixture, LIST, poll, type StatusFixture } from './status-issuer.ts'

const LIST_PATH = `/t/acme/status/${LIST}`
const EVENTS_PATH = '/t/acme/events'
const [ROOT, THIRD] = [48_210, 48_213]

let f: StatusFixture
beforeEach(async () => {
  f = await aStatusFixture()
})
afterEach(() => f.close())

type Lie = (response: ServerResponse) => void | Promise<void>

const lists = (claims: Claims, header: Claims = {}): Lie => {
  return async (response) => void response.end(await f.issuer.list(claims, header))
}
const content = (lst: unknown, bits: unknown = 2): Lie => lists({ status_list: { bits, lst } })
const packed = (bytes: number): string => deflateSync(new Uint8Array(bytes)).toString('base64url')
const status = (code: number, headers: Record<string, string> = {}): Lie => {
  return (response) => void response.writeHead(code, headers).end()
}

/** Each is what the address of the list answers; `refused` where a list came, `unreadable` where none did. */
const LIES: readonly (readonly [name: string, kind: 'refused' | 'unreadable', lie: Lie])[] = [
  ['an old sequence', 'refused', (response) => lists({ seq: f.issuer.seq - 1 })(response)],
  [
    'the same sequence from before',
    'refused',
    (response) => lists({ iat: f.issuer.now - 20 })(response),
  ],
  [
    'new content from before',
    'refused',
    (response) => lists({ seq: f.issuer.seq + 1, iat: f.issuer.now - 30 })(response),
  ],
  ['no sequence', 'refused', lists({ seq: undefined })],
  ['no store', 'refused', lists({ gen: undefined })],
  ['another tenant’s list', 'refused', (response) => lists(globex())(response)],
  ['another tenant’s issuer', 'refused', (response) => lists({ iss: globex().iss })(response)],
  ['a list for another place', 'refused', (response) => lists({ sub: globex().sub })(response)],
  ['a list for no place', 'refused', lists({ sub: undefined })],
  [
    'a key nobody knows',
    'refused',
    async (response) =>
      void response.end(await f.issuer.list({}, {}, await aKey('ES256', 'other'))),
  ],
  [
    'another key under the same name',
    'refused',
    async (response) => void response.end(await f.issuer.list({}, {}, await aKey('ES256', 'k1'))),
  ],
  ['no key’s name', 'refused', lists({}, { kid: undefined })],
  ['no algorithm', 'refused', lists({}, { alg: 'none' })],
  ['an access token’s type', 'refused', lists({}, { typ: 'at+jwt' })],
  ['no type', 'refused', lists({}, { typ: undefined })],
  [
    'half of it',
    'refused',
    async (response) => void response.end((await f.issuer.list()).slice(0, -20)),
  ],
  [
    'less than it says it is',
    'unreadable',
    async (response) => {
      response.writeHead(200, { 'content-length': '5000' })
      response.write((await f.issuer.list()).slice(0, 400))
      setImmediate(() => response.destroy())
    },
  ],
  ['a web page', 'refused', (response) => void response.end('<html>Sign in</html>')],
  ['nothing', 'refused', (response) => void response.end()],
  ['unchanged, of what was never sent', 'unreadable', status(304)],
  ['a redirect', 'unreadable', (r) => status(302, { location: `${f.issuer.listUri}2` })(r)],
  ['not found', 'unreadable', status(404)],
  ['an error', 'unreadable', status(500)],
  ['a great deal', 'unreadable', (response) => void response.end(Buffer.alloc(2_097_152, 'a'))],
  ['a bomb', 'refused', (response) => content(packed(33_554_432))(response)],
  ['three bits', 'refused', (response) => content(packed(16_384), 3)(response)],
  ['no bits', 'refused', (response) => content(packed(16_384), null)(response)],
  ['content that is no text', 'refused', content(7)],
  ['content that is not base64url', 'refused', content('a b')],
  ['content that is not packed', 'refused', content('AAAAAAAA')],
  [
    'content that ends early',
    'refused',
    content(deflateSync(new Uint8Array(16_384).fill(7)).subarray(0, -6).toString('base64url')),
  ],
  ['no content', 'refused', lists({ status_list: undefined })],
  ['the future', 'refused', (r) => lists({ iat: f.issuer.now + 7, exp: f.issuer.now + 67 })(r)],
  ['the past', 'refused', (r) => lists({ iat: f.issuer.now - 61, exp: f.issuer.now - 1 })(r)],
  ['no end', 'refused', lists({ exp: undefined })],
  ['no time', 'refused', lists({ iat: undefined })],
  [
    'a silence',
    'unreadable',
    async (response) => void response.write((await f.issuer.list()).slice(0, 400)),
  ],
]

/** Of a tenant beside this one, at the same server and with the same keys. */
function globex(): { readonly iss: string; readonly sub: string } {
  const iss = f.issuer.issuer.replace('acme', 'globex')
  return { iss, sub: `${iss}/status/${LIST}` }
}

describe('H06 the address of a list answers with', () => {
  test.each(LIES)('%s', async (_, kind, lie) => {
    const [good, gone] = await Promise.all([f.token(), f.token(f.claims({ depth: 4 }))])
    // The fourth hop is the second token's alone.
    f.issuer.write(1, THIRD + 1)
    const verifier = f.verifier({ feed: 'off' })
    expect(await f.outcome(verifier, good)).toBe('accepted')
    expect(await f.outcome(verifier, gone)).toBe('token_revoked')
    f.issuer.answers.set(LIST_PATH, (__, response) => void lie(response))
    f.ahead = f.issuer.ahead = 11
    expect(await f.outcome(verifier, good)).toBe('revocation_unknown')
    // What was known stays known.
    expect(await f.outcome(verifier, gone)).toBe('token_revoked')
    expect(f.kindsOfFaults()).toEqual([`status_${kind}`])
    expect(f.faults[0]?.detail).toContain(f.issuer.listUri)
    expect(f.issuer.requests.every(({ path }) => path === LIST_PATH)).toBe(true)
    // And the truth is believed again.
    f.issuer.answers.clear()
    f.ahead = f.issuer.ahead = 13
    await f.until(verifier, good, 'accepted')
  })

  const COLD = LIES.filter(([name]) => !/sequence from before|old sequence|content from/.test(name))
  test.each(COLD)('%s, to a verifier that knows nothing yet', async (_, kind, lie) => {
    f.issuer.answers.set(LIST_PATH, (__, response) => void lie(response))
    const verifier = f.verifier({ feed: 'off' })
    expect(await f.outcome(verifier, await f.token())).toBe('revocation_unknown')
    expect(f.kindsOfFaults()).toEqual([`status_${kind}`])
  })

  test('a list that is a second older, with newer content, of another process', async () => {
    const verifier = f.verifier({ feed: 'off' })
    const token = await f.token()
    expect(await f.outcome(verifier, token)).toBe('accepted')
    f.ahead = 11
    f.issuer.ahead = 8
    f.issuer.write(1, ROOT)
    expect(await f.outcome(verifier, token)).toBe('token_revoked')
  })
})

const message = (claims: Claims, header: Claims = {}) => {
  return async () => `event: status\ndata: ${await f.issuer.message(claims, header)}\n\n`
}

const FEED_LIES: readonly (readonly [name: string, lie: () => Promise<string>])[] = [
  ['an old sequence', () => message({ seq: f.issuer.seq - 1, since: 0 })()],
  ['numbers of nobody', () => message({ gen: undefined })()],
  ['numbers of another store, from where this one was', () => message({ gen: 'b2' })()],
  ['a gap', () => message({ seq: f.issuer.seq + 5, since: f.issuer.seq + 1 })()],
  ['more before than after', () => message({ since: f.issuer.seq + 1 })()],
  ['an earlier time', () => message({ iat: f.issuer.now - 60 })()],
  ['a later time', () => message({ iat: f.issuer.now + 60 })()],
  ['no time', message({ iat: 'now' })],
  ['another tenant’s feed', () => message({ iss: globex().iss })()],
  ['another tenant’s list', () => message({ lists: { [globex().sub]: 7 } })()],
  ['a list that changes later', () => message({ lists: { [f.issuer.listUri]: 1000 } })()],
  ['a list that changed some time', () => message({ lists: { [f.issuer.listUri]: '7' } })()],
  ['no lists', message({ lists: undefined })],
  [
    'too many lists',
    () =>
      message({
        lists: Object.fromEntries(
          Array.from({ length: 1_025 }, (_, at) => [`${f.issuer.issuer}/status/g1-${at}`, 1]),
        ),
      })(),
  ],
  ['no keys', message({ kids: [] })],
  ['keys that are none', message({ kids: ['k1', 7] })],
  ['keys without its own', message({ kids: ['k2'] })],
  ['a list’s type', message({}, { typ: 'statuslist+jwt' })],
  ['no algorithm', message({}, { alg: 'none' })],
  [
    'a key nobody knows',
    async () => {
      const key = await aKey('ES256', 'k2')
      return `event: status\ndata: ${await f.issuer.message({ kids: ['k1', 'k2'] }, {}, key)}\n\n`
    },
  ],
  [
    'another key under the same name',
    async () =>
      `event: status\ndata: ${await f.issuer.message({}, {}, await aKey('ES256', 'k1'))}\n\n`,
  ],
  ['a page', async () => 'event: status\ndata: <html>\ndata: </html>\n\n'],
]

describe('H06 the feed says', () => {
  test.each(FEED_LIES)('%s', async (_, lie) => {
    const verifier = f.verifier()
    const [good, gone] = await Promise.all([f.token(), f.token(f.claims({ depth: 4 }))])
    f.issuer.write(1, THIRD + 1)
    expect(await f.outcome(verifier, good)).toBe('accepted')
    await poll(() => f.issuer.listeners === 1)
    await f.issuer.tell()
    // Nothing but the feed could make the list fresh from here on.
    f.issuer.answers.set(LIST_PATH, (__, response) => response.writeHead(500).end())
    f.issuer.answers.set(EVENTS_PATH, (__, response) => response.writeHead(500).end())
    f.ahead = f.issuer.ahead = 11
    f.issuer.send(await lie())
    await poll(() => f.kindsOfFaults().includes('feed_refused'))
    expect(await f.outcome(verifier, good)).toBe('revocation_unknown')
    expect(await f.outcome(verifier, gone)).toBe('token_revoked')
    await poll(() => f.issuer.listeners === 0)
    // It asks for everything anew, and goes on.
    f.issuer.answers.delete(EVENTS_PATH)
    await f.until(verifier, good, 'accepted')
    const last = f.issuer.requests.findLast(({ path }) => path === EVENTS_PATH)
    expect(last?.lastEventId).toBe(undefined)
  })

  test('what it said before, in part only: the newest of both counts', async () => {
    const verifier = f.verifier()
    const token = await f.token()
    expect(await f.outcome(verifier, token)).toBe('accepted')
    await poll(() => f.issuer.listeners === 1)
    f.issuer.answers.set(LIST_PATH, (_, response) => response.writeHead(500).end())
    f.issuer.write(1, ROOT)
    await f.issuer.tell({ since: f.issuer.seq - 1 })
    await poll(() => f.kindsOfFaults().includes('status_unreadable'))
    // Since then the list is known to have changed: no heartbeat makes it fresh again.
    f.ahead = f.issuer.ahead = 11
    await f.issuer.tell({ since: 0, lists: {} })
    await f.issuer.tell()
    expect(await f.outcome(verifier, token)).toBe('revocation_unknown')
    f.issuer.answers.clear()
    await f.until(verifier, token, 'token_revoked')
  })

  const STREAMS: readonly (readonly [string, Lie])[] = [
    ['a web page', (r) => void r.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
    ['a redirect', (r) => status(302, { location: `${f.issuer.issuer}/elsewhere` })(r)],
    ['too many listeners', status(503)],
    ['an end', (r) => void r.writeHead(200, { 'content-type': 'text/event-stream' }).end()],
    [
      'an event without an end',
      (r) =>
        void r
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .write(`data: ${'a'.repeat(300_000)}`),
    ],
  ]
  test.each(STREAMS)('nothing, but answers with %s', async (_, lie) => {
    f.issuer.answers.set(EVENTS_PATH, (__, response) => void lie(response))
    const verifier = f.verifier()
    const token = await f.token()
    // Lists are still read.
    expect(await f.outcome(verifier, token)).toBe('accepted')
    await poll(() => f.issuer.count(EVENTS_PATH) > 1)
    expect(f.faults.map(({ kind }) => kind)).toEqual(['feed_lost'])
    expect(f.issuer.count('/t/acme/elsewhere')).toBe(0)
    f.issuer.answers.clear()
    await poll(() => f.issuer.listeners === 1)
  })
})

describe('H05 a verifier that is cut off', () => {
  test('accepts nothing beyond its bound, and goes on when the issuer is back', async () => {
    const verifier = f.verifier()
    const token = await f.token()
    expect(await f.outcome(verifier, token)).toBe('accepted')
    await poll(() => f.issuer.listeners === 1)
    await f.issuer.close()
    f.issuer.write(1, 9)
    f.ahead = f.issuer.ahead = 5
    expect(await f.outcome(verifier, token)).toBe('accepted')
    f.ahead = f.issuer.ahead = 11
    expect(await f.outcome(verifier, token)).toBe('revocation_unknown')
    f.ahead = f.issuer.ahead = 40
    expect(await f.outcome(verifier, token)).toBe('revocation_unknown')
    await poll(() => f.kindsOfFaults().length === 2)
    expect(f.kindsOfFaults()).toEqual(['feed_lost', 'status_unreadable'])
    await f.issuer.open()
    await f.until(verifier, token, 'accepted')
    await poll(() => f.issuer.listeners === 1)
  })

  test('from the feed alone reads lists for its tokens', async () => {
    const verifier = f.verifier()
    const token = await f.token()
    expect(await f.outcome(verifier, token)).toBe('accepted')
    await poll(() => f.issuer.listeners === 1)
    f.issuer.answers.set(EVENTS_PATH, (_, response) => response.writeHead(503).end())
    f.issuer.cutStreams()
    f.issuer.write(1, ROOT)
    f.ahead = f.issuer.ahead = 11
    expect(await f.outcome(verifier, token)).toBe('token_revoked')
  })

  test('by silence asks again', async () => {
    f.issuer.answers.set(EVENTS_PATH, (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': here\n\n')
    })
    const verifier = f.verifier()
    expect(await f.outcome(verifier, await f.token())).toBe('accepted')
    await poll(() => f.issuer.count(EVENTS_PATH) === 2)
    expect(f.faults).toEqual([
      { kind: 'feed_lost', detail: `it was silent: ${f.issuer.issuer}/events` },
    ])
  })
})

describe('H07 a verifier that starts', () => {
  test('without the issuer accepts nothing until it has read the list', async () => {
    await f.issuer.close()
    const verifier = f.verifier()
    const token = await f.token()
    for (let time = 0; time < 3; time++)
      expect(await f.outcome(verifier, token)).toBe('revocation_unknown')
    f.issuer.write(1, 9)
    await f.issuer.open()
    await f.until(verifier, token, 'accepted')
  })

  test('with a feed and no list accepts nothing', async () => {
    f.issuer.answers.set(LIST_PATH, (_, response) => response.writeHead(500).end())
    const verifier = f.verifier()
    const token = await f.token()
    expect(await f.outcome(verifier, token)).toBe('revocation_unknown')
    await poll(() => f.issuer.listeners === 1)
    await f.issuer.tell()
    expect(await f.outcome(verifier, token)).toBe('revocation_unknown')
  })
})
