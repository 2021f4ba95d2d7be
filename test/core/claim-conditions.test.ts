/** Conditions on claims: where a pointer leads, and which texts a value is. */
import { describe, expect, test } from 'vitest'
import { type JsonObject, readStrictJsonText } from '../../lib/src/strict-json.ts'
import { areMet, valueAt } from '../../server/core/claim-conditions.ts'

const CLAIMS = readStrictJsonText(`{
  "sub": "system:serviceaccount:agents:planner",
  "kubernetes.io": { "namespace": "agents", "pod": { "name": "p-0" } },
  "a/b": "slash", "m~n": "tilde", "~1": "odd", "": "empty",
  "groups": ["x", "y"],
  "run": 42, "ratio": 1.50, "big": 9007199254740993, "protected": true, "nothing": null
}`) as JsonObject

describe('RFC 6901 pointers', () => {
  test.each([
    ['/sub', 'system:serviceaccount:agents:planner'],
    ['/kubernetes.io/namespace', 'agents'],
    ['/kubernetes.io/pod/name', 'p-0'],
    ['/a~1b', 'slash'],
    ['/m~0n', 'tilde'],
    ['/~01', 'odd'],
    ['/', 'empty'],
    ['/groups/1', 'y'],
  ])('%s leads to %j', (pointer, value) => {
    expect(valueAt(CLAIMS, pointer)).toBe(value)
  })

  test.each([
    '',
    'sub',
    '#/sub',
    '/SUB',
    '/sub/length',
    '/sub/0',
    '/sub/',
    '/groups/-',
    '/groups/01',
    '/groups/2',
    '/groups/length',
    '/groups/-1',
    '/nothing/at/all',
    '/kubernetes.io/serviceaccount/uid',
    // J07: what every object has.
    '/__proto__',
    '/__proto__/toString',
    '/constructor/name',
    '/toString',
    '/groups/constructor',
    '/kubernetes.io/hasOwnProperty',
  ])('%j leads nowhere', (pointer) => {
    expect(valueAt(CLAIMS, pointer)).toBeUndefined()
  })
})

describe('conditions', () => {
  const met = (pointer: string, ...values: readonly string[]) =>
    areMet([{ pointer, values }], CLAIMS)

  test('one of the texts, exactly', () => {
    expect(met('/kubernetes.io/namespace', 'other', 'agents')).toBe(true)
    for (const value of ['Agents', 'agents ', 'agent', 'agents*', '*', ''])
      expect(met('/kubernetes.io/namespace', value), value).toBe(false)
    expect(met('/kubernetes.io/namespace')).toBe(false)
  })

  test('numbers and booleans as JSON writes them', () => {
    expect(met('/run', '42')).toBe(true)
    expect(met('/ratio', '1.5')).toBe(true)
    expect(met('/protected', 'true')).toBe(true)
    for (const value of ['42.0', '0x2a', ' 42']) expect(met('/run', value), value).toBe(false)
    // JSON.parse has read another number than was written.
    expect(met('/big', '9007199254740992')).toBe(false)
    expect(met('/big', '9007199254740993')).toBe(false)
  })

  test('nothing else is a text, and what is missing is none', () => {
    expect(met('/nothing', 'null', '')).toBe(false)
    expect(met('/missing', 'undefined', '')).toBe(false)
    expect(met('/groups', 'x,y', 'x', '["x","y"]')).toBe(false)
    expect(met('/kubernetes.io', '[object Object]')).toBe(false)
  })

  test('all of them hold, and there is one', () => {
    const [good, bad] = [
      { pointer: '/run', values: ['42'] },
      { pointer: '/run', values: ['43'] },
    ]
    expect(areMet([good, good], CLAIMS)).toBe(true)
    expect(areMet([good, bad], CLAIMS)).toBe(false)
    expect(areMet([bad, good], CLAIMS)).toBe(false)
    expect(areMet([], CLAIMS)).toBe(false)
  })
})
