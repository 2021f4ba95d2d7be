import { expect, test } from 'vitest'
import { readStrictJson, readStrictJsonText } from '../../lib/src/strict-json.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test('reads a JSON object as JSON.parse does', () => {
  const text = '{"a":[1,{"b":"x:{\\"y\\":1}"}],"c":{},"d":null,"e":[],"f":"\\\\","":{"":0}}'
  expect(readStrictJson(bytes(text))).toEqual(JSON.parse(text))
})

test.each([
  ['array', '[]'],
  ['string', '"x"'],
  ['null', 'null'],
  ['number', '1'],
  ['nothing', ''],
  ['trailing text', '{} x'],
  ['two objects', '{}{}'],
  ['unterminated string', '{"a":"'],
  ['lone quote and escape', '"\\'],
  ['comment', '{/**/}'],
  ['byte order mark', '\ufeff{}'],
])('refuses what is no JSON object: %s', (_, text) => {
  expect(readStrictJson(bytes(text))).toBeUndefined()
})

test.each([
  ['invalid UTF-8', [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]],
  ['overlong UTF-8', [0x7b, 0x22, 0xc0, 0xa2, 0x22, 0x3a, 0x31, 0x7d]],
  ['UTF-16', [0x7b, 0x00, 0x7d, 0x00]],
])('refuses bytes that are not UTF-8: %s', (_, octets) => {
  expect(readStrictJson(Uint8Array.from(octets))).toBeUndefined()
})

test.each([
  ['plain', '{"a":1,"a":1}'],
  ['escaped', '{"a":1,"\\u0061":2}'],
  ['spaced', '{"a" : 1 , "a"\n:2}'],
  ['nested', '{"x":[{"a":1,"b":2,"a":3}]}'],
  ['earlier one holds members', '{"a":{"b":1,"c":2},"a":3}'],
  ['later one holds members', '{"a":3,"a":{"b":1,"c":2}}'],
  ['empty name', '{"":1,"":2}'],
])('J06 refuses duplicate members: %s', (_, text) => {
  expect(readStrictJson(bytes(text))).toBeUndefined()
})

test.each(['{"__proto__":{"polluted":1}}', '{"a":{"__proto__":1}}', '{"\\u005f_proto__":{}}'])(
  'J07 refuses an own __proto__: %s',
  (text) => {
    expect(readStrictJson(bytes(text))).toBeUndefined()
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  },
)

test('J07 keeps constructor, prototype and toString as inert data', () => {
  const value = readStrictJsonText('{"constructor":{"prototype":{"polluted":1}},"toString":1}')
  expect(Object.keys(value ?? {})).toEqual(['constructor', 'toString'])
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('bounds the depth exactly', () => {
  const nested = (levels: number): string => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels)
  expect(readStrictJsonText(nested(24))).toBeDefined()
  expect(readStrictJsonText(nested(25))).toBeUndefined()
  expect(readStrictJsonText(nested(4), 3)).toBeUndefined()
})

test.each(['{"act":', '[', '{"a":['])(
  'D05 refuses a million levels of %s without a throw',
  (open) => {
    expect(readStrictJsonText(open.repeat(1_000_000))).toBeUndefined()
  },
)

test('M04 counts members of a hostile text in one pass', () => {
  expect(readStrictJsonText(`{"a":"${'\\'.repeat(100_000)}"}`)).toBeDefined()
  expect(readStrictJsonText(`{"a":"${'\\"'.repeat(50_000)}"}`)).toBeDefined()
  expect(readStrictJsonText(`{"a":"${'\\'.repeat(100_001)}"}`)).toBeUndefined()
})
