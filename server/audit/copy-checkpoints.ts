/** What was signed of a copy of a log, as far as the key bears it out. */
import {
  AuditProofError,
  type Checkpoint,
  parseCheckpoint,
  parseNote,
  parseVkey,
  verifyCheckpoint,
} from '../../lib/src/audit/index.ts'
import type { Damage, DamageKind } from '../core/log-damage.ts'
import type { LogCopy } from './log-copy.ts'

/** A signed note that someone kept elsewhere. */
export interface HeldCheckpoint {
  /** What it is called in reports: its file. */
  readonly name: string
  readonly note: string
}

export interface SignedSize extends Pick<Checkpoint, 'size' | 'root'> {
  readonly name: string
}

export interface CopyKey {
  readonly vkey: string | undefined
  readonly damages: readonly Damage[]
}

const damage = (kind: DamageKind, text: string): Damage => ({ kind, text })

/** The key to verify with: the one that is given, or else the copy's own, which whoever changed the copy may have changed too. */
export async function chooseKey(copy: LogCopy, given: string | undefined): Promise<CopyKey> {
  const own = copy.key === undefined ? undefined : await ownKey(copy.key)
  if (copy.key !== undefined && own === undefined)
    return { vkey: given, damages: [damage('key', 'the key file is damaged: it holds no key')] }
  if (given !== undefined && own !== undefined && given !== own)
    return {
      vkey: given,
      damages: [damage('key', 'the key file holds another key than the one given')],
    }
  if (given === undefined && own === undefined && copy.checkpoint !== undefined) {
    const text = 'the key file is missing, so no signature can be checked: give the key with --key'
    return { vkey: undefined, damages: [damage('key', text)] }
  }
  return { vkey: given ?? own, damages: [] }
}

async function ownKey(text: string): Promise<string | undefined> {
  const vkey = text.slice(0, -1)
  try {
    await parseVkey(vkey)
    return text === `${vkey}\n` ? vkey : undefined
  } catch (fault) {
    if (fault instanceof AuditProofError) return undefined
    throw fault
  }
}

export interface CopyCheckpoints {
  readonly signed: readonly SignedSize[]
  readonly damages: readonly Damage[]
}

/** @param vkey undefined: the checkpoints are taken at their word */
export async function readCheckpoints(
  copy: LogCopy,
  vkey: string | undefined,
  held: readonly HeldCheckpoint[],
): Promise<CopyCheckpoints> {
  const signed: SignedSize[] = []
  const damages: Damage[] = []
  if (copy.checkpoint === undefined && copy.key !== undefined)
    damages.push(damage('checkpoint', 'the checkpoint is missing, though there was one'))
  for (const { kind, name, note } of notesOf(copy, held)) {
    try {
      const { size, root } = await readNote(note, vkey)
      signed.push({ name, size, root })
    } catch (fault) {
      if (!(fault instanceof AuditProofError)) throw fault
      damages.push(damage(kind, `${name} cannot be trusted: ${fault.message}`))
    }
  }
  return { signed, damages }
}

function notesOf(
  { checkpoint, witnessed }: LogCopy,
  held: readonly HeldCheckpoint[],
): readonly (HeldCheckpoint & { readonly kind: DamageKind })[] {
  const own = [
    { kind: 'checkpoint', name: 'the checkpoint', note: checkpoint },
    { kind: 'witnessed', name: 'the witnessed checkpoint', note: witnessed },
  ] as const
  return [
    ...own.flatMap(({ note, ...each }) => (note === undefined ? [] : [{ ...each, note }])),
    ...held.map((each) => ({ ...each, kind: 'held_checkpoint' as const })),
  ]
}

async function readNote(note: string, vkey: string | undefined): Promise<Checkpoint> {
  return vkey === undefined ? parseCheckpoint(parseNote(note).text) : verifyCheckpoint(note, vkey)
}
