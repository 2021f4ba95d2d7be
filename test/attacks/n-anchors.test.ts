/**
 * Threats N02 with somebody outside: a log whose keeper cuts or rewrites it, all that lies beside it and all that it signed
 * included, is found by what a witness and a file elsewhere keep. Two servers, each the other's stranger.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openOctetSigner } from '../../keys/octet-signer.ts'
import {
  formatVkey,
  parseCheckpoint,
  parseNote,
  verifyCheckpoint,
  verifyCosignature,
} from '../../lib/src/audit/index.ts'
import { anchorPath, newestNote } from '../../server/audit/anchored-checkpoints.ts'
import { auditFolder, entriesPath, logFolder, witnessedPath } from '../../server/audit/log-paths.ts'
import { runHere } from '../cli/run-here.ts'
import { startAuthorizationServer, type TestServer } from '../support/authorization-server.ts'
import { tokenOf } from './fixture.ts'

let folder: string
let log: TestServer
let witness: TestServer
let origin: string
let logKey: string
let witnessKey: string

const anchorsOf = (name: string): string => join(folder, `${name}.yaml`)
const worm = (): string => join(folder, 'worm')

async function start(name: string): Promise<TestServer> {
  return startAuthorizationServer({
    tenants: { acme: () => {} },
    environment: { ACTCHAIN_AUDIT_ANCHORS: anchorsOf(name) },
  })
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'actchain-anchors-'))
  writeFileSync(anchorsOf('log'), 'anchors: []\n')
  log = await start('log')
  const { dataFolder, publicUrl } = log.config
  const secret = readFileSync(join(dataFolder, 'key-secret'), 'utf8')
  const { publicKey } = openOctetSigner({ dataFolder, owner: '_platform.audit', secret })
  origin = `${publicUrl.replace('http://', '')}/t/acme/audit`
  logKey = await formatVkey(origin, 'ed25519', publicKey)
  writeFileSync(anchorsOf('witness'), `witness_for:\n  - ${logKey}\n`)
  witness = await start('witness')
  witnessKey = (await (await fetch(`${witness.config.publicUrl}/witness/v1/key`)).text()).trim()
  const anchors = `every: 1s
anchors:
  - { kind: file, path: ${worm()} }
  - { kind: witness, url: ${witness.config.publicUrl}/witness/v1/, key: ${witnessKey} }
`
  writeFileSync(anchorsOf('log'), anchors)
  await log.stop()
  await log.start()
})
afterAll(async () => {
  await log?.close()
  await witness?.close()
  rmSync(folder, { recursive: true, force: true })
})

const sizeOf = (note: string): number => parseCheckpoint(parseNote(note).text).size
const inLog = (path: (folder: string) => string): string =>
  readFileSync(path(logFolder(log.config.dataFolder, 'acme')), 'utf8')
const entries = (): number => inLog(entriesPath).split('\n').length - 1

/** So many decisions on record. */
async function decide(count: number): Promise<void> {
  const planner = log.client('planner')
  for (let done = 0; done < count; done += 1) {
    tokenOf(await planner.open(log.idToken(), { audience: 'files-api' }))
  }
}

/** What the witness shows anybody of the log. */
async function shown(): Promise<string> {
  const hash = createHash('sha256').update(origin).digest('hex')
  return (await fetch(`${witness.config.publicUrl}/witness/v1/${hash}/checkpoint`)).text()
}

/** All entries are witnessed, and kept in the file. */
async function isOutside(): Promise<void> {
  await vi.waitFor(() => {
    expect(sizeOf(inLog(witnessedPath))).toBe(entries())
    expect(sizeOf(newestNote(readFileSync(anchorPath(worm(), 'acme'), 'utf8')) ?? '')).toBe(
      entries(),
    )
  }, WAIT)
}
const WAIT = { timeout: 20_000, interval: 50 }

/** As who has every right on the machine: entries are changed, and all that was made of them is made anew. */
async function rewrite(change: (lines: readonly string[]) => readonly string[]): Promise<void> {
  await log.stop()
  const lines = change(inLog(entriesPath).split('\n').slice(0, -1))
  rmSync(auditFolder(log.config.dataFolder), { recursive: true })
  const acme = logFolder(log.config.dataFolder, 'acme')
  mkdirSync(acme, { recursive: true })
  writeFileSync(entriesPath(acme), lines.map((line) => `${line}\n`).join(''))
  log.logged.length = 0
  await log.start()
}

const conflicts = (): readonly (string | undefined)[] =>
  log.logged.filter(({ event }) => event === 'audit_anchor_conflict').map(({ reason }) => reason)

test('checkpoints are cosigned by the other server, and kept in the folder', async () => {
  await decide(3)
  await isOutside()
  const witnessed = inLog(witnessedPath)
  expect(await verifyCheckpoint(witnessed, logKey)).toMatchObject({ size: entries() })
  expect(await verifyCosignature(witnessed, witnessKey)).toMatchObject({
    name: `${new URL(witness.config.publicUrl).host}/witness`,
  })
  expect(await verifyCosignature(await shown(), witnessKey)).toBeDefined()
  await decide(2)
  await isOutside()
  expect(conflicts()).toEqual([])
  // Nobody's witness has no such door.
  expect((await fetch(`${log.config.publicUrl}/witness/v1/key`)).status).toBe(404)
})

test('N02 a tail that was cut, with all that signed it, is found by both', async () => {
  const before = await shown()
  await rewrite((lines) => lines.slice(0, -2))
  await vi.waitFor(() => {
    expect(conflicts()).toContain(`file ${worm()}: anchor_is_ahead`)
    expect(conflicts().some((reason) => /^witness .*: anchor_is_ahead$/.test(reason ?? ''))).toBe(
      true,
    )
  }, WAIT)
  expect(await shown()).toBe(before)
  const folder = logFolder(log.config.dataFolder, 'acme')
  const file = anchorPath(worm(), 'acme')
  const { code, stdout } = await runHere(['audit', 'verify', folder, '--checkpoint', file])
  expect([code, stdout]).toEqual([1, expect.stringContaining('acme: the log was cut after entry')])
  // It goes on issuing all the while.
  await decide(1)
})

test('N02 a history written anew is cosigned by nobody, and on record at the witness', async () => {
  const before = await shown()
  await decide(4)
  await vi.waitFor(() => {
    expect(conflicts()).toContain(`file ${worm()}: not_consistent`)
    expect(conflicts().some((reason) => /^witness .*: not_consistent$/.test(reason ?? ''))).toBe(
      true,
    )
  }, WAIT)
  expect(await shown()).toBe(before)
  expect(witness.logged).toContainEqual(
    expect.objectContaining({ event: 'audit_witness_conflict', reason: origin }),
  )
  const seen = witness.audit().filter(({ event }) => event === 'audit')
  expect(seen[0]).toMatchObject({
    code: 'audit.fork_seen',
    tenant: '_platform',
    author: `log:${origin}`,
  })
  expect(readFileSync(anchorPath(worm(), 'acme'), 'utf8')).toContain(
    parseNote(before).text.split('\n')[2],
  )
})

test('where checkpoints go only the operator says: no file of a tenant, and a wrong file stops the start', async () => {
  writeFileSync(anchorsOf('wrong'), 'anchor: []\n')
  await expect(start('wrong')).rejects.toThrow(
    `${anchorsOf('wrong')}:1:1: unknown key "anchor"; did you mean "anchors"?`,
  )
  const changed = startAuthorizationServer({
    tenants: {
      acme: ({ tenant }) => {
        tenant['anchors'] = [{ kind: 'file', path: join(folder, 'taken') }]
      },
    },
  })
  await expect(changed).rejects.toThrow('unknown key "anchors"')
})

test('a witness that is away is nothing to those who ask for tokens', async () => {
  await witness.stop()
  await rewrite((lines) => lines)
  await decide(2)
  await vi.waitFor(() => {
    const away = log.logged.filter(({ event }) => event === 'audit_anchor_failed')
    expect(away[0]?.reason).toMatch(/^witness .*: unreachable$/)
  }, WAIT)
  await decide(1)
})
