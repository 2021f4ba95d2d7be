/** Whom an address stands for: one subscriber is one peer, however the address is written. */
import { describe, expect, test } from 'vitest'
import { exactAddress, isLoopback, peerOf } from '../../server/core/peer-address.ts'

describe('M01 addresses of one subscriber', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002:0:0:0:9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    [undefined, 'unknown'],
    ['', 'unknown'],
  ])('M01 %s is %s', (address, peer) => {
    expect(peerOf(address)).toBe(peer)
  })

  test('M01 another network is another peer', () => {
    expect(peerOf('2001:db8:1:3::1')).not.toBe(peerOf('2001:db8:1:2::1'))
    expect(peerOf('192.0.2.8')).not.toBe(peerOf('192.0.2.7'))
  })
})

test.each([
  ['127.0.0.1', true],
  ['127.8.9.10', true],
  ['::ffff:127.0.0.1', true],
  ['::1', true],
  ['0:0:0:0:0:0:0:1', true],
  ['192.0.2.7', false],
  ['::2', false],
  ['1::', false],
  [undefined, false],
])('%s is loopback: %s', (address, expected) => {
  expect(isLoopback(address)).toBe(expected)
})

test('one address has one spelling', () => {
  const spellings = ['2001:DB8::1', '2001:db8:0:0:0:0:0:1', '2001:0db8::0001', '2001:db8::1%2']
  expect(new Set(spellings.map(exactAddress))).toEqual(new Set(['2001:db8:0:0:0:0:0:1']))
})
