/** What a management API is given that is not asked about the log. */
import type { EvidenceDeps } from '../../server/use-cases/make-evidence.ts'
import type { AuditRecords } from '../../server/use-cases/ports.ts'
import type { ActionRecorder } from '../../server/use-cases/record-actions.ts'

const nobody = async (): Promise<never> => {
  throw new Error('no log is read here')
}

export const NO_RECORDS: Pick<EvidenceDeps, 'saltOf' | 'documentsOf' | 'jwksOf'> & {
  readonly records: AuditRecords
  readonly actionRecorder: ActionRecorder
} = {
  records: {
    search: nobody,
    walk: nobody,
    findIssued: nobody,
    hasRecord: nobody,
    checkpoint: nobody,
    key: nobody,
    inclusionProof: nobody,
    consistencyProof: nobody,
    textsOf: nobody,
    eraseTexts: nobody,
  },
  actionRecorder: { record: nobody },
  saltOf: () => '',
  documentsOf: () => ({}),
  jwksOf: () => ({ keys: [] }),
}
