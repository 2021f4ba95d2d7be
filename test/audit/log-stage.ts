/** A log on disk with a key of its own, for tests of its tree. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { appendFileSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatLine } from '../../server/audit/entry-line.ts'
import { entriesPath, logFolder } from '../../server/audit/log-paths.ts'
import { type LogTrees, openLogTrees } from '../../server/audit/log-trees.ts'
import { openSearchIndex, type SearchIndex } from '../../server/audit/search-index.ts'
import type { StoredEntry } from '../../server/use-cases/ports.ts'
import { NOW } from '../store/records.ts'

export const LOG = 'acme'
export const ORIGIN = 'as.example.com/t/acme/audit'
const { publicKey, privateKey } = generateKeyPairSync('ed25519')

export interface LogStage {
  readonly dataFolder: string
  /** The log's. */
  readonly folder: string
  readonly trees: LogTrees
  readonly index: SearchIndex
  readonly damages: string[]
  readonly faults: unknown[]
  readonly checkpoints: string[]
  close(): Promise<void>
}

/** @param dataFolder of another stage, as a second process or a later one has it */
export function stageLog(
  dataFolder = mkdtempSync(join(tmpdir(), 'actchain-tree-')),
  key = { publicKey, privateKey },
): LogStage {
  const folder = logFolder(dataFolder, LOG)
  mkdirSync(folder, { recursive: true })
  const [damages, faults, checkpoints]: [string[], unknown[], string[]] = [[], [], []]
  const index = openSearchIndex(dataFolder)
  const trees = openLogTrees({
    dataFolder,
    index,
    originOf: () => ORIGIN,
    key: {
      publicKey: Buffer.from(key.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'),
      sign: (octets) => sign(null, octets, key.privateKey),
    },
    onCheckpoint: (_, note) => checkpoints.push(note),
    onDamage: (_, what) => damages.push(what),
    onFault: (fault) => faults.push(fault),
  })
  const close = async (): Promise<void> => {
    await trees.close()
    await index.close()
  }
  return { dataFolder, folder, trees, index, damages, faults, checkpoints, close }
}

export function lineOf(number: number): string {
  const entry: StoredEntry = {
    time: NOW + number,
    ref: randomBytes(16).toString('base64url'),
    tenant: LOG,
    tenant_version: 'v1',
    event: 'token',
    code: 'token.permit',
    outcome: 'permit',
    txn: `task-${number % 10}`,
  }
  return formatLine(entry)
}

/** So many more entries, as a writer appends them. */
export function appendEntries(
  { folder }: Pick<LogStage, 'folder'>,
  count: number,
): readonly string[] {
  const lines = Array.from({ length: count }, (_, number) => lineOf(number))
  appendFileSync(entriesPath(folder), lines.map((line) => `${line}\n`).join(''))
  return lines
}
