/**
 * Event codes: what an entry of the log is about, stable for whoever filters by them. The only list of them; docs/audit-events.md
 * and a coverage test derive from it.
 */

interface Coded {
  readonly event: string
  readonly outcome: string
  readonly action?: string | undefined
}

export function codeOf({ event, outcome, action }: Coded): string {
  return `${event}.${action ?? outcome}`
}
