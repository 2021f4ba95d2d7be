/**
 * Asks a witness to cosign a checkpoint: it does so only where the log went on from the checkpoint it cosigned before.
 * Spec: https://c2sp.org/tlog-witness (add-checkpoint), https://c2sp.org/tlog-cosignature
 */
import { encodeBase64 } from '../../lib/src/audit/base64.ts'
import {
  AuditProofError,
  formatSignature,
  type NoteKey,
  parseNote,
  verifyCosignature,
} from '../../lib/src/audit/index.ts'
import {
  type AnchorAnswer,
  answerAhead,
  answerOf,
  type CheckpointAnchor,
  type OfferedCheckpoint,
  type PostAnswer,
  type PostText,
} from './checkpoint-anchor.ts'

export interface WitnessAnchorDeps {
  /** Submission prefix, without a slash at its end. */
  readonly url: string
  readonly vkey: string
  /** The same, parsed. */
  readonly key: NoteKey
  readonly post: PostText
  /** RFC 9162 §2.1.4, between two sizes the log had. */
  readonly proveConsistency: (
    log: string,
    from: number,
    to: number,
  ) => Promise<readonly Uint8Array[]>
}

type Answered = Extract<PostAnswer, { readonly kind: 'answered' }>

const SIZE_TYPE = 'text/x.tlog.size'
const SIZE = /^(?:0|[1-9][0-9]{0,15})\n$/

const REFUSALS: Readonly<Record<number, AnchorAnswer>> = {
  403: { kind: 'refused', why: 'key_unknown' },
  404: { kind: 'refused', why: 'log_unknown' },
  409: { kind: 'overtaken' },
  422: { kind: 'conflict', why: 'not_consistent' },
}
const MALFORMED: AnchorAnswer = { kind: 'refused', why: 'answer_malformed' }

export function createWitnessAnchor(deps: WitnessAnchorDeps): CheckpointAnchor {
  /** What it cosigned last, by log; unknown after a start, and then it says so itself. */
  const sizes = new Map<string, number>()
  return {
    name: `witness ${deps.key.name}`,
    offer: async (offered) => {
      const { log, size } = offered
      const stated = sizes.get(log) ?? 0
      if (stated > size) return answerAhead(offered, stated)
      const first = await ask(deps, offered, stated)
      if (first.kind === 'failed') return first
      const told = first.status === 409 ? readSize(first) : stated
      if (told === undefined) return MALFORMED
      if (told > size) return answerAhead(offered, told)
      // An earlier text of the specification has 409 where two roots of one size differ.
      if (first.status === 409 && told === stated) {
        return told === size ? { kind: 'conflict', why: 'not_consistent' } : MALFORMED
      }
      const answer = first.status === 409 ? await ask(deps, offered, told) : first
      const read = answer.kind === 'failed' ? answer : await readAnswer(deps, offered, answer)
      if (read.kind === 'kept') sizes.set(log, size)
      else sizes.delete(log)
      return read
    },
  }
}

async function ask(
  { url, post, proveConsistency }: WitnessAnchorDeps,
  { log, note, size }: OfferedCheckpoint,
  old: number,
): Promise<PostAnswer> {
  const proof = old === 0 || old === size ? [] : await proveConsistency(log, old, size)
  const hashes = proof.map((hash) => `${encodeBase64(hash)}\n`).join('')
  return post(`${url}/add-checkpoint`, `old ${old}\n${hashes}\n${note}`)
}

/** Undefined for what is no size. */
function readSize({ type, text }: Answered): number | undefined {
  if (type !== SIZE_TYPE || !SIZE.test(text)) return undefined
  const size = Number(text)
  return Number.isSafeInteger(size) ? size : undefined
}

async function readAnswer(
  { vkey, key }: WitnessAnchorDeps,
  { note }: OfferedCheckpoint,
  { status, text }: Answered,
): Promise<AnchorAnswer> {
  if (status !== 200) return REFUSALS[status] ?? answerOf(status)
  try {
    // Beside its cosignature an answer may have lines of other keys: none of them is looked at or kept.
    const cosigned = `${note}${text}`
    await verifyCosignature(cosigned, vkey)
    const own = parseNote(cosigned).signatures.find(
      ({ name, keyId }) => name === key.name && keyId === key.id,
    )
    return own === undefined ? MALFORMED : { kind: 'kept', cosignature: formatSignature(own) }
  } catch (fault) {
    if (fault instanceof AuditProofError) return { kind: 'refused', why: 'cosignature_invalid' }
    throw fault
  }
}
