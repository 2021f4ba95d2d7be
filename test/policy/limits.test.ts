/** Text that would take the engine's stack, memory or time: it is measured before the engine sees it. */
import { describe, expect, test } from 'vitest'
import { formatProblem } from '../../server/core/problem.ts'
import { CedarInstance, EngineFault } from '../../server/policy/cedar.ts'
import { compilePolicies } from '../../server/policy/compile-policies.ts'
import { CedarEngine } from '../../server/policy/engine.ts'
import { aQuestion, compile, FACTS, KNOWN, rulesFor } from './fixture.ts'

const HEAD = '@id("a") permit (principal, action == Action::"call", resource)'
const when = (condition: string) => `${HEAD} when { ${condition} };`
const T = 'context.key == "dpop"'

/** Text that grows with `n`, each in its own way: what the engine recurses over, and what it repeats. */
const GROWING: Readonly<Record<string, (n: number) => string>> = {
  brackets: (n) => when('('.repeat(n) + T + ')'.repeat(n)),
  'brackets after too many ends': (n) => when(')'.repeat(n) + '('.repeat(n)),
  negations: (n) => when('!('.repeat(n) + T + ')'.repeat(n)),
  'negations without brackets': (n) => when(`${'!'.repeat(n)}true`),
  minuses: (n) => when(`context.depth == ${'-('.repeat(n)}1${')'.repeat(n)}`),
  'minuses without brackets': (n) => when(`context.depth == ${'-'.repeat(n)}1`),
  ands: (n) => when(T + ` && ${T}`.repeat(n)),
  ors: (n) => when(T + ` || ${T}`.repeat(n)),
  'ands of constants': (n) => when(`true${'&&true'.repeat(n)}`),
  sums: (n) => when(`context.depth == 1${'+1'.repeat(n)}`),
  products: (n) => when(`context.depth == 1${'*1'.repeat(n)}`),
  'attributes of attributes': (n) => when(`context.scope${'.resource'.repeat(n)}.kind == "api"`),
  'attributes in brackets': (n) => when(`context.scope${'["resource"]'.repeat(n)}.kind == "a"`),
  'has with many names': (n) => when(`context has task${'.type'.repeat(n)}`),
  ifs: (n) => when(`${`if ${T} then true else `.repeat(n)}true`),
  'ifs in conditions': (n) => when(`${'if '.repeat(n)}true${' then true else false'.repeat(n)}`),
  'sets of sets': (n) => when(`${'['.repeat(n)}1${']'.repeat(n)} == [1]`),
  'records of records': (n) => when(`${'{a:'.repeat(n)}1${'}'.repeat(n)} == {a:1}`),
  conditions: (n) => `${HEAD} ${`when { ${T} } `.repeat(n)};`,
  methods: (n) => when(`[context.chain${'.contains(principal)'.repeat(n)}] == [true]`),
  'methods of arguments': (n) =>
    when(`context.chain${'.contains(context.chain'.repeat(n)}${')'.repeat(n)}`),
  offsets: (n) => when(`context.now${'.offset(duration("1ms"))'.repeat(n)} == context.now`),
  'many elements': (n) => when(`["a"${',"a"'.repeat(n)}].contains(principal.owner)`),
  'many actions': (n) =>
    `@id("a") permit (principal, action in [Action::"call"${', Action::"call"'.repeat(n)}], resource);`,
  'many annotations': (n) => `${'@a("b")\n'.repeat(n)}${HEAD};`,
  'a long text': (n) => when(`principal.owner == "${'a'.repeat(n)}"`),
  'a long pattern': (n) => when(`context.key like "${'*a'.repeat(n)}"`),
  'many patterns': (n) => when(`false${` || ${T} && context.key like "*a"`.repeat(n)}`),
  'a long type': (n) => when(`principal is A${'::A'.repeat(n)}`),
  comments: (n) => `${when('true')}//(\n`.repeat(1) + '//(\n'.repeat(n),
  'a text that does not end': (n) => when(`"${'a\\"'.repeat(n)}`),
}

describe('L05 no policy breaks the engine', () => {
  const cedar = new CedarInstance()
  const engine = new CedarEngine(cedar, { slots: 8, text: 100_000 })

  test.each(Object.keys(GROWING))('%s: small or large, told or answered', (name) => {
    // Each size that is let in is asked as well; the largest of those is among them, nearly.
    for (let size = 1; size < 20_000; size = Math.ceil(size * 1.4)) {
      const files = [{ file: 'a', text: GROWING[name]!(size) }]
      const { policies, problems } = compilePolicies(files, KNOWN, cedar)
      expect(policies.length + problems.length).toBeGreaterThan(0)
      if (policies.length > 0) rulesFor(FACTS, policies, engine).answer(aQuestion())
    }
    expect(cedar.generation).toBe(0)
  })

  test.each([
    ['brackets', 28, 33, 'brackets are nested more than 32 deep'],
    ['ands', 90, 120, 'the conditions are more than 100 levels deep; make two policies of them'],
    ['ands of constants', 90, 520, 'the policy has more than 512 operators'],
    [
      'conditions',
      80,
      110,
      'the conditions are more than 100 levels deep; make two policies of them',
    ],
    ['a long pattern', 32, 33, 'the pattern has more than 64 characters'],
    ['many patterns', 12, 20, 'the policy has more than 512 operators'],
    ['many elements', 490, 520, 'the policy has more than 512 operators'],
    ['a long text', 8000, 8200, 'the policy has 8295 bytes; at most 8192 are allowed'],
  ])('%s: %i are let in, %i are not', (name, good, bad, expected) => {
    expect(compile(GROWING[name]!(good)).problems).toEqual([])
    expect(compile(GROWING[name]!(bad)).problems.map(({ text }) => text)).toEqual([expected])
  })

  test('an engine that broke is not called again', () => {
    const fresh = new CedarInstance()
    const deep = GROWING['brackets']!(400)
    for (let time = 1; time <= 3; time++) {
      expect(() => fresh.run(({ policyToJson }) => policyToJson(deep))).toThrow(EngineFault)
      expect(fresh.generation).toBe(time)
      expect(fresh.run(({ policyToJson }) => policyToJson(when('true'))).type).toBe('success')
    }
  })

  test('a policy that breaks the engine all the same is told, and the others are read', () => {
    const trap = 'context.depth == 13'
    const files = [
      { file: 'a', text: when(T).replace('"a"', '"b"') },
      { file: 'b', text: when(trap) },
    ]
    for (const call of ['policyToJson', 'validate'] as const) {
      const { policies, problems } = compilePolicies(files, KNOWN, new TrappingInstance(call, trap))
      expect(problems.map(formatProblem)).toEqual([
        'b:1:1: the policy is too much for the policy engine; make it simpler',
      ])
      expect(policies.map(({ id }) => id)).toEqual(['b'])
    }
  })
})

describe('L05 no number of policies', () => {
  const policy = (index: number, condition = 'true') =>
    `@id("p-${index}") permit (principal, action == Action::"call", resource) when { ${condition} };`
  const told = (count: number, condition?: string) => {
    const text = Array.from({ length: count }, (_, index) => policy(index, condition)).join('\n')
    return compile(text).problems.map(formatProblem)
  }

  test('2,000 are read, and no more', () => {
    expect(told(2000)).toEqual([])
    expect(told(2003)).toEqual(['policies/0.cedar:2001:1: there are more than 2000 policies'])
  })

  test('all together have 131,072 operators', () => {
    const condition = `context.depth == 1${'+1'.repeat(95)}`
    expect(told(1240, condition)).toEqual([])
    expect(told(1300, condition)).toEqual([
      'policies/0.cedar:1261:1: all policies together have more than 131072 operators',
    ])
  })

  test('all together have 2 MiB, and a file 1 MiB', () => {
    const long = policy(0, `principal.owner == "${'x'.repeat(8000)}"`)
    const files = [0, 1, 2].map((file) =>
      Array.from({ length: 100 }, (_, index) => long.replace('p-0', `p-${file}-${index}`)).join(
        '\n',
      ),
    )
    expect(compile(...files).problems.map(formatProblem)).toEqual([
      'policies/2.cedar:59:1: all policies together have more than 2097152 bytes',
    ])
    expect(compile('é'.repeat(524_289)).problems.map(formatProblem)).toEqual([
      'policies/0.cedar:1:1: the file has 1048578 bytes; at most 1048576 are allowed',
    ])
  })

  test('a megabyte of nothing, or of broken ones, is told in few words', () => {
    for (const text of [';', '"', '\\', '@id("a") ', '(', '// ', ' ', 'a', '"\\\n', '?']) {
      const { problems } = compile(text.repeat(1_000_000 / text.length))
      expect(problems.length).toBeLessThan(2002)
    }
  })
})

class TrappingInstance extends CedarInstance {
  constructor(call: 'policyToJson' | 'validate', trap: string) {
    const real = new CedarInstance().run((cedar) => cedar)
    const breaks = (asked: unknown) => {
      if (JSON.stringify(asked).includes(trap)) throw new WebAssembly.RuntimeError('unreachable')
    }
    super(() => ({
      ...real,
      policyToJson: (policy) => {
        if (call === 'policyToJson') breaks(policy)
        return real.policyToJson(policy)
      },
      validate: (asked) => {
        if (call === 'validate') breaks(asked)
        return real.validate(asked)
      },
    }))
  }
}
