/** `actchain audit verify`: sentences that say what was done to a copy of the record, and what to do about it. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkpointPath, entriesPath, leavesPath } from '../../server/audit/log-paths.ts'
import { appendEntries, LOG, type LogStage, stageLog } from '../audit/log-stage.ts'
import {
  type ABundle,
  aBundle,
  aSigner,
  ORIGIN as BUNDLE_ORIGIN,
  type Signer,
} from '../support/proven-log.ts'
import { runCli } from './run-cli.ts'
import { runHere } from './run-here.ts'

let stage: LogStage
let vkey: string
let entries: Buffer

beforeAll(async () => {
  stage = stageLog()
  appendEntries(stage, 300)
  await stage.trees.checkpoint(LOG)
  vkey = await stage.trees.keyOf(LOG)
  await stage.close()
  entries = readFileSync(entriesPath(stage.folder))
})
afterAll(() => rmSync(stage.dataFolder, { recursive: true, force: true }))

const verify = (...args: readonly string[]) => runHere(['audit', 'verify', ...args])
const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')

async function changed(change: () => void, ...args: readonly string[]) {
  change()
  try {
    return await verify(stage.folder, ...args)
  } finally {
    writeFileSync(entriesPath(stage.folder), entries)
  }
}

describe('a whole log', () => {
  test.each([
    ['by its own folder', () => stage.folder],
    ['by the folder of all logs', () => join(stage.dataFolder, 'audit')],
    ['by the data folder', () => stage.dataFolder],
  ])('%s', async (_, path) => {
    const { code, stdout, stderr } = await verify(path(), '--key', vkey)
    expect([code, stdout, stderr]).toEqual([0, 'acme: whole, 300 entries, 300 signed.\n', ''])
  })

  test('without a key from elsewhere is told to be less than proof', async () => {
    const { code, stdout } = await verify(stage.folder)
    expect([code, linesOf(stdout)[1]]).toEqual([
      0,
      expect.stringMatching(/^acme: checked with the key in the copy itself, .* --key\.$/),
    ])
  })

  test('as JSON, by a process of its own', async () => {
    const { code, stdout } = await runCli(['audit', 'verify', stage.folder, '--json'])
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      {
        log: 'acme',
        whole: true,
        entries: 300,
        signed: 300,
        not_signed: 0,
        torn: [],
        torn_count: 0,
        unended_octets: 0,
        key: 'of_the_copy',
        damages: [],
      },
    ])
  })
})

describe('N02 a damaged log', () => {
  test('is named, and what to do', async () => {
    const swap = (): void => {
      const lines = entries.toString().split('\n')
      const text = lines.with(5, lines[9]!).with(9, lines[5]!).join('\n')
      writeFileSync(entriesPath(stage.folder), text)
    }
    const { code, stdout } = await changed(swap, '--key', vkey)
    expect([code, linesOf(stdout)]).toEqual([
      1,
      [
        'acme: damaged, 300 entries, 300 signed.',
        'acme: entries 5 and 9 are swapped.',
        expect.stringMatching(
          /^acme: keep this folder as it is, as evidence, and put entries\.jsonl back/,
        ),
      ],
    ])
    const { code: jsonCode, stdout: json } = await changed(swap, '--json')
    expect([jsonCode, JSON.parse(json)]).toMatchObject([
      1,
      { whole: false, damages: [{ kind: 'swapped', index: 5, other: 9 }] },
    ])
  })

  test('whose tail and checkpoint are gone is found by a checkpoint from elsewhere', async () => {
    const held = join(stage.dataFolder, 'acme.checkpoints')
    const checkpoint = readFileSync(checkpointPath(stage.folder), 'utf8')
    writeFileSync(held, `${checkpoint}\n`)
    const folder = join(stage.dataFolder, 'copy', 'acme')
    mkdirSync(folder, { recursive: true })
    copyFileSync(entriesPath(stage.folder), entriesPath(folder))
    truncateSync(entriesPath(folder), entries.indexOf('\n', entries.length / 2) + 1)
    const bare = await verify(folder)
    const unsigned =
      'acme: 151 entries, none of them signed yet: nothing shows whether they are whole.'
    expect([bare.code, bare.stdout]).toEqual([0, `${unsigned}\n`])
    const { code, stdout } = await verify(folder, '--key', vkey, '--checkpoint', held)
    expect([code, linesOf(stdout)[1]]).toEqual([
      1,
      `acme: the log was cut after entry 150: ${held} has 300.`,
    ])
  })

  test('whose leaves alone are damaged can be mended', async () => {
    const leaves = readFileSync(leavesPath(stage.folder))
    writeFileSync(leavesPath(stage.folder), Buffer.from(leaves).fill(0, 400, 440))
    const { code, stdout } = await verify(stage.folder, '--key', vkey)
    writeFileSync(leavesPath(stage.folder), leaves)
    expect([code, linesOf(stdout).slice(1)]).toEqual([
      1,
      [
        'acme: the leaf file is damaged at 10; the entries are whole.',
        expect.stringMatching(/^acme: remove leaves and subtrees-\* from .* they are made again/),
      ],
    ])
  })
})

describe('a bundle of evidence', () => {
  async function verifyBundle(change: (bundle: ABundle) => void, ...args: readonly string[]) {
    const bundle = await aBundle([signer])
    change(bundle)
    const file = join(stage.dataFolder, 'evidence.json')
    writeFileSync(file, JSON.stringify(bundle))
    const ran = await verify(file, ...args)
    return { ...ran, stdout: ran.stdout.replaceAll(file, 'FILE') }
  }
  let signer: Signer
  beforeAll(async () => {
    signer = await aSigner(BUNDLE_ORIGIN)
  })

  test('is proven, less so by its own key', async () => {
    const given = await verifyBundle(() => {}, '--key', signer.vkey)
    const own = await verifyBundle(() => {})
    expect([given.code, given.stdout]).toEqual([
      0,
      expect.stringMatching(
        /^FILE: proven, all \d entries of task task-1 in .*\/audit of \d+\.\n$/,
      ),
    ])
    expect([own.code, own.stdout]).toEqual([
      0,
      `${given.stdout}Checked with the bundle's own key; give the one you know with --key.\n`,
    ])
  })

  test('that was changed is not, and says of which entry', async () => {
    const change = (bundle: ABundle): void => {
      const [first, ...rest] = bundle.entries
      const line = first?.line?.replace('permit', 'refuse') ?? ''
      bundle.entries = [{ ...first!, line }, ...rest]
    }
    const { code, stdout } = await verifyBundle(change, '--key', signer.vkey)
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(
        /^FILE: not proven, entry \d+: the leaf is not in the tree at this index\.\n$/,
      ),
    ])
    const json = await verifyBundle(change, '--json')
    expect([json.code, JSON.parse(json.stdout)]).toEqual([
      1,
      { proven: false, reason: 'leaf_not_included', index: expect.any(Number) },
    ])
  })
})

describe('misuse', () => {
  test.each([
    ['no such path', () => ['/nowhere'], /is not there/],
    ['a folder without a log', () => [join(import.meta.dirname)], /has no log in it/],
    ['no key', () => [stage.folder, '--key', 'secret'], /--key is no log's key/],
    ['no checkpoint', () => [stage.folder, '--checkpoint', import.meta.filename], /no signed/],
    ['no bundle', () => [import.meta.filename], /is no evidence bundle/],
    [
      'a bundle with a checkpoint',
      () => [entriesPath(stage.folder), '--checkpoint', 'x'],
      /one --key/,
    ],
  ])('%s', async (_, args, told) => {
    const { code, stdout, stderr } = await verify(...args())
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(told)])
    expect(stderr).not.toContain('secret')
  })
})
