/** The day of the week, UTC as all times here: Cedar can take the time of day from `now`, but has no remainder to find it. */

/** In the order of `Date.getUTCDay`. */
export const WEEKDAYS = [
  'sunday',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
] as const

/** @param seconds since the epoch */
export function weekdayOf(seconds: number): string {
  return WEEKDAYS[new Date(seconds * 1000).getUTCDay()] ?? ''
}
