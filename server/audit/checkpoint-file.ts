/** Checkpoints of a log on disk (C2SP tlog-checkpoint): each is made whole beside the old one and takes its place. */
import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
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

export interface LogKeyParts {
  /** Raw Ed25519 public key, 32 octets. */
  readonly publicKey: Uint8Array
  /** Signs a note's text, which is ASCII; resolves to the Ed25519 signature, 64 octets. */
  readonly sign: (text: string) => Promise<Uint8Array>
}

export async function nameLogKey(
  origin: string,
  { publicKey, sign }: LogKeyParts,
): Promise<LogKey> {
  const vkey = await formatVkey(origin, 'ed25519', publicKey)
  const { id: keyId } = await parseVkey(vkey)
  return {
    vkey,
    verify: (signedNote) => verifyCheckpoint(signedNote, vkey),
    sign: async ({ size, root }) => {
      const text = formatCheckpoint({ origin, size, root })
      const signature = new Uint8Array(await sign(text))
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
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  return { place: () => renameSync(draft, path), drop: () => rmSync(draft, { force: true }) }
}
