import { describe, expect, test } from 'vitest'
import { formatProblem } from '../../server/core/problem.ts'
import { findNearest } from '../../server/core/suggestion.ts'
import { parseYaml } from '../../server/tenants/yaml-document.ts'

function problemsOf(text: string): readonly string[] {
  const result = parseYaml('a.yaml', text)
  return result.kind === 'parsed' ? [] : result.problems.map(formatProblem)
}

describe('YAML as plain as JSON', () => {
  test('values, and the place of each', () => {
    const result = parseYaml('a.yaml', 'id: x\nlist:\n  - one\n  - { two: 2 }\nempty:\n')
    if (result.kind === 'refused') throw new Error('refused')
    const { document } = result

    expect(document.value).toEqual({ id: 'x', list: ['one', { two: 2 }], empty: null })
    expect(document.at(['list', 1, 'two'])).toEqual({ line: 4, column: 12 })
    expect(document.atKey(['list', 1, 'two'])).toEqual({ line: 4, column: 7 })
    expect(document.at(['list', 1, 'missing'])).toEqual({ line: 4, column: 5 })
    expect([document.has(['empty']), document.has(['none'])]).toEqual([true, false])
  })

  test('words of older YAML stay words', () => {
    const result = parseYaml('a.yaml', '[no, on, 1_000, 0777, 12:30, ~]')
    const words = ['no', 'on', '1_000', 777, '12:30', null]
    expect(result.kind === 'parsed' && result.document.value).toEqual(words)
  })

  test.each([
    ['an anchor', 'a: &x [1]\n', 'a.yaml:1:7: YAML anchors are not accepted'],
    ['an alias', 'b: *x\n', 'a.yaml:1:4: YAML aliases are not accepted'],
    ['a tag', 'a: !!str 1\n', 'a.yaml:1:10: YAML tags are not accepted'],
    ['a tag on a mapping', 'a: !!map {}\n', 'a.yaml:1:10: YAML tags are not accepted'],
    ['a key twice', 'a: 1\nb: 2\na: 3\n', 'a.yaml:3:1: key "a" is stated twice'],
    [
      'J07: a prototype',
      '__proto__: { polluted: 1 }\n',
      'a.yaml:1:1: key "__proto__" is not accepted',
    ],
    ['a key that is no text', '1: a\n', 'a.yaml:1:1: a key must be a string'],
    ['a key that is a list', '? [a]\n: b\n', 'a.yaml:1:3: a key must be a string'],
    ['a directive', '%YAML 1.1\n---\na: yes\n', 'a.yaml:1:1: YAML directives are not accepted'],
    [
      'a tag directive',
      '%TAG ! tag:x,2000:\n---\na: 1\n',
      'a.yaml:1:1: YAML directives are not accepted',
    ],
    ['two documents', 'a: 1\n---\nb: 2\n', 'a.yaml:2:1: not valid YAML: multiple docs'],
    ['a tab', 'a:\n\tb: 1\n', 'a.yaml:2:1: not valid YAML: tab as indent'],
  ])('%s is refused', (_, text, problem) => {
    expect(problemsOf(text)).toContain(problem)
  })

  test('a merge key is a key like any other', () => {
    const result = parseYaml('a.yaml', 'a:\n  <<: { b: 1 }\n')
    expect(result.kind === 'parsed' && result.document.value).toEqual({ a: { '<<': { b: 1 } } })
  })

  test('a file that would unfold into a large one is refused where it says so', () => {
    const layers = ['a0: &a0 [x, x, x, x, x, x, x, x]']
    for (let n = 1; n < 12; n += 1) {
      const alias = `*a${n - 1}`
      layers.push(`a${n}: &a${n} [${Array.from({ length: 8 }, () => alias).join(', ')}]`)
    }
    const problems = problemsOf(layers.join('\n'))
    expect(problems).toHaveLength(12 + 11 * 8)
    expect(new Set(problems.map((line) => line.replace(/^a\.yaml:\d+:\d+: /, '')))).toEqual(
      new Set(['YAML anchors are not accepted', 'YAML aliases are not accepted']),
    )
  })

  test.each([20, 20_000])('%i levels are too deep', (depth) => {
    const problems = problemsOf('['.repeat(depth) + ']'.repeat(depth))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/nested too deeply/)
  })

  test('problems do not quote the file', () => {
    expect(problemsOf('jwks: "secret-material\nd: [secret-material').join()).not.toContain('secret')
  })
})

describe('did you mean', () => {
  test.each([
    ['scope', 'scopes'],
    ['socpes', 'scopes'],
    ['Owner', 'owner'],
    ['may-reach', 'may_reach'],
    ['expiry', undefined],
    ['xyz', undefined],
    ['', undefined],
    ['s'.repeat(10_000), undefined],
  ])('%s: %s', (name, nearest) => {
    expect(findNearest(name, ['id', 'owner', 'scopes', 'may_reach'])).toBe(nearest)
  })
})
