/** `actchain task` against a real server, with tasks that agents opened and handed on: listed, shown, ended. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AgentClient, Answer } from '../support/agent-client.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { payloadOf } from '../support/signing.ts'
import type { Ran } from './run-cli.ts'
import { runHere } from './run-here.ts'

let server: TestServer
let planner: AgentClient
let researcher: AgentClient
let coder: AgentClient
beforeAll(async () => {
  server = await startAuthorizationServer()
  planner = server.client('planner')
  researcher = server.client('researcher')
  coder = server.client('coder')
})
afterAll(() => server.close())

function cli(...args: readonly string[]): Promise<Ran> {
  const { publicUrl, dataFolder } = server.config
  return runHere(['task', ...args], { ACTCHAIN_PUBLIC_URL: publicUrl, ACTCHAIN_DATA: dataFolder })
}

const linesOf = ({ stdout }: Ran): readonly string[] => stdout.split('\n').slice(0, -1)
const jsonOf = ({ stdout }: Ran) => JSON.parse(stdout)

function tokenOf({ body, status, text }: Answer): string {
  expect(status, text).toBe(200)
  return String(body['access_token'])
}

interface Work {
  readonly txn: string
  /** planner's, addressed to researcher. */
  readonly first: string
  /** researcher's, addressed to coder. */
  readonly second: string
  /** coder's, addressed to the files API. */
  readonly third: string
}

/** A task that planner opened for a user, handed to researcher and from there to coder. */
async function work(user = 'alice', purpose = 'reconcile the invoices'): Promise<Work> {
  const form = { audience: 'researcher-a2a', scope: 'files:read files:write', purpose }
  const first = tokenOf(
    await planner.open(server.idToken(user, 'planner', { jti: randomUUID() }), form),
  )
  const handed = { audience: 'coder-a2a', scope: 'files:read' }
  const second = tokenOf(await researcher.exchange(first, handed))
  const third = tokenOf(await coder.exchange(second, { audience: 'files-api' }))
  return { txn: String(payloadOf(first)['txn']), first, second, third }
}

/** Text without what no two runs share: ids, times, how long is left. */
function steady(text: string, { txn, first, second, third }: Work): string {
  const named = Object.entries({ first, second, third }).reduce(
    (before, [name, token]) => before.replaceAll(String(payloadOf(token)['jti']), name),
    text.replaceAll(txn, 'TXN'),
  )
  return named
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/(?:\d+ (?:h|min|s) )+left/g, 'SOME left')
}

describe('task show', () => {
  test('prints the tree of places: who, for whom, with what, how long, why it ended', async () => {
    const task = await work()
    const shown = await cli('show', 'acme', task.txn)
    expect([shown.code, shown.stderr]).toEqual([0, ''])
    expect(steady(shown.stdout, task)).toBe(`task TXN is open
  type      file-work
  subject   alice
  purpose   reconcile the invoices
  opened    TIME by planner
  deadline  TIME, SOME left

planner for alice: files:read files:write, SOME left
    first  live       at https://researcher.agents/a2a  files:read files:write  SOME left
  researcher for planner: files:read, SOME left
      second  live       at https://coder.agents/a2a  files:read  SOME left
    coder for researcher: files:read, SOME left
        third  live       at https://files.api  files:read  SOME left
`)
    const why = ['--place', 'planner/researcher', '--reason', 'it was misled']
    const revoked = await cli('revoke', 'acme', task.txn, ...why)
    expect([revoked.code, revoked.stderr, steady(revoked.stdout, task)]).toEqual([
      0,
      '',
      'TXN: planner/researcher is revoked, with everything beneath; the task is open.\n',
    ])
    const after = steady((await cli('show', 'acme', task.txn)).stdout, task)
    expect(after.split('\n\n')[1]).toBe(`planner for alice: files:read files:write, SOME left
    first  live       at https://researcher.agents/a2a  files:read files:write  SOME left
  researcher for planner: revoked TIME by operator: it was misled
      second  revoked    at https://coder.agents/a2a  files:read
    coder for researcher: nothing left
        third  revoked    at https://files.api  files:read
`)
  })

  test('prints the task as the server gives it, as one JSON value', async () => {
    const { txn } = await work()
    expect(jsonOf(await cli('show', 'acme', txn, '--json'))).toMatchObject({
      txn,
      type: 'file-work',
      subject: 'alice',
      opener: 'planner',
      state: 'open',
      places: expect.arrayContaining([
        expect.objectContaining({ place: ['planner', 'researcher'], agent: 'researcher' }),
      ]),
    })
  })
})

describe('task list', () => {
  test('lists the newest first, those that fit alone, and says when there are more', async () => {
    const [older, newer] = [await work('bob', 'one'), await work('bob', 'two')]
    const listed = await cli('list', 'acme', '--subject', 'bob')
    expect(new Set(linesOf(listed).map((line) => line.replace(/ {2}\S+Z {2}/, ' ')))).toEqual(
      new Set([
        `${newer.txn}  open      file-work  planner for bob  "two"`,
        `${older.txn}  open      file-work  planner for bob  "one"`,
      ]),
    )
    const one = await cli('list', 'acme', '--subject', 'bob', '--limit', '1')
    expect(linesOf(one)).toEqual([
      expect.stringContaining('planner for bob'),
      'There are more than 1; ask for them with --limit.',
    ])
    await cli('close', 'acme', older.txn)
    const closed = await cli('list', 'acme', '--subject', 'bob', '--state', 'closed', '--json')
    expect(jsonOf(closed)).toMatchObject({ txn: older.txn, state: 'closed', subject: 'bob' })
    const acts = await cli('list', 'acme', '--agent', 'coder', '--state', 'open', '--json')
    expect(acts.stdout).toContain(newer.txn)
    expect(await cli('list', 'acme', '--agent', 'rogue')).toEqual({
      code: 0,
      stdout: 'No such task.\n',
      stderr: '',
    })
  })

  test('follows pages up to its limit', async () => {
    for (let count = 0; count < 102; count += 1) {
      tokenOf(await planner.open(server.idToken('many'), { audience: 'files-api' }))
    }
    const all = await cli('list', 'acme', '--subject', 'many', '--limit', '200', '--json')
    expect(new Set(linesOf(all).map((line) => JSON.parse(line).txn)).size).toBe(102)
    const some = await cli('list', 'acme', '--subject', 'many', '--limit', '101', '--json')
    expect(linesOf(some)).toHaveLength(101)
  })
})

describe('a task', () => {
  test('is closed, and then nothing is issued in it', async () => {
    const { txn, first } = await work()
    expect(await cli('close', 'acme', txn, '--reason', 'done')).toEqual({
      code: 0,
      stdout: `${txn} is closed.\n`,
      stderr: '',
    })
    expect((await researcher.exchange(first, { audience: 'coder-a2a' })).status).toBe(400)
    const again = await cli('resume', 'acme', txn, '--reason', 'not yet')
    expect([again.code, again.stdout, again.stderr]).toEqual([
      1,
      '',
      `${txn} is not suspended; see actchain task show acme ${txn}.\n`,
    ])
  })

  test('is revoked, and says so with its reason', async () => {
    const { txn, second } = await work()
    const done = await cli('revoke', 'acme', txn, '--reason', 'it looked wrong', '--json')
    expect([done.code, jsonOf(done)]).toEqual([
      0,
      expect.objectContaining({ txn, state: 'revoked' }),
    ])
    expect((await coder.exchange(second, { audience: 'files-api' })).status).toBe(400)
    const shown = await cli('show', 'acme', txn)
    expect(shown.stdout).toMatch(/^ {2}revoked {3}\S+Z by operator: it looked wrong$/m)
  })

  test('whose id begins as an option does is found', async () => {
    const { code, stderr } = await cli('show', 'acme', '-BSnr0VTFnPzkCVVwdzCFw')
    expect([code, stderr]).toEqual([
      1,
      'acme has no task -BSnr0VTFnPzkCVVwdzCFw; see actchain task list acme.\n',
    ])
  })
})

describe('many tasks', () => {
  test('of a subject are revoked by one command', async () => {
    const [one, two] = [await work('carol'), await work('carol')]
    const done = await cli('revoke', 'acme', '--subject', 'carol', '--reason', 'her laptop is gone')
    expect(done).toEqual({ code: 0, stdout: 'Revoked: 2 tasks and 0 places.\n', stderr: '' })
    for (const { first } of [one, two]) {
      expect((await researcher.exchange(first, { audience: 'coder-a2a' })).status).toBe(400)
    }
  })

  test('lose the places of an agent that is revoked', async () => {
    const { first, second } = await work('dora')
    const done = await cli('revoke', 'acme', '--agent', 'coder', '--reason', 'leaked')
    expect([done.code, done.stderr, linesOf(done)]).toEqual([
      0,
      '',
      [
        expect.stringMatching(/^Revoked: 0 tasks and [1-9]\d* places?\.$/),
        'It may begin anew; actchain agents disable acme coder prevents that.',
      ],
    ])
    expect((await coder.exchange(second, { audience: 'files-api' })).status).toBe(400)
    expect((await researcher.exchange(first, { audience: 'files-api' })).status).toBe(200)
  })
})

describe('misuse', () => {
  const why = ['--reason', 'x']
  const txn = 'bBSnr0VTFnPzkCVVwdzCFw'
  const rule =
    'Name one thing to revoke: a task, with --place or without, or one of --agent, --subject and --task-type. See --help.\n'

  test.each([
    [['revoke', 'acme', ...why], rule],
    [['revoke', 'acme', txn, '--agent', 'coder', ...why], rule],
    [['revoke', 'acme', '--agent', 'coder', '--subject', 'alice', ...why], rule],
    [['revoke', 'acme', '--place', 'planner', ...why], rule],
    [['revoke', 'acme', '--agent', 'coder', '--place', 'planner', ...why], rule],
    [['revoke', 'acme', txn], "Required option '--reason <words>' not specified. See --help.\n"],
    [['resume', 'acme', txn], "Required option '--reason <words>' not specified. See --help.\n"],
    [['show', 'acme'], "Missing required argument 'txn'. See --help.\n"],
    [
      ['list', 'acme', '--limit', '0'],
      "Option '--limit <number>' argument '0' is invalid. It must be a number from 1 to 10000. See --help.\n",
    ],
    [
      ['list', 'acme', '--state', 'gone'],
      "Option '--state <state>' argument 'gone' is invalid. Allowed choices are open, suspended, closed, revoked, expired. See --help.\n",
    ],
  ])('%j is told what to do', async (args, stderr) => {
    expect(await cli(...args)).toEqual({ code: 2, stdout: '', stderr })
  })
})

test('what is not there is said in one sentence', async () => {
  const { publicUrl } = server.config
  const txn = 'bBSnr0VTFnPzkCVVwdzCFw'
  const noTask = `acme has no task ${txn}; see actchain task list acme.\n`
  const noTenant = `${publicUrl} has no tenant nobody; actchain apply makes one.\n`
  const { txn: there } = await work()
  const asked: readonly (readonly [readonly string[], string])[] = [
    [['show', 'acme', txn], noTask],
    [['close', 'acme', txn], noTask],
    [['revoke', 'acme', txn, '--reason', 'x'], noTask],
    [['resume', 'acme', txn, '--reason', 'x'], noTask],
    [['show', 'globex', there], `globex has no task ${there}; see actchain task list globex.\n`],
    [['list', 'nobody'], noTenant],
    [['show', 'nobody', txn], noTenant],
    [['revoke', 'nobody', '--agent', 'coder', '--reason', 'x'], noTenant],
    [
      ['revoke', 'acme', there, '--place', 'planner/rogue', '--reason', 'x'],
      `acme has no task ${there} with a place planner/rogue; see actchain task show acme ${there}.\n`,
    ],
  ]
  for (const [args, stderr] of asked) {
    expect(await cli(...args)).toEqual({ code: 1, stdout: '', stderr })
  }
})
