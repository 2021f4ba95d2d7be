/** What is wrong with policies: all of it at once, at its place, with the nearest known name. */
import { describe, expect, test } from 'vitest'
import { compareProblems, formatProblem } from '../../server/core/problem.ts'
import { compile } from './fixture.ts'

const HEAD = 'permit (principal, action == Action::"call", resource)'
const when = (condition: string) => `@id("a")\n${HEAD} when {\n  ${condition}\n};`

const problemsOf = (...texts: readonly string[]) =>
  compile(...texts).problems.map((problem) =>
    formatProblem(problem).replace('policies/0.cedar:', ''),
  )
const warningsOf = (...texts: readonly string[]) =>
  compile(...texts).warnings.map((problem) =>
    formatProblem(problem).replace('policies/0.cedar:', ''),
  )

describe('one thing wrong', () => {
  test.each([
    // Form.
    ['', []],
    ['// nothing but words; permit (', []],
    [
      `@id("a")\npermt (principal, action, resource);`,
      ['2:1: "permt" is neither permit nor forbid; did you mean "permit"?'],
    ],
    [`@id("a") ${HEAD}`, [`1:${10 + HEAD.length}: the policy does not end with ";"`]],
    [
      `@id("a")\npermit (principal, action == Action::"call" resource);`,
      ['2:45: unexpected token "resource"'],
    ],
    [`@id("a")\n@id("b")\n${HEAD};`, ['2:1: duplicate annotation: @id at "@id(\\"b\\")"']],
    [when('context.depth < '), ['4:1: unexpected token "}"']],
    [when('"open'), ['3:3: the text has no closing quote']],
    [
      `@id("a")\npermit (principal == ?principal, action, resource);`,
      ['2:22: "?principal" makes this a template; only whole policies are allowed'],
    ],
    [
      `@id("a")\npermit (principal, action, resource == ?resource);`,
      ['2:40: "?resource" makes this a template; only whole policies are allowed'],
    ],
    // Annotations.
    [`\n  ${HEAD};`, ['2:3: the policy has no @id("…")']],
    [`@id\n${HEAD};`, ['1:1: the id "" is not a lower-case letter, then up to 62 of a-z 0-9 -']],
    [
      `@id("Read")\n${HEAD};`,
      ['1:1: the id "Read" is not a lower-case letter, then up to 62 of a-z 0-9 -'],
    ],
    [
      `@id("re\u0430d")\n${HEAD};`,
      ['1:1: the id "re\\u{430}d" is not a lower-case letter, then up to 62 of a-z 0-9 -'],
    ],
    [
      `@id("__proto__")\n${HEAD};`,
      ['1:1: the id "__proto__" is not a lower-case letter, then up to 62 of a-z 0-9 -'],
    ],
    [
      `@id("${'a'.repeat(64)}")\n${HEAD};`,
      [`1:1: the id "${'a'.repeat(64)}" is not a lower-case letter, then up to 62 of a-z 0-9 -`],
    ],
    [
      `@id("a")\n@max_tl("60s")\n${HEAD};`,
      ['2:1: unknown annotation "max_tl"; did you mean "max_ttl"?'],
    ],
    [`@id("a")\n@constructor("x")\n${HEAD};`, ['2:1: unknown annotation "constructor"']],
    ...['', '0s', '60', '-1s', '1d', '9h', '1e3s', '60s ', '٣s'].map(
      (value) =>
        [
          `@id("a")\n@max_ttl("${value}")\n${HEAD};`,
          [
            `2:1: @max_ttl is "${value === '٣s' ? '\\u{663}s' : value}"; expected a duration such as 90s, 15m or 8h`,
          ],
        ] as const,
    ),
    ...['0', '100', '2.5', 'two', ' 2'].map(
      (value) =>
        [
          `@id("a")\n@max_depth("${value}")\n${HEAD};`,
          [`2:1: @max_depth is "${value}"; expected a whole number from 1 to 99`],
        ] as const,
    ),
    [
      `@id("a")\n@require_key("dpup")\n${HEAD};`,
      ['2:1: @require_key is "dpup"; expected "dpop" or "bound"; did you mean "dpop"?'],
    ],
    [
      `@id("a")\n@approval("exceute")\n${HEAD};`,
      [
        '2:1: @approval is "exceute"; expected "read", "propose" or "execute"; did you mean "execute"?',
      ],
    ],
    ...['max_ttl("60s")', 'max_depth("2")', 'require_key("dpop")', 'approval("read")'].map(
      (obligation) =>
        [
          `@id("a")\n@${obligation}\n${HEAD.replace('permit', 'forbid')};`,
          [
            `2:1: @${obligation.replace(/\(.*/, '')} on a forbid: only a permit can be bound to something`,
          ],
        ] as const,
    ),
    // Names.
    [
      `@id("a")\npermit (principal == Agent::"plannr", action, resource);`,
      ['2:22: Agent::"plannr" is not known; did you mean "planner"?'],
    ],
    [
      `@id("a")\npermit (principal in Tenant::"globex", action, resource);`,
      ['2:22: Tenant::"globex" is not known'],
    ],
    [
      `@id("a")\npermit (principal, action, resource is Resource in Resource::"mial");`,
      ['2:52: Resource::"mial" is not known; did you mean "mail"?'],
    ],
    [
      when('context.scope == Scope::"mail:raed"'),
      ['3:20: Scope::"mail:raed" is not known; did you mean "mail:read"?'],
    ],
    [
      when('context.task_type in [TaskType::"digest", TaskType::"nigthly"]'),
      ['3:45: TaskType::"nigthly" is not known; did you mean "nightly"?'],
    ],
    [
      when('principal in [Agent::"pl\\u{61}nner", Agent::"work\\x65"]'),
      ['3:40: Agent::"worke" is not known; did you mean "worker"?'],
    ],
    [
      when('Agent::"plannr" == principal || Agent::"plannr".owner == "é"'),
      ['3:3: Agent::"plannr" is not known; did you mean "planner"?'],
    ],
    // Words of which there are few: a forbid of a misspelt one would never hold.
    [
      when('context.scope.tier == "exceute"'),
      [
        '3:25: "exceute" is no value of "tier"; known: "read", "propose", "execute"; did you mean "execute"?',
      ],
    ],
    [
      when('context.chain_classes.containsAny(["worker", "retreival"])'),
      [
        '3:48: "retreival" is no value of "chain_classes"; known: "retrieval", "worker", "orchestrator"; did you mean "retrieval"?',
      ],
    ],
    [
      when('["low", "hihg"].contains(resource.sensitivity) && "Monday" != context.weekday'),
      [
        '3:11: "hihg" is no value of "sensitivity"; known: "low", "moderate", "high"; did you mean "high"?',
        '3:53: "Monday" is no value of "weekday"; known: "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"; did you mean "monday"?',
      ],
    ],
    [
      when('context has subject && context.subject.hasTag("departmnt")'),
      [
        '3:49: "departmnt" is no claim that rules may read ("subject_claims" of a trusted issuer); known: "department", "role", "x", "__entity", "__proto__"; did you mean "department"?',
      ],
    ],
    [when('context.chain_owners.contains("retreival")'), []],
    [when('context has subject && context.subject == User::"anyone"'), []],
    [when('context.task == Task::"any"'), []],
    [
      `@id("a")\npermit (principal == Agnt::"planner", action, resource);`,
      ['2:22: unrecognized entity type "Agnt"; did you mean "Agent"?'],
    ],
    [
      `@id("a")\npermit (principal, action == Action::"cal", resource);`,
      ['2:30: unrecognized action Action::"cal"; did you mean "call"?'],
    ],
    // Attributes and types.
    [
      when('context.scope.teir == "read"'),
      ['3:17: attribute "teir" on entity type "Scope" not found; did you mean "tier"?'],
    ],
    [
      when('"é😀" == principal.clas'),
      ['3:22: attribute "clas" on entity type "Agent" not found; did you mean "class"?'],
    ],
    [
      when('context.socpe.tier == "read"'),
      ['3:11: attribute "socpe" in context for Action::"call" not found; did you mean "scope"?'],
    ],
    [
      when('context.department == "x"'),
      ['3:11: attribute "department" in context for Action::"call" not found'],
    ],
    [
      when('context.chain.contian(principal)'),
      ['3:17: "contian" is not a valid method; did you mean "contains"?'],
    ],
    [
      when('context.now < datetme("2026-01-01")'),
      ['3:17: "datetme" is not a valid function; did you mean "datetime"?'],
    ],
    [when('context.depth < "3"'), ['3:19: unexpected type: expected Long but saw String at "3"']],
    [
      when('context.subject.issuer == "idp"'),
      [
        '3:11: unable to guarantee safety of access to optional attribute "subject" in context for Action::"call"; try testing for the attribute\'s presence with "context has subject && .."',
      ],
    ],
    // What a reviewer would not see.
    [
      `// \u202e;\n@id("a") ${HEAD};`,
      ['1:4: the character "\\u{202e}" is not allowed in policies'],
    ],
    [
      when('context.key == "d\u200bpop"'),
      ['3:20: the character "\\u{200b}" is not allowed in policies'],
    ],
    [`\ufeff@id("a") ${HEAD};`, ['1:1: the character "\\u{feff}" is not allowed in policies']],
    [
      when('context.key == "\ud800"'),
      ['3:19: the character "\\u{d800}" is not allowed in policies'],
    ],
    [
      `@id("a") ${HEAD};\u0000`,
      [`1:${11 + HEAD.length}: the character "\\u{0}" is not allowed in policies`],
    ],
  ] as readonly (readonly [string, readonly string[]])[])('%j', (text, expected) => {
    expect(problemsOf(text)).toEqual(expected)
  })
})

test('everything is told in one run, in the order of the files', () => {
  const first = `// é: columns count characters, the engine counts bytes
@id("read-mail") @max_ttl("1x") permit (principal == Agent::"plannr", action, resource);
@id("broken") permit (principal, action resource);
permit (principal, action == Action::"call", resource) when { context.scope.teir == "é" && principal.clas == "x" };`
  const second = `@id("fine") ${HEAD};\r\n@id("read-mail") ${HEAD};\r\n@id("fine") forbid (principal, action, resource);`
  const { problems, policies } = compile(first, second)
  expect(problems.map(formatProblem)).toEqual([
    'policies/0.cedar:2:18: @max_ttl is "1x"; expected a duration such as 90s, 15m or 8h',
    'policies/0.cedar:2:54: Agent::"plannr" is not known; did you mean "planner"?',
    'policies/0.cedar:3:41: unexpected token "resource"',
    'policies/0.cedar:4:1: the policy has no @id("…")',
    'policies/0.cedar:4:77: attribute "teir" on entity type "Scope" not found; did you mean "tier"?',
    'policies/0.cedar:4:102: attribute "clas" on entity type "Agent" not found; did you mean "class"?',
    'policies/1.cedar:2:1: the id "read-mail" is also at policies/0.cedar:2',
    'policies/1.cedar:3:1: the id "fine" is also at policies/1.cedar:1',
  ])
  expect(problems).toEqual(problems.toSorted(compareProblems))
  expect(policies.map(({ id }) => id)).toEqual(['fine'])
})

describe('warnings', () => {
  test.each([
    [
      `@id("a")\npermit (principal == User::"x", action == Action::"call", resource);`,
      ['1:1: unable to find an applicable action given the policy scope constraints'],
    ],
    [
      when('context.depth > 1 && false'),
      [
        '1:1: policy is impossible: the policy expression evaluates to false for all valid requests',
      ],
    ],
    [when('principal.owner == "p\u0430y"'), ['3:22: string "p\\u{430}y" contains mixed scripts']],
    [when('true'), []],
    // Of what is refused, only why.
    [when('false && principal.clas == "x"').replace('"a"', '"A"'), []],
  ])('%j', (text, expected) => {
    expect(warningsOf(text)).toEqual(expected)
  })
})

test('what is compiled is plain data: a version keeps it as JSON', () => {
  const { policies } = compile(`
// Research reads mail.
@id("read-mail") @max_ttl("15m") @max_depth("2") @require_key("dpop") @approval("propose")
permit (principal in Agent::"planner", action in [Action::"call", Action::"delegate"], resource is Resource in Resource::"mail")
when { context has subject && context.subject.hasTag("department") && Agent::"worker".owner == principal["owner"] }
unless { context.scope in [Scope::"mail:draft"] };
@id("all") forbid (principal in Tenant::"acme", action, resource) when { context has now };`)
  expect(policies).toEqual([
    {
      id: 'read-mail',
      effect: 'permit',
      file: 'policies/0.cedar',
      line: 3,
      text: expect.stringMatching(/^@id\("read-mail"\)[^]*\};$/),
      obligations: { maxTtl: 900, maxDepth: 2, requireKey: 'dpop', approval: 'propose' },
      principal: { type: 'Agent', id: 'planner' },
      resource: { type: 'Resource', id: 'mail' },
      actions: ['call', 'delegate'],
      reads: {
        names: ['owner', 'scope', 'subject'],
        tags: true,
        hierarchy: true,
        // Compared only: nothing of Scope::"mail:draft" is read.
        entities: [{ type: 'Agent', id: 'worker' }],
      },
    },
    {
      id: 'all',
      effect: 'forbid',
      file: 'policies/0.cedar',
      line: 7,
      text: expect.any(String),
      obligations: {},
      principal: undefined,
      resource: undefined,
      actions: undefined,
      reads: { names: ['now'], tags: false, hierarchy: true, entities: [] },
    },
  ])
  expect(JSON.parse(JSON.stringify(policies))).toEqual(policies)
})
