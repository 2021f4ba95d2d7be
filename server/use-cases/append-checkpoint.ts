/** An anchor that is a file elsewhere: checkpoints one after the other, and the newest there has to fit the log before one is added. */

import { encodeBase64 } from '../../lib/src/audit/base64.ts'
import { AuditProofError, parseCheckpoint, parseNote } from '../../lib/src/audit/index.ts'
import { answerAhead, type CheckpointAnchor } from './checkpoint-anchor.ts'

export interface FileAnchorDeps {
  readonly folder: string
  /** The checkpoint of the most leaves that the log's file has of late; undefined: it has none. */
  readonly newestKept: (log: string) => Promise<string | undefined>
  /** Durable when it resolves. */
  readonly append: (log: string, note: string) => Promise<void>
  /** Root of the log's first `size` leaves, as they are now. Rejects beyond its end. */
  readonly rootOf: (log: string, size: number) => Promise<Uint8Array>
}

export function createFileAnchor(deps: FileAnchorDeps): CheckpointAnchor {
  const { folder, newestKept, append, rootOf } = deps
  return {
    name: `file ${folder}`,
    offer: async (offered) => {
      const { log, note } = offered
      try {
        const kept = await newestKept(log)
        if (kept === note) return { kind: 'kept' }
        if (kept !== undefined) {
          const { size, root } = parseCheckpoint(parseNote(kept).text)
          if (size > offered.size) return await answerAhead(offered, size)
          const fits = encodeBase64(await rootOf(log, size)) === encodeBase64(root)
          if (!fits) return { kind: 'conflict', why: 'not_consistent' }
        }
        await append(log, note)
        return { kind: 'kept' }
      } catch (fault) {
        const why = codeOf(fault)
        if (why === undefined) throw fault
        return { kind: 'failed', why }
      }
    },
  }
}

/** Of what a file system says; undefined for any other fault. */
function codeOf(fault: unknown): string | undefined {
  if (fault instanceof AuditProofError) return 'file_malformed'
  const code = fault instanceof Error && 'code' in fault ? fault.code : undefined
  return typeof code === 'string' && /^E[A-Z0-9]{1,31}$/.test(code) ? code : undefined
}
