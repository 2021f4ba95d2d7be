import {
  AUDIT_PROOF_REASONS,
  AuditProofError,
  type AuditProofReason,
  parseNote,
  parseVkey,
  verifyCheckpoint,
  verifyConsistency,
  verifyEvidence,
} from '@actchain/verifier/audit'
import { describe, expect, test } from 'vitest'
import {
  type ABundle,
  aBundle,
  aCheckpoint,
  aSigner,
  ORIGIN,
  outcomeOf,
  utf8,
} from '../../support/proven-log.ts'

const leaves = ['a', 'b'].map(utf8)
const log = await aSigner(ORIGIN)
const note = await aCheckpoint(leaves, [log])
const signature = note.split('\n').at(-2) ?? expect.unreachable()
const noCheckpoint = async () => {
  const { name, keyId } = await log.sign('x\n')
  expect(parseNote(note).signatures).toMatchObject([{ name, keyId }])
  const { signature: other } = await log.sign('x\n')
  const line = Buffer.concat([Buffer.from(keyId, 'hex'), other]).toString('base64')
  return verifyCheckpoint(`x\n\n\u2014 ${name} ${line}\n`, log.vkey)
}
const ofTrees = (from: number, to: number, proof: readonly Uint8Array[]) =>
  verifyConsistency({ from, to, proof, fromRoot: utf8(''), toRoot: utf8('') })
const ofBundle = async (change: Partial<ABundle>) =>
  verifyEvidence({ ...(await aBundle([log])), ...change }, { key: log.vkey })
const ofEntry = async (change: Partial<ABundle['entries'][number]>) => {
  const { entries } = await aBundle([log], [1])
  return ofBundle({ entries: entries.map((entry) => ({ ...entry, ...change })) })
}

/** How each reason comes about, and of which entry. */
const PRODUCERS: Readonly<Record<AuditProofReason, readonly [() => unknown, number?]>> = {
  note_too_large: [() => parseNote('x'.repeat(300_000))],
  note_malformed: [() => parseNote('x')],
  note_signature_repeated: [() => parseNote(`${note}${signature}\n`)],
  vkey_malformed: [() => parseVkey('x')],
  vkey_type_unsupported: [
    async () => verifyCheckpoint(note, (await aSigner(ORIGIN, 'cosignature/v1')).vkey),
  ],
  checkpoint_malformed: [noCheckpoint],
  origin_mismatch: [
    async () => {
      const other = await aSigner('b')
      return verifyCheckpoint(await aCheckpoint(leaves, [other]), other.vkey)
    },
  ],
  signature_missing: [async () => verifyCheckpoint(note, (await aSigner(ORIGIN)).vkey)],
  signature_invalid: [() => verifyCheckpoint(note.replace('\n2\n', '\n3\n'), log.vkey)],
  index_beyond_size: [() => ofEntry({ index: 7 }), 7],
  sizes_reversed: [() => ofTrees(2, 1, [])],
  proof_malformed: [() => ofEntry({ proof: ['*'] }), 1],
  proof_length_wrong: [() => ofEntry({ proof: [] }), 1],
  leaf_not_included: [() => ofEntry({ line: 'x' }), 1],
  trees_inconsistent: [() => ofTrees(0, 1, [])],
  bundle_format_unknown: [() => verifyEvidence({ format: 'x' })],
  bundle_malformed: [() => verifyEvidence(undefined)],
  bundle_too_large: [() => ofEntry({ line: 'x'.repeat(2 ** 21) }), 1],
  entries_not_rising: [
    async () => {
      const { entries } = await aBundle([log], [1])
      return ofBundle({ entries: [...entries, ...entries] })
    },
    1,
  ],
  line_malformed: [() => ofEntry({ line: 'two\nlines' }), 1],
  entry_of_another_tenant: [() => ofBundle({ tenant: 'globex' }), 1],
  entry_of_another_task: [() => ofBundle({ txn: 'task-2' }), 1],
  version_mismatch: [() => ofBundle({ versions: [{ version: 'x', documents: {} }] })],
  text_mismatch: [() => ofBundle({ texts: [{ index: 1, name: 'x', salt: '', text: '' }] }), 1],
}

describe('every reason of the closed table comes about', () => {
  test.each(Object.keys(AUDIT_PROOF_REASONS) as AuditProofReason[])('%s', async (reason) => {
    const [produce, index] = PRODUCERS[reason]
    expect(await outcomeOf(produce)).toBe(index === undefined ? reason : `${reason} of ${index}`)
  })
})

test('an error says why in its own words, and nothing of what it is about', () => {
  for (const [reason, text] of Object.entries(AUDIT_PROOF_REASONS)) {
    const error = new AuditProofError(reason as AuditProofReason, 7)
    expect(error).toMatchObject({ name: 'AuditProofError', reason, index: 7, message: text })
    expect(text).toMatch(/^[a-z][\x20\x21\x23-\x5b\x5d-\x7e]+[^.]$/)
  }
})
