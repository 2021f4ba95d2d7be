import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findEntry } from '../../../lib/src/audit/entry-line.ts'
import { formatLine, parseLine } from '../../../server/audit/entry-line.ts'
import type { StoredEntry } from '../../../server/use-cases/ports.ts'
import { anEntry, utf8 } from '../../support/proven-log.ts'

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('{"time":1}', '"}{"time":', '\u2028', '\ud800', '=HYPERLINK()', '\u001b[31m'),
)
const anyEntry = fc
  .record({
    subject: text,
    reason: text,
    chain: fc.array(text),
    digests: fc.record({ purpose: text }),
  })
  .map((members) => anEntry(members) as unknown as StoredEntry)

test('N01 the verifier reads of any line what the server reads', () => {
  fc.assert(
    fc.property(anyEntry, text, (entry, torn) => {
      const whole = formatLine(entry)
      expect(findEntry(utf8(whole))).toEqual(JSON.parse(whole))
      for (const line of [whole, `${torn}${whole}`, whole.slice(0, -1), whole.slice(1)]) {
        const octets = utf8(line)
        expect(findEntry(octets)).toEqual(parseLine(new TextDecoder().decode(octets)))
      }
    }),
    { numRuns: 500 },
  )
})

test('an entry behind one that was torn anywhere is found', () => {
  const torn = utf8(
    formatLine({ ...anEntry({ subject: 'Zoë \u{1f600}' }) } as unknown as StoredEntry),
  )
  const whole = formatLine(anEntry() as unknown as StoredEntry)
  for (let end = 0; end <= torn.length; end++) {
    const line = Buffer.concat([torn.subarray(0, end), utf8(whole)])
    expect(findEntry(line), `torn at ${end}`).toEqual(JSON.parse(whole))
  }
})
