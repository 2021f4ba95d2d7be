/**
 * Files that the operator puts beside the server for one tenant: `{folder}/{tenant}/{file}`. A tenant's facts name the file, so
 * the name is a tenant author's: it never leads into another folder, nor does a link.
 */
import { constants } from 'node:fs'
import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { FetchFault } from './fetch-fault.ts'

/** One segment that begins with a letter or digit: no path, no hidden file, none of the folders a volume is mounted by. */
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const TENANT = /^[a-z][a-z0-9-]{0,62}$/
/** Revocation lists of large authorities are a few megabytes; a bundle or token is some kilobytes. */
const LARGEST_FILE = 4 * 1024 * 1024

export interface TrustFileDeps<Content> {
  /** Absolute path. */
  readonly folder: string
  readonly tenant: string
  readonly file: string
  /** Undefined: the file is not what it should be. */
  readonly parse: (bytes: Uint8Array) => Content | undefined
}

/** Returns a reader that parses the file again only where it changed. It throws FetchFault only. */
export function createTrustFileReader<Content>({
  folder,
  tenant,
  file,
  parse,
}: TrustFileDeps<Content>): () => Promise<Content> {
  let last: { readonly mark: string; readonly content: Content } | undefined
  return async () => {
    if (!FILE_NAME.test(file) || !TENANT.test(tenant)) throw new FetchFault('url_refused')
    const path = await findFile(folder, tenant, file)
    const mark = await markOf(path)
    if (last !== undefined && last.mark === mark) return last.content
    const content = parse(await readFile(path))
    if (content === undefined) throw new FetchFault('document_refused')
    last = { mark, content }
    return content
  }
}

/** Links within the tenant's folder are followed: that is how a volume is mounted and swapped as one. */
async function findFile(folder: string, tenant: string, file: string): Promise<string> {
  const [root, path] = await orUnreachable(
    Promise.all([realpath(folder), realpath(join(folder, tenant, file))]),
  )
  if (!path.startsWith(join(root, tenant) + sep)) throw new FetchFault('address_refused')
  return path
}

/** What changes with the file, however quickly it is written twice. */
async function markOf(path: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await orUnreachable(stat(path, { bigint: true }))
  return [path, ino, size, mtimeNs, ctimeNs].join(' ')
}

async function readFile(path: string): Promise<Uint8Array> {
  // Not a link any more, and no pipe that would let us wait.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await orUnreachable(open(path, flags))
  try {
    return await orUnreachable(readBounded(handle))
  } finally {
    await handle.close()
  }
}

async function readBounded(handle: FileHandle): Promise<Uint8Array> {
  const found = await handle.stat()
  if (!found.isFile()) throw new FetchFault('address_refused')
  if (found.size > LARGEST_FILE) throw new FetchFault('too_large')
  // The size is of a moment ago; one byte more is read to see whether it still holds.
  const bytes = Buffer.alloc(found.size + 1)
  let used = 0
  while (used < bytes.length) {
    const { bytesRead } = await handle.read(bytes, used, bytes.length - used)
    if (bytesRead === 0) return bytes.subarray(0, used)
    used += bytesRead
  }
  throw new FetchFault('too_large')
}

async function orUnreachable<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    if (error instanceof FetchFault) throw error
    // What the system said names paths of this machine.
    throw new FetchFault('unreachable')
  }
}
