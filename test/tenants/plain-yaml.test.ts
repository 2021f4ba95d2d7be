import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { countLines } from '../../server/tenants/place.ts'
import { type Parsed, parsePlainYaml } from '../../server/tenants/plain-yaml.ts'
import { parseAnyYaml } from '../../server/tenants/yaml-document.ts'
import { newKey } from '../support/signing.ts'
import { tenantDocuments } from '../support/tenant-folder.ts'

const DEEPEST = 11
const SIGNS = ' \n\t\r:,#"\'[]{}%@\\x~1-'.split('')
const PIECES = ['  ', '\n  ', '- ', ': ', ' # ', '&a ', '*a', '!t ', '? ', '| ', '---', '...\n']

function parseFully(text: string): Parsed | 'refused' {
  const reading = { file: 'a.yaml', positionOf: countLines(text), problems: [] }
  const parsed = parseAnyYaml(reading, text)
  return reading.problems.length > 0 ? 'refused' : parsed
}

/** Whether the plain parser answered, and then it must have answered the same. */
function agrees(text: string): boolean {
  const plain = parsePlainYaml(text, DEEPEST)
  if (plain !== undefined) expect(plain, JSON.stringify(text)).toEqual(parseFully(text))
  return plain !== undefined
}

const word = fc.oneof(
  fc.constantFrom(
    'id',
    'a-b',
    'docs:read',
    'https://a.example/x#y',
    '2027-06-30',
    '15m',
    'on',
    '-x',
  ),
  fc.constantFrom(
    'true',
    'null',
    '~',
    '0',
    '12',
    '007',
    '1e3',
    '.5',
    '0x1f',
    '-1',
    'é ü',
    ' x ',
    '',
  ),
  fc.string({ maxLength: 8 }),
)
const scalar = fc.oneof(word, fc.boolean(), fc.nat(), fc.constant(null))
const documents = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(word, tie('value'), { maxKeys: 4 }),
  ),
})).value
const layout = fc.record({
  indent: fc.integer({ min: 1, max: 4 }),
  indentSeq: fc.boolean(),
  collectionStyle: fc.constantFrom('any', 'block', 'flow' as const),
  lineWidth: fc.constantFrom(0, 20, 80),
  defaultStringType: fc.constantFrom('PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE' as const),
})

describe('the plain parser says what the full one says, or nothing', () => {
  test('of documents as tools write them', () => {
    fc.assert(
      fc.property(documents, layout, (value, options) => {
        agrees(stringify(value, { ...options, aliasDuplicateObjects: false }))
      }),
      { numRuns: 2000 },
    )
  })

  test('of such documents with a few characters changed', () => {
    const piece = fc.constantFrom(...SIGNS, ...PIECES)
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      gone: fc.nat({ max: 3 }),
      piece,
    })
    fc.assert(
      fc.property(
        documents,
        layout,
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        (value, options, edits) => {
          let text = stringify(value, { ...options, aliasDuplicateObjects: false })
          for (const { at, gone, piece: added } of edits) {
            const start = Math.floor(at * text.length)
            text = text.slice(0, start) + added + text.slice(start + gone)
          }
          agrees(text)
        },
      ),
      { numRuns: 4000 },
    )
  })

  test('of text made of nothing but signs', () => {
    const sign = fc.constantFrom(
      'a',
      'b',
      ' ',
      '\n',
      '\n ',
      '-',
      ': ',
      ':',
      ',',
      '[',
      ']',
      '{',
      '}',
      '#',
      '"',
      "'",
      '.',
      '1',
    )
    fc.assert(
      fc.property(
        fc.constantFrom('', '---\n'),
        fc.array(sign, { maxLength: 14 }),
        (mark, signs) => {
          agrees(mark + signs.join(''))
        },
      ),
      { numRuns: 8000 },
    )
  })

  test.each([
    'a: 1\nb: [x, y]\n',
    '# comment\n\na: # comment\n  - b: c # comment\n    d: { e: f, "g":1 }\n  # comment\n  - h\n',
    'a:\n- b\n- c\nd: e',
    'a:\n  [b,\n   c]\n',
    '{\n  "a": [1, true, "x"],\n  "b": {}\n}\n',
    '\'a b\': \'c: d\'\n"e": "f # g"\n',
    '- - a\n  - b\n- c: -d\n',
    '---\na: 1\n',
    '# comment\n\n---\n# comment\n- a\n',
  ])('it does answer what is plain: %j', (text) => {
    expect(agrees(text)).toBe(true)
  })

  test('it does answer what tools write of a tenant, keys and all', () => {
    for (let n = 0; n < 200; n += 1) {
      const coder = { ...newKey(`coder-${n}`).publicJwk }
      const { tenant, agents, resources, taskTypes } = tenantDocuments({ agentKeys: { coder } })
      for (const document of [tenant, agents, resources, taskTypes]) {
        expect(agrees(stringify(document, { aliasDuplicateObjects: false }))).toBe(true)
      }
    }
  })

  test.each([
    '--- a: b\n',
    '--- \na: b\n',
    '---\n',
    '---\n---\na: b\n',
    ' ---\na: b\n',
    'a: 1\n--- b: 2\n',
    'a: b\n c\n',
    'a: "b\n  c"\n',
    'a: |\n  b\n',
    'a:\n',
    '- \n',
    'a: 1\na: 2\n',
    '__proto__: 1\n',
    'a: *b\n',
    'a: 007\n',
    'a:\tb\n',
    '\ufeffa: b\n',
  ])('and leaves the rest to the full one: %j', (text) => {
    expect(agrees(text)).toBe(false)
  })
})
