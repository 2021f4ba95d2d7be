/**
 * Where a page of entries ended, as an opaque text: a place in the tenant's own log and nothing else, so that one of another
 * tenant's, or one that was made up, shows nothing that could not be asked for without it (attack case F05).
 */

const FORM = /^entry\.([1-9][0-9]{0,14})$/

/** @param before index below which the next page begins */
export function writeAuditCursor(before: number): string {
  return Buffer.from(`entry.${before}`).toString('base64url')
}

/** Undefined where no page of ours ended so; one text for one place. */
export function readAuditCursor(cursor: string): number | undefined {
  const [, before] = FORM.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  if (before === undefined) return undefined
  return writeAuditCursor(Number(before)) === cursor ? Number(before) : undefined
}
