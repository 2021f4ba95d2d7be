import { expect, test } from 'vitest'
import { isSameName, parseDistinguishedName } from '../../server/core/distinguished-name.ts'

const isSame = (one: string, other: string): boolean => {
  const [a, b] = [parseDistinguishedName(one), parseDistinguishedName(other)]
  return a !== undefined && b !== undefined && isSameName(a, b)
}

test('the text begins with the most specific part, the name with the most general', () => {
  expect(parseDistinguishedName('CN=planner,OU=agents+L=Bern,O=Acme')).toEqual([
    [{ type: '2.5.4.10', value: 'Acme' }],
    [
      { type: '2.5.4.11', value: 'agents' },
      { type: '2.5.4.7', value: 'Bern' },
    ],
    [{ type: '2.5.4.3', value: 'planner' }],
  ])
})

// RFC 4514 §4.
test.each([
  ['UID=jsmith,DC=example,DC=net', 'uid=jsmith, dc=example, dc=net'],
  ['OU=Sales+CN=J.  Smith,DC=example', 'CN=J.  Smith+OU=Sales,DC=example'],
  [String.raw`CN=James \"Jim\" Smith\, III`, String.raw`CN=James \22Jim\22 Smith\2C III`],
  [String.raw`CN=Before\0dAfter`, String.raw`CN=Before\0DAfter`],
  [String.raw`CN=Lu\C4\8Di\C4\87`, 'CN=Lučić'],
  [String.raw`CN=\ a\ `, String.raw`CN=\20a\20`],
  ['2.5.4.3=x', 'CN=x'],
  ['CN=a=b', String.raw`CN=a\=b`],
])('%s and %s are one name', (one, other) => {
  expect(isSame(one, other)).toBe(true)
})

test.each([
  ['CN=a,O=b', 'O=b,CN=a'],
  ['CN=a,O=b', String.raw`CN=a\,O=b`],
  ['CN=a', 'CN=A'],
  ['CN=a', 'CN=a,O=b'],
  ['CN=a', 'OU=a'],
  ['CN=a', 'CN=ab'],
  ['CN=a+O=b', 'CN=a,O=b'],
  ['CN=a', String.raw`CN=a\20`],
])('%s and %s are two', (one, other) => {
  expect(isSame(one, other)).toBe(false)
})

test.each([
  '',
  'a',
  '=a',
  'CN=',
  'CN=a,',
  ',CN=a',
  'CN=a++O=b',
  'XX=a',
  'CN=#04024869',
  'CN=a;O=b',
  'CN="a"',
  'CN=a\\',
  String.raw`CN=\zz`,
  String.raw`CN=\C4`,
  'CN=a\0',
  `CN=${'a'.repeat(2048)}`,
])('%j is none', (text) => {
  expect(parseDistinguishedName(text)).toBeUndefined()
})

test('what is no text equals nothing, itself included', () => {
  const name = [[{ type: '2.5.4.3', value: undefined }]]
  expect(isSameName(name, name)).toBe(false)
})
