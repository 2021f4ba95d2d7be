/** `actchain inspect`: reads what is there, believes nothing, survives anything. */
import { describe, expect, test } from 'vitest'
import { runCli } from './run-cli.ts'

const ISSUER = 'https://as.example.com/t/acme'
const ROOT_IAT = 1_795_316_400

const CLAIMS = {
  iss: ISSUER,
  sub: 'alice',
  sub_profile: 'user',
  aud: 'https://ledger.acme.example/api',
  client_id: 'researcher',
  scope: 'ledger:read',
  iat: ROOT_IAT + 9,
  exp: ROOT_IAT + 120,
  jti: 'hop-2',
  txn: 'task-1',
  cnf: { jkt: 'L1BSyf0VsZoYxYTQE2NWgZhhPww06EQJ73k4cJoVnsI' },
  status: { status_list: { idx: 3, uri: `${ISSUER}/status/g1-7` } },
  act: { sub: 'researcher', iss: ISSUER, act: { sub: 'planner', iss: ISSUER } },
  act_bounds: {
    v: 1,
    root: {
      jti: 'root',
      idx: 1,
      iat: ROOT_IAT,
      exp: ROOT_IAT + 900,
      max_depth: 4,
      basis: 'policy',
      scope: ['docs:read', 'ledger:read'],
      reach: ['https://researcher.acme.example/a2a', 'https://ledger.acme.example/api'],
    },
    hops: [
      { jti: 'hop-2', idx: 3, scope: 2, reach: 2, aud: 1, iat: 9, exp: 120 },
      { jti: 'hop-1', idx: 2, scope: 3, reach: 3, aud: 0, iat: 0, exp: 300 },
    ],
  },
}

function token(
  claims: object = CLAIMS,
  header: object = { alg: 'ES256', typ: 'at+jwt', kid: 'k' },
): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(claims)}.${Buffer.from('signature').toString('base64url')}`
}

async function inspectJson(text: string) {
  const { code, stdout, stderr } = await runCli(['inspect', '--json'], { stdin: text })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}

describe('a delegated token', () => {
  test('is shown hop by hop, oldest first, under a loud warning', async () => {
    const { code, stdout, stderr } = await runCli(['inspect', token()])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^NOT VERIFIED/)
    expect(stdout).toContain('Subject   alice')
    expect(stdout).toContain('Caller    researcher')
    expect(stdout).toContain('Bound to  DPoP key L1BSyf0VsZoYxYTQE2NWgZhhPww06EQJ73k4cJoVnsI')
    expect(stdout).toContain(`Size      ${token().length} bytes`)
    expect(stdout).not.toContain('Breaks the format')
    expect(stdout.split('Chain, oldest first\n')[1]).toBe(
      [
        '   opened by policy, at most 4 agents, for 900 s',
        '      scope  docs:read ledger:read',
        '      reach  https://researcher.acme.example/a2a https://ledger.acme.example/api',
        ' 1 planner at https://researcher.acme.example/a2a',
        '      scope  docs:read ledger:read',
        '      reach  https://researcher.acme.example/a2a https://ledger.acme.example/api',
        '      valid  2026-11-22T03:00:00Z to 2026-11-22T03:05:00Z (300 s)',
        ' 2 researcher at https://ledger.acme.example/api',
        '      scope  ledger:read',
        '      reach  https://ledger.acme.example/api',
        '      valid  2026-11-22T03:00:09Z to 2026-11-22T03:02:00Z (111 s)',
        '',
      ].join('\n'),
    )
  })

  test('is one JSON value with --json', async () => {
    const report = await inspectJson(token())
    expect(report).toMatchObject({
      verified: false,
      subject: 'alice',
      audience: ['https://ledger.acme.example/api'],
      actors: ['planner', 'researcher'],
      faults: [],
    })
    expect(
      report.hops.map((hop: { agent: string; scope: string[] }) => [hop.agent, hop.scope]),
    ).toEqual([
      ['planner', ['docs:read', 'ledger:read']],
      ['researcher', ['ledger:read']],
    ])
  })

  test.each([
    ['after its scheme', `DPoP ${token()}`],
    ['in a token response', JSON.stringify({ access_token: token(), token_type: 'DPoP' })],
    ['with white space around it', `\n  ${token()}\r\n`],
  ])('is found %s', async (_, text) => {
    expect(await inspectJson(text)).toMatchObject({ subject: 'alice' })
  })

  test('that widens is shown with the rule it breaks', async () => {
    const [newest, oldest] = CLAIMS.act_bounds.hops
    const bounds = {
      ...CLAIMS.act_bounds,
      hops: [
        { ...newest, scope: 3 },
        { ...oldest, scope: 2 },
      ],
    }
    const { code, stdout } = await runCli(['inspect', token({ ...CLAIMS, act_bounds: bounds })])
    expect(code).toBe(0)
    expect(stdout).toMatch(/Breaks the format: \w+/)
  })

  test('of an agent on its own behalf shows the agent as its one hop', async () => {
    const { act: _, ...claims } = CLAIMS
    const root = { ...CLAIMS.act_bounds.root, basis: 'client' }
    const bounds = { v: 1, root, hops: [CLAIMS.act_bounds.hops[0]] }
    const report = await inspectJson(
      token({ ...claims, sub: 'planner', client_id: 'planner', act_bounds: bounds }),
    )
    expect(report.hops.map((hop: { agent: string }) => hop.agent)).toEqual(['planner'])
  })

  test('tells what it is bound to: a key, a certificate, both', async () => {
    const cnf = { 'x5t#S256': 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0' }
    const certified = await runCli(['inspect', token({ ...CLAIMS, cnf })])
    expect(certified.stdout).toContain(`Bound to  certificate ${cnf['x5t#S256']}\n`)
    const both = { ...CLAIMS.cnf, ...cnf }
    expect(await inspectJson(token({ ...CLAIMS, cnf: both }))).toMatchObject({ cnf: both })
  })

  test('of another kind is shown as far as it can be', async () => {
    const { code, stdout } = await runCli(['inspect', token({ sub: 'alice', aud: ['a', 'b'] })])
    expect(code).toBe(0)
    expect(stdout).toContain('Audience  a, b')
    expect(stdout).toContain('Bound to  nothing: a bearer token')
    expect(stdout).toContain('not a delegated token of this format')
  })
})

describe('hostile input', () => {
  test('I10 control and direction characters are escaped', async () => {
    const sub = 'alice\u001b[2J\n2 admin at everywhere\u202e\u0085\u2028'
    const claims = {
      ...CLAIMS,
      sub,
      act: { ...CLAIMS.act, sub: 'x\u0007\r' },
      cnf: { 'a\u001b': 'b\u001b' },
    }
    for (const flag of [[], ['--json']]) {
      const { stdout } = await runCli(['inspect', token(claims), ...flag])
      // Line ends of our own aside, nothing but printable ASCII was given or is written.
      expect(stdout.replaceAll('\n', '')).toMatch(/^[\x20-\x7e]+$/)
      expect(stdout).not.toMatch(/^2 admin/m)
      expect(stdout).toContain('alice\\u001b[2J\\')
    }
  })

  test.each([
    ['nothing', ''],
    ['words', 'hello there'],
    ['dots', '..'],
    ['a cut token', token().slice(0, 40)],
    ['an encrypted token', `${token()}.x.y`],
    ['padding', `${token()}==`],
    ['bytes that are no UTF-8', `${Buffer.from([0xff, 0xfe]).toString('base64url')}.e30.e30`],
    ['an array', `${Buffer.from('[]').toString('base64url')}.e30.e30`],
    [
      'deep nesting',
      `eyJhbGciOiJFUzI1NiJ9.${Buffer.from('{"a":'.repeat(2000)).toString('base64url')}.e30`,
    ],
    ['NUL characters', '\0\0\0'],
  ])('%s is refused in one sentence', async (_, text) => {
    const { code, stdout, stderr } = await runCli(['inspect'], { stdin: text })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^This is no signed token; [^\n]+\n$/)
  })

  test.each([
    ['of 1 MB', 'x'.repeat(1_000_000)],
    ['one character too long', `${'x'.repeat(16_385)}`],
  ])('a text %s is refused by its size', async (_, stdin) => {
    const { code, stdout, stderr } = await runCli(['inspect'], { stdin })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe('This is larger than 16384 characters; no token is.\n')
  })

  test('an error response is told as what it is', async () => {
    const stdin = JSON.stringify({ error: 'invalid_scope', reason: 'scope_exceeded\u001b' })
    const { code, stderr } = await runCli(['inspect'], { stdin })
    expect(code).toBe(1)
    expect(stderr).toBe(
      'This is an error response, not a token: invalid_scope (scope_exceeded\\u001b)\n',
    )
  })

  test.each([
    ['bounds of the wrong types', { ...CLAIMS, act_bounds: { v: 1, root: [], hops: {} } }],
    [
      'claims of the wrong types',
      { iss: 1, sub: [], aud: {}, cnf: 'x', exp: 'x', iat: null, act: 7 },
    ],
    ['times beyond any date', { ...CLAIMS, iat: 1e300, exp: -1e300 }],
    [
      'a hundred hops',
      { ...CLAIMS, act_bounds: { ...CLAIMS.act_bounds, hops: Array(100).fill({}) } },
    ],
    [
      'masks beyond the list',
      {
        ...CLAIMS,
        act_bounds: {
          ...CLAIMS.act_bounds,
          hops: CLAIMS.act_bounds.hops.map((hop) => ({ ...hop, scope: 2 ** 31, aud: 30 })),
        },
      },
    ],
  ])('%s do not stop it', async (_, claims) => {
    const { code, stdout, stderr } = await runCli(['inspect', token(claims)])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('Breaks the format: ')
  })
})

describe('the command line', () => {
  test.each([
    [['inspekt'], "Unknown command 'inspekt' (Did you mean inspect?). See --help."],
    [['inspect', '--jsn'], "Unknown option '--jsn' (Did you mean --json?). See --help."],
    [['dev', 'user-token', 'alice'], "Required option '--for <agent>' not specified. See --help."],
    [
      ['inspect', 'a', 'b'],
      "Too many arguments for 'inspect'. Expected 1 argument but got 2. See --help.",
    ],
  ])('%j is misuse: exit 2 and one sentence', async (args, expected) => {
    expect(await runCli(args)).toEqual({ code: 2, stdout: '', stderr: `${expected}\n` })
  })

  test.each([['serve'], ['inspect'], ['dev', 'user-token'], ['dev', 'curl']])(
    '%s %s --help shows an example',
    async (...name) => {
      const args = name.filter((word) => typeof word === 'string')
      const { code, stdout, stderr } = await runCli([...args, '--help'])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toMatch(/Example:\n {2}actchain /)
      expect(stdout).toContain('--json')
    },
  )
})
