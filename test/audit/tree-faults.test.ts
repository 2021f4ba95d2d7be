/**
 * Threat N04, figure F2: a disk that fails at each write, sync and change of a name by which a log's tree and checkpoints are kept.
 * Whatever stays behind, the log verifies as soon as the disk works again, and every entry is under a checkpoint.
 */
import fs from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { openCopy } from '../../server/audit/log-copy.ts'
import { verifyLog } from '../../server/audit/verify-log.ts'
import { appendEntries, LOG, type LogStage, stageLog } from './log-stage.ts'

const stages: LogStage[] = []
afterEach(async () => {
  restore()
  for (const stage of stages.splice(0)) await stage.close()
})

const FAULTS = ['refused', 'part', 'done'] as const
type Fault = (typeof FAULTS)[number]

/** Calls that change what is on disk, numbered from 1; the `bad`th fails. */
async function failAt(bad: number, fault: Fault): Promise<{ readonly calls: () => number }> {
  let calls = 0
  const isBad = (): boolean => (calls += 1) === bad
  const broken = (): Error => Object.assign(new Error('full'), { code: 'ENOSPC' })
  const { writeSync, renameSync } = fs
  vi.spyOn(fs, 'writeSync').mockImplementation(((...input: Parameters<typeof fs.writeSync>) => {
    if (!isBad()) return writeSync(...input)
    const [file, bytes, at, length, position] = input as unknown as [
      number,
      Buffer,
      number,
      number,
      number,
    ]
    if (fault === 'part') writeSync(file, bytes, at, length >> 1, position)
    if (fault === 'done') writeSync(file, bytes, at, length, position)
    throw broken()
  }) as typeof fs.writeSync)
  vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
    const isThis = isBad()
    if (!isThis || fault === 'done') renameSync(from, to)
    if (isThis) throw broken()
  })
  syncBuiltinESMExports()
  const handles = await handlePrototype()
  for (const name of ['sync', 'datasync', 'writeFile'] as const) {
    const real = handles[name] as (...input: readonly unknown[]) => Promise<void>
    vi.spyOn(handles, name).mockImplementation(async function (
      this: FileHandle,
      ...input: unknown[]
    ) {
      const isThis = isBad()
      if (!isThis || fault === 'done') await real.apply(this, input)
      if (isThis) throw broken()
    })
  }
  return { calls: () => calls }
}

function restore(): void {
  vi.restoreAllMocks()
  syncBuiltinESMExports()
}

async function handlePrototype(): Promise<FileHandle> {
  const file = await open(import.meta.filename, 'r')
  await file.close()
  return Object.getPrototypeOf(file) as FileHandle
}

/** Three checkpoints, the last across a full subtree. */
async function work(stage: LogStage): Promise<void> {
  for (const count of [100, 150, 50]) {
    appendEntries(stage, count)
    await stage.trees.checkpoint(LOG).catch(() => {})
  }
}

async function expectWhole({ dataFolder, folder }: LogStage): Promise<void> {
  const later = stageLog(dataFolder)
  stages.push(later)
  appendEntries(later, 1)
  await later.trees.checkpoint(LOG)
  const copy = openCopy(folder)
  const report = await verifyLog(copy)
  copy.close()
  expect(report).toMatchObject({ entries: 301, signed: 301, damages: [] })
  expect(later.damages).toEqual([])
}

describe.each(FAULTS)('N04 F2 a call that is %s and fails', (fault) => {
  test('wherever it comes, the log verifies', async () => {
    for (let bad = 1; ; bad += 1) {
      const stage = stageLog()
      stages.push(stage)
      const { calls } = await failAt(bad, fault)
      await work(stage)
      const all = calls()
      restore()
      await expectWhole(stage)
      if (all < bad) break
      expect(bad).toBeLessThan(200)
    }
  }, 60_000)
})
