/** Failed client authentications by peer address: who is one peer, who speaks for many, and what is remembered. */
import { describe, expect, test } from 'vitest'
import { createPeerLimits, FAILURES_PER_PEER } from '../../server/oauth/peer-limits.ts'

const NOW = 1_800_000_000
const ADDRESS = '192.0.2.7'

function failing(address: string | undefined, proxies: readonly string[] = []) {
  const peers = createPeerLimits(proxies)
  for (let at = 0; at < FAILURES_PER_PEER; at++) peers.countFailure(address, NOW)
  return peers
}

test('a peer fails as often as the limit says, then waits for the next minute', () => {
  const peers = createPeerLimits([])
  for (let at = 1; at < FAILURES_PER_PEER; at++) peers.countFailure(ADDRESS, NOW)
  expect(peers.findOver(ADDRESS, NOW)).toBeUndefined()
  peers.countFailure(ADDRESS, NOW + 13)
  expect(peers.findOver(ADDRESS, NOW + 13)).toMatchObject({
    reason: 'rate_limited',
    guard: 'failures_per_peer',
    limit: { retryAfter: 47, entry: 'new' },
  })
  expect(peers.findOver(ADDRESS, NOW + 14)).toMatchObject({ limit: { entry: 'told' } })
  expect(peers.findOver('192.0.2.8', NOW + 14)).toBeUndefined()
  expect(peers.findOver(ADDRESS, NOW + 60)).toBeUndefined()
})

describe('M01 who is one peer', () => {
  test.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['192.0.2.7', '::ffff:192.0.2.7', true],
    [undefined, undefined, true],
  ])('M01 %s and %s: %s', (one, other, expected) => {
    expect(failing(one).findOver(other, NOW) !== undefined).toBe(expected)
  })

  test.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])(
    'M01 %s speaks for many',
    (address) => {
      expect(failing(address).findOver(address, NOW)).toBeUndefined()
    },
  )

  test('M01 so does a proxy that is named, in whatever spelling, and nobody near it', () => {
    const named = ['192.0.2.7', '2001:db8:0:0::1']
    expect(failing('::ffff:192.0.2.7', named).findOver('192.0.2.7', NOW)).toBeUndefined()
    expect(failing('2001:db8::1', named).findOver('2001:db8::1', NOW)).toBeUndefined()
    expect(failing('2001:db8::2', named).findOver('2001:db8::2', NOW)).toBeDefined()
  })
})

test('M05 ten thousand peers are remembered, whoever comes, and the one that failed last is not forgotten', () => {
  const peers = failing(ADDRESS)
  for (let at = 0; at < 20_000; at++) {
    peers.countFailure(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, NOW)
    if (at % 5000 === 0) expect(peers.findOver(ADDRESS, NOW)).toBeDefined()
  }
  expect(peers.findOver(ADDRESS, NOW)).toBeDefined()
  expect(peers.size).toBe(10_000)
})
