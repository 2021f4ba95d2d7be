/** Conditional requests (RFC 9110 §13) as this API takes them: one strong tag in If-Match, or `If-None-Match: *`. */
import { type ManagementRefusal, refuseManagement } from '../../core/management-refusal.ts'

const STRONG_TAG = /^"([\x21\x23-\x7e]{1,128})"$/

export function tagOf(value: string | number): string {
  return `"${value}"`
}

/** The tag's text; undefined where the header is absent. Weak tags, lists and `*` are malformed here. */
export function readIfMatch(header: string | undefined): string | undefined | ManagementRefusal {
  if (header === undefined) return undefined
  return STRONG_TAG.exec(header)?.[1] ?? refuseManagement('request_malformed', 'if_match')
}

/** What its author saw live. `undefined` in it: nothing was. Exactly one of the two headers has to say so. */
export function readExpectedVersion(
  ifMatch: string | undefined,
  ifNoneMatch: string | undefined,
): { readonly version: string | undefined } | ManagementRefusal {
  if (ifMatch === undefined && ifNoneMatch === undefined) {
    return refuseManagement('precondition_required')
  }
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    return refuseManagement('request_malformed', 'two_preconditions')
  }
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch !== '*') return refuseManagement('request_malformed', 'if_none_match')
    return { version: undefined }
  }
  const version = readIfMatch(ifMatch)
  return typeof version === 'string'
    ? { version }
    : (version ?? refuseManagement('precondition_required'))
}
