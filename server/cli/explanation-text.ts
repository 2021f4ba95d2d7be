/** An explanation for people. Its text may come from a server and is escaped: names in it were anybody's. */
import type { Explanation, GuardResult, RuleResult } from '../core/explain.ts'
import type { Edit } from '../core/mend.ts'
import type { StatedObligations } from '../core/rules.ts'
import { shortVersion } from './live-version.ts'
import { escaped } from './print.ts'

export function explanationText(explanation: Explanation): string {
  return [
    ...verdictText(explanation),
    '',
    ...factsText(explanation),
    '',
    'Guards of the platform, in order',
    ...guardsText(explanation.guards),
    '',
    'Rules of the tenant',
    ...rulesText(explanation.rules),
    ...cureText(explanation),
  ].join('\n')
}

function verdictText({ decision, reason, text, guard, granted, obligations }: Explanation) {
  const terms = termsText(obligations)
  if (decision === 'permit') {
    const bound = terms === '' ? '' : `, bound to ${terms}`
    return [escaped(`PERMIT ${granted.join(' ')}${bound}`)]
  }
  const verdict = decision === 'ask' ? 'ASK' : 'REFUSE'
  const by = guard === undefined || guard === reason ? '' : ` [${guard}]`
  return [escaped(`${verdict} ${reason ?? ''}: ${text ?? ''}${by}`)]
}

function factsText({ tenant, version, facts }: Explanation): readonly string[] {
  const { subject, actors, task_type: taskType, resource, scope } = facts
  const about = [resource.kind, resource.sensitivity, resource.owner].filter(isText)
  const chain = actors.map(({ id, class: kind }) => (kind === undefined ? id : `${id} (${kind})`))
  const scopes = scope?.map(({ name, tier }) => (tier === undefined ? name : `${name} (${tier})`))
  const rows: readonly (readonly [string, string])[] = [
    ['Tenant', `${tenant}, version ${shortVersion(version)}`],
    ['Subject', subject ?? 'none: the first agent acts on its own behalf'],
    ['Chain', chain.join(' > ')],
    ['Task type', taskType?.id ?? '-'],
    ['Target', about.length > 0 ? `${resource.id} (${about.join(', ')})` : resource.id],
    ['Scope', scopes?.join(' ') ?? 'whatever is permitted outright'],
  ]
  return rows.map(([name, value]) => `${name.padEnd(11)}${escaped(value)}`)
}

/** A scope that fails on the way is not handed on; what fails in the last place is what refuses. */
function guardsText(guards: readonly GuardResult[]): readonly string[] {
  const last = guards.at(-1)?.at
  return guards.flatMap(({ at, guard, text, holds, scope }, index) => {
    const failed = scope !== undefined && at !== last ? 'drop' : 'FAIL'
    const about = scope === undefined ? text : `${text}: ${scope}`
    const line = `    ${holds ? 'pass' : failed}  ${guard.padEnd(25)} ${about}`
    const isFirst = guards[index - 1]?.at !== at
    return [...(isFirst ? [`  ${escaped(at)}`] : []), escaped(line)]
  })
}

function rulesText(rules: readonly RuleResult[]): readonly string[] {
  if (rules.length === 0) return ['  not asked: a guard refuses']
  const asked = rules.map(({ at, scope }) => (scope === undefined ? at : `${at}  ${scope}`))
  const width = Math.max(...asked.map((question) => question.length))
  return rules.map(({ decision, guard, policies, failed, obligations }, index) => {
    const terms = termsText(obligations)
    const by = [
      ...policies,
      ...failed.map((id) => `${id} (failed)`),
      ...(guard === undefined ? [] : [`[${guard}]`]),
      ...(terms === '' ? [] : [`with ${terms}`]),
    ]
    const question = (asked[index] ?? '').padEnd(width)
    return escaped(`  ${question}  ${decision.padEnd(7)} ${by.join(' ')}`.trimEnd())
  })
}

function cureText({ change, ask_instead: instead }: Explanation): readonly string[] {
  return [
    ...(change === undefined
      ? []
      : ['', 'The smallest change that would permit it', ...change.map(editText)]),
    ...(instead === undefined
      ? []
      : ['', escaped(`Permitted as it is: ${instead.scope.join(' ')} at ${instead.resource}`)]),
  ]
}

function editText({ file, entry, member, value }: Edit): string {
  const what = typeof value === 'number' ? `set ${member} to ${value}` : `add ${value} to ${member}`
  return escaped(`  ${file}: ${entry === undefined ? '' : `${entry}: `}${what}`)
}

function termsText(obligations: StatedObligations): string {
  const terms = Object.entries(obligations) as readonly (readonly [string, string | number])[]
  return terms.map(([name, value]) => `${name} ${value}`).join(', ')
}

function isText(value: string | undefined): value is string {
  return value !== undefined
}
