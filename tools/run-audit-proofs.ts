/** Verifies evidence that was written down once, and the same with a letter changed, in whatever runtime this is: no node: import. */
import { AuditProofError, verifyEvidence } from '../lib/src/audit/index.ts'
import type { VectorResults } from './run-vectors.ts'

export interface EvidenceVector {
  readonly key: string
  readonly witness: string
  readonly bundle: {
    readonly entries: readonly { readonly index: number; readonly line: string }[]
  }
}

export async function runAuditProofs({
  key,
  witness,
  bundle,
}: EvidenceVector): Promise<VectorResults> {
  const trust = { key, witnesses: [witness] }
  const touched = bundle.entries.map((entry) => ({ ...entry, line: entry.line.replace('1', '2') }))
  const checks: Readonly<Record<string, () => Promise<boolean>>> = {
    'evidence holds': async () => {
      const { entries, cosignatures } = await verifyEvidence(bundle, trust)
      return entries.length === bundle.entries.length && cosignatures.length === 1
    },
    'evidence that was touched fails and says where': async () => {
      const error = await verifyEvidence({ ...bundle, entries: touched }, trust).catch(
        (reason: unknown) => reason,
      )
      const isOurs = error instanceof AuditProofError && error.reason === 'leaf_not_included'
      return isOurs && error.index === bundle.entries[0]?.index
    },
  }
  const outcomes = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => ((await check()) ? undefined : name)),
  )
  const failed = outcomes.filter((name) => name !== undefined)
  return { passed: outcomes.length - failed.length, failed }
}
