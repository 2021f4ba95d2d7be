/** The benchmark as a process: every area runs and prints lines of one shape. No figure is judged here. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { PROCESS_ENV } from './support/process-env.ts'

const WITHIN = { timeout: 180_000 }

/** The bench with a temporary folder of its own, which has to be empty afterwards. */
async function runBench(...options: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'actchain-bench-test-'))
  const child = spawn(
    process.execPath,
    ['--conditions=actchain:source', 'bench/main.ts', ...options],
    { env: { ...PROCESS_ENV, TMPDIR: folder }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const ended = once(child, 'close')
  const [out, complaints] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await ended
  const left = readdirSync(folder)
  rmSync(folder, { recursive: true, force: true })
  return { code, out, complaints, left }
}

interface Line {
  readonly name: string
  readonly outcome?: unknown
  readonly [member: string]: unknown
}

function linesOf(out: string): readonly Line[] {
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

const FIGURE = { name: expect.any(String), value: expect.any(Number), unit: expect.any(String) }

test('every area runs, refuses what is hostile, and names its targets last', WITHIN, async () => {
  const { code, out, complaints, left } = await runBench('--quick', '--json')
  expect({ code, complaints, left }).toEqual({ code: 0, complaints: '', left: [] })
  const [note, ...lines] = linesOf(out)
  expect(note).toEqual({ name: 'note', text: expect.stringContaining('core') })
  const figures = lines.filter(({ name }) => name !== 'target')
  for (const figure of figures) {
    expect(figure).toMatchObject(FIGURE)
    expect(Number.isFinite(figure['value'])).toBe(true)
    expect('ratio' in figure).toBe('ratio_to' in figure)
  }
  const names = figures.map(({ name }) => name)
  expect(names).toEqual(
    expect.arrayContaining([
      ...['floor', 'plain_http', 'oidc_provider_alone'].map((name) => `exchange.${name}`),
      ...[1, 4, 8].map((depth) => `exchange.depth${depth}`),
      ...[
        'cold',
        'repeated',
        'repeated_with_proof',
        'chain_rules',
        'jose_jwtVerify',
        'fast_jwt',
      ].flatMap((name) => [3, 4].map((depth) => `verify.${name}.depth${depth}`)),
      'verify.status_check.depth8',
      ...[1, 2, 3, 4, 5, 6, 7, 8].map((depth) => `tokens.bench.depth${depth}`),
      ...['explicit', 'omitted', 'unsliced', 'remembered', 'first'].flatMap((name) =>
        [10, 100, 1000].map((size) => `decision.${name}.policies${size}`),
      ),
      ...['check', 'check_full_yaml', 'check_in_process'].map((name) => `tenant.${name}`),
      ...['add_version', 'activate', 'apply_visible'].flatMap((name) =>
        ['', 'small_'].map((prefix) => `tenant.${prefix}${name}`),
      ),
      ...['exchange.recorded', 'exchange.unrecorded', 'tree', 'verify', 'search_by_task'].map(
        (name) => `audit.${name}`,
      ),
      ...[
        'live_tokens',
        'reach_last_verifier',
        'reach_each_verifier',
        'reach_in_a_burst',
        'fetched_lists',
        'cut_last_acceptance',
        'cut_recovery',
      ].map((name) => `revocation.${name}`),
      'tokens.sample.depth3',
      ...['main', 'koa', 'express', 'fastify', 'fetch', 'metadata', 'audit', 'records'].map(
        (name) => `size.${name}`,
      ),
      'hostile.verifier.malformed_chain.act_10000_levels',
      'hostile.token_endpoint.encrypted.pbes2_2_31_rounds',
    ]),
  )
  const hostile = figures.filter(
    ({ name }) => name.startsWith('hostile.') && !name.endsWith('.none.granted'),
  )
  const outcomes = hostile.map(({ outcome }) => outcome)
  expect(outcomes.length).toBeGreaterThan(40)
  expect(outcomes).not.toContain('accepted')
  expect(outcomes).not.toContain(200)
  const targets = lines.slice(figures.length)
  expect(targets.length).toBeGreaterThanOrEqual(10)
  for (const target of targets) {
    expect(target).toMatchObject({
      name: 'target',
      target: expect.any(String),
      value: expect.any(Number),
      met: expect.any(Boolean),
    })
  }
  const inCut = targets.find(({ target }) => String(target).includes('after the bound, in a cut'))
  expect(inCut).toMatchObject({ value: 0, met: true })
  // Whoever reads the last line alone has the figures of revocation.
  const figure = expect.any(Number)
  expect(targets.at(-1)).toMatchObject({ p50_ms: figure, p99_ms: figure, max_ms: figure })
})

test('a named area runs alone', WITHIN, async () => {
  const { code, out } = await runBench('profile', '--quick')
  expect(code).toBe(0)
  const [, ...lines] = linesOf(out)
  expect(lines.length).toBeGreaterThan(5)
  expect(lines.every(({ name }) => name.startsWith('profile.'))).toBe(true)
})

test.each([['--help'], ['no-such-area'], ['--no-such-option']])(
  '%s runs nothing',
  async (option) => {
    const { code, out, complaints } = await runBench(option)
    expect(code).toBe(option === '--help' ? 0 : 2)
    expect(out + complaints).toMatch(/Usage: npm run bench|See --help/)
  },
)
