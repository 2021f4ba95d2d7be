/** Why a resource server's record is not taken: the only list of its reasons. */
export const RECORD_REASONS = {
  token_unknown: 'no token with this `jti` was issued for this resource in this task',
  time_unacceptable: '`at` is more than 24 hours ago, or to come',
} as const satisfies Record<string, string>

export type RecordReason = keyof typeof RECORD_REASONS
