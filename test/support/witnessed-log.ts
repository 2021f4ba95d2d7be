/** A log and a witness of it, made by hand: leaves, checkpoints with real signatures, requests to cosign them. */
import { openOctetSigner } from '../../keys/octet-signer.ts'
import { formatVkey, parseVkey } from '../../lib/src/audit/index.ts'
import type { AuditEntry, WitnessedLogs } from '../../server/use-cases/ports.ts'
import { Witness } from '../../server/use-cases/witness-checkpoint.ts'
import { NOW } from '../store/records.ts'
import { auditLogOf } from './embedded-store.ts'
import { consistencyProof } from './naive-tree.ts'
import { aCheckpoint, base64, type Signer, utf8 } from './proven-log.ts'

export const ORIGIN = 'other.example/t/acme/audit'
export const WITNESS = 'as.example.com/witness'

/** So many leaves, the first `same` of them as every log's here; the others are another history's. */
export function leavesOf(size: number, { same = size, history = 'b' } = {}): readonly Uint8Array[] {
  return Array.from({ length: size }, (_, index) =>
    utf8(`${index < same ? 'a' : history}-${index}`),
  )
}

export interface AskedOf {
  readonly old: number
  readonly leaves: readonly Uint8Array[]
  readonly signers: readonly Signer[]
  readonly origin?: string
}

/** A whole request, with the proof that an honest log has. */
export async function aRequest({
  old,
  leaves,
  signers,
  origin = ORIGIN,
}: AskedOf): Promise<string> {
  const isProven = old > 0 && old < leaves.length
  const proof = isProven ? consistencyProof(old, leaves).map((hash) => `${base64(hash)}\n`) : []
  return `old ${old}\n${proof.join('')}\n${await aCheckpoint(leaves, signers, origin)}`
}

export interface WitnessStage {
  readonly witness: Witness
  /** Of the witness. */
  readonly vkey: string
  readonly entries: AuditEntry[]
  readonly conflicts: string[]
}

/** @param vkey of the log; its origin is ORIGIN */
export async function stageWitness(
  witnessed: WitnessedLogs,
  { dataFolder, vkey: ofLog }: { readonly dataFolder: string; readonly vkey: string },
): Promise<WitnessStage> {
  const key = openOctetSigner({ dataFolder, owner: '_platform.witness', secret: 'test' })
  const vkey = await formatVkey(WITNESS, 'cosignature/v1', key.publicKey)
  const entries: AuditEntry[] = []
  const conflicts: string[] = []
  let refs = 0
  const witness = new Witness({
    clock: { now: () => NOW },
    audit: auditLogOf(async (entry) => void entries.push(entry)),
    randomId: () => `ref-${++refs}`,
    logs: new Map([[ORIGIN, [ofLog]]]),
    witnessed,
    key: await parseVkey(vkey),
    sign: key.sign,
    onConflict: (origin) => conflicts.push(origin),
  })
  return { witness, vkey, entries, conflicts }
}
