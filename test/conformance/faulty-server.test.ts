/** The runner finds what is wrong: this project's server behind a proxy that commits a fault for each of some rows. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, serveActchain } from '../support/child-server.ts'
import { writeConformanceTenant } from '../support/conformance-tenants.ts'
import { startFaultyProxy } from '../support/faulty-proxy.ts'
import { makeCertificates } from '../support/run-certificates.ts'
import { outcomesOf, runConformance } from '../support/run-conformance.ts'
import { FAULTS, SOUND } from './faults.ts'

const folder = mkdtempSync(join(tmpdir(), 'actchain-faults-'))
const file = join(folder, 'profile.json')
const stops: (() => Promise<void>)[] = []

beforeAll(async () => {
  const tls = await makeCertificates(join(folder, 'tls'))
  const [port = 0, behind = 0, management] = await Promise.all([1, 2, 3].map(() => freePort()))
  const publicUrl = `https://127.0.0.1:${port}`
  const tenants = join(folder, 'tenants')
  mkdirSync(tenants)
  const { rewrite: _, ...parties } = writeConformanceTenant(tenants, 'acme', 'https://files.api')
  const settings = { tls, tenants, data: join(folder, 'data'), port: behind, management, publicUrl }
  const server = await serveActchain(settings)
  stops.push(() => server.stop())
  const proxy = await startFaultyProxy({ port, behind, tls }, FAULTS)
  stops.push(proxy.stop)
  const { agents, api } = parties
  const profile = {
    ...parties,
    issuer: `${publicUrl}/t/acme`,
    ca: tls.ca,
    level: 'delegation',
    max_depth: 3,
    other: { issuer: `${publicUrl}/t/none`, agent: agents['second'], api },
  }
  writeFileSync(file, JSON.stringify(profile))
})

afterAll(async () => {
  for (const stop of stops.reverse()) await stop()
  rmSync(folder, { recursive: true, force: true })
})

const rows = [...FAULTS.map(({ row }) => row), ...SOUND]
const run = (...more: readonly string[]) =>
  runConformance(['--target', file, '--json', ...rows.flatMap((id) => ['--only', id]), ...more])

/** Rows that these faults break as a whole, by the outcome of a run. */
const expected = (excused: string) =>
  Object.fromEntries([
    ...FAULTS.map(({ row, isExcused = false }) => [row, isExcused ? excused : 'failed']),
    ...SOUND.map((row) => [row, 'passed']),
  ])

test('each fault is found, in a strict run', { timeout: 120_000 }, async () => {
  const end = await run()
  expect(outcomesOf(end)).toEqual(expected('failed'))
  expect(end.code).toBe(1)
  expect(end.stdout).not.toMatch(/eyJ[\w-]+\.[\w-]+/)
})

test('a lenient run excuses an error code, and nothing else', { timeout: 120_000 }, async () => {
  expect(outcomesOf(await run('--mode', 'lenient'))).toEqual(expected('warned'))
})
