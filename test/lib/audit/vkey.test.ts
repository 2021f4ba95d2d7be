import { formatVkey, parseVkey } from '@actchain/verifier/audit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { outcomeOf } from '../../support/proven-log.ts'

const EXAMPLE = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
const WITNESS = 'remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2'

// C2SP signed-note, golang.org/x/mod/sumdb/note, sum.golang.org, transparency-dev/formats and tessera.
test.each([
  [EXAMPLE, 'ed25519'],
  ['PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'ed25519'],
  ['EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop', 'ed25519'],
  ['sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8', 'ed25519'],
  ['TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6', 'ed25519'],
  ['example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx', 'ed25519'],
  [WITNESS, 'cosignature/v1'],
] as const)('a verifier key in use is read and written the same: %s', async (vkey, type) => {
  const key = await parseVkey(vkey)
  expect(key).toMatchObject({ type, name: vkey.split('+')[0], id: vkey.split('+')[1] })
  expect(await formatVkey(key.name, key.type, key.publicKey)).toBe(vkey)
})

const ofOctets = (octets: readonly number[]): string =>
  EXAMPLE.replace(/[^+]+$/, Buffer.from(octets).toString('base64'))

test.each([
  ['nothing', ''],
  ['a name', 'example.com/foo'],
  ['no key', 'example.com/foo+530d903a'],
  ['an empty key', 'example.com/foo+530d903a+'],
  ['an empty name', EXAMPLE.replace('example.com/foo', '')],
  ['a space in the name', EXAMPLE.replace('/foo', ' foo')],
  ['a control character in the name', EXAMPLE.replace('/foo', '\u0001foo')],
  ['another name', EXAMPLE.replace('/foo', '/bar')],
  ['another id', EXAMPLE.replace('530d903a', '530d903b')],
  ['a short id', EXAMPLE.replace('530d903a', '530d903')],
  ['an id in capitals', EXAMPLE.replace('530d903a', '530D903A')],
  ['a line end', `${EXAMPLE}\n`],
  ['base64 cut short', EXAMPLE.slice(0, -1)],
  ['a key too short', ofOctets([1, ...Array<number>(31).fill(7)])],
  ['a key too long', ofOctets([1, ...Array<number>(33).fill(7)])],
  ['a name beyond bounds', `${'x'.repeat(5000)}${EXAMPLE}`],
])('a verifier key is not one with %s', async (_what, vkey) => {
  expect(await outcomeOf(parseVkey(vkey))).toBe('vkey_malformed')
})

test.each([0x00, 0x02, 0x05, 0x06, 0xff])('keys of type %i are not of use here', async (type) => {
  expect(await outcomeOf(parseVkey(ofOctets([type, ...Array<number>(32).fill(7)])))).toBe(
    'vkey_type_unsupported',
  )
})

test('no other text than the one that is written is read as the key', async () => {
  const publicKey = fc.uint8Array({ minLength: 32, maxLength: 32 })
  await fc.assert(
    fc.asyncProperty(
      publicKey,
      fc.nat(69),
      fc.constantFrom('A', '+', '0', ' '),
      async (key, at, put) => {
        const vkey = await formatVkey('example.com/foo', 'ed25519', key)
        const other = vkey.slice(0, at) + put + vkey.slice(at + 1)
        expect(await outcomeOf(parseVkey(other))).toMatch(other === vkey ? 'holds' : /^vkey_/)
      },
    ),
  )
})

test('what can be no name or key is not written', async () => {
  await expect(formatVkey('a b', 'ed25519', new Uint8Array(32))).rejects.toThrow(TypeError)
  await expect(formatVkey('a+b', 'ed25519', new Uint8Array(32))).rejects.toThrow(TypeError)
  await expect(formatVkey('a', 'ed25519', new Uint8Array(31))).rejects.toThrow(TypeError)
})
