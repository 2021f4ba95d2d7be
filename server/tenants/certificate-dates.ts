/** Certificates that are about to end. They only warn: time alone must not turn a version that is live into one that is refused. */
import { describeCertificate } from './certificate.ts'
import type { Path } from './place.ts'
import { type Report, warn } from './report.ts'
import type { YamlDocument } from './yaml-document.ts'

const DAY = 86_400
const SOON = 30 * DAY

/** @param at the entry that has a member `certificates`; `now` in seconds since the epoch */
export function warnOfDates(
  report: Report,
  document: YamlDocument,
  at: { readonly path: Path; readonly certificates: readonly string[]; readonly now: number },
): void {
  for (const [index, der] of at.certificates.entries()) {
    const left = describeCertificate(der).endsAt - at.now
    if (left > SOON) continue
    const text =
      left <= 0
        ? 'this certificate has ended: nothing it proves is believed'
        : `this certificate ends in ${Math.ceil(left / DAY)} days`
    warn(report, document, [...at.path, 'certificates', index], { text })
  }
}
