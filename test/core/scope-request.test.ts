/** The scope parameter: a list of distinct scope tokens, taken as it is or refused. */
import { describe, expect, test } from 'vitest'
import { parseScope } from '../../server/core/scope-request.ts'

const names = (length: number): string[] => Array.from({ length }, (_, at) => `s${at}`)

describe('a scope request', () => {
  test.each<[string | undefined, readonly string[] | undefined]>([
    [undefined, undefined],
    ['files:read', ['files:read']],
    ['files:read mail:send', ['files:read', 'mail:send']],
    ['mail:send files:read', ['mail:send', 'files:read']],
    ['A a', ['A', 'a']],
    ['a,b', ['a,b']],
    ["!#$%&'()*+,-./:;<=>?@[]^_`{|}~", ["!#$%&'()*+,-./:;<=>?@[]^_`{|}~"]],
    [names(31).join(' '), names(31)],
  ])('%j is read as it is', (text, expected) => {
    expect(parseScope(text)).toEqual(expected)
  })

  test.each<[string, string]>([
    ['nothing', ''],
    ['a space', ' '],
    ['a leading space', ' files:read'],
    ['a trailing space', 'files:read '],
    ['two spaces', 'files:read  mail:send'],
    ['a tab', 'files:read\tmail:send'],
    ['a line end', 'files:read\n'],
    ['a repeated name', 'files:read files:read'],
    ['a quote', 'files:"read'],
    ['a backslash', 'files:\\read'],
    ['a control character', 'files:\0read'],
    ['DEL', 'files:read\x7f'],
    ['a letter outside ASCII', 'files:réad'],
    ['a non-breaking space', 'files:read\u00a0mail:send'],
    ['32 names', names(32).join(' ')],
  ])('%s is refused, not repaired', (_, text) => {
    expect(parseScope(text)).toEqual({
      kind: 'refusal',
      reason: 'scope_malformed',
      guard: 'scope_malformed',
    })
  })

  test('one longer than any honest one is refused unread', () => {
    expect(parseScope('s'.repeat(4096))).toEqual(['s'.repeat(4096)])
    expect(parseScope('s'.repeat(4097))).toMatchObject({
      reason: 'scope_malformed',
      guard: 'scope_too_long',
    })
  })
})
