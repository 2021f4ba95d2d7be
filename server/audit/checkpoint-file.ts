/** Checkpoints of a log on disk (C2SP tlog-checkpoint): each is made whole beside the old one and takes its place. */
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { OctetSigner } from '../../keys/octet-signer.ts'
import {
  type Checkpoint,
  formatCheckpoint,
  formatNote,
  formatVkey,
  parseVkey,
  verifyCheckpoint,
} from '../../lib/src/audit/index.ts'
import { isMissing } from './file-range.ts'

/** The log key under the name it has for one log: the checkpoints' first line. */
export interface LogKey {
  readonly vkey: string
  /** Throws AuditProofError for what this key did not sign. */
  verify(signedNote: string): Promise<Checkpoint>
  sign(tree: { readonly size: number; readonly root: Uint8Array }): Promise<string>
}

export async function nameLogKey(
  origin: string,
  { publicKey, sign }: OctetSigner,
): Promise<LogKey> {
  const vkey = await formatVkey(origin, 'ed25519', publicKey)
  const { id: keyId } = await parseVkey(vkey)
  return {
    vkey,
    verify: (signedNote) => verifyCheckpoint(signedNote, vkey),
    sign: async ({ size, root }) => {
      const text = formatCheckpoint({ origin, size, root })
      const signature = new Uint8Array(sign(Buffer.from(text)))
      return formatNote({ text, signatures: [{ name: origin, keyId, signature }] })
    },
  }
}

/** Undefined where there is none. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (fault) {
    if (isMissing(fault)) return undefined
    throw fault
  }
}

/** A new text for a file, on disk under a name of its own. */
export interface Draft {
  /** One step: readers see the old text or this one. */
  place(): void
  drop(): void
}

export async function draftText(path: string, text: string): Promise<Draft> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const drop = (): void => rmSync(draft, { force: true })
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } catch (fault) {
    drop() // on a full disk there is one try a second
    throw fault
  } finally {
    await file.close()
  }
  return { place: () => renameSync(draft, path), drop }
}

const DRAFT = /^(?:key|checkpoint(?:\.witnessed)?)\.[0-9a-f]{12}$/
/** Milliseconds after which nobody will place it any more. */
const OLD_DRAFT = 60_000

/** Drafts that processes left behind which were killed before they placed them. */
export function removeOldDrafts(folder: string): void {
  for (const name of namesIn(folder).filter((each) => DRAFT.test(each))) {
    const path = join(folder, name)
    const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity
    if (made < Date.now() - OLD_DRAFT) rmSync(path, { force: true })
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (fault) {
    if (isMissing(fault)) return []
    throw fault
  }
}
