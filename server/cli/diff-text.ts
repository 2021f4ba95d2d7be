/** A difference between two versions, for people and as JSON. */
import { MOST_COUNTED } from '../core/decision-diff.ts'
import { caseJson, caseText, outcomeJson, outcomeText } from './case-text.ts'
import type { TenantDiff } from './compared-tenants.ts'
import { shortVersion } from './live-version.ts'
import { escaped } from './print.ts'

/** Decisions that are listed for people; the count says how many more there are. */
const MOST_SHOWN = 100

export function diffText(diff: TenantDiff): string {
  const shown = diff.decisions.slice(0, MOST_SHOWN)
  const more = diff.decisions.length - shown.length
  return [
    headText(diff),
    ...diff.changes.map((change) => `  ${escaped(change)}`),
    countText(diff),
    ...shown.map(
      ({ asked, before, after }) =>
        `  ${caseText(asked)}: ${before === undefined ? 'refuse' : outcomeText(before)} -> ${outcomeText(after)}`,
    ),
    ...(more > 0 ? [`  and ${numberText(more)} more; --json has them all`] : []),
  ].join('\n')
}

function headText({ tenant, before, after, changes }: TenantDiff): string {
  if (before === undefined) return `${tenant} is new: nothing of it is live.`
  if (before === after) return `${tenant}: no difference; version ${shortVersion(after)} is live.`
  const versions = `${shortVersion(before)} -> ${shortVersion(after)}`
  return `${tenant}: version ${versions}${changes.length > 0 ? '' : ', the same facts and rules'}`
}

function countText({ compared, of, decisions }: TenantDiff): string {
  const all = `${of === MOST_COUNTED ? 'more than ' : ''}${numberText(of)}`
  const changed =
    decisions.length === 1
      ? '1 decision changes'
      : `${numberText(decisions.length)} decisions change`
  const rest = compared < of ? ' (those that touch what changed came first)' : ''
  return `compared ${numberText(compared)} of ${all} combinations; ${changed}${rest}`
}

function numberText(value: number): string {
  return value.toLocaleString('en-US')
}

export function diffJson(diff: TenantDiff): Readonly<Record<string, unknown>> {
  const { before, decisions, ...rest } = diff
  return {
    ...rest,
    ...(before !== undefined && { before }),
    decisions: decisions.map((comparison) => ({
      asked: caseJson(comparison.asked),
      ...(comparison.before !== undefined && { before: outcomeJson(comparison.before) }),
      after: outcomeJson(comparison.after),
    })),
  }
}
