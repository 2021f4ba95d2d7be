import { describe, expect, test } from 'vitest'
import {
  isInternalAddress,
  isLoopbackAddress,
  isPublicAddress,
} from '../../server/fetch/public-address.ts'

describe('K01: addresses a connection may go to', () => {
  test.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450:4001::1',
  ])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  test.each([
    '0.0.0.0',
    '0.255.255.255',
    '10.0.0.0',
    '10.255.255.255',
    '100.64.0.0',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.255',
    '169.254.0.0',
    '169.254.169.254',
    '168.63.129.16',
    '172.16.0.0',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:0:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:808:808::1',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '2606:4700::1%1',
    '',
    'localhost',
    '127.1',
    '8.8.8.8 ',
    '08.8.8.8',
  ])('%s is not', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  test('loopback is its plain forms only', () => {
    const spellings = ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1', '::', '10.0.0.1', '']
    expect(spellings.filter(isLoopbackAddress)).toEqual(['127.0.0.1', '127.8.8.8', '::1'])
  })
})

describe("K01: addresses of the operator's own network", () => {
  test.each([
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    'fc00::1',
    'fd12:3456::1',
  ])('%s may be one', (address) => {
    expect(isInternalAddress(address)).toBe(true)
    expect(isPublicAddress(address)).toBe(false)
  })

  test.each([
    '127.0.0.1',
    '0.0.0.0',
    '169.254.169.254',
    '168.63.129.16',
    '100.100.100.200',
    '224.0.0.1',
    '198.18.0.1',
    '203.0.113.1',
    '8.8.8.8',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:a00:1',
    '64:ff9b::a00:1',
    'fe80::1',
    'fc00::1%eth0',
    'fd00:ec2::254',
    'fd20:ce::254',
    'ff02::1',
    '2606:4700::1111',
    'localhost',
  ])('%s is none', (address) => {
    expect(isInternalAddress(address)).toBe(false)
  })
})
