/** The demo as a process: what it tells, that it notices when something goes otherwise, and that it leaves nothing. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { PROCESS_ENV } from './support/process-env.ts'

const WITHIN = { timeout: 60_000 }

/** The demo with a temporary folder of its own, which has to be empty afterwards. */
function startDemo(...options: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-demo-test-'))
  const child = spawn(
    process.execPath,
    ['--conditions=actchain:source', 'examples/demo/demo.ts', ...options],
    { env: { ...PROCESS_ENV, TMPDIR: folder }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  return { child, folder, ended: once(child, 'close') }
}

async function runDemo(...options: readonly string[]) {
  const { child, folder, ended } = startDemo(...options)
  const [out, complaints] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await ended
  return { code, out, complaints, left: readdirSync(folder) }
}

interface Line {
  readonly name?: string
  readonly ok: boolean
  readonly expires_at?: number
  readonly token_bytes?: number
}

function linesOf(out: string): Line[] {
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

/** The sample tenants after some texts of them were replaced. */
function tenantsWith(changes: Readonly<Record<string, readonly [string, string]>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-demo-tenants-'))
  cpSync('tenants', folder, { recursive: true })
  for (const [name, [old, replacement]] of Object.entries(changes)) {
    const file = join(folder, 'acme', name)
    const before = readFileSync(file, 'utf8')
    expect(before).toContain(old)
    writeFileSync(file, before.replace(old, replacement))
  }
  return folder
}

const ROOT_SCOPE = ['docs:read', 'crm:read', 'ledger:read', 'ledger:propose', 'mail:send']

function hop(number: number, told: object) {
  const measured = ['expires_at', 'expires_in', 'token_bytes'].map((name) => [
    name,
    expect.any(Number),
  ])
  const every = { kind: 'hop', ok: true, hop: number, subject: 'alice', root_scope: ROOT_SCOPE }
  return { ...every, ...Object.fromEntries(measured), ...told }
}

const HOPS = [
  hop(1, {
    actor: 'planner',
    chain: ['planner'],
    audience: 'https://researcher.acme.example/a2a',
    scope: 'docs:read crm:read ledger:read ledger:propose',
    scope_masks: [15],
    reach_masks: [7],
    checked_by: 'researcher',
  }),
  hop(2, {
    actor: 'researcher',
    chain: ['planner', 'researcher'],
    audience: 'https://ledger-writer.acme.example/a2a',
    scope: 'crm:read ledger:read ledger:propose',
    scope_masks: [14, 15],
    reach_masks: [6, 7],
    checked_by: 'ledger-writer',
  }),
  hop(3, {
    actor: 'ledger-writer',
    chain: ['planner', 'researcher', 'ledger-writer'],
    audience: 'https://ledger.acme.example/api',
    scope: 'ledger:read ledger:propose',
    scope_masks: [12, 14, 15],
    reach_masks: [4, 6, 7],
    checked_by: 'ledger-api',
  }),
]

const RECORD = {
  kind: 'record',
  ok: true,
  client: 'ledger-api',
  subject: 'alice',
  chain: ['planner', 'researcher', 'ledger-writer'],
  tool: 'post',
  object: '/api',
  result: 'succeeded',
}

function refusal(name: string, told: object) {
  return { kind: 'refusal', name, ok: true, ...told }
}

const REFUSALS = [
  refusal('wider-scope', {
    chain: ['planner'],
    asked: 'researcher',
    by: 'actchain',
    error: 'invalid_scope',
    reason: 'scope_not_permitted',
  }),
  refusal('api-outside-reach', {
    chain: ['planner'],
    asked: 'researcher',
    by: 'actchain',
    error: 'invalid_target',
    reason: 'target_not_permitted',
    also: [
      {
        chain: ['planner'],
        asked: 'researcher',
        by: 'docs-api',
        error: 'invalid_token',
        reason: 'audience_mismatch',
      },
    ],
  }),
  refusal('fifth-hop', {
    chain: ['planner', 'archivist', 'reviewer', 'researcher'],
    asked: 'ledger-writer',
    by: 'actchain',
    error: 'invalid_request',
    reason: 'chain_too_long',
  }),
  refusal('stolen-token-exchanged', {
    chain: ['planner'],
    asked: 'mailer',
    by: 'actchain',
    error: 'invalid_request',
    reason: 'subject_token_unacceptable',
  }),
  refusal('stolen-token-without-key', {
    chain: ['planner', 'researcher'],
    asked: 'mailer',
    by: 'ledger-api',
    error: 'invalid_token',
    reason: 'proof_key_mismatch',
  }),
  refusal('expired-parent', {
    chain: ['planner'],
    asked: 'researcher',
    by: 'actchain',
    error: 'invalid_request',
    reason: 'subject_token_expired',
  }),
  refusal('revoked-task', {
    chain: ['planner', 'researcher'],
    asked: 'ledger-writer',
    by: 'ledger-api',
    error: 'invalid_token',
    reason: 'token_revoked',
  }),
]

describe('the demo', () => {
  test(
    'tells three hops, what was recorded and seven refusals, each exactly as promised, and leaves nothing',
    WITHIN,
    async () => {
      const { code, out, left } = await runDemo('--json')
      const lines = linesOf(out)
      expect(lines).toEqual([...HOPS, RECORD, ...REFUSALS])
      const ends = lines.slice(0, 3).map((line) => line.expires_at ?? 0)
      expect(ends).toEqual(ends.toSorted((a, b) => b - a))
      const sizes = lines.slice(0, 3).map((line) => line.token_bytes ?? 0)
      expect(Math.max(...sizes)).toBeLessThan(3072)
      expect(code).toBe(0)
      expect(left).toEqual([])
    },
  )

  test(
    'fails where a hop is refused, and where what had to be refused is let through',
    WITHIN,
    async () => {
      const tenants = tenantsWith({
        // The researcher may not go on to the ledger-writer, but the task reaches the docs API.
        'agents.yaml': [
          'may_reach: [ledger-writer-a2a, ledger-api, docs-api, crm-api]',
          'may_reach: [ledger-api, docs-api]',
        ],
        'task-types.yaml': [
          'archivist-a2a, reviewer-a2a]',
          'archivist-a2a, reviewer-a2a, docs-api]',
        ],
      })
      const { code, out, left } = await runDemo('--json', '--tenants', tenants)
      const lines = linesOf(out)
      expect(lines[1]).toEqual({
        kind: 'hop',
        ok: false,
        hop: 2,
        expected: expect.objectContaining({ chain: ['planner', 'researcher'] }),
        happened: expect.objectContaining({
          error: 'invalid_target',
          reason: 'target_not_permitted',
        }),
      })
      expect(lines[3]).toMatchObject({ kind: 'record', ok: false, happened: null })
      expect(lines.find((line) => line.name === 'api-outside-reach')).toEqual({
        kind: 'refusal',
        name: 'api-outside-reach',
        ok: false,
        error: null,
        reason: null,
        also: [expect.objectContaining({ reason: 'audience_mismatch' })],
        expected: [
          expect.objectContaining({ reason: 'target_not_permitted' }),
          expect.objectContaining({ reason: 'audience_mismatch' }),
        ],
      })
      expect(lines.map((line) => line.ok).filter(Boolean)).toHaveLength(1)
      expect(code).toBe(1)
      expect(left).toEqual([])
    },
  )

  test('stopped by Ctrl-C, it ends its server, its agents and its folder', WITHIN, async () => {
    const { child, folder, ended } = startDemo()
    let said = ''
    for await (const chunk of child.stdout) {
      said += String(chunk)
      if (said.includes('Issuer:')) break
    }
    const issuer = /Issuer: (\S+)/.exec(said)?.[1] ?? ''
    child.kill('SIGINT')
    expect(await ended).toEqual([130, null])
    await expect(fetch(issuer)).rejects.toThrow('fetch failed')
    expect(readdirSync(folder)).toEqual([])
  })

  test('says plainly what is wrong with a tenants folder, and starts nothing', WITHIN, async () => {
    const { code, out, complaints, left } = await runDemo('--json', '--tenants', 'no-such-folder')
    expect(complaints).toMatch(/^The tenants folder cannot be used: .*no-such-folder/)
    expect({ code, out, left }).toEqual({ code: 1, out: '', left: [] })
  })

  test('explains itself, and refuses options it does not know', WITHIN, async () => {
    const help = await runDemo('--help')
    expect(help).toMatchObject({ code: 0, out: expect.stringMatching(/^Usage: npm run demo/) })
    const misused = await runDemo('--jsn')
    expect(misused).toMatchObject({
      code: 2,
      out: '',
      complaints: expect.stringContaining('--jsn'),
    })
  })
})
