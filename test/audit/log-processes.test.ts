/** Processes that grow one log at once, and one that is killed while it does: what they leave verifies. */
import { spawn } from 'node:child_process'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openCopy } from '../../server/audit/log-copy.ts'
import { logFolder } from '../../server/audit/log-paths.ts'
import { type LogReport, verifyLog } from '../../server/audit/verify-log.ts'
import { PROCESS_ENV } from '../support/process-env.ts'
import { LOG, stageLog } from './log-stage.ts'

let dataFolder: string
let keyFile: string

beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-grow-'))
  keyFile = join(dataFolder, 'log-key.pem')
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' })
  writeFileSync(keyFile, pem, { mode: 0o600 })
})
afterEach(() => rmSync(dataFolder, { recursive: true, force: true }))

const SCRIPT = join(import.meta.dirname, 'growing-process.ts')

function grow(rounds: number) {
  const args = ['--conditions=actchain:source', SCRIPT, dataFolder, keyFile, String(rounds)]
  return spawn(process.execPath, args, { env: PROCESS_ENV, stdio: ['ignore', 'pipe', 'inherit'] })
}

async function verify(): Promise<LogReport> {
  const copy = openCopy(logFolder(dataFolder, LOG))
  const report = await verifyLog(copy)
  copy.close()
  return report
}

test('two processes append and sign at once: one tree, whole and signed', async () => {
  const children = [grow(20), grow(20)]
  for (const child of children) child.stdout.resume()
  const ended = await Promise.all(children.map((child) => once(child, 'exit')))
  expect(ended.map(([code]) => code as unknown)).toEqual([0, 0])
  expect(await verify()).toMatchObject({ entries: 1600, signed: 1600, damages: [] })
})

test('N03 a process killed while it grows a tree leaves a log that verifies, and the next goes on from it', async () => {
  let signed = 0
  for (let round = 0; round < 4; round += 1) {
    const child = grow(100_000)
    const exit = once(child, 'exit')
    let left = 2 + 3 * round
    for await (const line of createInterface({ input: child.stdout })) {
      signed = Number(line)
      left -= 1
      if (left === 0) child.kill('SIGKILL')
    }
    await exit
    const report = await verify()
    expect(report.damages).toEqual([])
    expect(report.signed).toBeGreaterThanOrEqual(signed)
  }
  const privateKey = createPrivateKey(readFileSync(keyFile))
  const stage = stageLog(dataFolder, { privateKey, publicKey: createPublicKey(privateKey) })
  await stage.trees.checkpoint(LOG)
  await stage.close()
  const { entries, ...report } = await verify()
  expect([stage.damages, stage.faults]).toEqual([[], []])
  expect(report).toMatchObject({ signed: entries, damages: [] })
})
