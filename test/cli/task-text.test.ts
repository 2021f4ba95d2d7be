/** What people see of a task: the tree of places, what each may still do, and why one may nothing more. */
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../lib/src/strict-json.ts'
import { taskLine, taskText } from '../../server/cli/task-text.ts'

const NOW = Date.parse('2026-11-22T09:00:10Z') / 1000

const token = (jti: string, parts: JsonObject = {}): JsonObject => ({
  jti,
  parent: 'root',
  audience: 'files-api',
  scope: ['files:read'],
  reach: ['files-api'],
  issued_at: '2026-11-22T09:00:00.000Z',
  expires_at: '2026-11-22T09:05:00.000Z',
  state: 'live',
  ...parts,
})

const task = (parts: JsonObject = {}): JsonObject => ({
  txn: 'bBSnr0VTFnPzkCVVwdzCFw',
  type: 'file-work',
  subject: 'alice',
  opener: 'planner',
  purpose: 'reconcile the invoices',
  opened_at: '2026-11-22T09:00:00.000Z',
  deadline: '2026-11-22T10:30:10.000Z',
  state: 'open',
  places: [],
  ...parts,
})

const treeOf = (places: readonly JsonObject[]): readonly string[] =>
  taskText(task({ places }), NOW).split('\n\n')[1]?.split('\n') ?? []

describe('a task', () => {
  test('is told with its facts, and the time it has left', () => {
    expect(taskText(task(), NOW)).toBe(
      `task bBSnr0VTFnPzkCVVwdzCFw is open
  type      file-work
  subject   alice
  purpose   reconcile the invoices
  opened    2026-11-22T09:00:00.000Z by planner
  deadline  2026-11-22T10:30:10.000Z, 1 h 30 min left
`,
    )
  })

  test('that ended says when, by whom and why', () => {
    const ending = { at: '2026-11-22T09:00:05.000Z', by: 'idp:dave', reason: 'it looked wrong' }
    const lines = taskText(task({ state: 'revoked', ending }), NOW).split('\n')
    expect(lines[0]).toBe('task bBSnr0VTFnPzkCVVwdzCFw is revoked')
    expect(lines).toContain('  revoked   2026-11-22T09:00:05.000Z by idp:dave: it looked wrong')
  })

  test('is one line in a list', () => {
    expect(taskLine(task())).toBe(
      'bBSnr0VTFnPzkCVVwdzCFw  open       2026-11-22T09:00:00.000Z  file-work  planner for alice  "reconcile the invoices"',
    )
  })

  test('I10 writes no line of its own, whatever an agent says it is for', () => {
    const purpose = 'tidy\ntask aaaa is closed\u001b[2J\u202e'
    expect(taskLine(task({ purpose }))).toContain(
      '"tidy\\u000atask aaaa is closed\\u001b[2J\\u202e"',
    )
    expect(taskText(task({ purpose }), NOW).split('\n')).toHaveLength(7)
  })
})

describe('the tree', () => {
  test('has each place beneath the one it was handed from, with what is left of scope and time', () => {
    const handed = token('a2', { audience: 'coder-a2a', scope: ['files:read'] })
    expect(
      treeOf([
        {
          place: ['planner'],
          agent: 'planner',
          tokens: [
            token('a1', { scope: ['files:read', 'mail:send'] }),
            token('a0', { expires_at: '2026-11-22T09:00:50.000Z', scope: ['files:write'] }),
          ],
        },
        { place: ['planner', 'coder'], agent: 'coder', tokens: [token('b1')] },
        { place: ['planner', 'researcher'], agent: 'researcher', tokens: [handed] },
        { place: ['planner', 'researcher', 'coder'], agent: 'coder', tokens: [token('a3')] },
      ]),
    ).toEqual([
      'planner for alice: files:read mail:send files:write, 4 min 50 s left',
      '    a1  live       at files-api  files:read mail:send  4 min 50 s left',
      '    a0  live       at files-api  files:write  40 s left',
      '  coder for planner: files:read, 4 min 50 s left',
      '      b1  live       at files-api  files:read  4 min 50 s left',
      '  researcher for planner: files:read, 4 min 50 s left',
      '      a2  live       at coder-a2a  files:read  4 min 50 s left',
      '    coder for researcher: files:read, 4 min 50 s left',
      '        a3  live       at files-api  files:read  4 min 50 s left',
    ])
  })

  test('says of a place that was taken out when, by whom and why', () => {
    const revoked = { at: '2026-11-22T09:00:05.000Z', by: 'operator', reason: 'misled' }
    const tokens = [token('a2', { state: 'revoked' })]
    expect(treeOf([{ place: ['planner'], agent: 'planner', revoked, tokens }])).toEqual([
      'planner for alice: revoked 2026-11-22T09:00:05.000Z by operator: misled',
      '    a2  revoked    at files-api  files:read',
    ])
  })

  test('says of a suspended task that nothing goes on', () => {
    const tokens = [token('a1', { state: 'suspended' }), token('a2', { state: 'expired' })]
    expect(treeOf([{ place: ['planner'], agent: 'planner', tokens }])[0]).toBe(
      'planner for alice: suspended',
    )
  })

  test('says where nothing is left', () => {
    const tokens = [token('a1', { state: 'expired' })]
    expect(treeOf([{ place: ['planner'], agent: 'planner', tokens }])).toEqual([
      'planner for alice: nothing left',
      '    a1  expired    at files-api  files:read',
    ])
  })
})
