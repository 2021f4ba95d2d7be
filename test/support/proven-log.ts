/** A log as its server would keep it, made by hand: its key, its leaves, signed notes about them, evidence out of them. */
import { generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto'
import {
  AuditProofError,
  cosignedText,
  type EvidenceBundle,
  formatCheckpoint,
  formatNote,
  formatVkey,
  type KeyType,
  type NoteSignature,
  parseVkey,
  stampedSignature,
} from '@actchain/verifier/audit'
import { inclusionProof, rootOf } from './naive-tree.ts'

export const ISSUER = 'https://as.example.com/t/acme'
export const ORIGIN = 'as.example.com/t/acme/audit'

export interface Signer {
  readonly vkey: string
  readonly privateKey: KeyObject
  /** The signature line's content for this note text; `time`: of a cosignature. */
  sign(text: string, time?: number): Promise<NoteSignature>
}

export async function aSigner(
  name: string,
  type: KeyType = 'ed25519',
  pair = generateKeyPairSync('ed25519'),
): Promise<Signer> {
  const { x = '' } = pair.publicKey.export({ format: 'jwk' })
  const vkey = await formatVkey(name, type, Buffer.from(x, 'base64url'))
  const { id: keyId } = await parseVkey(vkey)
  const signed = (text: string) => sign(null, Buffer.from(text), pair.privateKey)
  return {
    vkey,
    privateKey: pair.privateKey,
    sign: async (text, time = 1_800_000_000) => ({
      name,
      keyId,
      signature:
        type === 'ed25519'
          ? new Uint8Array(signed(text))
          : stampedSignature(time, signed(cosignedText(text, time))),
    }),
  }
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true })
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** A checkpoint of these leaves with a signature of each signer. */
export async function aCheckpoint(
  leaves: readonly Uint8Array[],
  signers: readonly Signer[],
  origin = ORIGIN,
): Promise<string> {
  const text = formatCheckpoint({ origin, size: leaves.length, root: rootOf(leaves) })
  const signatures = await Promise.all(signers.map((signer) => signer.sign(text)))
  return formatNote({ text, signatures })
}

export const TXN = 'task-1'
export const DOCUMENTS = { 'tenant.yaml': { display_name: 'Acme' }, 'policies/a.cedar': 'permit;' }
export const VERSION = hash(
  'sha256',
  '{"policies/a.cedar":"permit;","tenant.yaml":{"display_name":"Acme"}}',
)
export const SALT = Buffer.from('0123456789abcdef')
export const PURPOSE = 'pay what is due'
const DIGEST = `sha-256:${hash('sha256', Buffer.concat([SALT, Buffer.from(PURPOSE)]), 'base64url')}`

export const anEntry = (members: Readonly<Record<string, unknown>> = {}) => ({
  time: 1_800_000_000,
  tenant: 'acme',
  tenant_version: VERSION,
  event: 'token',
  outcome: 'permit',
  txn: TXN,
  ...members,
})

/** The lines of a log in which the entries 1, 4 and 5 are the task's. */
export const LINES: readonly string[] = [
  anEntry({ txn: 'task-0' }),
  anEntry({ digests: { purpose: DIGEST } }),
  anEntry({ txn: undefined, event: 'management' }),
  anEntry({ tenant: 'globex' }),
  anEntry({ subject: 'Ann \u{1f600}' }),
  anEntry({ tenant_version: '' }),
  anEntry({ txn: 'task-2' }),
].map((entry) => JSON.stringify(entry))

/** Members can be changed. */
export type ABundle = { -readonly [Name in keyof EvidenceBundle]: EvidenceBundle[Name] }

/** What an attacker makes of one. */
export type Draft = Record<string, any>

/** Of the leaves with these indexes; all of it holds. */
export async function aBundle(
  signers: readonly [Signer, ...Signer[]],
  indexes: readonly number[] = [1, 4, 5],
  leaves: readonly Uint8Array[] = LINES.map(utf8),
): Promise<ABundle> {
  return {
    format: 'actchain-evidence/1',
    tenant: 'acme',
    issuer: ISSUER,
    txn: TXN,
    origin: ORIGIN,
    key: signers[0].vkey,
    checkpoint: await aCheckpoint(leaves, signers),
    entries: indexes.map((index) => ({
      index,
      line: DECODER.decode(leaves[index]),
      proof: inclusionProof(index, leaves).map(base64),
    })),
    versions: [{ version: VERSION, documents: DOCUMENTS }],
    texts: [{ index: 1, name: 'purpose', salt: SALT.toString('base64url'), text: PURPOSE }],
  }
}

/** Why it fails, and of which entry; `holds` where it does not fail. */
export async function outcomeOf(proof: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof proof === 'function' ? proof() : proof)
    return 'holds'
  } catch (error) {
    if (!(error instanceof AuditProofError)) throw error
    return error.index === undefined ? error.reason : `${error.reason} of ${error.index}`
  }
}
