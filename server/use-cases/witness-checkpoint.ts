/**
 * Being a witness: a checkpoint of a log that we watch is cosigned if the log only went on since the last one. Whoever has our
 * cosignature knows that everybody with one sees the same log. Spec: https://c2sp.org/tlog-witness (add-checkpoint)
 */
import { decodeBase64, encodeBase64 } from '../../lib/src/audit/base64.ts'
import {
  AuditProofError,
  type Checkpoint,
  cosignedText,
  formatNote,
  formatSignature,
  type NoteKey,
  type NoteSignature,
  parseCheckpoint,
  parseNote,
  parseVkey,
  stampedSignature,
  verifyCheckpoint,
  verifyConsistency,
} from '../../lib/src/audit/index.ts'
import { PLATFORM } from './author.ts'
import type { AuditEntry, AuditLog, Clock } from './ports.ts'
import type { WitnessedLog, WitnessedLogs } from './witnessed-logs.ts'

export interface WitnessDeps {
  readonly clock: Clock
  readonly audit: AuditLog
  readonly randomId: () => string
  /** Verifier keys of the logs we watch, by their origin. */
  readonly logs: ReadonlyMap<string, readonly string[]>
  readonly witnessed: WitnessedLogs
  readonly key: NoteKey
  /** Ed25519, 64 octets. */
  readonly sign: (octets: Uint8Array) => Uint8Array
  /** Told once of each checkpoint that shows a log cut or forked. */
  readonly onConflict: (origin: string) => void
}

export type WitnessAnswer =
  | { readonly kind: 'cosigned'; readonly line: string }
  /** Another one than `old` was the last: of so many leaves. */
  | { readonly kind: 'outdated'; readonly size: number }
  | { readonly kind: 'malformed' | 'log_unknown' | 'key_unknown' | 'inconsistent' }

/** Of the tree without leaves (RFC 9162 §2.1.1). */
const EMPTY_ROOT = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
const REQUEST = /^old (0|[1-9][0-9]{0,15})\n((?:[A-Za-z0-9+/]{43}=\n){0,63})\n/
/** Checkpoints in conflict that were told; what is beyond is one more of a flood. */
const MOST_TOLD = 1000

interface Request {
  readonly old: number
  readonly proof: readonly Uint8Array[]
  readonly note: string
  readonly origin: string
}

interface Verified {
  readonly checkpoint: Checkpoint
  /** Text and the log's signature, nothing else of what came. */
  readonly text: string
  readonly signature: NoteSignature
}

export class Witness {
  readonly #deps: WitnessDeps
  readonly #told = new Set<string>()

  constructor(deps: WitnessDeps) {
    this.#deps = deps
  }

  /** Rejects where state or record cannot be written: then nothing was cosigned. */
  async answer(body: string): Promise<WitnessAnswer> {
    const { logs, witnessed } = this.#deps
    const request = readRequest(body)
    if (request === undefined) return { kind: 'malformed' }
    const { old, origin } = request
    const vkeys = logs.get(origin)
    if (vkeys === undefined) return { kind: 'log_unknown' }
    const verified = await verify(request.note, vkeys)
    if (verified === undefined) return { kind: 'key_unknown' }
    const { checkpoint } = verified
    if (old > checkpoint.size) return { kind: 'malformed' }
    const last = witnessed.find(origin)
    const isConsistent = await follows(request, checkpoint, last)
    // Two roots of one size need no proof to be in conflict.
    const isFork = checkpoint.size === last?.size && encodeBase64(checkpoint.root) !== last.root
    const isExpected = old === (last?.size ?? 0)
    if (isFork || (isExpected && !isConsistent)) await this.#tell(verified, last)
    if (!isExpected) return { kind: 'outdated', size: last?.size ?? 0 }
    return isConsistent ? this.#cosign(verified, last) : { kind: 'inconsistent' }
  }

  async #cosign(
    { checkpoint, text, signature }: Verified,
    last: WitnessedLog | undefined,
  ): Promise<WitnessAnswer> {
    const { clock, key, sign, witnessed } = this.#deps
    const time = Math.floor(clock.now())
    const signed = sign(new TextEncoder().encode(cosignedText(text, time)))
    const { name, id: keyId } = key
    const own = { name, keyId, signature: stampedSignature(time, signed) }
    const { origin, size } = checkpoint
    const root = encodeBase64(checkpoint.root)
    const next = { size, root, note: formatNote({ text, signatures: [signature, own] }) }
    // The same checkpoint again is cosigned anew and costs no write.
    const isKept = last !== undefined && parseNote(last.note).text === text
    if (!isKept && !(await witnessed.advance(origin, { expected: last, next }))) {
      return { kind: 'outdated', size: witnessed.find(origin)?.size ?? 0 }
    }
    return { kind: 'cosigned', line: formatSignature(own) }
  }

  /** The log's own signature under another history: on record with all that proves it. */
  async #tell({ checkpoint, signature }: Verified, last: WitnessedLog | undefined): Promise<void> {
    const { audit, clock, randomId, onConflict } = this.#deps
    const { origin, size, root } = checkpoint
    const name = `${origin} ${size} ${encodeBase64(root)}`
    if (this.#told.has(name) || this.#told.size >= MOST_TOLD) return
    this.#told.add(name)
    onConflict(origin)
    const entry: AuditEntry = {
      time: clock.now(),
      ref: randomId(),
      tenant: PLATFORM,
      tenant_version: '',
      event: 'audit',
      outcome: 'refuse',
      guard: 'checkpoint_inconsistent',
      action: 'witness_checkpoint',
      author: `log:${origin}`,
      changes: [
        `cosigned: ${last?.size ?? 0} ${last?.root ?? EMPTY_ROOT}`,
        `offered: ${size} ${encodeBase64(root)}`,
        formatSignature(signature),
      ],
    }
    try {
      await audit.append(entry)
    } catch (fault) {
      this.#told.delete(name)
      throw fault
    }
  }
}

/** Undefined for what is none. */
function readRequest(body: string): Request | undefined {
  const [head, old = '', hashes = ''] = REQUEST.exec(body) ?? []
  if (head === undefined || !Number.isSafeInteger(Number(old))) return undefined
  const proof = hashes.split('\n').slice(0, -1).map(decodeBase64)
  if (!proof.every((hash) => hash !== undefined)) return undefined
  const note = body.slice(head.length)
  try {
    const { origin } = parseCheckpoint(parseNote(note).text)
    return { old: Number(old), proof, note, origin }
  } catch (fault) {
    if (fault instanceof AuditProofError) return undefined
    throw fault
  }
}

/** Undefined: no key of the log's signed it, or one of them did not sign what it says. */
async function verify(note: string, vkeys: readonly string[]): Promise<Verified | undefined> {
  for (const vkey of vkeys) {
    try {
      const checkpoint = await verifyCheckpoint(note, vkey)
      const { name, id } = await parseVkey(vkey)
      const { text, signatures } = parseNote(note)
      const signature = signatures.find((line) => line.name === name && line.keyId === id)
      if (signature !== undefined) return { checkpoint, text, signature }
    } catch (fault) {
      if (!(fault instanceof AuditProofError)) throw fault
      if (fault.reason !== 'signature_missing') return undefined
    }
  }
  return undefined
}

async function follows(
  { proof }: Request,
  { size, root }: Checkpoint,
  last: WitnessedLog | undefined,
): Promise<boolean> {
  const fromRoot = decodeBase64(last?.root ?? EMPTY_ROOT) ?? new Uint8Array()
  try {
    await verifyConsistency({ from: last?.size ?? 0, to: size, proof, fromRoot, toRoot: root })
    return true
  } catch (fault) {
    if (fault instanceof AuditProofError) return false
    throw fault
  }
}
