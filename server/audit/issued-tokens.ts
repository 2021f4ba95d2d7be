/**
 * Which tokens the logs say were issued: what recovery asks after a crash. A log is read backwards, and no further than the
 * entries can be: a server that was killed is back as soon whether a log is a day old or years.
 */
import { type FileHandle, open } from 'node:fs/promises'
import type { FindIssued, InterruptedHop } from '../use-cases/ports.ts'
import { LINE_START, parseLine } from './entry-line.ts'
import { entriesPath, logFolder } from './log-paths.ts'

const BLOCK_BYTES = 256 * 1024
/** Seconds by which entries of several requests, and clocks that are set, are out of order at most. */
const MARGIN_SECONDS = 60

export interface FindIssuedDeps {
  readonly dataFolder: string
  /** Told of each block that was read. */
  readonly onBlock?: () => void
}

export function createFindIssued({ dataFolder, onBlock }: FindIssuedDeps): FindIssued {
  return async (hops, since) => {
    const found = new Set<(typeof hops)[number]>()
    for (const [tenant, ofTenant] of Map.groupBy(hops, (hop) => hop.tenant)) {
      const wanted = new Map(ofTenant.map((hop) => [nameOf(hop), hop]))
      for await (const lines of blocksFromEnd(entriesPath(logFolder(dataFolder, tenant)))) {
        onBlock?.()
        for (const line of lines) {
          const hop = wanted.get(issuedBy(line) ?? '')
          if (hop !== undefined) found.add(hop)
        }
        if (found.size === hops.length || areOlder(lines, since - MARGIN_SECONDS)) break
      }
    }
    return found
  }
}

const nameOf = ({ txn, jti }: Pick<InterruptedHop, 'txn' | 'jti'>): string => `${txn} ${jti}`

/** The hop whose token this line says was issued. */
function issuedBy(line: string): string | undefined {
  const entry = parseLine(line)
  if (entry?.event !== 'token' || entry.outcome !== 'permit') return undefined
  return nameOf({ txn: entry.txn ?? '', jti: entry.jti ?? '' })
}

/** Whether every entry of the block is from before; one that is out of order says nothing of what stands before it. */
function areOlder(lines: readonly string[], time: number): boolean {
  const times = lines.filter((line) => line.startsWith(LINE_START)).map(timeOf)
  return times.length > 0 && times.every((each) => each < time)
}

const timeOf = (line: string): number => Number.parseInt(line.slice(LINE_START.length), 10)

/** The whole lines of the log's blocks, the last block first. Nothing where there is no log. */
async function* blocksFromEnd(path: string): AsyncGenerator<readonly string[]> {
  const file = await openIfThere(path)
  if (file === undefined) return
  try {
    let end = (await file.stat()).size
    /** The end of a line that begins in an earlier block. */
    let rest: Buffer = Buffer.alloc(0)
    while (end > 0) {
      const from = Math.max(0, end - BLOCK_BYTES)
      const block = Buffer.concat([await readAt(file, from, end), rest])
      const begin = from === 0 ? 0 : block.indexOf('\n') + 1
      // Without an end in it the whole block is of one line.
      rest = block.subarray(0, from > 0 && begin === 0 ? block.length : begin)
      end = from
      const lines = block.subarray(rest.length).toString('utf8').split('\n')
      yield lines.filter((line) => line !== '')
    }
  } finally {
    await file.close()
  }
}

async function readAt(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from)
  return buffer.subarray(0, bytesRead)
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path)
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault && fault.code === 'ENOENT') return undefined
    throw fault
  }
}
