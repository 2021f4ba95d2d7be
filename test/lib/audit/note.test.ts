import { formatNote, parseNote } from '@actchain/verifier/audit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBase64, encodeBase64 } from '../../../lib/src/audit/base64.ts'
import { outcomeOf } from '../../support/proven-log.ts'

// Notes as they were published: C2SP signed-note, golang.org/x/mod/sumdb/note, and a witness of sum.golang.org.
const POEM =
  'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n'
const POET = 'quasimodo.example/salvatore'
const POEM_SIGNATURE =
  'NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc='
const signed = (text: string, ...lines: readonly string[]): string =>
  `${text}\n${lines.map((line) => `${line}\n`).join('')}`
const POEM_LINE = `— ${POET} ${POEM_SIGNATURE}`
const NOTE = signed(POEM, POEM_LINE)

describe('a note', () => {
  test('is a text, which may have empty lines, and who signed it', () => {
    const { text, signatures } = parseNote(NOTE)
    expect(text).toBe(POEM)
    expect(signatures).toMatchObject([{ name: POET, keyId: '367ba04b' }])
    expect(signatures[0]?.signature).toHaveLength(64)
  })

  test('has signatures of every kind and length, of keys nobody here knows', () => {
    const { signatures } = parseNote(
      signed(
        'go.sum database tree\n15081221\nBoMMe1wd25Tco0mYGROkyqxHZWx+hcSCtMV315Lu6Lg=\n',
        '— sum.golang.org Az3grilD7vQqTrv66jRgKM84Y80KTprrSt4bKmiOPxgmS5ZVBTeCl6dUvjYnN13R+C8j0jGY1WnUADGMkok3U0m2Zgo=',
        '— test.example.com qTGhC3917mAr6hGh+T55tNjxaej/D/GQivJZRIj7XGdAcQOTqfMWIPgp/v/904LEduN/h2sSRtHUJXUL4b9Gm7Bz4Qc=',
        '— test.example.com /Pa7Y/dUvWMAAAAAQVwkQVi81ArPV7BIaQYrMIxyzY0m8a4BdeeBhSKd3PviPK4/3Sd+NKSc5N7PDTCfAkUSVniN+R2oKIggA4iiDQ==',
      ),
    )
    expect(signatures.map(({ name, keyId, signature }) => [name, keyId, signature.length])).toEqual(
      [
        ['sum.golang.org', '033de0ae', 64],
        ['test.example.com', 'a931a10b', 64],
        ['test.example.com', 'fcf6bb63', 72],
      ],
    )
  })

  test('is written as it was read', () => {
    const character = fc.constantFrom('\n', ' ', 'a', '—', '+', '\u{1f64f}', '\u007f', '=')
    const text = fc.array(character, { maxLength: 30 }).map((all) => `${all.join('')}\n`)
    const name = fc.stringMatching(/^[\w./:-]{1,20}$/)
    const keyId = fc.stringMatching(/^[0-9a-f]{8}$/)
    const signature = fc.uint8Array({ minLength: 1, maxLength: 80 })
    const signatures = fc.uniqueArray(fc.record({ name, keyId, signature }), {
      minLength: 1,
      maxLength: 5,
      selector: (each) => `${each.name} ${each.keyId}`,
    })
    fc.assert(
      fc.property(text, signatures, (noteText, each) => {
        const note = {
          text: noteText,
          signatures: each.map((one) => ({ ...one, signature: new Uint8Array(one.signature) })),
        }
        expect(parseNote(formatNote(note))).toEqual(note)
      }),
    )
  })

  test('of sixteen large signatures is taken', () => {
    const large = Buffer.alloc(5000, 7)
    const lines = Array.from({ length: 16 }, (_, at) => `— w${at} ${large.toString('base64')}`)
    expect(parseNote(signed(POEM, ...lines)).signatures).toHaveLength(16)
  })
})

describe('no note is', () => {
  test.each([
    ['nothing', ''],
    ['a line end', '\n'],
    ['two of them', '\n\n'],
    ['a text alone', POEM],
    ['a text without an empty line', `text\n${POEM_LINE}\n`],
    ['a text without a signature', `${POEM}\n`],
    ['signatures without a text', `${POEM_LINE}\n`],
    ['a note cut short', NOTE.slice(0, -1)],
    ['a note that goes on', `${NOTE}x`],
    ['a note with an empty line at its end', `${NOTE}\n`],
    ['one with line ends of two characters', NOTE.replaceAll('\n', '\r\n')],
    ['one with a tab', NOTE.replace('sole', 'so\tle')],
    ['one with an escape', NOTE.replace('sole', 'so\u001b[31mle')],
    ['one with a zero', NOTE.replace('sole', 'so\0le')],
    ['one with half a character', NOTE.replace('sole', 'so\ud800le')],
    ['one with another dash', NOTE.replace('—', '-')],
    ['one with an en dash', NOTE.replace('—', '–')],
    ['one with two spaces', signed(POEM, `—  ${POET} ${POEM_SIGNATURE}`)],
    ['one with a space at the end of a line', signed(POEM, `${POEM_LINE} `)],
    ['one with a line that is no signature', signed(POEM, POEM_LINE, 'x')],
    ['one with a signature without a name', signed(POEM, `— ${POEM_SIGNATURE}`)],
    ['one with an empty name', signed(POEM, `—  ${POEM_SIGNATURE}`)],
    ['one with a plus in a name', signed(POEM, `— a+b ${POEM_SIGNATURE}`)],
    ['one with a wide space in a name', signed(POEM, `— a\u3000b ${POEM_SIGNATURE}`)],
    ['one without the padding', NOTE.replace('tIc=', 'tIc')],
    ['one with bits after the last octet', NOTE.replace('tIc=', 'tId=')],
    ['one with too much padding', NOTE.replace('tIc=', 'tIc==')],
    ['one in the alphabet of URLs', NOTE.replace('IS+Z/i', 'IS-Z_i')],
    ['one with a space in base64', NOTE.replace('IS+Z', 'IS Z')],
    ['one with a key id alone', signed(POEM, `— ${POET} NnugSw==`)],
  ])('%s', async (_what, note) => {
    expect(await outcomeOf(() => parseNote(note))).toBe('note_malformed')
  })

  test('one with a signature twice, or another of the same key', async () => {
    const other = Buffer.from(POEM_SIGNATURE, 'base64')
    other[10] = 0
    for (const line of [POEM_LINE, `— ${POET} ${other.toString('base64')}`])
      expect(await outcomeOf(() => parseNote(signed(POEM, POEM_LINE, line)))).toBe(
        'note_signature_repeated',
      )
    // The name alone is nobody's, nor is the id.
    const third = POEM_LINE.replace(POET, 'x')
    other[0] = 0
    const fourth = `— ${POET} ${other.toString('base64')}`
    expect(parseNote(signed(POEM, POEM_LINE, third, fourth)).signatures).toHaveLength(3)
  })

  test('one too large to be looked at', async () => {
    const lines = Array.from({ length: 65 }, (_, at) => `— w${at} ${POEM_SIGNATURE}`)
    expect(await outcomeOf(() => parseNote(signed(POEM, ...lines)))).toBe('note_too_large')
    const long = 'x'.repeat(300_000)
    expect(await outcomeOf(() => parseNote(signed(`${long}\n`, POEM_LINE)))).toBe('note_too_large')
  })

  test('any text at all: each is a note or said not to be one', async () => {
    const piece = fc.constantFrom('\n', '— ', ' ', 'a', POEM_LINE, 'AAAAAAA=', '=', '\u0000', 'é')
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const outcome = await outcomeOf(() => parseNote(pieces.join('')))
        expect(['holds', 'note_malformed', 'note_signature_repeated']).toContain(outcome)
      }),
      { numRuns: 500 },
    )
  })
})

describe('base64', () => {
  test('has one spelling for any octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = encodeBase64(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('base64'))
        expect(decodeBase64(text)).toEqual(new Uint8Array(bytes))
      }),
    )
  })

  test.each([
    'A',
    'AA',
    'AAA',
    'AA=',
    'A===',
    '====',
    'AB==',
    'AAB=',
    'AA==AAAA',
    ' AAA',
    'AAA\n',
    'AA-_',
  ])('is not %j', (text) => {
    expect(decodeBase64(text)).toBeUndefined()
  })
})
